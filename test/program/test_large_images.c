/* Large images with small defects: a training in tiles, what it announces, and the six defects of 6 pixels that it finds in a
 * new image. In a minute at a small size; LARGE=1 does it at 2048x2048 with tiles of 256, and says how long it takes. Skipped
 * where $PROGRAM is not set. */
#define S "build/scratch/test_large_images/"
#include "core/system/clock.h"
#include "test/support/runs.h"

#include <jansson.h>
#include <math.h>

#define MODEL S "run/model.safetensors"

enum { GOOD = 10, DEFECTS = 6, DEFECT_SIDE = 6, NEAR = 24 };

static bool is_large(void) {
    return getenv("LARGE") != NULL;
}

static int image_side(void) {
    return is_large() ? 2048 : 232;
}

static int tile_side(void) {
    return is_large() ? 256 : 64;
}

/* The corner of a defect, away from the edge. */
static void place_of(int defect, int *x, int *y) {
    int room = image_side() - 80;
    *x = 36 + defect % 3 * room / 2;
    *y = 36 + defect / 3 * room;
}

/* Cloth: two waves and grain, never twice the same. */
static void draw_cloth(const char *path, uint32_t number, bool defective) {
    int side = image_side();
    EadImage image;
    uint8_t *grain = malloc((size_t)side * (size_t)side);
    fill_noise(grain, (size_t)side * (size_t)side, number);
    ASSERT_OK(ead_image_alloc(&image, side, side, 3));
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            double gray = 120 + 25 * sin(0.21 * x + number) * sin(0.17 * y + 2 * number);
            gray += grain[y * side + x] / 16.0;
            for (int c = 0; c < 3; c++) image.pixels[3 * (y * side + x) + c] = (uint8_t)(gray - 6 * c);
        }
    for (int d = 0; d < DEFECTS && defective; d++) {
        int left, top;
        place_of(d, &left, &top);
        for (int p = 0; p < DEFECT_SIDE * DEFECT_SIDE; p++) {
            uint8_t *pixel = image.pixels + 3 * ((top + p / DEFECT_SIDE) * side + left + p % DEFECT_SIDE);
            memset(pixel, d % 2 ? 225 : 25, 3);
        }
    }
    make_folders(path);
    ASSERT_OK(ead_png_write(path, &image));
    ead_image_free(&image);
    free(grain);
}

static void make_scene(void) {
    char path[128];
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S);
    for (uint32_t i = 0; i < GOOD; i++) {
        snprintf(path, sizeof path, S "good/%02u.png", i);
        draw_cloth(path, i, false);
    }
    draw_cloth(S "new/good.png", 100, false);
    draw_cloth(S "new/spots.png", 101, true);
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

static double train_in_tiles(Outcome *outcome) {
    char words[512];
    double start = ead_clock_seconds();
    snprintf(words, sizeof words,
             "train " S "good --set dataset.validation_fraction=0.2 --set tiles.size=%d --set "
             "model.image_size=%d --set train.steps=%d "
             "--set train.lr=5e-4 --set train.validate_every=0 -o " S "run",
             tile_side(), tile_side(), is_large() ? 300 : 100);
    run(words, 0, outcome);
    ck_assert_msg(outcome->code == 0, "%s", outcome->err);
    return ead_clock_seconds() - start;
}

/* Whether a region has its peak at a defect. */
static bool is_found(const json_t *regions, int defect) {
    int x, y;
    size_t i;
    json_t *region;
    place_of(defect, &x, &y);
    json_array_foreach(regions, i, region) {
        const json_t *peak = json_object_get(region, "peak");
        double right = json_number_value(json_array_get(peak, 0)) - x - DEFECT_SIDE / 2,
               down = json_number_value(json_array_get(peak, 1)) - y - DEFECT_SIDE / 2;
        if (hypot(right, down) < NEAR) return true;
    }
    return false;
}

START_TEST(small_defects_of_a_large_image_are_found) {
    NEED_PROGRAM();
    Outcome outcome;
    char announced[96];
    double seconds = train_in_tiles(&outcome);
    snprintf(announced, sizeof announced, "in tiles, an image of %d x %d takes about ", image_side(),
             image_side());
    const char *told = strstr(outcome.err, announced);
    ck_assert_msg(told != NULL, "%s", outcome.err);
    if (is_large()) printf("%.*s\ntraining: %.0f s\n", (int)strcspn(told, "\n"), told, seconds);
    seconds = ead_clock_seconds();
    run("predict -q --model " MODEL " " S "new/good.png " S "new/spots.png", 0, &outcome);
    if (is_large()) printf("predict, two images: %.1f s\n", ead_clock_seconds() - seconds);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    json_t *good = json_loadb(outcome.out, strcspn(outcome.out, "\n"), 0, NULL);
    json_t *spots = json_loads(strchr(outcome.out, '\n') + 1, JSON_DISABLE_EOF_CHECK, NULL);
    double highest = json_number_value(json_object_get(good, "score")),
           score = json_number_value(json_object_get(spots, "score"));
    ck_assert_msg(json_is_true(json_object_get(spots, "anomalous")), "%s", outcome.out);
    ck_assert_msg(score > 2 * highest, "good %g, with defects %g", highest, score);
    for (int d = 0; d < DEFECTS; d++)
        ck_assert_msg(is_found(json_object_get(spots, "regions"), d), "defect %d: %s", d, outcome.out);
    json_decref(good);
    json_decref(spots);
}
END_TEST

/* Images of other sizes than in training, and what else goes with a model in tiles. */
START_TEST(the_model_takes_images_of_any_size) {
    NEED_PROGRAM();
    Outcome outcome;
    if (!exists(MODEL)) train_in_tiles(&outcome);
    write_noise_png(S "odd/a.png", 77, 201, 3, 1);
    write_noise_png(S "odd/b.png", 20, 31, 1, 2);
    run_well("predict -q --model " MODEL " --maps " S "maps --overlays " S "heat " S "odd");
    ck_assert(exists(S "heat/a.png") && exists(S "heat/b.png") && exists(S "maps/a.tiff"));
    run_well("eval -q --model " MODEL " --set dataset.test_good=$PWD/" S "odd -o " S "eval");
    ck_assert(exists(S "eval/report.html"));
    run("export -m " MODEL " -o " S "tiles.onnx", 0, &outcome);
    ck_assert_int_ne(outcome.code, 0);
    assert_contains(outcome.err, "looks at images in tiles (tiles.size)");
    ck_assert(!exists(S "tiles.onnx"));
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, small_defects_of_a_large_image_are_found);
    tcase_add_test(tests, the_model_takes_images_of_any_size);
}

int main(void) {
    return run_program_suite("large images", S, make_scene, remove_scene, add_tests);
}
