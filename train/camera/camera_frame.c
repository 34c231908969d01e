/* Reasons, in words. */
#include "train/camera/camera_frame.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const reasons[][2] = {
#define X(id, name, meaning) {name, meaning},
    EAD_MISS_REASONS(X)
#undef X
};

const char *ead_miss_name(EadMissReason reason) {
    return reasons[reason][0];
}

int64_t ead_missed_total(const int64_t missed[EAD_MISS_COUNT]) {
    int64_t total = 0;
    for (int i = 0; i < EAD_MISS_COUNT; i++) total += missed[i];
    return total;
}

void ead_missed_describe(const int64_t missed[EAD_MISS_COUNT], char text[EAD_MISSED_TEXT]) {
    int64_t total = ead_missed_total(missed);
    int used =
        snprintf(text, EAD_MISSED_TEXT, "%" PRId64 " image%s not inspected", total, total == 1 ? "" : "s");
    for (int i = 0, more = 0; i < EAD_MISS_COUNT; i++) {
        if (missed[i] == 0) continue;
        used += snprintf(text + used, (size_t)(EAD_MISSED_TEXT - used), "%s %" PRId64 " %s",
                         more++ ? "," : ":", missed[i], reasons[i][1]);
    }
}
