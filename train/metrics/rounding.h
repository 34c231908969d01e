/* What rounding to 32 bits, as scores and pixels are kept, changes of a ranking of numbers with more. */
#pragma once

#include "core/image/image.h"

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: empty. */
typedef struct EadRounding {
    double *values;     /* [count], as given; owned */
    uint8_t *anomalous; /* [count], 0 or 1; owned */
    int count, value_capacity, label_capacity;
    bool changed; /* one at least is not a 32-bit number */
} EadRounding;

/* Errors: EAD_NO_MEMORY. */
EadStatus ead_rounding_add(EadRounding *rounding, double value, bool anomalous);

/* At most 1,000 pixels with a defect and 1,000 without of values [height][width], evenly spaced; mask, of any size, says
 * which (nearest pixel); NULL: none has. Errors: EAD_NO_MEMORY. */
EadStatus ead_rounding_add_map(EadRounding *rounding, const double *values, int width, int height,
                               const EadImage *mask);

/* Errors: EAD_BAD_FILE, "LABEL: ...", where rounding changes AU-ROC or average precision by more than 1e-6, with the cure;
 * what: "pixels"; EAD_NO_MEMORY. */
EadStatus ead_rounding_check(const EadRounding *rounding, const char *label, const char *what);
void ead_rounding_free(EadRounding *rounding);
