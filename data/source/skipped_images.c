/* A set of indices with their messages, under a mutex. */
#include "data/source/skipped_images.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/base/string_list.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_PER_CENT = 1 };

struct EadSkippedImages {
    pthread_mutex_t mutex;    /* guards all below */
    bool *has;                /* [images] */
    int images, total, count; /* all; those asked for; those skipped */
    EadStringList messages;
};

/* One may be bad in a small collection, too, but not all there is. */
static bool too_many(const EadSkippedImages *skipped) {
    int most = (int)((long long)skipped->total * MAX_PER_CENT / 100);
    return skipped->count > (most < 1 ? 1 : most) || skipped->count == skipped->images;
}

EadStatus ead_skipped_images_new(int images, int total, EadSkippedImages **out) {
    *out = ead_new(1, sizeof **out, "a list of skipped images");
    if (!*out) return EAD_NO_MEMORY;
    **out = (EadSkippedImages){.mutex = PTHREAD_MUTEX_INITIALIZER, .images = images, .total = total};
    (*out)->has = ead_new(images, sizeof *(*out)->has, "a list of skipped images");
    if ((*out)->has) return EAD_OK;
    ead_skipped_images_free(*out);
    *out = NULL;
    return EAD_NO_MEMORY;
}

EadStatus ead_skipped_images_add(EadSkippedImages *skipped, int index, EadStatus status) {
    if (status != EAD_BAD_FILE && status != EAD_UNSUPPORTED) return status;
    status = EAD_OK;
    pthread_mutex_lock(&skipped->mutex);
    if (!skipped->has[index]) {
        skipped->has[index] = true;
        skipped->count++;
        if (too_many(skipped))
            status = ead_fail_prefix(
                EAD_BAD_FILE, "%d of %d images cannot be used, more than %d %%; the last: ", skipped->count,
                skipped->total, MAX_PER_CENT);
        else
            status = ead_strings_add(&skipped->messages, ead_error_message());
    }
    pthread_mutex_unlock(&skipped->mutex);
    return status;
}

int ead_skipped_images_count(EadSkippedImages *skipped) {
    pthread_mutex_lock(&skipped->mutex);
    int count = skipped->count;
    pthread_mutex_unlock(&skipped->mutex);
    return count;
}

void ead_skipped_images_print(const EadSkippedImages *skipped, const char *key, FILE *stream) {
    if (!skipped || skipped->count == 0) return;
    for (int i = 0; i < skipped->messages.count; i++)
        ead_print(stream, "skipped: %s\n", skipped->messages.items[i]);
    ead_print(stream, "%s: %d of %d images skipped\n", key, skipped->count, skipped->total);
}

void ead_skipped_images_free(EadSkippedImages *skipped) {
    if (!skipped) return;
    pthread_mutex_destroy(&skipped->mutex);
    ead_strings_free(&skipped->messages);
    free(skipped->has);
    free(skipped);
}
