/* The state of a fit of PatchCore: what its steps (patchcore_fit.c) and the count of what they take (patchcore_need.c) share. */
#pragma once

#include "core/plan/plan.h"
#include "train/fit.h"
#include "train/patchcore/patchcore_fit.h"

typedef struct EadPatchcoreFit {
    const EadRunSpec *spec;
    const EadConfig *config;
    const EadTrainData *data; /* NULL: a sample */
    int count;                /* of training images, of a sample */
    EadPatchcore *model;
    EadImageList added_list; /* of patchcore.add */
    EadImageCache *added;    /* NULL: there are none */
    /* While patches are computed: */
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images, *patches;
    const EadImageCache *cache;
    uint8_t *image;
    real *rows;      /* [used * grid][length] */
    size_t network;  /* bytes of the host that the plan takes */
    int used, known; /* images whose patches are there, or that were in the bank already */
    bool grows;      /* from the bank of model.init */
} EadPatchcoreFit;

/* Positions of an image, each with a patch. */
int64_t ead_patchcore_fit_grid(const EadPatchcoreFit *s);

/* How many patches of that many images more the bank takes. */
int64_t ead_patchcore_fit_choice(const EadPatchcoreFit *s, int images);

/* Images whose patches are to be computed. */
int ead_patchcore_fit_listed(const EadPatchcoreFit *s);

/* Of a fit with that many images. */
typedef struct EadPatchcoreMemory {
    int64_t patches, bank; /* numbers of vectors */
    size_t patch_bytes, coreset_bytes, bank_bytes;
    size_t search_bytes; /* that a detector keeps beside the bank, when the patches are gone */
    size_t besides, total;
} EadPatchcoreMemory;

EadPatchcoreMemory ead_patchcore_fit_memory(const EadPatchcoreFit *s, int images);

/* Errors: EAD_BAD_ARGUMENT for a bank of fewer patches than the neighbours that are looked for. */
EadStatus ead_patchcore_fit_check_neighbours(const EadPatchcoreFit *s, int64_t bank);

/* Fails before the work what would not fit. Errors: EAD_BAD_ARGUMENT, EAD_NO_MEMORY, with the numbers and the cure. */
EadStatus ead_patchcore_fit_check_memory(const EadPatchcoreFit *s, int images);
