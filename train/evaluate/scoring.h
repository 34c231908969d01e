/* Images through a detector: how evaluation, prediction, threshold and a training's pictures score theirs. */
#pragma once

#include "core/base/string_list.h"
#include "data/codec/codec.h"
#include "models/detector.h"

/* An image and what a detector says of it. */
typedef struct EadScored {
    EadImage image;  /* 3 channels, owned; once scored, dark outside of the model's region of interest */
    uint8_t *inside; /* [height][width], 1 in that region, else 0; NULL: all is inside; owned */
    float *map;      /* [height][width] of the image, owned */
    float score;
    EadMap parts[EAD_MAP_PARTS]; /* what the map is made of, where the detector gives it; owned */
    double decoding_seconds, inference_seconds;
} EadScored;

/* Decodes a file by rules and scores it at its own size. Errors: those of ead_image_load_with() and ead_detector_run().
 * Free with ead_scored_free() in every case (harmless on a zeroed struct). */
EadStatus ead_score_file(EadDetector *detector, const char *path, const EadImageRules *rules, EadScored *out);
void ead_scored_free(EadScored *scored);

/* Its two halves: the first leaves out->map NULL, the second fills the rest. */
EadStatus ead_score_decode(const char *path, const EadImageRules *rules, EadScored *out);
EadStatus ead_score_decoded(EadDetector *detector, const char *path, EadScored *out);

/* How images are read for a model: as those that it was trained on. */
EadImageRules ead_model_image_rules(const EadModel *model, int64_t max_pixels);

/* Scores an image in memory; *map is the caller's. */
EadStatus ead_score_image(EadDetector *detector, const EadImage *image, float **map, float *score);

/* Of some images the scores and, of their maps at the images' own sizes, the largest and the mean values. */
typedef struct EadImageScores {
    int count;
    float *scores, *peaks, *means; /* [count], owned */
} EadImageScores;

/* Scores every file as evaluation does. Errors: also EAD_INTERRUPTED on Ctrl-C. Free *out in every case (harmless on a
 * zeroed struct). */
EadStatus ead_score_images(const EadModel *model, const EadPlanOptions *plan, const EadStringList *files,
                           const EadImageRules *rules, bool quiet, EadImageScores *out);
void ead_image_scores_free(EadImageScores *scores);
