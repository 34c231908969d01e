/* American flag sort: count the words of each top byte, swap every word into its bucket, then sort each
 * bucket by the next byte. At most four levels, since the keys have four bytes. Up to billions of pixels
 * are sorted so, without a second array. */
#include "train/metrics/pixel_store.h"

#define SMALL      64        /* below this insertion sort is faster */
#define TASK_WORDS (1 << 16) /* a bucket of this many words is worth a task of its own */

#define WORD       uint32_t
#define SORT(name) name##_keys
#define LAST_SHIFT 0
#include "train/metrics/pixel_sort_radix.h"
#undef WORD
#undef SORT
#undef LAST_SHIFT

#define WORD       uint64_t
#define SORT(name) name##_words
#define LAST_SHIFT 32
#include "train/metrics/pixel_sort_radix.h"

void ead_pixel_sort_keys(uint32_t *keys, int64_t count) {
#pragma omp parallel if (count >= 4 * TASK_WORDS)
#pragma omp single
    sort_from_keys(keys, count, 24);
}

void ead_pixel_sort_words(uint64_t *words, int64_t count) {
#pragma omp parallel if (count >= 4 * TASK_WORDS)
#pragma omp single
    sort_from_words(words, count, 56);
}
