/* Ranks that are threads of the test: the interface without MPI. */
#pragma once

#include "core/ranks/ranks.h"
#include "test/support/suite.h"

#include <omp.h>
#include <pthread.h>

enum { MAX_THREAD_RANKS = 8 };

typedef struct ThreadRanks ThreadRanks;

typedef struct ThreadRank {
    EadRanks ranks; /* first: what sums are given is this */
    ThreadRanks *all;
    void (*work)(const EadRanks *ranks, void *context);
    void *context;
} ThreadRank;

struct ThreadRanks {
    pthread_barrier_t barrier;
    void *values[MAX_THREAD_RANKS]; /* by rank, of the sum that is going on */
    ThreadRank rank[MAX_THREAD_RANKS];
};

/* Rank 0 adds up for all. */
#define THREAD_SUM(name, type)                                                                               \
    static inline void name(const EadRanks *ranks, type *values, int64_t count) {                            \
        ThreadRanks *all = ((const ThreadRank *)ranks)->all;                                                 \
        all->values[ranks->rank] = values;                                                                   \
        pthread_barrier_wait(&all->barrier);                                                                 \
        for (int64_t i = 0; i < count && ranks->rank == 0; i++) {                                            \
            double sum = 0;                                                                                  \
            for (int r = 0; r < ranks->count; r++) sum += (double)((type *)all->values[r])[i];               \
            for (int r = 0; r < ranks->count; r++) ((type *)all->values[r])[i] = (type)sum;                  \
        }                                                                                                    \
        pthread_barrier_wait(&all->barrier);                                                                 \
    }
THREAD_SUM(thread_sum_reals, real)
THREAD_SUM(thread_sum_doubles, double)

static inline void *run_thread_rank(void *context) {
    ThreadRank *rank = context;
    omp_set_num_threads(1);
    rank->work(&rank->ranks, rank->context);
    return NULL;
}

/* Does the work as that many ranks at once. A check that fails in one of them would leave the others waiting: work
 * keeps what it finds in the context. */
static inline void as_ranks(int count, void (*work)(const EadRanks *ranks, void *context), void *context) {
    static ThreadRanks all;
    pthread_t threads[MAX_THREAD_RANKS];
    ck_assert_int_eq(pthread_barrier_init(&all.barrier, NULL, (unsigned)count), 0);
    for (int r = 0; r < count; r++) {
        all.rank[r] = (ThreadRank){{r, count, thread_sum_reals, thread_sum_doubles}, &all, work, context};
        ck_assert_int_eq(pthread_create(&threads[r], NULL, run_thread_rank, &all.rank[r]), 0);
    }
    for (int r = 0; r < count; r++) pthread_join(threads[r], NULL);
    pthread_barrier_destroy(&all.barrier);
}
