/* Several PatchCores whose scores and maps are averaged: a model in memory. Each member's are scaled first by what they
 * are on images that are known, so that none counts more because its distances are larger.
 *
 * In the model file (models/method.h) it is
 *   metadata  members "2" to "8", fusion "validation" or "test", and what every member has as a PatchCore, with the
 *             prefix "member1." and so on
 *   tensors   ranges [4 members] (F32: least and largest score, least and largest map value of each), and every
 *             member's */
#pragma once

#include "models/patchcore/patchcore.h"

enum { EAD_ENSEMBLE_LEAST = 2, EAD_ENSEMBLE_MOST = 8 };

/* Which images tell the ranges. */
typedef enum EadFusion {
    EAD_FUSION_VALIDATION, /* good ones that were held back: from zero to the largest */
    EAD_FUSION_TEST,       /* those of the test, as its authors do it: from the least to the largest */
} EadFusion;

/* What a member says of these images. */
typedef struct EadMemberRange {
    real least_score, most_score, least_map, most_map;
} EadMemberRange;

typedef struct EadPatchcoreEnsemble {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadFusion fusion;
    int count;
    EadPatchcore *members[EAD_ENSEMBLE_MOST]; /* [count], owned, all at the size of base */
    EadMemberRange ranges[EAD_ENSEMBLE_MOST];
    real *affine; /* [EAD_ENSEMBLE_MOST][4], owned: scale and shift of a member's score, then of its map */
} EadPatchcoreEnsemble;

/* A model without members, to which up to EAD_ENSEMBLE_MOST can be given, with ranges of 0 to 1. Errors: EAD_NO_MEMORY. Free with
 * ead_model_free() of its base. */
EadStatus ead_patchcore_ensemble_new(int height, int width, EadFusion fusion, EadPatchcoreEnsemble **out);

/* Sets the ranges [count] of all members: a value v counts as (v - least) / (most - least). Errors: EAD_BAD_ARGUMENT,
 * naming the member, where these are no range of distances: 0 <= least < most. */
EadStatus ead_patchcore_ensemble_set_ranges(EadPatchcoreEnsemble *model, const EadMemberRange *ranges);
