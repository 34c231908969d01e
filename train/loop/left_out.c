/* A list of messages. */
#include "train/loop/left_out.h"

#include <stdio.h>

/* What does not fit into memory goes unnamed, but is counted. */
static void keep_message(void *context, const char *message) {
    (void)ead_strings_add(context, message);
}

EadStatus ead_skipped_images_start(EadSkippedImages *left_out, int total) {
    *left_out = (EadSkippedImages){.total = total};
    return ead_damaged_images_new(total, keep_message, &left_out->messages, &left_out->damaged);
}

void ead_skipped_images_finish(EadSkippedImages *left_out, const char *key) {
    int count = left_out->damaged ? ead_damaged_images_count(left_out->damaged) : 0;
    for (int i = 0; i < left_out->messages.count; i++)
        fprintf(stderr, "left out: %s\n", left_out->messages.items[i]);
    if (count > 0) fprintf(stderr, "%s: %d of %d images left out\n", key, count, left_out->total);
    ead_damaged_images_free(left_out->damaged);
    ead_strings_free(&left_out->messages);
    *left_out = (EadSkippedImages){0};
}
