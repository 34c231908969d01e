/* The sorts behind the pixel metrics: up to billions of pixels by 32-bit keys, without a second array. */
#ifndef EAD_TRAIN_PIXEL_SORT_H
#define EAD_TRAIN_PIXEL_SORT_H

#include <stdint.h>

/* Sorts keys [count] ascending, in place, by radix from the top; parts run in parallel (OpenMP tasks). */
void ead_pixel_sort_keys(uint32_t *keys, int64_t count);

/* Sorts words [count] ascending by their upper 32 bits, in the same way. The order among equal keys is
 * unspecified, but the same in every run. */
void ead_pixel_sort_words(uint64_t *words, int64_t count);

#endif
