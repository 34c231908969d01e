/* American flag sort: count the words of each top byte, swap every word into its bucket, then sort each
 * bucket by the next byte. At most four levels, since the keys have four bytes. Up to billions of pixels
 * are sorted so, without a second array. Large buckets of a level are split side by side. */
#include "train/metrics/pixel_store.h"

#include <stdlib.h>

#define SMALL        64        /* below this insertion sort is faster */
#define LARGE_BUCKET (1 << 16) /* words from which on a bucket is split by itself */

#define WORD        uint32_t
#define SORT(name)  name##_keys
#define FIRST_SHIFT 24
#define LAST_SHIFT  0
#include "train/metrics/pixel_sort_radix.h"
#undef WORD
#undef SORT
#undef FIRST_SHIFT
#undef LAST_SHIFT

#define WORD        uint64_t
#define SORT(name)  name##_words
#define FIRST_SHIFT 56
#define LAST_SHIFT  32
#include "train/metrics/pixel_sort_radix.h"

void ead_pixel_sort_keys(uint32_t *keys, int64_t count) {
    sort_all_keys(keys, count);
}

void ead_pixel_sort_words(uint64_t *words, int64_t count) {
    sort_all_words(words, count);
}
