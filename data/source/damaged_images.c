/* A set of indices under a mutex. */
#include "data/source/damaged_images.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_PER_CENT = 1 };

struct EadDamagedImages {
    pthread_mutex_t mutex; /* guards all below */
    bool *noted;           /* [total] */
    int total, count;
    EadDamageReport *report;
    void *context;
};

EadStatus ead_damaged_images_new(int total, EadDamageReport *report, void *context, EadDamagedImages **out) {
    EadDamagedImages *damaged = calloc(1, sizeof *damaged);
    bool *noted = calloc((size_t)total, sizeof *noted);
    if (!damaged || !noted || pthread_mutex_init(&damaged->mutex, NULL) != 0) {
        free(damaged);
        free(noted);
        return ead_fail(EAD_NO_MEMORY, "no memory for a list of %d images", total);
    }
    damaged->noted = noted;
    damaged->total = total;
    damaged->report = report;
    damaged->context = context;
    *out = damaged;
    return EAD_OK;
}

/* Under the mutex. */
static EadStatus note_new(EadDamagedImages *damaged, int index) {
    damaged->noted[index] = true;
    damaged->count++;
    if ((long long)damaged->count * 100 > (long long)damaged->total * MAX_PER_CENT)
        return ead_fail_prefix(EAD_BAD_FILE,
                               "%d of %d images cannot be used, more than %d %%; the last: ", damaged->count,
                               damaged->total, MAX_PER_CENT);
    if (damaged->report) damaged->report(damaged->context, ead_error_message());
    return EAD_OK;
}

EadStatus ead_damaged_images_note(EadDamagedImages *damaged, int index, EadStatus status) {
    if (status != EAD_BAD_FILE && status != EAD_UNSUPPORTED) return status;
    pthread_mutex_lock(&damaged->mutex);
    status = damaged->noted[index] ? EAD_OK : note_new(damaged, index);
    pthread_mutex_unlock(&damaged->mutex);
    return status;
}

bool ead_damaged_images_has(EadDamagedImages *damaged, int index) {
    pthread_mutex_lock(&damaged->mutex);
    bool noted = damaged->noted[index];
    pthread_mutex_unlock(&damaged->mutex);
    return noted;
}

int ead_damaged_images_count(EadDamagedImages *damaged) {
    pthread_mutex_lock(&damaged->mutex);
    int count = damaged->count;
    pthread_mutex_unlock(&damaged->mutex);
    return count;
}

void ead_damaged_images_free(EadDamagedImages *damaged) {
    if (!damaged) return;
    pthread_mutex_destroy(&damaged->mutex);
    free(damaged->noted);
    free(damaged);
}
