/* The public C API: opening, sizes and strides, repeatability. */
#include "models/efficientad.h"
#include "test/support/sample_models.h"

#include <math.h>
#include <time.h>

#define FOLDER "build/scratch/test_detector/"
#define MODEL  FOLDER "model.safetensors"

static void make_model_file(void) {
    save_tiny_model(MODEL, 0.25f, NULL);
}

static EadDetector *open_tiny(void) {
    EadDetector *detector;
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    return detector;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

START_TEST(opens_and_tells_about_the_model) {
    EadDetector *detector = open_tiny(), *second;
    ck_assert_int_eq(ead_detector_model_width(detector), TINY_SIDE);
    ck_assert_int_eq(ead_detector_model_height(detector), TINY_SIDE);
    ck_assert_float_eq(ead_detector_threshold(detector), 0.25f);
    double start = seconds();
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &second));
    printf("opening the model took %.1f ms\n", 1e3 * (seconds() - start));
    ead_detector_close(second);
    ead_detector_close(detector);
    ead_detector_close(NULL);
}
END_TEST

static int open_with(const char *device, const char *precision, EadDetector **out) {
    return ead_detector_open_with(
        MODEL,
        &(EadDetectorOptions){.size = sizeof(EadDetectorOptions), .device = device, .precision = precision},
        out);
}

START_TEST(options_choose_device_and_precision) {
    static const char *const cpu[][2] = {{NULL, NULL}, {"cpu", NULL}, {NULL, "fp32"}, {"cpu", "auto"}};
    EadDetector *detector;
    for (size_t i = 0; i < sizeof cpu / sizeof *cpu; i++) {
        ASSERT_OK((EadStatus)open_with(cpu[i][0], cpu[i][1], &detector));
        ck_assert_int_eq(ead_detector_model_width(detector), TINY_SIDE);
        ead_detector_close(detector);
    }
    ASSERT_OK((EadStatus)ead_detector_open_with(MODEL, NULL, &detector));
    ead_detector_close(detector);
}
END_TEST

START_TEST(impossible_options_are_errors) {
    EadDetector *detector;
    ASSERT_FAILS((EadStatus)open_with("tpu", NULL, &detector), EAD_UNSUPPORTED,
                 "device 'tpu': this build has");
    ASSERT_FAILS((EadStatus)open_with("cuda:x", NULL, &detector), EAD_UNSUPPORTED, "device 'cuda:x'");
    ASSERT_FAILS((EadStatus)open_with("cuda:15", NULL, &detector), EAD_UNSUPPORTED, "device 'cuda:15': ");
    ASSERT_FAILS((EadStatus)open_with("cpu", "fp17", &detector), EAD_BAD_ARGUMENT,
                 "precision 'fp17': there are fp32, tf32, bf16, fp16 and auto");
    ASSERT_FAILS((EadStatus)open_with("cpu", "fp16", &detector), EAD_UNSUPPORTED, "fp16 needs --device cuda");
    for (size_t size = 0; size < 2; size++) /* of another version, which began with device, and not set */
        ASSERT_FAILS((EadStatus)ead_detector_open_with(
                         MODEL, &(EadDetectorOptions){.size = size ? (size_t)MODEL : 0}, &detector),
                     EAD_BAD_ARGUMENT, "set it to sizeof(EadDetectorOptions)");
}
END_TEST

/* Where there is a GPU. */
START_TEST(a_detector_works_on_a_gpu) {
    static uint8_t rgb[TINY_SIDE * TINY_SIDE * 3];
    static float on_cpu[TINY_SIDE * TINY_SIDE], on_gpu[TINY_SIDE * TINY_SIDE];
    EadDetector *gpu, *cpu;
    SKIP_UNLESS(open_with("cuda", NULL, &gpu) == EAD_OK, ead_error_message());
    cpu = open_tiny();
    fill_noise(rgb, sizeof rgb, 3);
    ASSERT_OK((EadStatus)ead_detector_run(cpu, rgb, TINY_SIDE, TINY_SIDE, 3 * TINY_SIDE, on_cpu, NULL));
    ASSERT_OK((EadStatus)ead_detector_run(gpu, rgb, TINY_SIDE, TINY_SIDE, 3 * TINY_SIDE, on_gpu, NULL));
    float scale = largest(on_cpu, TINY_SIDE * TINY_SIDE);
    for (int i = 0; i < TINY_SIDE * TINY_SIDE; i++)
        ck_assert_float_eq_tol(on_gpu[i], on_cpu[i], 1e-3f * fabsf(scale));
    ead_detector_close(gpu);
    ead_detector_close(cpu);
}
END_TEST

START_TEST(a_model_without_threshold_says_nan) {
    EadDetector *detector;
    save_tiny_model(FOLDER "free.safetensors", NAN, NULL);
    ASSERT_OK((EadStatus)ead_detector_open(FOLDER "free.safetensors", &detector));
    ck_assert(isnan(ead_detector_threshold(detector)));
    ead_detector_close(detector);
}
END_TEST

START_TEST(any_image_size_works) {
    static const int sizes[][2] = {{1, 1}, {1, 300}, {3, 2}, {128, 128}, {127, 129}, {500, 300}, {64, 900}};
    EadDetector *detector = open_tiny();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int width = sizes[i][0], height = sizes[i][1];
        int64_t count = (int64_t)width * height;
        uint8_t *rgb = malloc((size_t)count * 3);
        float *map = malloc((size_t)count * sizeof *map), score = NAN, alone = NAN;
        ck_assert(rgb && map);
        fill_noise(rgb, (size_t)count * 3, (uint32_t)i);
        for (int64_t k = 0; k < count; k++) map[k] = NAN;
        ck_assert_int_eq(ead_detector_run(detector, rgb, width, height, 3 * width, map, &score), 0);
        for (int64_t k = 0; k < count; k++) ck_assert(isfinite(map[k]));
        ck_assert_float_eq(score, largest(map, count));
        ck_assert_int_eq(ead_detector_run(detector, rgb, width, height, 3 * width, NULL, &alone), 0);
        ck_assert_float_eq(score, alone);
        ck_assert_int_eq(ead_detector_run(detector, rgb, width, height, 3 * width, map, NULL), 0);
        ck_assert_float_eq(score, largest(map, count));
        free(map);
        free(rgb);
    }
    ead_detector_close(detector);
}
END_TEST

START_TEST(impossible_sizes_are_errors) {
    EadDetector *detector = open_tiny();
    uint8_t pixel[3] = {0};
    float score;
    ASSERT_FAILS((EadStatus)ead_detector_run(detector, pixel, 0, 1, 3, NULL, &score), EAD_BAD_SHAPE, "0");
    ASSERT_FAILS((EadStatus)ead_detector_run(detector, pixel, 1, 65536, 3, NULL, &score), EAD_BAD_SHAPE,
                 "65536");
    ead_detector_close(detector);
}
END_TEST

START_TEST(pixels_are_limited) {
    enum { WIDTH = 20, HEIGHT = 30 };
    static const uint8_t rgb[WIDTH * HEIGHT * 3];
    EadDetector *detector = open_tiny();
    float score;
    ASSERT_FAILS((EadStatus)ead_detector_run(detector, rgb, 16385, 16384, 0, NULL, &score), EAD_BAD_SHAPE,
                 "16385 x 16384 pixels; at most 268435456 in all");
    ead_detector_close(detector);
    for (int most = WIDTH * HEIGHT - 1; most <= WIDTH * HEIGHT; most++) {
        EadDetectorOptions options = {.size = sizeof options, .max_pixels = most};
        ASSERT_OK((EadStatus)ead_detector_open_with(MODEL, &options, &detector));
        int status = ead_detector_run(detector, rgb, WIDTH, HEIGHT, 3 * WIDTH, NULL, &score);
        ck_assert_int_eq(status, most < WIDTH * HEIGHT ? EAD_BAD_SHAPE : EAD_OK);
        ead_detector_close(detector);
    }
}
END_TEST

/* A picture inside a larger buffer gives the same bits as on its own. */
START_TEST(stride_is_respected) {
    enum { W = 50, H = 40, STRIDE = 3 * W + 17 };
    static uint8_t wide[H * STRIDE], tight[H * W * 3];
    static float wide_map[H * W], tight_map[H * W];
    float wide_score, tight_score;
    EadDetector *detector = open_tiny();
    fill_noise(wide, sizeof wide, 7);
    for (int y = 0; y < H; y++) memcpy(tight + 3 * W * y, wide + STRIDE * y, 3 * W);
    ASSERT_OK((EadStatus)ead_detector_run(detector, wide, W, H, STRIDE, wide_map, &wide_score));
    ASSERT_OK((EadStatus)ead_detector_run(detector, tight, W, H, 3 * W, tight_map, &tight_score));
    ck_assert_mem_eq(wide_map, tight_map, sizeof wide_map);
    ck_assert_float_eq(wide_score, tight_score);
    ead_detector_close(detector);
}
END_TEST

START_TEST(same_image_same_bits) {
    enum { W = 200, H = 150 };
    static uint8_t rgb[H * W * 3], other[H * W * 3];
    static float first[H * W], again[H * W], second[H * W];
    float score[3];
    EadDetector *one = open_tiny(), *two;
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &two));
    fill_noise(rgb, sizeof rgb, 1);
    fill_noise(other, sizeof other, 2);
    ASSERT_OK((EadStatus)ead_detector_run(one, rgb, W, H, 3 * W, first, &score[0]));
    ASSERT_OK((EadStatus)ead_detector_run(one, other, W, H, 3 * W, again, NULL));
    ck_assert_int_ne(memcmp(first, again, sizeof first), 0);
    ASSERT_OK((EadStatus)ead_detector_run(one, rgb, W, H, 3 * W, again, &score[1]));
    ASSERT_OK((EadStatus)ead_detector_run(two, rgb, W, H, 3 * W, second, &score[2]));
    ck_assert_mem_eq(first, again, sizeof first);
    ck_assert_mem_eq(first, second, sizeof first);
    ck_assert(score[0] == score[1] && score[0] == score[2]);
    ead_detector_close(one);
    ead_detector_close(two);
}
END_TEST

/* What was evaluated in memory is what the file gives, although statistics are measured in double. */
START_TEST(a_file_gives_the_bits_of_the_model_in_memory) {
    enum { SIDE = 100 };
    static uint8_t rgb[SIDE * SIDE * 3];
    static float before[SIDE * SIDE], after[SIDE * SIDE];
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    double maps[EAD_MAP_COUNT][2] = {{0.1 / 3, 0.2 / 3}, {0.1 / 7, 0.3 / 7}};
    EadEfficientad *model = tiny_model();
    EadDetector *memory, *file;
    for (int c = 0; c < EAD_FEATURES; c++) mean[c] = 0.1 / (c + 3), std[c] = 1.0 / (c + 7);
    ead_efficientad_set_teacher_statistics(model, mean, std);
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, maps));
    ASSERT_OK(ead_model_save(&model->base, FOLDER "statistics.safetensors", NULL));
    ASSERT_OK(ead_detector_new(&model->base, NULL, 1, &memory));
    ASSERT_OK((EadStatus)ead_detector_open(FOLDER "statistics.safetensors", &file));
    fill_noise(rgb, sizeof rgb, 5);
    ASSERT_OK((EadStatus)ead_detector_run(memory, rgb, SIDE, SIDE, 3 * SIDE, before, NULL));
    ASSERT_OK((EadStatus)ead_detector_run(file, rgb, SIDE, SIDE, 3 * SIDE, after, NULL));
    ck_assert_mem_eq(before, after, sizeof before);
    ead_detector_close(memory);
    ead_detector_close(file);
    ead_efficientad_free(model);
}
END_TEST

/* The mean of both enlarged maps is the anomaly map, and has the same bits whether they are asked for or not. */
START_TEST(parts_make_up_the_map) {
    enum { CELLS = TINY_SIDE * TINY_SIDE };
    static uint8_t rgb[3 * CELLS];
    static float map[CELLS], alone[CELLS], large[EAD_MAP_PARTS][CELLS];
    EadEfficientad *model = tiny_model();
    double statistics[EAD_MAP_COUNT][2] = {{0.01, 0.2}, {0.02, 0.5}};
    EadDetector *detector, *without;
    EadMap part;
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, statistics));
    ASSERT_OK(ead_detector_new_with_parts(&model->base, NULL, &detector));
    ASSERT_OK(ead_detector_new(&model->base, NULL, 1, &without));
    ck_assert_int_eq(ead_detector_part_count(detector), EAD_MAP_PARTS);
    ck_assert_int_eq(ead_detector_part_count(without), 0);
    fill_noise(rgb, sizeof rgb, 7);
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, TINY_SIDE, TINY_SIDE, 3 * TINY_SIDE, map, NULL));
    ASSERT_OK((EadStatus)ead_detector_run(without, rgb, TINY_SIDE, TINY_SIDE, 3 * TINY_SIDE, alone, NULL));
    ck_assert_mem_eq(map, alone, sizeof map);
    for (int i = 0; i < EAD_MAP_PARTS; i++) {
        ASSERT_OK(ead_detector_part(detector, i, &part));
        ck_assert(part.name && part.width < TINY_SIDE && part.width == part.height);
        ead_map_resize(part.values, part.height, part.width, large[i], TINY_SIDE, TINY_SIDE);
        ead_map_free(&part);
    }
    ck_assert_mem_ne(large[0], large[1], sizeof large[0]);
    for (int i = 0; i < CELLS; i++) {
        double mean = 0.5 * ((double)large[0][i] + (double)large[1][i]);
        ck_assert_double_eq_tol((double)map[i], mean, 1e-6 * (1 + fabs(mean)));
    }
    ASSERT_OK(ead_detector_part(without, 0, &part));
    ck_assert_ptr_null(part.values);
    ead_detector_close(detector);
    ead_detector_close(without);
    ead_efficientad_free(model);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("detector");
    TCase *tests = tcase_create("detector");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, make_model_file, NULL);
    tcase_add_test(tests, opens_and_tells_about_the_model);
    tcase_add_test(tests, options_choose_device_and_precision);
    tcase_add_test(tests, impossible_options_are_errors);
    tcase_add_test(tests, a_detector_works_on_a_gpu);
    tcase_add_test(tests, a_model_without_threshold_says_nan);
    tcase_add_test(tests, any_image_size_works);
    tcase_add_test(tests, impossible_sizes_are_errors);
    tcase_add_test(tests, pixels_are_limited);
    tcase_add_test(tests, stride_is_respected);
    tcase_add_test(tests, same_image_same_bits);
    tcase_add_test(tests, a_file_gives_the_bits_of_the_model_in_memory);
    tcase_add_test(tests, parts_make_up_the_map);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
