/* Patches of photographs, from which a descriptor of patches is distilled (S-T), as a fill function for a loader. */
#pragma once

#include "data/loader/image_draws.h"

/* A photograph is zoomed to a side of 4 to 16 patches before one is cut out of it: so a patch is as wide as a quarter to a
 * sixteenth of it. */
enum { EAD_PATCHES_ACROSS_LEAST = 4, EAD_PATCHES_ACROSS_MOST = 16 };

typedef struct EadPatchDraws {
    EadImageDraws *photographs; /* EAD_FIT_RESIZE at side x side; borrowed */
    int side;                   /* at least EAD_PATCHES_ACROSS_MOST */
    int field;                  /* pixels of a patch's side */
    int batch;                  /* patches a step */
    uint64_t seed;
    double gray; /* chance that a patch is turned gray */
} EadPatchDraws;

/* An EadLoaderFill; context is a const EadPatchDraws, the slot [batch][field][field][3]. Patch b of 1-based step is draw
 * number d = (step - 1) batch + b: of the photograph that is number d of the sequence by EAD_STREAM_DISTILL_ORDER; words 0 to 3
 * of block field 2^48 + d of EAD_STREAM_PATCH say the zoomed side (of so many whole pixels), row and column of the patch,
 * and whether it is gray. Errors: those of ead_image_draws_read(); EAD_NO_MEMORY. */
EadStatus ead_patch_draws_fill(void *context, uint64_t step, uint8_t *slot);
