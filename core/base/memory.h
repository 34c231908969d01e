/* Memory whose failure is told: what could not be had is named once, here, so that callers only return. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* count items of size bytes each, zeroed; count 0 gives one item. Freed with free(). NULL after
 * ead_fail(EAD_NO_MEMORY, "no memory for WHAT") (of a megabyte or more: "for WHAT of 12 MB") where there is none or
 * count x size overflows. */
void *ead_new(int64_t count, size_t size, const char *what);

/* Zeroed memory for many numbers, such as the parameters of a network: at the start of a cache line, from a few megabytes on
 * in huge pages where the system has them, which are quicker to get and to find. Freed with free(); NULL, without a
 * message, where there is none. */
void *ead_new_large(size_t bytes);

/* A copy of text that the caller frees, or NULL as above. */
char *ead_strdup(const char *text);

/* Makes room for one more item in a growing array: array_address points to the pointer to its items,
 * *capacity of which are allocated and count in use. Grows by doubling; items keep their values, new ones are
 * not set. Errors: EAD_NO_MEMORY; array and capacity are then as before. */
EadStatus ead_grow(void *array_address, int *capacity, int count, size_t size, const char *what);

/* Closes a stream of open_memstream(bytes, ...); what was written is the caller's to free(). Errors:
 * EAD_NO_MEMORY, with *bytes NULL, if not all of it could be kept. */
EadStatus ead_memory_stream_close(FILE *stream, char **bytes, const char *what);
