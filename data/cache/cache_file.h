/* The .safetensors file of a cache: used where it was made of the same, else made anew. */
#pragma once

#include "core/file/safetensors.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct EadCacheFile {
    const char *path, *format; /* its folder must exist; metadata "format" */
    uint64_t key;              /* of what it is made: metadata "inputs" */
    bool grows;                /* it is opened for writing, too, where that is allowed */
    /* A file of that format and key is there: *used says whether it holds the cache, which has then taken what it needs
     * of it. */
    EadStatus (*use)(void *cache, const EadSafetensors *file, int descriptor, bool *used);
    /* Adds the tensors, without data. */
    EadStatus (*add)(void *cache, EadSafetensorsWriter *writer);
    /* Writes the data into the file. NULL: they stay holes. */
    EadStatus (*fill)(void *cache, const EadSafetensorsWriter *writer, int output);
    void *cache;
} EadCacheFile;

/* Opens the file, and makes it first unless it is there; it gets its name once it is whole. *descriptor is the
 * caller's, -1 after a failure. Errors: those of the functions and of writing; EAD_IO. */
EadStatus ead_cache_file_open(const EadCacheFile *file, int *descriptor);

/* Bytes of the file, made or not, but for a header of some hundred: path and key are not asked for, of the functions only `add`. Errors: those of `add`;
 * EAD_NO_MEMORY. */
EadStatus ead_cache_file_bytes(const EadCacheFile *file, uint64_t *bytes);
