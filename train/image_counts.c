/* Bounds from numbers of images alone. */
#include "train/image_counts.h"

#include "train/evaluate/threshold_file.h"

#include <math.h>
#include <stdio.h>

/* Fewer than the first are worth a word: the bound is above 16.8 %. The second is what is named for comparison. */
enum { FEW_VALIDATION = 20, COMPARED_VALIDATION = 30 };

static const double LEVEL = 0.95, RARE = 0.1, MISSING = 0.01;

void ead_warn_of_validation_images(const EadConfig *config, int count, char text[EAD_COUNT_WARNING]) {
    double low, high, high_of_more;
    text[0] = '\0';
    if (count < 1 || count >= FEW_VALIDATION || ead_threshold_rule(config).method == EAD_THRESHOLD_NONE)
        return;
    ead_clopper_pearson(0, count, LEVEL, &low, &high);
    ead_clopper_pearson(0, COMPARED_VALIDATION, LEVEL, &low, &high_of_more);
    snprintf(text, EAD_COUNT_WARNING,
             "%d validation image%s: the false-alarm rate of the threshold will be known only to lie between "
             "0 and "
             "%.3g %%; with %d it would be 0 to %.3g %% (more images, or dataset.validation_fraction)",
             count, count == 1 ? "" : "s", 100 * high, (int)COMPARED_VALIDATION, 100 * high_of_more);
}

void ead_warn_of_training_images(int count, char text[EAD_COUNT_WARNING]) {
    int enough = (int)ceil(log(MISSING) / log(1 - RARE));
    text[0] = '\0';
    if (count < 1 || count >= enough) return;
    snprintf(text, EAD_COUNT_WARNING,
             "%d training image%s: a look that one good part in 10 has is missing with a probability of %.2g "
             "%%; with %d images, below 1 %%",
             count, count == 1 ? "" : "s", 100 * pow(1 - RARE, count), enough);
}
