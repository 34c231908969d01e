/* The files of a run folder, read back by other means than those that wrote them: libtiff, jansson, our image
 * decoder. The report has a suite of its own, test_report.c. */
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "test/support/scratch.h"
#include "data/codec/codec.h"
#include "train/report/overlay.h"
#include "train/report/report.h"
#include "train/evaluate/result_files.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#define SCRATCH "build/scratch/results/"

START_TEST(scores_csv_quotes_what_it_must) {
    char plain[] = "a/b.png", odd[] = "a \"b\",\nc.png", good[] = "good", kind[] = "x,y";
    EadSample samples[] = {{.path = plain, .defect = good, .score = 0.1f},
                           {.path = odd, .defect = kind, .anomalous = 1, .score = -0.7f}};
    ck_assert_int_eq(ead_write_scores_csv(SCRATCH "scores.csv", samples, 2), EAD_OK);
    char *text = read_text(SCRATCH "scores.csv");
    ck_assert_str_eq(text, "path,label,defect,score\n"
                           "a/b.png,0,good,0.1\n"
                           "\"a \"\"b\"\",\nc.png\",1,\"x,y\",-0.7\n");
    free(text);
}
END_TEST

START_TEST(curve_csv_keeps_every_point) {
    EadCurve curve = {0};
    ck_assert_int_eq(ead_curve_push(&curve, (EadCurvePoint){INFINITY, 0, 0}), EAD_OK);
    ck_assert_int_eq(ead_curve_push(&curve, (EadCurvePoint){0.5, 0.25, 1}), EAD_OK);
    ck_assert_int_eq(ead_write_curve_csv(SCRATCH "roc.csv", &curve, "fpr", "tpr"), EAD_OK);
    char *text = read_text(SCRATCH "roc.csv");
    ck_assert_str_eq(text, "threshold,fpr,tpr\ninf,0,0\n0.5,0.25,1\n");
    free(text);
    ead_curve_free(&curve);
}
END_TEST

static double real_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    ck_assert_msg(json_is_real(value), "%s is no number", key);
    return json_real_value(value);
}

/* Of 40 validation images 4 reach the threshold, and 2 the pixel threshold. */
static void check_thresholds(const json_t *root) {
    ck_assert_double_eq(real_of(root, "threshold"), 0.25);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "validation_images")), 40);
    ck_assert_double_eq_tol(real_of(root, "validation_fpr"), 0.1, 1e-15);
    ck_assert_double_eq_tol(real_of(root, "validation_fpr_low"), 0.03, 1e-15);
    ck_assert_double_eq_tol(real_of(root, "validation_fpr_high"), 0.2, 1e-15);
    ck_assert_double_eq(real_of(root, "pixel_threshold"), 0.5);
    ck_assert_double_eq_tol(real_of(root, "validation_region_fpr"), 0.05, 1e-15);
    ck_assert_double_eq_tol(real_of(root, "validation_region_fpr_low"), 0.01, 1e-15);
    ck_assert_double_eq_tol(real_of(root, "validation_region_fpr_high"), 0.1, 1e-15);
}

START_TEST(metrics_json_has_the_agreed_keys) {
    char scratch[] = "scratch", latin[] = "K\xe4se";
    EadDefectMetrics defects[2] = {
        {.name = latin, .set = {.images = 1, .image_auroc = NAN, .image_f1_best = NAN}},
        {.name = scratch,
         .set = {.images = 2, .image_auroc = 0.75, .has_pixels = 1, .au_pro_30 = 0.5, .au_pro_05 = 0.25}}};
    char missing[] = "missing_cap";
    EadDefectMetrics type = {.name = missing,
                             .set = {.images = 1, .image_auroc = 0.5, .has_spro = 1, .au_spro_05 = 0.75}};
    EadMetrics metrics = {
        .total = {.images = 5,
                  .image_auroc = 0.9,
                  .image_f1_best = 2.0 / 3,
                  .has_pixels = 1,
                  .au_pro_30 = NAN,
                  .au_pro_05 = 0.125,
                  .pixel_auroc = 1,
                  .au_pro_other = 0.0625,
                  .pixel_ap = 0.625,
                  .pixel_f1_best = 0.5,
                  .image_ap = 0.875,
                  .image_f1 = 0.25,
                  .image_tpr = 0.5,
                  .image_fpr = NAN,
                  .has_spro = 1,
                  .au_spro_01 = 0.1,
                  .au_spro_05 = 0.2,
                  .au_spro_10 = 0.3,
                  .au_spro_30 = 0.4,
                  .au_spro_100 = 0.5},
        .pro_limit = 0.125,
        .has_mean = 1,
        .mean = {.images = 4, .image_auroc = 0.75},
        .defect_count = 2,
        .defects = defects,
        .type_count = 1,
        .types = &type,
        .has_threshold = 1,
        .has_pixel_threshold = 1,
        .threshold = {.value = 0.25f, .images = 40, .alarms = 4, .low = 0.03, .high = 0.2},
        .pixel_threshold = {.value = 0.5f, .images = 40, .alarms = 2, .low = 0.01, .high = 0.1}};
    ck_assert_int_eq(ead_write_metrics_json(SCRATCH "metrics.json", &metrics), EAD_OK);
    json_t *root = json_load_file(SCRATCH "metrics.json", 0, NULL);
    ck_assert_ptr_nonnull(root);
    ck_assert_double_eq(real_of(root, "image_auroc"), 0.9);
    ck_assert_double_eq_tol(real_of(root, "image_f1_best"), 2.0 / 3, 1e-15);
    ck_assert(json_is_null(json_object_get(root, "au_pro_0.30")));
    ck_assert_double_eq(real_of(root, "au_pro_0.05"), 0.125);
    ck_assert_double_eq(real_of(root, "pixel_auroc"), 1);
    check_thresholds(root);
    ck_assert_double_eq(real_of(root, "pixel_ap"), 0.625);
    ck_assert_double_eq(real_of(root, "au_pro_0.125"), 0.0625);
    ck_assert_double_eq(real_of(root, "pixel_f1_best"), 0.5);
    ck_assert_double_eq(real_of(root, "image_ap"), 0.875);
    ck_assert_double_eq(real_of(root, "image_f1"), 0.25);
    ck_assert_double_eq(real_of(root, "image_tpr"), 0.5);
    ck_assert(json_is_null(json_object_get(root, "image_fpr")));
    static const char *const spro[] = {"au_spro_0.01", "au_spro_0.05", "au_spro_0.10", "au_spro_0.30",
                                       "au_spro_1.00"};
    for (int i = 0; i < 5; i++) ck_assert_double_eq_tol(real_of(root, spro[i]), 0.1 * (i + 1), 1e-15);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "images")), 5);
    const json_t *kinds = json_object_get(root, "defects");
    ck_assert_uint_eq(json_object_size(kinds), 4);
    const json_t *named = json_object_get(kinds, "missing_cap");
    ck_assert_double_eq(real_of(named, "au_spro_0.05"), 0.75);
    ck_assert_double_eq(real_of(named, "image_auroc"), 0.5);
    ck_assert_ptr_null(json_object_get(named, "au_pro_0.30"));
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(kinds, "mean"), "images")), 4);
    ck_assert_ptr_null(json_object_get(json_object_get(kinds, "scratch"), "au_spro_0.01"));
    ck_assert_double_eq(real_of(json_object_get(kinds, "scratch"), "image_auroc"), 0.75);
    const json_t *escaped = json_object_get(kinds, "K\\xe4se");
    ck_assert(json_is_null(json_object_get(escaped, "image_auroc")));
    ck_assert_ptr_null(json_object_get(escaped, "pixel_auroc"));
    json_decref(root);
    char *text = read_text(SCRATCH "metrics.json");
    ck_assert(strstr(text, "image_auroc") < strstr(text, "au_pro_0.30"));
    ck_assert(strstr(text, "\"threshold\"") < strstr(text, "\"defects\""));
    free(text);
}
END_TEST

START_TEST(maps_are_float_tiff) {
    enum { width = 37, height = 211 };
    static float map[width * height];
    for (int i = 0; i < width * height; i++) map[i] = (float)i * 0.125f - 3;
    ck_assert_int_eq(ead_tiff_write_map(SCRATCH "map.tiff", map, width, height), EAD_OK);
    assert_tiff_equals(SCRATCH "map.tiff", map, width, height);
    ck_assert_int_eq(ead_tiff_write_map(SCRATCH "none.tiff", map, 0, 5), EAD_BAD_SHAPE);
    ck_assert_int_ne(access(SCRATCH "none.tiff", F_OK), 0);
}
END_TEST

START_TEST(overlay_colours_high_scores_and_outlines_masks) {
    enum { side = 16 };
    float map[side * side] = {0};
    EadImage rgb, mask, written, other;
    fill_image(&rgb, side, side, 3, 128);
    fill_image(&mask, side, side, 1, 0);
    map[0] = 5;
    map[1] = 0.5f;
    mask.pixels[8 * side + 8] = 1;
    EadOverlay overlay = {.rgb = &rgb, .map = map, .heat = {0, 1, NAN}, .truth = &mask};
    ck_assert_int_eq(ead_overlay_write_png(SCRATCH "overlay.png", &overlay), EAD_OK);
    ck_assert_int_eq(ead_image_load(SCRATCH "overlay.png", &written), EAD_OK);
    const uint8_t *hot = written.pixels, *warm = hot + 3, *plain = hot + 30;
    const uint8_t *defect = hot + 3 * (8 * side + 8), *beside = defect + 3;
    ck_assert(hot[0] > 200 && hot[1] > 200 && warm[0] > warm[1] && warm[1] < 128);
    ck_assert(plain[0] == 128 && plain[1] == 128 && plain[2] == 128 && defect[0] == 128);
    ck_assert(beside[1] == 255 && beside[0] < 100);
    int changed = 0;
    for (int i = 2; i < side * side; i++) changed += hot[3 * i] != 128;
    ck_assert_int_eq(changed, 8);
    fill_image(&other, side, side + 1, 1, 0);
    overlay.truth = &other;
    ead_image_free(&written);
    ck_assert_int_eq(ead_overlay_render(&overlay, &written), EAD_BAD_SHAPE);
    ck_assert_ptr_null(written.pixels);
    ead_image_free(&other);
    ead_image_free(&rgb);
    ead_image_free(&mask);
}
END_TEST

/* Ordered by lightness (BT.709 weights), whatever the eye or printer. */
START_TEST(ramp_grows_lighter) {
    double last = -1;
    for (int i = 0; i <= 100; i++) {
        uint8_t c[3];
        ead_ramp_color((float)i / 100, c);
        double lightness = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
        ck_assert_msg(lightness > last, "step %d: %g after %g", i, lightness, last);
        last = lightness;
    }
}
END_TEST

START_TEST(jpeg_in_memory_decodes) {
    EadImage image, decoded;
    fill_image(&image, 33, 17, 3, 0);
    for (int i = 0; i < 33 * 17; i++) image.pixels[3 * i] = 200;
    uint8_t *bytes;
    size_t size;
    ck_assert_int_eq(ead_jpeg_encode(&image, 95, &bytes, &size), EAD_OK);
    ck_assert_int_eq(ead_image_decode(bytes, size, "memory", &decoded), EAD_OK);
    ck_assert(decoded.width == 33 && decoded.height == 17);
    for (int i = 0; i < 33 * 17; i++)
        ck_assert(abs(decoded.pixels[3 * i] - 200) < 5 && decoded.pixels[3 * i + 1] < 5);
    free(bytes);
    ead_image_free(&decoded);
    ead_image_free(&image);
}
END_TEST

START_TEST(json_numbers_scripts_and_base64) {
    char text[512] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    EadJson json = {.stream = file, .in_script = true};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "</a>", "<!--\xe2\x80\xa8\xc3\xa4\xff\x01\n");
    ead_json_open(&json, "numbers", '[');
    ead_json_number(&json, NULL, 1, 9);
    ead_json_number(&json, NULL, 0.1, 17);
    ead_json_float(&json, NULL, 0.1f);
    ead_json_float(&json, NULL, NAN);
    ead_json_number(&json, NULL, 1e-5, 9);
    ead_json_number(&json, NULL, (double)NAN, 9);
    ead_json_number(&json, NULL, (double)-INFINITY, 9);
    ead_json_integer(&json, NULL, INT64_MIN);
    json.reals = true;
    ead_json_number(&json, NULL, 1, 9);
    ead_json_float(&json, NULL, 16777216);
    ead_json_number(&json, NULL, -1e-5, 9);
    ead_json_number(&json, NULL, 1e20, 9);
    ead_json_close(&json, ']');
    ead_json_open(&json, "objects", '[');
    ead_json_open(&json, NULL, '{');
    ead_json_close(&json, '}');
    ead_json_close(&json, ']');
    ead_json_string(&json, "none", NULL);
    ead_json_data_uri(&json, "a", "text/plain", (const uint8_t *)"Man", 3);
    ead_json_data_uri(&json, "b", "text/plain", (const uint8_t *)"Ma", 2);
    ead_json_data_uri(&json, "c", "text/plain", (const uint8_t *)"\xff", 1);
    ead_json_close(&json, '}');
    fclose(file);
    ck_assert_str_eq(text,
                     "{\n  \"\\u003c/a>\": \"\\u003c!--\\u2028\xc3\xa4\\\\xff\\u0001\\u000a\",\n"
                     "  \"numbers\": [1, 0.10000000000000001, 0.1, null, 1e-05, null, null, "
                     "-9223372036854775808, 1.0, 16777216.0, -1e-5, "
                     "1e20],\n  \"objects\": [\n    {}\n  ],\n  \"none\": null,\n"
                     "  \"a\": \"data:text/plain;base64,TWFu\",\n  \"b\": \"data:text/plain;base64,TWE=\",\n"
                     "  \"c\": \"data:text/plain;base64,/w==\"\n}");
    json_t *read = json_loads(text, 0, NULL);
    ck_assert(read && json_object_size(read) == 7);
    json_decref(read);
}
END_TEST

START_TEST(failed_writes_leave_nothing) {
    float map[4] = {0};
    EadMetrics metrics = {.total = {.images = 1}};
    EadReport report = {.metrics = &metrics};
    ck_assert_int_eq(ead_tiff_write_map(SCRATCH "no/map.tiff", map, 2, 2), EAD_IO);
    ck_assert_int_eq(ead_write_metrics_json(SCRATCH "no/metrics.json", &metrics), EAD_IO);
    ck_assert_int_eq(ead_write_scores_csv(SCRATCH "no/scores.csv", NULL, 0), EAD_IO);
    ck_assert_int_eq(ead_report_write(SCRATCH "no/report.html", &report), EAD_IO);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "no/report.html"));
}
END_TEST

/* A limit on the file size stands in for a full disk. */
START_TEST(full_disk_leaves_nothing) {
    static float map[256 * 256];
    EadMetrics metrics = {.total = {.images = 1}};
    EadReport report = {.metrics = &metrics};
    struct rlimit before, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4000;
    int files = files_in(SCRATCH);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    EadStatus tiff = ead_tiff_write_map(SCRATCH "full.tiff", map, 256, 256);
    EadStatus html = ead_report_write(SCRATCH "full.html", &report);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(tiff, EAD_IO);
    ck_assert_int_eq(html, EAD_IO);
    ck_assert_int_eq(files_in(SCRATCH), files);
}
END_TEST

int main(void) {
    make_folders(SCRATCH);
    Suite *suite = suite_create("results");
    TCase *tests = tcase_create("results");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, scores_csv_quotes_what_it_must);
    tcase_add_test(tests, curve_csv_keeps_every_point);
    tcase_add_test(tests, metrics_json_has_the_agreed_keys);
    tcase_add_test(tests, maps_are_float_tiff);
    tcase_add_test(tests, overlay_colours_high_scores_and_outlines_masks);
    tcase_add_test(tests, ramp_grows_lighter);
    tcase_add_test(tests, jpeg_in_memory_decodes);
    tcase_add_test(tests, json_numbers_scripts_and_base64);
    tcase_add_test(tests, failed_writes_leave_nothing);
    tcase_add_test(tests, full_disk_leaves_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
