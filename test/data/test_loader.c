/* The loader under fast, slow and failing workers, and the images it brings to a training step. */
#include "data/source/loader.h"

#include "core/base/philox.h"
#include "core/image/color.h"
#include "data/loader/training_images.h"
#include "test/support/scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define SCRATCH "build/scratch/loader/"

enum { SLOT = 100 };

typedef struct Source {
    uint64_t fails_at; /* 0: never */
    bool slow;
    atomic_int inside, calls;
} Source;

static void sleep_microseconds(long count) {
    nanosleep(&(struct timespec){.tv_nsec = count * 1000}, NULL);
}

/* Every byte tells the step; slow ones take a time that has nothing to do with the order. */
static EadStatus fill(void *context, uint64_t step, uint8_t *slot) {
    Source *source = context;
    atomic_fetch_add(&source->inside, 1);
    atomic_fetch_add(&source->calls, 1);
    for (int i = 0; i < SLOT; i++) slot[i] = (uint8_t)(step * 31 + (uint64_t)i);
    if (source->slow) sleep_microseconds((long)(ead_philox_word(1, EAD_STREAM_TEST, step) % 2000));
    atomic_fetch_sub(&source->inside, 1);
    if (source->fails_at && step >= source->fails_at)
        return ead_fail(EAD_BAD_FILE, "image %d is broken", (int)step);
    return EAD_OK;
}

static EadLoader *open_loader(Source *source, int slots, int threads, uint64_t first_step) {
    EadLoader *loader;
    EadLoaderSpec spec = {.slot_bytes = SLOT,
                          .slots = slots,
                          .threads = threads,
                          .first_step = first_step,
                          .fill = fill,
                          .context = source};
    ASSERT_OK(ead_loader_open(&spec, &loader));
    return loader;
}

static void take(EadLoader *loader, uint64_t step) {
    const uint8_t *slot, *again;
    uint8_t expected[SLOT];
    ASSERT_OK(ead_loader_next(loader, &slot));
    ck_assert_uint_eq((uintptr_t)slot % 64, 0);
    for (int i = 0; i < SLOT; i++) expected[i] = (uint8_t)(step * 31 + (uint64_t)i);
    ck_assert_mem_eq(slot, expected, SLOT);
    ASSERT_OK(ead_loader_next(loader, &again));
    ck_assert_ptr_eq(slot, again);
    ead_loader_release(loader);
}

START_TEST(steps_in_order) {
    for (int slots = 1; slots <= 7; slots += 2)
        for (int threads = 1; threads <= 5; threads += 2) {
            Source source = {0};
            EadLoader *loader = open_loader(&source, slots, threads, 1000);
            for (uint64_t step = 1000; step < 2000; step++) take(loader, step);
            ead_loader_close(loader);
            ck_assert_int_le(atomic_load(&source.calls), 1000 + slots);
        }
}
END_TEST

START_TEST(slow_workers) {
    Source source = {.slow = true};
    EadLoader *loader = open_loader(&source, 4, 4, 1);
    for (uint64_t step = 1; step <= 300; step++) take(loader, step);
    ead_loader_close(loader);
}
END_TEST

START_TEST(slow_consumer) {
    Source source = {0};
    EadLoader *loader = open_loader(&source, 3, 2, 1);
    for (uint64_t step = 1; step <= 50; step++) {
        const uint8_t *slot;
        ASSERT_OK(ead_loader_next(loader, &slot));
        sleep_microseconds(1000);
        ck_assert_uint_eq(slot[0], (uint8_t)(step * 31)); /* still ours: nobody ran ahead into it */
        ck_assert_int_le(atomic_load(&source.calls), (int)step + 2);
        ead_loader_release(loader);
    }
    ead_loader_close(loader);
}
END_TEST

START_TEST(an_error_in_step_7) {
    for (int threads = 1; threads <= 4; threads++)
        for (int slow = 0; slow < 2; slow++) {
            Source source = {.fails_at = 7, .slow = slow};
            const uint8_t *slot;
            EadLoader *loader = open_loader(&source, 5, threads, 1);
            for (uint64_t step = 1; step < 7; step++) take(loader, step);
            for (int i = 0; i < 3; i++) {
                ead_fail(EAD_IO, "something else");
                ASSERT_FAILS(ead_loader_next(loader, &slot), EAD_BAD_FILE, "image 7 is broken");
                ck_assert_ptr_null(slot);
                ead_loader_release(loader); /* nothing to release: no harm */
            }
            ead_loader_close(loader);
        }
}
END_TEST

START_TEST(closing_early) {
    for (int i = 0; i < 40; i++) {
        Source source = {.slow = i % 2};
        EadLoader *loader = open_loader(&source, 1 + i % 6, 1 + i % 4, 1);
        for (uint64_t step = 1; step <= (uint64_t)(i % 5); step++) take(loader, step);
        ead_loader_close(loader);
        ck_assert_int_eq(atomic_load(&source.inside), 0);
    }
    ead_loader_close(NULL);
}
END_TEST

START_TEST(bad_specs) {
    EadLoader *loader;
    EadLoaderSpec spec = {.slot_bytes = SLOT, .slots = 0, .threads = 1, .fill = fill};
    ASSERT_FAILS(ead_loader_open(&spec, &loader), EAD_BAD_ARGUMENT, "0 slots");
    spec = (EadLoaderSpec){.slot_bytes = SIZE_MAX - 70, .slots = 2, .threads = 1, .fill = fill};
    ASSERT_FAILS(ead_loader_open(&spec, &loader), EAD_NO_MEMORY, "2 slots");
    ck_assert_ptr_null(loader);
}
END_TEST

enum { SIDE = 8, IMAGE = SIDE * SIDE * 3, TRAIN = 5, PENALTY = 7 };

/* `count` noise images with seeds from `first` on. */
static EadImageList noise_list(const char *name, int count, int side, uint32_t first) {
    EadStringList files = {0};
    EadImageList list = {0};
    for (int i = 0; i < count; i++) {
        char path[256];
        snprintf(path, sizeof path, SCRATCH "%s%d.png", name, i);
        write_noise_png(path, side, side, 3, first + (uint32_t)i);
        ASSERT_OK(ead_strings_add(&files, path));
    }
    ASSERT_OK(ead_image_list_add_files(&list, &files));
    ead_strings_free(&files);
    return list;
}

static EadImageCache *noise_cache(const char *name, int count, uint32_t first) {
    EadImageList list = noise_list(name, count, SIDE, first);
    EadImageCache *cache;
    EadCacheSpec spec = {.width = SIDE, .height = SIDE, .threads = 1};
    ASSERT_OK(ead_image_cache_open(&list, &spec, &cache));
    ead_image_list_free(&list);
    return cache;
}

/* To be drawn from; the list must live as long. */
static EadImageDraws *noise_draws(const EadImageList *list) {
    EadImageDraws *draws;
    EadImageDrawsSpec spec = {
        .images = list, .key = "penalty.path", .fit = {EAD_FIT_CENTER_CROP, SIDE, SIDE}, .most = list->count};
    ASSERT_OK(ead_image_draws_open(&spec, &draws));
    return draws;
}

/* Which image of the cache it is, or -1. */
static int which(const EadImageCache *cache, const uint8_t *image) {
    uint8_t candidate[IMAGE];
    for (int i = 0; i < ead_image_cache_count(cache); i++) {
        ASSERT_OK(ead_image_cache_read(cache, i, candidate));
        if (memcmp(candidate, image, IMAGE) == 0) return i;
    }
    return -1;
}

/* Whether it is image `index`, in gray or not. */
static bool is_drawn(EadImageDraws *draws, int index, const uint8_t *image, bool gray) {
    uint8_t candidate[IMAGE];
    ASSERT_OK(ead_image_draws_read(draws, index, candidate));
    if (gray) ead_color_gray(candidate, SIDE * SIDE);
    return memcmp(candidate, image, IMAGE) == 0;
}

START_TEST(images_of_a_step) {
    EadImageCache *train = noise_cache("train", TRAIN, 10);
    EadImageList list = noise_list("penalty", PENALTY, 2 * SIDE, 50);
    EadImageDraws *penalty = noise_draws(&list);
    EadTrainingImages images = {.train = train, .penalty = penalty, .seed = 42, .augment = true};
    images.train_at = 1, images.augmented_at = 2, images.count = 3;
    uint8_t slot[3 * IMAGE], jittered[IMAGE];
    int gray = 0, steps = 700, seen[TRAIN] = {0};
    ck_assert_uint_eq(ead_training_images_slot_bytes(&images), sizeof slot);
    for (uint64_t step = 1; step <= (uint64_t)steps; step++) {
        ASSERT_OK(ead_training_images_fill(&images, step, slot));
        int expected = (int)ead_shuffled_index(42, EAD_STREAM_PENALTY_ORDER, step - 1, PENALTY);
        bool is_gray = is_drawn(penalty, expected, slot, true);
        ck_assert(is_gray || is_drawn(penalty, expected, slot, false));
        gray += is_gray;
        int index = which(train, slot + IMAGE);
        ck_assert_int_eq(index, (int)ead_shuffled_index(42, EAD_STREAM_TRAIN_ORDER, step - 1, TRAIN));
        seen[index]++;
        memcpy(jittered, slot + IMAGE, IMAGE);
        ead_color_jitter(jittered, SIDE * SIDE, 42, step);
        ck_assert_mem_eq(slot + 2 * IMAGE, jittered, IMAGE);
    }
    for (int i = 0; i < TRAIN; i++) ck_assert_int_eq(seen[i], steps / TRAIN);
    ck_assert(gray > steps * 25 / 100 && gray < steps * 35 / 100);
    ead_image_cache_close(train);
    ead_image_draws_close(penalty);
    ead_image_list_free(&list);
}
END_TEST

START_TEST(without_penalty_or_augmentation) {
    EadImageCache *train = noise_cache("plain", TRAIN, 10);
    EadTrainingImages images = {.train = train, .seed = 1, .penalty_at = -1, .augmented_at = 1, .count = 2};
    uint8_t slot[2 * IMAGE];
    ck_assert_uint_eq(ead_training_images_slot_bytes(&images), sizeof slot);
    ASSERT_OK(ead_training_images_fill(&images, 1, slot));
    ck_assert_int_ge(which(train, slot), 0);
    ck_assert_mem_eq(slot, slot + IMAGE, IMAGE);
    ead_image_cache_close(train);
}
END_TEST

/* Two loaders with different threads and slots, one begun in the middle: the same bytes at the same step. */
START_TEST(the_same_images_whatever_the_timing) {
    EadImageCache *train = noise_cache("same", TRAIN, 10);
    EadImageList list = noise_list("others", TRAIN, 2 * SIDE, 90);
    EadImageDraws *penalty = noise_draws(&list);
    EadTrainingImages images = {.train = train, .penalty = penalty, .seed = 3, .augment = true};
    images.train_at = 1, images.augmented_at = 2, images.count = 3;
    EadLoaderSpec spec = {.slot_bytes = ead_training_images_slot_bytes(&images),
                          .slots = 2,
                          .threads = 1,
                          .first_step = 1,
                          .fill = ead_training_images_fill,
                          .context = &images};
    EadLoader *a, *b;
    const uint8_t *left, *right;
    ASSERT_OK(ead_loader_open(&spec, &a));
    spec.slots = 9, spec.threads = 4, spec.first_step = 51;
    ASSERT_OK(ead_loader_open(&spec, &b));
    for (int step = 1; step <= 300; step++, ead_loader_release(a)) {
        ASSERT_OK(ead_loader_next(a, &left));
        if (step <= 50) continue;
        ASSERT_OK(ead_loader_next(b, &right));
        ck_assert_mem_eq(left, right, spec.slot_bytes);
        ead_loader_release(b);
    }
    ead_loader_close(a);
    ead_loader_close(b);
    ead_image_cache_close(train);
    ead_image_draws_close(penalty);
    ead_image_list_free(&list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("loader");
    TCase *tests = tcase_create("loader");
    tcase_add_test(tests, steps_in_order);
    tcase_add_test(tests, slow_workers);
    tcase_add_test(tests, slow_consumer);
    tcase_add_test(tests, an_error_in_step_7);
    tcase_add_test(tests, closing_early);
    tcase_add_test(tests, bad_specs);
    tcase_add_test(tests, images_of_a_step);
    tcase_add_test(tests, without_penalty_or_augmentation);
    tcase_add_test(tests, the_same_images_whatever_the_timing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
