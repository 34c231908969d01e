/* What is made of an image (its pixels at some size), kept in a file once it was first asked for: of a collection such
 * as ImageNet a training draws a part, so nothing is made beforehand. The file has a bounded number of places; what
 * finds its place taken is made anew each time. Runs may share the file: a record counts only with the checksum that
 * belongs to it, so it does not matter who wrote it or whether he got to the end. */
#pragma once

#include "data/cache/cache_key.h"

#include <stddef.h>
#include <stdint.h>

typedef struct EadRecordCacheSpec {
    const EadImageList *images; /* borrowed until the cache is closed */
    EadCacheSettings settings;  /* how records are made of them */
    size_t record_bytes;        /* >= 1 */
    /* Makes the record of image `index`, in several threads at once. */
    EadStatus (*make)(void *context, int index, uint8_t *record);
    void *context;
    const char *file; /* its folder must exist; NULL: nothing is kept */
    uint64_t budget;  /* most bytes of all records in the file; less than one record: nothing is kept */
} EadRecordCacheSpec;

typedef struct EadRecordCache EadRecordCache;

/* Opens the file, or begins it where there is none of these settings and this size. A file that may only be read is
 * read. Nothing is asked of the images. Errors: EAD_IO, also without room for all records; EAD_NO_MEMORY. *out is NULL
 * then. */
EadStatus ead_record_cache_open(const EadRecordCacheSpec *spec, EadRecordCache **out);

/* About the bytes that the file takes on the disk when so many different images, 0 .. images->count, have been read.
 * spec->file is not asked for. Errors: EAD_NO_MEMORY. */
EadStatus ead_record_cache_bytes(const EadRecordCacheSpec *spec, double read, uint64_t *bytes);

/* Brings the record of image `index`, from the file or made, and keeps it where there is a place. A record belongs to
 * the name, place, size and time of last change of its image. Several threads may call it at once. Errors: those of
 * `make`. */
EadStatus ead_record_cache_read(EadRecordCache *cache, int index, uint8_t *record);

/* Harmless on NULL. */
void ead_record_cache_close(EadRecordCache *cache);
