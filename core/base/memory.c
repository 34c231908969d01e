/* Allocation with a message, of many numbers, and growing arrays. */
#define _DEFAULT_SOURCE /* madvise */
#include "core/base/memory.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *ead_new(int64_t count, size_t size, const char *what) {
    void *memory = count >= 0 ? calloc(count ? (size_t)count : 1, size) : NULL;
    double megabytes = 1e-6 * (double)count * (double)size;
    if (!memory && megabytes < 1) ead_fail(EAD_NO_MEMORY, "no memory for %s", what);
    if (!memory && megabytes >= 1) ead_fail(EAD_NO_MEMORY, "no memory for %s of %.0f MB", what, megabytes);
    return memory;
}

void *ead_new_large(size_t bytes) {
    enum { LINE = 64, HUGE_PAGE = 1 << 21, LARGE = 2 * HUGE_PAGE };
    void *memory = NULL;
    if (posix_memalign(&memory, bytes >= LARGE ? HUGE_PAGE : LINE, bytes ? bytes : 1) != 0) return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= LARGE) madvise(memory, bytes, MADV_HUGEPAGE); /* a wish; before the first touch */
#endif
    return memset(memory, 0, bytes);
}

char *ead_strdup(const char *text) {
    char *copy = strdup(text);
    if (!copy) ead_fail(EAD_NO_MEMORY, "no memory for the text '%.80s'", text);
    return copy;
}

EadStatus ead_grow(void *array_address, int *capacity, int count, size_t size, const char *what) {
    enum { START = 16 };
    if (count < *capacity) return EAD_OK;
    int wanted = *capacity ? *capacity <= INT_MAX / 2 ? 2 * *capacity : 0 : START;
    void *array, *grown = NULL;
    memcpy(&array, array_address, sizeof array);
    if (wanted && (size_t)wanted <= SIZE_MAX / size) grown = realloc(array, (size_t)wanted * size);
    if (!grown) return ead_fail(EAD_NO_MEMORY, "no memory for %s after %d", what, count);
    memcpy(array_address, &grown, sizeof grown);
    *capacity = wanted;
    return EAD_OK;
}

/* glibc's fclose() says success and leaves NULL where the last allocation fails. */
EadStatus ead_memory_stream_close(FILE *stream, char **bytes, const char *what) {
    bool failed = ferror(stream) != 0;
    failed = fclose(stream) != 0 || failed || !*bytes;
    if (!failed) return EAD_OK;
    free(*bytes);
    *bytes = NULL;
    return ead_fail(EAD_NO_MEMORY, "no memory for %s", what);
}
