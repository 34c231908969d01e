/* The sort behind the pixel figures: up to billions of 64-bit words by their upper half, without a second
 * array. */
#ifndef EAD_TRAIN_PIXEL_SORT_H
#define EAD_TRAIN_PIXEL_SORT_H

#include <stdint.h>

/* Sorts words [count] ascending by their upper 32 bits, in place, by radix from the top; parts run in
 * parallel (OpenMP tasks). The order among equal keys is unspecified, but the same in every run. */
void ead_pixel_sort(uint64_t *words, int64_t count);

#endif
