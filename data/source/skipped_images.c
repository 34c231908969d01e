/* A set of indices with their messages, under a mutex. */
#include "data/source/skipped_images.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/base/string_list.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

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

/* Whether a file cannot be used by this user, however often it is tried: a damaged disk or too many open files may pass,
 * and a file that is gone was there when the collection was listed. */
static bool is_unusable(const char *path, EadStatus status) {
    if (status == EAD_BAD_FILE || status == EAD_UNSUPPORTED) return true;
    if (status != EAD_IO) return false;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool refused = descriptor < 0 && errno == EACCES;
    if (descriptor >= 0) close(descriptor);
    return refused;
}

EadStatus ead_skipped_images_add(EadSkippedImages *skipped, const char *path, int index, EadStatus status) {
    if (!is_unusable(path, status)) return status;
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
