/* Which images a bank of PatchCore holds: told by their pixels at the model's size, whatever their files are called. */
#pragma once

#include "data/cache/image_cache.h"
#include "models/patchcore/patchcore.h"

/* 64-bit FNV-1a of an image of so many bytes. */
uint64_t ead_bank_hash(const uint8_t *image, size_t bytes);

bool ead_bank_knows(const EadPatchcore *model, uint64_t hash);

/* Adds one. Errors: EAD_NO_MEMORY. */
EadStatus ead_bank_remember(EadPatchcore *model, uint64_t hash);

/* How many images of a cache, at the model's size, are in the bank. Errors: those of reading. */
EadStatus ead_bank_count_known(const EadPatchcore *model, const EadImageCache *cache, int *known);
