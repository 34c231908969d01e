/* Detectors that are lent to threads. */
#include "train/evaluate/scorer.h"

#include "core/base/memory.h"
#include "train/support/memory_budget.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    ROUNDS = 2,     /* images for each thread from which on it is worth it */
    DEVICE_SIDE = 4 /* images in hand beside a device */
};

struct EadScorer {
    EadDetector **detectors; /* [count]; the first `there` are not lent */
    int count, there;
    int threads, share; /* that call; OpenMP's for each */
    pthread_mutex_t mutex;
    pthread_cond_t returned;
};

static int min_of(int64_t a, int64_t b) {
    return (int)(a < b ? a : b);
}

/* Bytes of a detector that has so many threads. */
static EadStatus measure_with(const EadModel *model, const EadPlanOptions *plan, int threads, size_t *bytes) {
    int all = omp_get_max_threads();
    omp_set_num_threads(threads);
    EadStatus status = ead_detector_measure(model, plan, 1, bytes);
    omp_set_num_threads(all);
    return status;
}

/* How many detectors of the CPU work side by side: as many as there are threads, if half of the memory holds them. alone: bytes of
 * one with one thread, where that was asked for. */
static EadStatus choose_count(const EadModel *model, const EadPlanOptions *plan, int64_t images, int all,
                              size_t free_memory, int *count, size_t *alone) {
    *count = 1;
    if (all == 1 || images < (int64_t)ROUNDS * all) return EAD_OK;
    EAD_TRY(measure_with(model, plan, 1, alone));
    *count = min_of(all, (int64_t)(free_memory / 2 / (*alone + 1)));
    if (*count < 1) *count = 1;
    return EAD_OK;
}

static EadStatus open_all(EadScorer *s, const EadModel *model, const EadPlanOptions *plan, bool parts) {
    s->detectors = ead_new(s->count, sizeof *s->detectors, "detectors");
    EadStatus status = s->detectors ? EAD_OK : EAD_NO_MEMORY;
    while (status == EAD_OK && s->there < s->count) {
        EadDetector **detector = &s->detectors[s->there];
        status = parts ? ead_detector_new_with_parts(model, plan, detector)
                       : ead_detector_new(model, plan, 1, detector);
        s->there += status == EAD_OK;
    }
    return status;
}

EadStatus ead_scorer_measure(const EadModel *model, const EadPlanOptions *plan, int64_t images,
                             size_t free_memory, size_t *bytes) {
    int count, all = omp_get_max_threads();
    EAD_TRY(choose_count(model, plan, images, all, free_memory, &count, bytes));
    if (count < all || all == 1) EAD_TRY(measure_with(model, plan, all / count, bytes));
    *bytes *= (size_t)count;
    return EAD_OK;
}

EadStatus ead_scorer_new(const EadModel *model, const EadPlanOptions *plan, int64_t images, bool parts,
                         EadScorer **out) {
    int all = omp_get_max_threads();
    bool device = plan->backend && plan->backend->device;
    *out = NULL;
    EadScorer *s = ead_new(1, sizeof *s, "detectors");
    if (!s) return EAD_NO_MEMORY;
    *s = (EadScorer){
        .count = 1, .threads = 1, .mutex = PTHREAD_MUTEX_INITIALIZER, .returned = PTHREAD_COND_INITIALIZER};
    size_t alone, there = ead_available_memory(&ead_backend_cpu);
    EadStatus status = device ? EAD_OK : choose_count(model, plan, images, all, there, &s->count, &alone);
    s->threads = !device ? s->count : images < 1 ? 1 : min_of(min_of(DEVICE_SIDE, all), images);
    s->share = all / s->threads;
    omp_set_num_threads(s->share); /* a plan has room for as many */
    if (status == EAD_OK) status = open_all(s, model, plan, parts);
    omp_set_num_threads(all);
    if (status == EAD_OK)
        *out = s;
    else
        ead_scorer_free(s);
    return status;
}

int ead_scorer_threads(const EadScorer *scorer) {
    return scorer->threads;
}

int ead_scorer_parts(const EadScorer *scorer) {
    return ead_detector_part_count(scorer->detectors[0]);
}

size_t ead_scorer_bytes(const EadScorer *scorer) {
    return (size_t)scorer->count * ead_detector_bytes(scorer->detectors[0]);
}

EadStatus ead_scorer_score_file(EadScorer *s, const char *path, const EadImageRules *rules, EadScored *out) {
    if (s->threads > 1) omp_set_num_threads(s->share);
    EAD_TRY(ead_score_decode(path, rules, out));
    pthread_mutex_lock(&s->mutex);
    while (s->there == 0) pthread_cond_wait(&s->returned, &s->mutex);
    EadDetector *detector = s->detectors[--s->there];
    pthread_mutex_unlock(&s->mutex);
    EadStatus status = ead_score_decoded(detector, path, out);
    pthread_mutex_lock(&s->mutex);
    s->detectors[s->there++] = detector;
    pthread_cond_signal(&s->returned);
    pthread_mutex_unlock(&s->mutex);
    return status;
}

void ead_scorer_free(EadScorer *scorer) {
    if (!scorer) return;
    for (int i = 0; i < scorer->there; i++) ead_detector_close(scorer->detectors[i]);
    free(scorer->detectors);
    pthread_cond_destroy(&scorer->returned);
    pthread_mutex_destroy(&scorer->mutex);
    free(scorer);
}
