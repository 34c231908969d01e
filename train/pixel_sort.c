/* American flag sort: count the words of each top byte, swap every word into its bucket, then sort each
 * bucket by the next byte. At most four levels, since the keys have four bytes. */
#include "train/pixel_sort.h"

#define SMALL      64        /* below this insertion sort is faster */
#define TASK_WORDS (1 << 16) /* a bucket of this many words is worth a task of its own */

static void sort_small(uint64_t *words, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        uint64_t word = words[i];
        int64_t j = i;
        for (; j > 0 && words[j - 1] > word; j--) words[j] = words[j - 1];
        words[j] = word;
    }
}

/* Swaps every word into the bucket of its digit; ends [256] receives where each bucket ends. */
static void split(uint64_t *words, int64_t count, int shift, int64_t ends[256]) {
    int64_t heads[256], counts[256] = {0};
    for (int64_t i = 0; i < count; i++) counts[words[i] >> shift & 255]++;
    int64_t end = 0;
    for (int digit = 0; digit < 256; digit++) {
        heads[digit] = end;
        ends[digit] = end += counts[digit];
    }
    for (int digit = 0; digit < 256; digit++) {
        while (heads[digit] < ends[digit]) {
            uint64_t word = words[heads[digit]];
            int home = (int)(word >> shift & 255);
            while (home != digit) {
                uint64_t displaced = words[heads[home]];
                words[heads[home]++] = word;
                word = displaced;
                home = (int)(word >> shift & 255);
            }
            words[heads[digit]++] = word;
        }
    }
}

static void sort_from(uint64_t *words, int64_t count, int shift) {
    if (count < SMALL) {
        sort_small(words, count);
        return;
    }
    int64_t ends[256];
    split(words, count, shift, ends);
    if (shift == 32) return;
    for (int digit = 0; digit < 256; digit++) {
        int64_t start = digit > 0 ? ends[digit - 1] : 0, size = ends[digit] - start;
        if (size < TASK_WORDS) {
            sort_from(words + start, size, shift - 8);
            continue;
        }
#pragma omp task firstprivate(words, start, size, shift)
        sort_from(words + start, size, shift - 8);
    }
}

void ead_pixel_sort(uint64_t *words, int64_t count) {
#pragma omp parallel if (count >= 4 * TASK_WORDS)
#pragma omp single
    sort_from(words, count, 56);
}
