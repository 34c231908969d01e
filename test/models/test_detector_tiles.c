/* The library's detector of models with tiles: as the whole image where networks see the same, blended where they do not. */
#include "models/detector.h"
#include "test/support/sample_models.h"

#include <math.h>

#define FOLDER "build/scratch/test_detector_tiles/"
#define MODEL  FOLDER "model.safetensors"

enum { TILE = 64, MOST_SIDE = 220, UNSEEN = 4 };

static uint8_t rgb[MOST_SIDE * MOST_SIDE * 3];
static float map[MOST_SIDE * MOST_SIDE], other[MOST_SIDE * MOST_SIDE];
static const EadTiles none;

/* Networks of one seed. */
static EadEfficientad *new_model(int height, int width, bool autoencoder, EadTiles tiles,
                                 EadMapNormalization normalization) {
    const EadEfficientadSpec spec = {.height = height, .width = width, .autoencoder = autoencoder};
    double usual[EAD_MAP_COUNT][2] = {{0.001, 0.002}, {0.001, 0.003}},
           whole[EAD_MAP_COUNT][2] = {{0.0005, 0.0045}, {0.0002, 0.0062}};
    EadEfficientad *model;
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    ASSERT_OK(ead_efficientad_set_map_statistics(model, normalization, usual));
    ASSERT_OK(ead_efficientad_set_whole_statistics(model, whole));
    model->base.tiles = tiles;
    return model;
}

static EadDetector *open_saved(EadEfficientad *model, int batch) {
    EadDetector *detector;
    EadDetectorOptions options = {.size = sizeof options, .batch = batch};
    make_folders(MODEL);
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ead_efficientad_free(model);
    ASSERT_OK((EadStatus)ead_detector_open_with(MODEL, &options, &detector));
    return detector;
}

/* Of a model that is freed. */
static float run_on(EadEfficientad *model, int width, int height, float *out) {
    EadDetector *detector = open_saved(model, 1);
    float score;
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, width, height, 3 * width, out, &score));
    ck_assert_float_eq(score, largest(out, (int64_t)width * height));
    ead_detector_close(detector);
    return score;
}

/* The largest difference of the two maps, in shares of the largest value. */
static double difference(int64_t count) {
    double most = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) {
        most = fmax(most, fabs((double)other[i]));
        worst = fmax(worst, fabs((double)map[i] - (double)other[i]));
    }
    return worst / most;
}

/* ---- as the whole image ---- */

/* The largest difference of the map in tiles from `other`, by an algorithm of convolutions; NULL: the usual one. */
static double difference_in_tiles(const char *algorithm, double overlap, int width, int height) {
    EadTiles tiles = {TILE, overlap, 1, false};
    if (algorithm) setenv("EFFICIENTAD_CONV", algorithm, 1);
    run_on(new_model(TILE, TILE, false, tiles, EAD_MAPS_NONE), width, height, map);
    unsetenv("EFFICIENTAD_CONV");
    return difference((int64_t)width * height);
}

/* Distances of student and teacher have no seams. Winograd's algorithm begins its blocks elsewhere in each tile, and so rounds
 * otherwise, but no more than in the whole image: both are held against direct convolutions of the whole image. */
START_TEST(tiles_see_what_the_whole_image_shows) {
    static const int sizes[][2] = {{128, 96}, {64, 64}, {200, 64}, {72, 180}};
    static const double overlaps[] = {0, 0.5};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int width = sizes[s][0], height = sizes[s][1];
        setenv("EFFICIENTAD_CONV", "direct", 1);
        run_on(new_model(height, width, false, none, EAD_MAPS_NONE), width, height, other);
        unsetenv("EFFICIENTAD_CONV");
        run_on(new_model(height, width, false, none, EAD_MAPS_NONE), width, height, map);
        double rounding = difference((int64_t)width * height);
        for (size_t o = 0; o < sizeof overlaps / sizeof *overlaps; o++) {
            ck_assert_double_lt(difference_in_tiles("direct", overlaps[o], width, height), 1e-6);
            ck_assert_double_le(difference_in_tiles(NULL, overlaps[o], width, height), 2 * rounding);
        }
    }
}
END_TEST

/* An image of one tile, one that is smaller, and one that the scale makes so: as a model of that size without tiles. */
START_TEST(one_tile_is_a_model_without_tiles) {
    static const struct {
        int width, height;
        double scale;
    } rows[] = {{TILE, TILE, 1},         {30, 50, 1},     {1, 1, 1},
                {2 * TILE, 2 * TILE, 2}, {150, 160, 2.5}, {90, 40, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int width = rows[i].width, height = rows[i].height;
        EadTiles tiles = {TILE, 0.25, rows[i].scale, false};
        run_on(new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE), width, height, map);
        run_on(new_model(TILE, TILE, true, none, EAD_MAPS_QUANTILE), width, height, other);
        ck_assert_double_lt(difference((int64_t)width * height), 1e-6);
    }
}
END_TEST

/* Odd sizes: the map of an image is that of the same image with its last column and row repeated. */
START_TEST(odd_sizes_end_with_their_last_pixels) {
    enum { WIDE = 101, HIGH = 87, WIDER = 104, HIGHER = 88 };
    static uint8_t narrow[WIDE * HIGH * 3];
    EadTiles tiles = {TILE, 0.5, 1, false};
    memcpy(narrow, rgb, sizeof narrow);
    run_on(new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE), WIDE, HIGH, map);
    for (int y = 0; y < HIGHER; y++)
        for (int x = 0; x < WIDER; x++) {
            int from = (y < HIGH ? y : HIGH - 1) * WIDE + (x < WIDE ? x : WIDE - 1);
            memcpy(rgb + 3 * (y * WIDER + x), narrow + 3 * from, 3);
        }
    run_on(new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE), WIDER, HIGHER, other);
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) ck_assert_float_eq(map[y * WIDE + x], other[y * WIDER + x]);
}
END_TEST

/* ---- blended ---- */

enum { SIDE = 128, STRIDE = 16, SEEN = SIDE / 4 - 2 * UNSEEN, WIDE_IMAGE = SIDE + 4 * STRIDE };

static double window(int place) {
    return place < 0 || place >= SEEN ? 0 : 0.5 * (1 - cos(2 * acos(-1) * (place + 0.5) / SEEN));
}

/* What a detector says of the two maps on an image `wide`, cells of the whole image. */
static void parts_on(EadEfficientad *model, const uint8_t *pixels, int wide, EadMap parts[EAD_MAP_PARTS]) {
    EadDetector *detector;
    float score;
    ASSERT_OK(ead_detector_new_with_parts(&model->base, NULL, &detector));
    ck_assert_int_eq(ead_detector_part_count(detector), EAD_MAP_PARTS);
    ASSERT_OK((EadStatus)ead_detector_run(detector, pixels, wide, SIDE, 3 * WIDE_IMAGE, NULL, &score));
    for (int i = 0; i < EAD_MAP_PARTS; i++) ASSERT_OK(ead_detector_part(detector, i, &parts[i]));
    ead_detector_close(detector);
    ead_efficientad_free(model);
}

/* Both maps are those of the tiles, weighed by raised cosines; the tiles by a model without. */
START_TEST(what_tiles_say_is_blended) {
    EadMap whole[EAD_MAP_PARTS], tiles[2][EAD_MAP_PARTS];
    double seam = 0;
    parts_on(new_model(SIDE, SIDE, true, (EadTiles){SIDE, 0.5, 1, false}, EAD_MAPS_QUANTILE), rgb, WIDE_IMAGE,
             whole);
    for (int t = 0; t < 2; t++)
        parts_on(new_model(SIDE, SIDE, true, none, EAD_MAPS_QUANTILE), rgb + t * 4 * STRIDE * 3, SIDE,
                 tiles[t]);
    for (int i = 0; i < EAD_MAP_PARTS; i++) {
        ck_assert(whole[i].width == WIDE_IMAGE / 4 && whole[i].height == SIDE / 4);
        for (int y = 0; y < whole[i].height; y++)
            for (int x = 0; x < whole[i].width; x++) {
                double weights[2] = {window(x - UNSEEN), window(x - UNSEEN - STRIDE)}, sum = 0;
                for (int t = 0; t < 2; t++)
                    if (weights[t] > 0)
                        sum += weights[t] / (weights[0] + weights[1]) *
                               (double)tiles[t][i].values[y * (SIDE / 4) + x - t * STRIDE];
                ck_assert_double_eq_tol((double)whole[i].values[y * whole[i].width + x], sum, 1e-5);
                if (weights[0] > 0 && weights[1] > 0 && i == EAD_MAP_AE)
                    seam = fmax(seam, fabs((double)tiles[0][i].values[y * (SIDE / 4) + x] -
                                           (double)tiles[1][i].values[y * (SIDE / 4) + x - STRIDE]));
            }
    }
    ck_assert_double_gt(seam, 1e-3); /* what is blended of the autoencoder does differ */
    for (int i = 0; i < EAD_MAP_PARTS; i++) {
        ead_map_free(&whole[i]);
        ead_map_free(&tiles[0][i]);
        ead_map_free(&tiles[1][i]);
    }
}
END_TEST

/* ---- the whole image, too ---- */

/* Maps are the distances in tenths of `usual`, and of `whole` those of the whole image; 0: negative, but for the border. */
static EadEfficientad *model_by(EadTiles tiles, double usual, double whole) {
    double by[2] = {usual, whole}, statistics[2][EAD_MAP_COUNT][2];
    EadEfficientad *model = new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE);
    for (int i = 0; i < 2 * EAD_MAP_COUNT; i++) {
        double *line = statistics[i / EAD_MAP_COUNT][i % EAD_MAP_COUNT], of = by[i / EAD_MAP_COUNT];
        line[0] = of > 0 ? 0 : 1e3;
        line[1] = of > 0 ? of : 1e4;
    }
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, statistics[0]));
    ASSERT_OK(ead_efficientad_set_whole_statistics(model, statistics[1]));
    return model;
}

START_TEST(the_higher_of_both_maps_counts) {
    EadTiles tiles = {TILE, 0.25, 1, false}, both = {TILE, 0.25, 1, true};
    run_on(model_by(tiles, 0.003, 0), 150, 100, map);
    run_on(model_by(both, 0.003, 0), 150, 100, other);
    ck_assert_mem_eq(map, other, 150 * 100 * sizeof *map);
    run_on(model_by(both, 0.003, 0.0002), 150, 100, other);
    int higher = 0;
    for (int i = 0; i < 150 * 100; i++) {
        ck_assert_float_ge(other[i], map[i]);
        higher += other[i] > map[i];
    }
    ck_assert_int_gt(higher, 1000);
    /* One tile is the whole image, by other statistics. */
    run_on(model_by(both, 0, 0.0002), TILE, TILE, map);
    run_on(model_by(none, 0.0002, 0), TILE, TILE, other);
    ck_assert_double_lt(difference((int64_t)TILE * TILE), 1e-6);
}
END_TEST

/* ---- files, options, regions ---- */

START_TEST(the_model_file_keeps_them) {
    EadTiles tiles = {TILE, 1.0 / 3, 1.7, true};
    EadEfficientad *model = new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE);
    EadModel *read;
    make_folders(MODEL);
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ASSERT_OK(ead_model_open(MODEL, &read));
    ck_assert(read->tiles.size == TILE && read->tiles.whole_image);
    ck_assert_double_eq(read->tiles.overlap, tiles.overlap);
    ck_assert_double_eq(read->tiles.scale, tiles.scale);
    ck_assert_mem_eq(((EadEfficientad *)read)->map_scale, model->map_scale, sizeof model->map_scale);
    ck_assert_mem_eq(((EadEfficientad *)read)->map_shift, model->map_shift, sizeof model->map_shift);
    ead_model_free(read);
    ead_efficientad_free(model);
}
END_TEST

START_TEST(runs_repeat_and_batches_agree) {
    EadTiles tiles = {TILE, 0.25, 1, true};
    float *maps[2] = {map, other}, scores[2];
    EadImageView views[2];
    for (int i = 0; i < 2; i++)
        views[i] =
            (EadImageView){.size = sizeof *views, .pixels = rgb, .width = 130, .height = 100, .stride = 390};
    EadDetector *detector = open_saved(new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE), 1);
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, views, 2, NULL, maps, scores));
    ck_assert_mem_eq(map, other, 130 * 100 * sizeof *map);
    ck_assert_float_eq(scores[0], scores[1]);
    ead_detector_close(detector);
    detector = open_saved(new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE), 5);
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, views, 1, NULL, maps, scores));
    ck_assert_double_lt(difference(130 * 100), 1e-5);
    ead_detector_close(detector);
}
END_TEST

START_TEST(what_a_call_cannot_ask_is_refused) {
    static uint8_t mask[100 * 100];
    EadDetector *detector =
        open_saved(new_model(TILE, TILE, true, (EadTiles){TILE, 0.25, 1, false}, EAD_MAPS_QUANTILE), 1);
    EadImageView view = {.size = sizeof view, .pixels = rgb, .width = 100, .height = 100, .stride = 300};
    EadRunOptions of_model = {.size = sizeof of_model, .map_size = EAD_MAP_OF_MODEL},
                  boxed = {.size = sizeof boxed, .box_width = 50, .box_height = 50},
                  masked = {.size = sizeof masked, .mask = mask, .mask_width = 100, .mask_height = 100};
    float *maps[1] = {map}, score;
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, &view, 1, &of_model, maps, &score),
                 EAD_UNSUPPORTED, "maps at the image's size");
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, &view, 1, &boxed, maps, &score),
                 EAD_UNSUPPORTED, "no region of a call");
    ASSERT_FAILS((EadStatus)ead_detector_run_images(detector, &view, 1, &masked, maps, &score),
                 EAD_UNSUPPORTED, "no region of a call");
    ead_detector_close(detector);
}
END_TEST

/* The box of a region is an image of its own. */
START_TEST(a_box_is_cut_out) {
    enum { WIDE = 200, HIGH = 150, LEFT = 31, TOP = 17, BOX_WIDE = 120, BOX_HIGH = 99 };
    EadTiles tiles = {TILE, 0.25, 1, false};
    EadEfficientad *model = new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE);
    ASSERT_OK(ead_region_set_box(&model->base.region, "31,17,120,99"));
    float score = run_on(model, WIDE, HIGH, map), least = map[0], part;
    EadDetector *detector = open_saved(new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE), 1);
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb + 3 * (TOP * WIDE + LEFT), BOX_WIDE, BOX_HIGH,
                                          3 * WIDE, other, &part));
    ck_assert_float_eq(score, part);
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) {
            bool inside = x >= LEFT && y >= TOP && x < LEFT + BOX_WIDE && y < TOP + BOX_HIGH;
            ck_assert_float_eq(map[y * WIDE + x], inside ? other[(y - TOP) * BOX_WIDE + x - LEFT] : least);
        }
    ead_detector_close(detector);
}
END_TEST

START_TEST(gray_images_are_as_in_colour) {
    static uint8_t gray[150 * 100];
    EadEfficientad *model = new_model(TILE, TILE, true, (EadTiles){TILE, 0.25, 1, false}, EAD_MAPS_QUANTILE);
    EadImageView view = {.size = sizeof view,
                         .pixels = gray,
                         .width = 150,
                         .height = 100,
                         .stride = 150,
                         .format = EAD_PIXELS_GRAY8};
    float *maps[1] = {map}, score, colour;
    model->base.image_gray = true;
    for (int i = 0; i < 150 * 100; i++) gray[i] = rgb[i];
    EadDetector *detector = open_saved(model, 1);
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, NULL, maps, &score));
    for (int i = 0; i < 150 * 100; i++) memset(rgb + 3 * i, gray[i], 3);
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, 150, 100, 450, other, &colour));
    ck_assert_mem_eq(map, other, sizeof gray * sizeof *map);
    ck_assert_float_eq(score, colour);
    ead_detector_close(detector);
}
END_TEST

/* The score by the largest values is that of the map of the reduced image, one value for each of its pixels. */
START_TEST(scores_by_the_map_are_those_of_the_reduced_image) {
    EadTiles tiles = {TILE, 0.25, 1, false};
    EadEfficientad *model = new_model(TILE, TILE, true, tiles, EAD_MAPS_QUANTILE);
    float top[40], score;
    model->base.score = (EadScoreRule){EAD_SCORE_TOP_MEAN, 40};
    EadDetector *detector = open_saved(model, 1);
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, 150, 100, 450, map, &score));
    ck_assert_float_eq(score,
                       ead_map_score(map, NULL, 150 * 100, (EadScoreRule){EAD_SCORE_TOP_MEAN, 40}, top));
    ead_detector_close(detector);
}
END_TEST

static void fill_scene(void) {
    fill_noise(rgb, sizeof rgb, 1);
}

int main(void) {
    Suite *suite = suite_create("detector tiles");
    TCase *tests = tcase_create("detector tiles");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, fill_scene, NULL);
    tcase_add_test(tests, tiles_see_what_the_whole_image_shows);
    tcase_add_test(tests, one_tile_is_a_model_without_tiles);
    tcase_add_test(tests, odd_sizes_end_with_their_last_pixels);
    tcase_add_test(tests, what_tiles_say_is_blended);
    tcase_add_test(tests, the_higher_of_both_maps_counts);
    tcase_add_test(tests, the_model_file_keeps_them);
    tcase_add_test(tests, runs_repeat_and_batches_agree);
    tcase_add_test(tests, what_a_call_cannot_ask_is_refused);
    tcase_add_test(tests, a_box_is_cut_out);
    tcase_add_test(tests, gray_images_are_as_in_colour);
    tcase_add_test(tests, scores_by_the_map_are_those_of_the_reduced_image);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
