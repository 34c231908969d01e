/* Copies of whole values on the CPU, by all threads. */
#pragma once

#include "core/base/minmax.h"

#include <stddef.h>
#include <string.h>

/* As memcpy(). In parts of a size that does not depend on the number of threads, of which a small value is one. */
static inline void ead_copy_bytes(void *to, const void *from, size_t bytes) {
    const size_t part = (size_t)1 << 18;
    int64_t parts = (int64_t)((bytes + part - 1) / part);
#pragma omp parallel for schedule(static) if (parts > 1)
    for (int64_t i = 0; i < parts; i++) {
        size_t begin = (size_t)i * part, left = bytes - begin;
        memcpy((char *)to + begin, (const char *)from + begin, left < part ? left : part);
    }
}
