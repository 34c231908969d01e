/* The radix sort of pixel_sort.c for one width of word; included there once for each. WORD is the word's
 * type, SORT(name) gives a function its name, FIRST_SHIFT and LAST_SHIFT are where the digits of 8 bits lie.  */

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
    for (int digit = 0; digit < 256 && shift > LAST_SHIFT; digit++) {
        int64_t start = digit > 0 ? ends[digit - 1] : 0;
        SORT(sort_from)(words + start, ends[digit] - start, shift - 8);
    }
}

/* Large buckets, for which there is room: as many as fit into all words. */
typedef struct SORT(Bucket) {
    WORD *words;
    int64_t count;
} SORT(Bucket);

/* Splits a bucket by one digit; what is large of it becomes a bucket, the rest is sorted. */
static void SORT(split_bucket)(const SORT(Bucket) * from, int shift, SORT(Bucket) * to, int *count) {
    int64_t ends[256];
    SORT(split)(from->words, from->count, shift, ends);
    for (int digit = 0; digit < 256 && shift > LAST_SHIFT; digit++) {
        int64_t start = digit > 0 ? ends[digit - 1] : 0;
        SORT(Bucket) part = {from->words + start, ends[digit] - start};
        int place = 0;
        if (part.count < LARGE_BUCKET)
            SORT(sort_from)(part.words, part.count, shift - 8);
        else {
#pragma omp atomic capture
            place = (*count)++;
            to[place] = part;
        }
    }
}

static void SORT(sort_all)(WORD *words, int64_t count) {
    int64_t most = count / LARGE_BUCKET;
    SORT(Bucket) *both = most > 3 ? malloc((size_t)(2 * most) * sizeof *both) : NULL;
    if (!both) {
        SORT(sort_from)(words, count, FIRST_SHIFT);
        return;
    }
    SORT(Bucket) *now = both, *next = both + most;
    int buckets = 1;
    now[0] = (SORT(Bucket)){words, count};
    for (int shift = FIRST_SHIFT; shift >= LAST_SHIFT && buckets > 0; shift -= 8) {
        int found = 0;
#pragma omp parallel for schedule(dynamic)
        for (int i = 0; i < buckets; i++) SORT(split_bucket)(&now[i], shift, next, &found);
        SORT(Bucket) *other = now;
        now = next, next = other;
        buckets = found;
    }
    free(both);
}
