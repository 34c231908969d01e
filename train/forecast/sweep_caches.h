/* What the runs of a sweep leave in folders for caches; each file counts once, however many runs share it. */
#pragma once

#include "data/dataset/dataset.h"
#include "train/fit.h"

typedef struct EadSweepDraws EadSweepDraws;

/* Zeroed: none. */
typedef struct EadSweepCaches {
    EadStringList files; /* names */
    double bytes;        /* of these, but for draws */
    EadSweepDraws *draws;
    int draw_count, draw_capacity;
} EadSweepCaches;

/* Which files of a run other runs before it did not have. */
typedef struct EadSweepCachesNew {
    int decoded;   /* images in them */
    bool features; /* or there is no such file: they are computed */
} EadSweepCachesNew;

/* The file of features of a fit, as EadFit.features tells it; bytes 0: there is none. */
typedef struct EadSweepFeatures {
    char text[160];
    uint64_t bytes;
} EadSweepFeatures;

/* Adds the caches of the run of a config, which is borrowed, on its data set. Errors: those of ead_cache_bytes() and of
 * listing what is drawn. */
EadStatus ead_sweep_caches_add(EadSweepCaches *caches, const EadFit *fit, const EadConfig *config,
                               const EadDataset *dataset, const EadSweepFeatures *features,
                               EadSweepCachesNew *fresh);

/* Bytes of all on the disk. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_caches_bytes(const EadSweepCaches *caches, double *bytes);

void ead_sweep_caches_free(EadSweepCaches *caches);
