/* The public C API beyond one RGB image: pixel formats, many images at once, choice and size of maps, models in memory,
 * what a file says of itself, threads. */
#include "models/efficientad.h"
#include "test/support/sample_models.h"

#include <math.h>
#include <omp.h>
#include <pthread.h>

#define FOLDER "build/scratch/test_detector_images/"
#define MODEL  FOLDER "model.safetensors"

enum { MOST_SIDE = 200, MOST_PIXELS = MOST_SIDE * MOST_SIDE, PAD = 7 };

/* Other sizes than the model's, with a side of its size, and its size. */
static const int sizes[][2] = {{150, 90}, {TINY_SIDE, 90}, {150, TINY_SIDE}, {TINY_SIDE, TINY_SIDE},
                               {1, 1},    {31, 200}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static EadDetector *open_by(EadDetectorOptions options) {
    EadDetector *detector;
    options.size = sizeof options;
    ASSERT_OK((EadStatus)ead_detector_open_with(MODEL, &options, &detector));
    return detector;
}

/* What a detector says of one view: its score, and the map in map[MOST_PIXELS]. */
static float score_view(EadDetector *detector, EadImageView view, float *map) {
    float score = NAN;
    view.size = sizeof view;
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, NULL, &map, &score));
    return score;
}

/* ---- pixel formats ---- */

static uint8_t rgb[MOST_PIXELS * 3], other[(MOST_SIDE * 4 + PAD) * MOST_SIDE];
static float expected_map[MOST_PIXELS], map[MOST_PIXELS];

/* The view gives, to the bit, what rgb gives. */
static void check_same(EadDetector *detector, EadImageView view) {
    int64_t count = (int64_t)view.width * view.height;
    EadImageView plain = {
        .pixels = rgb, .width = view.width, .height = view.height, .stride = 3 * view.width};
    float expected = score_view(detector, plain, expected_map);
    ck_assert_float_eq(score_view(detector, view, map), expected);
    ck_assert_mem_eq(map, expected_map, (size_t)count * sizeof *map);
}

START_TEST(formats_of_8_bits_are_the_rgb_image) {
    static const struct {
        EadPixelFormat format;
        int step, places[3]; /* bytes of a pixel; where red, green and blue stand */
    } rows[] = {{EAD_PIXELS_RGB8, 3, {0, 1, 2}},
                {EAD_PIXELS_BGR8, 3, {2, 1, 0}},
                {EAD_PIXELS_RGBA8, 4, {0, 1, 2}},
                {EAD_PIXELS_BGRA8, 4, {2, 1, 0}}};
    EadDetector *detector = open_by((EadDetectorOptions){0});
    fill_noise(rgb, sizeof rgb, 1);
    for (int s = 0; s < SIZES; s++)
        for (size_t f = 0; f < sizeof rows / sizeof *rows; f++) {
            int width = sizes[s][0], height = sizes[s][1], stride = width * rows[f].step + PAD;
            fill_noise(other, sizeof other, 2); /* alpha and padding */
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    for (int c = 0; c < 3; c++)
                        other[y * stride + x * rows[f].step + rows[f].places[c]] =
                            rgb[(y * width + x) * 3 + c];
            check_same(detector, (EadImageView){.pixels = other,
                                                .width = width,
                                                .height = height,
                                                .stride = stride,
                                                .format = rows[f].format});
        }
    ead_detector_close(detector);
}
END_TEST

static void fill_gray_rgb(int64_t count, const uint8_t *gray) {
    for (int64_t i = 0; i < count; i++) memset(rgb + 3 * i, gray[i], 3);
}

START_TEST(gray_is_rgb_with_equal_channels) {
    static uint8_t gray[MOST_PIXELS];
    EadDetector *detector = open_by((EadDetectorOptions){0});
    fill_noise(gray, sizeof gray, 3);
    fill_gray_rgb(MOST_PIXELS, gray);
    for (int s = 0; s < SIZES; s++) {
        EadImageView view = {.pixels = gray,
                             .width = sizes[s][0],
                             .height = sizes[s][1],
                             .stride = sizes[s][0],
                             .format = EAD_PIXELS_GRAY8};
        check_same(detector, view);
    }
    /* Stored from the last row on, with padding. */
    int width = sizes[0][0], height = sizes[0][1], stride = width + PAD;
    for (int y = 0; y < height; y++)
        memcpy(other + (height - 1 - y) * stride, gray + y * width, (size_t)width);
    check_same(detector, (EadImageView){.pixels = other + (height - 1) * stride,
                                        .width = width,
                                        .height = height,
                                        .stride = -stride,
                                        .format = EAD_PIXELS_GRAY8});
    ead_detector_close(detector);
}
END_TEST

/* The 16-bit value whose upper 8 of `bits` bits are those, with lower bits that do not count; white where it is 255. */
static void put_sample(uint8_t *to, uint8_t value, int bits, int i) {
    uint16_t sample = (uint16_t)(value << (bits - 8) | (i & ((1 << (bits - 8)) - 1)));
    memcpy(to, &sample, sizeof sample);
}

START_TEST(gray_of_16_bits_is_scaled_by_white) {
    static uint8_t gray[MOST_PIXELS];
    static const struct { int bits, white; } rows[] = {{12, 4095}, {16, 65535}, {10, 1023}, {8, 255}};
    EadDetector *detector = open_by((EadDetectorOptions){0});
    fill_noise(gray, sizeof gray, 4);
    fill_gray_rgb(MOST_PIXELS, gray);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (int s = 0; s < SIZES; s++) {
            int width = sizes[s][0], height = sizes[s][1];
            for (int i = 0; i < width * height; i++) /* from an odd address on */
                put_sample(other + 1 + 2 * i, gray[i], rows[k].bits, i);
            check_same(detector, (EadImageView){.pixels = other + 1,
                                                .width = width,
                                                .height = height,
                                                .stride = 2 * width,
                                                .format = EAD_PIXELS_GRAY16,
                                                .white = rows[k].white});
        }
    ead_detector_close(detector);
}
END_TEST

START_TEST(values_above_white_are_white) {
    static const uint16_t samples[] = {0, 999, 1000, 1001, 65535, 500};
    static const uint8_t expected[] = {0, 255, 255, 255, 255, 500 * 256 / 1000};
    EadDetector *detector = open_by((EadDetectorOptions){0});
    fill_gray_rgb(6, expected);
    check_same(detector, (EadImageView){.pixels = samples,
                                        .width = 3,
                                        .height = 2,
                                        .stride = 6,
                                        .format = EAD_PIXELS_GRAY16,
                                        .white = 999});
    ead_detector_close(detector);
}
END_TEST

/* Told by the number of bits, or by the value itself. */
START_TEST(white_may_be_that_of_the_training) {
    EadEfficientad *model = tiny_model();
    EadDetector *detector;
    uint8_t gray[6];
    *(_i ? &model->base.image_white : &model->base.image_bits) = _i ? 4095 : 12;
    ASSERT_OK(ead_model_save(&model->base, FOLDER "bits.safetensors", NULL));
    ASSERT_OK((EadStatus)ead_detector_open(FOLDER "bits.safetensors", &detector));
    fill_noise(gray, sizeof gray, 5);
    fill_gray_rgb(6, gray);
    for (int i = 0; i < 6; i++) put_sample(other + 2 * i, gray[i], 12, i);
    check_same(
        detector,
        (EadImageView){.pixels = other, .width = 3, .height = 2, .stride = 6, .format = EAD_PIXELS_GRAY16});
    ead_detector_close(detector);
    ead_efficientad_free(model);
}
END_TEST

START_TEST(views_that_cannot_be_are_refused) {
    const struct {
        const char *says;
        EadImageView view;
    } rows[] = {
        {"set it to sizeof(EadImageView)", {0, rgb, 5, 4, 15, EAD_PIXELS_RGB8, 0}},
        {"set it to sizeof(EadImageView)", {SIZE_MAX, rgb, 5, 4, 15, EAD_PIXELS_RGB8, 0}},
        {"pixels are NULL", {sizeof(EadImageView), NULL, 5, 4, 15, EAD_PIXELS_RGB8, 0}},
        {"pixel format 6; there are 0 to 5", {sizeof(EadImageView), rgb, 5, 4, 15, (EadPixelFormat)6, 0}},
        {"a row of 5 pixels has 20 bytes", {sizeof(EadImageView), rgb, 5, 4, 19, EAD_PIXELS_BGRA8, 0}},
        {"a row of 5 pixels has 10 bytes", {sizeof(EadImageView), rgb, 5, 4, 9, EAD_PIXELS_GRAY16, 1}},
        {"a row of 5 pixels has 5 bytes", {sizeof(EadImageView), rgb, 5, 4, -4, EAD_PIXELS_GRAY8, 0}},
        {"white is 255 of an image with 8 bits", {sizeof(EadImageView), rgb, 5, 4, 5, EAD_PIXELS_GRAY8, 255}},
        {"white is 0 of an image of gray16", {sizeof(EadImageView), rgb, 5, 4, 10, EAD_PIXELS_GRAY16, 0}},
        {"white is 65536; it must be 1", {sizeof(EadImageView), rgb, 5, 4, 10, EAD_PIXELS_GRAY16, 65536}},
        {"white is -1; it must be 1", {sizeof(EadImageView), rgb, 5, 4, 10, EAD_PIXELS_GRAY16, -1}}};
    EadDetector *detector = open_by((EadDetectorOptions){0});
    float score = 7;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, &rows[i].view, 1, NULL, NULL, &score),
                     EAD_BAD_ARGUMENT, rows[i].says);
    EadImageView views[2] = {rows[2].view, rows[2].view};
    views[0].pixels = rgb;
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, views, 2, NULL, NULL, &score), EAD_BAD_ARGUMENT,
                 "image 2: no image was given");
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, views, 0, NULL, NULL, &score), EAD_BAD_ARGUMENT,
                 "no images were given");
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, NULL, 1, NULL, NULL, &score), EAD_BAD_ARGUMENT,
                 "no images were given");
    const EadRunOptions wrong = {.size = sizeof wrong, .map_size = (EadMapSize)2}, unset = {0};
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, views, 1, &wrong, NULL, &score),
                 EAD_BAD_ARGUMENT, "map_size is 2");
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, views, 1, &unset, NULL, &score),
                 EAD_BAD_ARGUMENT, "set it to sizeof(EadRunOptions)");
    ck_assert_float_eq(score, 7);
    ead_detector_close(detector);
}
END_TEST

/* A program that was compiled with a later version: what it does not use does not matter. */
START_TEST(structs_of_later_versions_work_as_far_as_they_are_known) {
    struct {
        EadImageView view;
        int64_t later;
    } views[2] = {{{sizeof views[0], rgb, 5, 4, 15, EAD_PIXELS_RGB8, 0}, 0},
                  {{sizeof views[0], rgb, 5, 4, 15, EAD_PIXELS_RGB8, 0}, 0}};
    EadDetector *detector = open_by((EadDetectorOptions){0});
    float scores[2];
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &views[0].view, 2, NULL, NULL, scores));
    ck_assert_float_eq(scores[0], scores[1]);
    views[1].later = 1;
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, &views[0].view, 2, NULL, NULL, scores),
                 EAD_BAD_ARGUMENT, "image 2: EadImageView holds a member that this version");
    ead_detector_close(detector);
}
END_TEST

/* ---- many images ---- */

enum { MANY = 5 };

/* Views of all sizes and of several formats, on parts of the same noise. */
static void make_views(EadImageView *views) {
    static const EadPixelFormat formats[] = {EAD_PIXELS_RGB8, EAD_PIXELS_GRAY8, EAD_PIXELS_BGR8};
    fill_noise(rgb, sizeof rgb, 6);
    for (int i = 0; i < MANY; i++) {
        EadPixelFormat format = formats[i % 3];
        views[i] = (EadImageView){.size = sizeof *views,
                                  .pixels = rgb + 100 * i,
                                  .width = sizes[i][0],
                                  .height = sizes[i][1],
                                  .stride = sizes[i][0] * (format == EAD_PIXELS_GRAY8 ? 1 : 3),
                                  .format = format};
    }
}

/* Kernels may choose their algorithm by the size of a batch, and so round otherwise; alone it is the same plan. */
static void check_close(float got, float expected, int batch, float scale) {
    if (batch == 1)
        ck_assert_float_eq(got, expected);
    else
        ck_assert_float_eq_tol(got, expected, 2e-6f * fabsf(scale));
}

START_TEST(many_images_are_scored_as_one_by_one) {
    static float maps[MANY][MOST_PIXELS], all[MANY][MOST_PIXELS];
    float alone[MANY], scores[MANY], again[MANY], *places[MANY];
    EadImageView views[MANY];
    EadDetector *one = open_by((EadDetectorOptions){0});
    make_views(views);
    for (int i = 0; i < MANY; i++) alone[i] = score_view(one, views[i], maps[i]);
    ead_detector_close(one);
    for (int batch = 1; batch <= MANY + 1; batch += 2) {
        EadDetector *detector = open_by((EadDetectorOptions){.batch = batch});
        for (int i = 0; i < MANY; i++) places[i] = i == 1 ? NULL : all[i];
        ASSERT_OK((EadStatus)ead_detector_run_images(detector, views, MANY, NULL, places, scores));
        for (int i = 0; i < MANY; i++) check_close(scores[i], alone[i], batch, alone[i]);
        for (int i = 0; i < MANY; i++)
            for (int k = 0; places[i] && k < sizes[i][0] * sizes[i][1]; k++)
                check_close(all[i][k], maps[i][k], batch, alone[i]);
        memset(again, 0, sizeof again);
        ASSERT_OK((EadStatus)ead_detector_run_images(detector, views, MANY, NULL, NULL, again));
        ck_assert_mem_eq(scores, again, sizeof scores);
        ASSERT_OK((EadStatus)ead_detector_run_images(detector, views, MANY, NULL, places, NULL));
        ead_detector_close(detector);
    }
}
END_TEST

/* ---- maps ---- */

START_TEST(maps_of_the_models_size_are_those_that_are_resized) {
    enum { CELLS = TINY_SIDE * TINY_SIDE };
    static float of_model[MANY][CELLS], of_image[MOST_PIXELS], resized[MOST_PIXELS];
    const EadRunOptions options = {.size = sizeof options, .map_size = EAD_MAP_OF_MODEL};
    float scores[MANY], *places[MANY];
    EadImageView views[MANY];
    EadDetector *detector = open_by((EadDetectorOptions){.batch = 2});
    make_views(views);
    for (int i = 0; i < MANY; i++) places[i] = of_model[i];
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, views, MANY, &options, places, scores));
    for (int i = 0; i < MANY; i++) {
        int width = views[i].width, height = views[i].height;
        ck_assert_float_eq(scores[i], score_view(detector, views[i], of_image));
        ead_map_resize(of_model[i], TINY_SIDE, TINY_SIDE, resized, height, width);
        ck_assert_mem_eq(resized, of_image, sizeof(float) * (size_t)(width * height));
    }
    ead_detector_close(detector);
}
END_TEST

START_TEST(maps_are_chosen_as_by_select) {
    static const char *const names[] = {"both", "st", "ae"};
    EadEfficientad *model = tiny_model();
    fill_noise(rgb, sizeof rgb, 7);
    for (int choice = 0; choice < 3; choice++) {
        EadDetector *detector = open_by((EadDetectorOptions){.maps = names[choice]}), *expected;
        ASSERT_OK(ead_model_choose_maps(&model->base, choice));
        ASSERT_OK(ead_detector_new(&model->base, NULL, 1, &expected));
        EadImageView view = {.pixels = rgb, .width = 100, .height = 80, .stride = 300};
        float score = score_view(detector, view, map);
        ck_assert_float_eq(score, score_view(expected, view, expected_map));
        ck_assert_mem_eq(map, expected_map, 100 * 80 * sizeof *map);
        ck_assert_str_eq(ead_detector_maps(detector), names[choice]);
        /* The thresholds are for both. */
        ck_assert_int_eq(isnan(ead_detector_threshold(detector)), choice > 0);
        ck_assert_int_eq(isnan(ead_detector_pixel_threshold(detector)), choice > 0);
        ck_assert_int_eq(ead_detector_threshold_rule(detector) == NULL, choice > 0);
        ead_detector_close(expected);
        ead_detector_close(detector);
    }
    EadDetector *none;
    EadDetectorOptions options = {.size = sizeof options, .maps = "depth"};
    ASSERT_FAILS((EadStatus)ead_detector_open_with(MODEL, &options, &none), EAD_BAD_ARGUMENT,
                 "no maps 'depth'; it has both|st|ae");
    ead_efficientad_free(model);
}
END_TEST

/* ---- models in memory, and what they say ---- */

START_TEST(a_model_in_memory_is_the_file) {
    size_t size;
    uint8_t *bytes = read_bytes(MODEL, &size);
    EadDetector *file = open_by((EadDetectorOptions){0}), *memory;
    ASSERT_OK((EadStatus)ead_detector_open_memory(bytes, size, NULL, &memory));
    memset(bytes, 0, size);
    free(bytes);
    fill_noise(rgb, sizeof rgb, 8);
    EadImageView view = {.pixels = rgb, .width = 100, .height = 80, .stride = 300};
    ck_assert_float_eq(score_view(memory, view, map), score_view(file, view, expected_map));
    ck_assert_mem_eq(map, expected_map, 100 * 80 * sizeof *map);
    ck_assert_str_eq(ead_detector_metadata(memory, "config"), ead_detector_metadata(file, "config"));
    ead_detector_close(file);
    ead_detector_close(memory);
}
END_TEST

START_TEST(no_part_of_a_model_in_memory_is_taken_for_one) {
    size_t size;
    uint8_t *bytes = read_bytes(MODEL, &size), *part;
    EadDetector *detector;
    for (size_t length = 0; length < size; length += length < 100 ? 1 : length / 3) {
        part = malloc(length ? length : 1); /* of its own, so that sanitizers see what is read behind it */
        ck_assert_ptr_nonnull(part);
        memcpy(part, bytes, length);
        ASSERT_FAILS((EadStatus)ead_detector_open_memory(part, length, NULL, &detector), EAD_BAD_FILE,
                     "the model in memory: ");
        ck_assert_ptr_null(detector);
        free(part);
    }
    free(bytes);
    bytes = read_bytes("models/weights/teacher_small.safetensors", &size);
    ASSERT_FAILS((EadStatus)ead_detector_open_memory(bytes, size, NULL, &detector), EAD_BAD_FILE,
                 "the model in memory: is a teacher, not a model");
    free(bytes);
    static const char exported[] =
        "\010\010\022\013efficientad\162\034\012\013source_file\022\015a_safetensors";
    ASSERT_FAILS((EadStatus)ead_detector_open_memory(exported, sizeof exported - 1, NULL, &detector),
                 EAD_BAD_FILE,
                 "the model in memory: is an ONNX file that efficientad export wrote, not a model");
    assert_contains(ead_error_message(), "that it was made from, a_safetensor");
}
END_TEST

START_TEST(the_file_tells_about_itself) {
    EadDetector *detector = open_by((EadDetectorOptions){0});
    bool found = false;
    ck_assert_str_eq(ead_detector_method(detector), "efficientad");
    ck_assert_str_eq(ead_detector_maps(detector), "both");
    ck_assert_float_eq(ead_detector_threshold(detector), 0.25f);
    ck_assert_float_eq(ead_detector_pixel_threshold(detector), 0.25f); /* its score is the map's maximum */
    ck_assert_str_eq(ead_detector_threshold_rule(detector), "0.25: by hand");
    ck_assert_str_eq(ead_detector_metadata(detector, "image_size"), "128");
    ck_assert_ptr_null(ead_detector_metadata(detector, "colour"));
    ck_assert_ptr_null(ead_detector_metadata(detector, NULL));
    int count = ead_detector_metadata_count(detector);
    for (int i = 0; i < count; i++) {
        const char *key = ead_detector_metadata_key(detector, i);
        ck_assert_ptr_nonnull(ead_detector_metadata(detector, key));
        found = found || strcmp(key, "threshold_rule") == 0;
    }
    ck_assert(found);
    ck_assert_ptr_null(ead_detector_metadata_key(detector, count));
    ck_assert_ptr_null(ead_detector_metadata_key(detector, -1));
    ead_detector_close(detector);
}
END_TEST

/* ---- threads ---- */

START_TEST(each_detector_has_its_threads) {
    int before = omp_get_max_threads();
    float scores[3];
    fill_noise(rgb, sizeof rgb, 9);
    EadImageView view = {.pixels = rgb, .width = 100, .height = 80, .stride = 300};
    for (int threads = 0; threads < 3; threads++) {
        EadDetector *detector = open_by((EadDetectorOptions){.threads = threads});
        ck_assert_int_eq(omp_get_max_threads(), before);
        omp_set_num_threads(1); /* the host's number does not matter to a detector with its own */
        scores[threads] = score_view(detector, view, map);
        ck_assert_int_eq(omp_get_max_threads(), 1);
        omp_set_num_threads(before);
        ead_detector_close(detector);
    }
    ck_assert(scores[0] == scores[1] && scores[0] == scores[2]);
}
END_TEST

/* A worker of a host: a detector that another thread opened, and its own images. */
typedef struct Worker {
    EadDetector *detector;
    uint8_t pixels[100 * 80 * 3];
    float expected;
    int right;
} Worker;

enum { WORKERS = 8, ROUNDS = 3 };
static Worker workers[WORKERS];

static void *work(void *context) {
    Worker *worker = context;
    for (int i = 0; i < ROUNDS; i++) {
        float score = NAN;
        EadImageView view = {
            .size = sizeof view, .pixels = worker->pixels, .width = 100, .height = 80, .stride = 300};
        if (ead_detector_run_images(worker->detector, &view, 1, NULL, NULL, &score) != 0) break;
        worker->right += score == worker->expected;
    }
    return NULL;
}

START_TEST(detectors_work_side_by_side) {
    pthread_t threads[WORKERS];
    EadDetector *alone = open_by((EadDetectorOptions){.threads = 1});
    for (int i = 0; i < WORKERS; i++) {
        Worker *worker = &workers[i];
        fill_noise(worker->pixels, sizeof worker->pixels, (uint32_t)i);
        EadImageView view = {.pixels = worker->pixels, .width = 100, .height = 80, .stride = 300};
        worker->expected = score_view(alone, view, map);
        worker->detector = open_by((EadDetectorOptions){.threads = 1});
    }
    ead_detector_close(alone);
    for (int i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(workers[i].right, ROUNDS);
        ead_detector_close(workers[i].detector);
    }
}
END_TEST

static void set_up(void) {
    const EadFileMetadata metadata[] = {{"config", "model: {}"}, {"threshold_rule", "0.25: by hand"}};
    EadFileExtras extras = {.metadata = metadata, .metadata_count = 2};
    EadEfficientad *model = tiny_model();
    model->base.threshold = 0.25f;
    make_folders(FOLDER);
    ASSERT_OK(ead_model_save(&model->base, MODEL, &extras));
    ead_efficientad_free(model);
}

int main(void) {
    Suite *suite = suite_create("detector images");
    TCase *cases = tcase_create("all");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 0);
    tcase_add_unchecked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, formats_of_8_bits_are_the_rgb_image);
    tcase_add_test(cases, gray_is_rgb_with_equal_channels);
    tcase_add_test(cases, gray_of_16_bits_is_scaled_by_white);
    tcase_add_test(cases, values_above_white_are_white);
    tcase_add_loop_test(cases, white_may_be_that_of_the_training, 0, 2);
    tcase_add_test(cases, views_that_cannot_be_are_refused);
    tcase_add_test(cases, structs_of_later_versions_work_as_far_as_they_are_known);
    tcase_add_test(cases, many_images_are_scored_as_one_by_one);
    tcase_add_test(cases, maps_of_the_models_size_are_those_that_are_resized);
    tcase_add_test(cases, maps_are_chosen_as_by_select);
    tcase_add_test(cases, a_model_in_memory_is_the_file);
    tcase_add_test(cases, no_part_of_a_model_in_memory_is_taken_for_one);
    tcase_add_test(cases, the_file_tells_about_itself);
    tcase_add_test(cases, each_detector_has_its_threads);
    tcase_add_test(cases, detectors_work_side_by_side);
    return run_suite(suite);
}
