/* Features of images computed once and kept in a file: a record an image, its pixels as a network sees them
 * and its features in half precision, with a checksum. A backbone's pass over an image costs many times what
 * a step of distillation does. The file grows as "<path>.partial" and gets its name when it is complete, so
 * an interrupted filling goes on where it stopped, also with another number of ranks: these share out the
 * missing records and read each other's, in a folder that all of them see. */
#pragma once

#include "core/base/status.h"
#include "core/ranks/ranks.h"

#include <stddef.h>
#include <stdint.h>

typedef struct EadFeatureCacheSpec {
    const char *path;      /* of the complete file; its folder must exist */
    uint64_t key;          /* a hash of all that the records depend on: another key, another cache */
    int count;             /* records, >= 1 */
    size_t pixel_bytes;    /* of one image */
    int64_t features;      /* numbers an image */
    const EadRanks *ranks; /* that fill it together, each with a spec like this; NULL: one process */
    uint64_t beside;       /* bytes of other files that will be written to its disk */
} EadFeatureCacheSpec;

typedef struct EadFeatureCache EadFeatureCache;

/* Bytes of the complete file. */
uint64_t ead_feature_cache_bytes(const EadFeatureCacheSpec *spec);

/* Opens the file, complete or partial, or begins it. A file with another key or of another size is made anew;
 * what is no such file at all is not touched. Only one process at a time, or the ranks of one run, may fill
 * it. Before anything is written the disk must have room for all of it. Every rank must call it. Errors:
 * EAD_BUSY; EAD_IO, with the sizes if the room is missing; EAD_NO_MEMORY; those of ead_ranks_agree(). */
EadStatus ead_feature_cache_open(const EadFeatureCacheSpec *spec, EadFeatureCache **out);

/* Whether it is; else it must be filled, and then finished, before it is read. */
bool ead_feature_cache_complete(const EadFeatureCache *cache);

/* How many records there were when it was opened, 0 .. count. */
int ead_feature_cache_filled(const EadFeatureCache *cache);

/* The missing records that this rank is to write, ascending, as long as the cache is open; *count of them. */
const int *ead_feature_cache_missing(const EadFeatureCache *cache, int *count);

/* Writes record `index`, one of the missing, in their order. Values beyond half precision become infinite and
 * are refused: EAD_BAD_ARGUMENT. Errors: EAD_IO. */
EadStatus ead_feature_cache_write(EadFeatureCache *cache, int index, const uint8_t *pixels,
                                  const float *features);

/* To be called by every rank when it has written its records, or failed to, with how that ended: completes
 * the file if all have. Errors: those of ead_ranks_agree(); EAD_IO. */
EadStatus ead_feature_cache_finish(EadFeatureCache *cache, EadStatus status);

/* Reads record `index`: pixels [pixel_bytes] and features as halves. May be called by several
 * threads at once. Errors: EAD_IO; EAD_BAD_FILE if the record is damaged. */
EadStatus ead_feature_cache_read(const EadFeatureCache *cache, int index, uint8_t *pixels,
                                 uint16_t *features);

/* Harmless on NULL. */
void ead_feature_cache_close(EadFeatureCache *cache);
