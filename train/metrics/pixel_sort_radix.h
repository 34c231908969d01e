/* The radix sort of pixel_sort.c for one width of word; included there once for each. WORD is the word's
 * type, SORT(name) gives a function its name, LAST_SHIFT is where the last digit of 8 bits lies.  */

/* Swaps every word into the bucket of its digit; ends [256] receives where each bucket ends. */
static void SORT(split)(WORD *words, int64_t count, int shift, int64_t ends[256]) {
    int64_t heads[256], counts[256] = {0};
    for (int64_t i = 0; i < count; i++) counts[words[i] >> shift & 255]++;
    int64_t end = 0;
    for (int digit = 0; digit < 256; digit++) {
        heads[digit] = end;
        ends[digit] = end += counts[digit];
    }
    for (int digit = 0; digit < 256; digit++) {
        while (heads[digit] < ends[digit]) {
            WORD word = words[heads[digit]];
            int home = (int)(word >> shift & 255);
            while (home != digit) {
                WORD displaced = words[heads[home]];
                words[heads[home]++] = word;
                word = displaced;
                home = (int)(word >> shift & 255);
            }
            words[heads[digit]++] = word;
        }
    }
}

static void SORT(sort_from)(WORD *words, int64_t count, int shift) {
    for (int64_t i = 1; i < count && count < SMALL; i++) {
        WORD word = words[i];
        int64_t j = i;
        for (; j > 0 && words[j - 1] > word; j--) words[j] = words[j - 1];
        words[j] = word;
    }
    if (count < SMALL) return;
    int64_t ends[256];
    SORT(split)(words, count, shift, ends);
    if (shift == LAST_SHIFT) return;
    for (int digit = 0; digit < 256; digit++) {
        int64_t start = digit > 0 ? ends[digit - 1] : 0, size = ends[digit] - start;
        if (size < TASK_WORDS) {
            SORT(sort_from)(words + start, size, shift - 8);
            continue;
        }
#pragma omp task firstprivate(words, start, size, shift)
        SORT(sort_from)(words + start, size, shift - 8);
    }
}
