/* The gallery and report.html: the data in the page, and what a browser draws from it. */
#include "test/report/page_data.h"
#include "train/report/gallery.h"
#include "train/report/report.h"

#include <math.h>
#include <sys/stat.h>

#define SCRATCH "build/scratch/report/"

/* A name that would end the data, begin a comment, end a line or an attribute, if it were not escaped. */
#define HOSTILE "</script><!--<script>\xe2\x80\xa8\xe2\x80\xa9\" hostile=\"\" '\\\x01"

static void add_picture(EadGallery *gallery, int width, int height, const char *defect, float score) {
    EadImage rgb, mask;
    fill_image(&rgb, width, height, 3, 90);
    fill_image(&mask, width, height, 1, 0);
    float *map = calloc((size_t)width * (size_t)height, sizeof *map);
    ck_assert_ptr_nonnull(map);
    map[(size_t)width * (size_t)height - 1] = score;
    mask.pixels[0] = 1;
    int anomalous = strcmp(defect, "good") != 0;
    float coarse[2][6] = {{0, 0, 0, score, 0, 0}, {0, score, 0, 0, 0, 0}};
    EadMap parts[EAD_GALLERY_PARTS] = {{"first map", 3, 2, coarse[0]}, {"second map", 2, 3, coarse[1]}};
    ASSERT_OK(ead_gallery_add(gallery, &(EadGalleryImage){.path = SCRATCH "d/<p>.png",
                                                          .defect = defect,
                                                          .anomalous = anomalous,
                                                          .score = score,
                                                          .seconds = 0.0125,
                                                          .rgb = &rgb,
                                                          .map = map,
                                                          .mask = anomalous ? &mask : NULL,
                                                          .parts = anomalous ? parts : NULL}));
    free(map);
    ead_image_free(&rgb);
    ead_image_free(&mask);
}

START_TEST(gallery_reduces_and_keeps_peaks) {
    EadGallery gallery = {0};
    add_picture(&gallery, 700, 301, "chip", 3);
    add_picture(&gallery, 20, 10, "good", 1);
    const EadGalleryEntry *entry = &gallery.entries[0];
    ck_assert(entry->rgb.width == 256 && entry->rgb.height == 110);
    ck_assert_float_eq(entry->map[256 * 110 - 1], 3);
    ck_assert_float_eq(entry->map[0], 0);
    ck_assert(entry->mask.pixels[0] == 1 && entry->mask.pixels[1] == 0 && entry->rgb.pixels[77] == 90);
    ck_assert(gallery.entries[1].rgb.width == 20 && gallery.entries[1].mask.pixels == NULL);
    float low, high;
    ck_assert_int_eq(ead_gallery_range(&gallery, &low, &high), EAD_OK);
    ck_assert(low < high && low >= 0 && high <= 3);
    ead_gallery_free(&gallery);
    ck_assert_int_eq(ead_gallery_range(&gallery, &low, &high), EAD_OK);
    ck_assert(low < high);
}
END_TEST

START_TEST(gallery_sorts_mistakes_first) {
    static const float bad[] = {1, 9, 5, 8, 2.5f}, good[] = {0.5f, 4, 3, 0.25f};
    static const int64_t by_mistakes[] = {0, 4, 6, 7, 1, 3, 2, 5, 8},
                         by_score[] = {1, 3, 2, 6, 7, 4, 0, 5, 8};
    EadGallery gallery = {0};
    EadGalleryOrder order;
    for (int i = 0; i < 5; i++) add_picture(&gallery, 8, 8, "chip", bad[i]);
    for (int i = 0; i < 4; i++) add_picture(&gallery, 8, 8, "good", good[i]);
    ck_assert_int_eq(ead_gallery_sort(&gallery, 3, &order), EAD_OK);
    ck_assert(order.sizes[EAD_GALLERY_MISSED] == 2 && order.sizes[EAD_GALLERY_FALSE_ALARMS] == 2 &&
              order.sizes[EAD_GALLERY_OTHERS] == 5);
    ck_assert_mem_eq(order.entries, by_mistakes, sizeof by_mistakes);
    free(order.entries);
    ck_assert_int_eq(ead_gallery_sort(&gallery, NAN, &order), EAD_OK);
    ck_assert(order.sizes[EAD_GALLERY_OTHERS] == 9);
    ck_assert_mem_eq(order.entries, by_score, sizeof by_score);
    free(order.entries);
    ead_gallery_free(&gallery);
}
END_TEST

/* Of more images than the page has room for, those are kept that come first in it, in whatever order they were added. */
START_TEST(gallery_keeps_the_first_pictures) {
    enum { IMAGES = 400, MOST = 40 };
    EadGallery gallery = {.side = 64, .most = MOST, .threshold = 3}, whole = {.side = 64};
    EadGalleryOrder order;
    float low, high, whole_low, whole_high;
    for (int i = 0; i < IMAGES; i++) {
        float score = (float)(i * 37 % 101) / 20;
        const char *kind = i % 3 ? "good" : "chip";
        add_picture(&gallery, 8, 8, kind, score);
        add_picture(&whole, 8, 8, kind, score);
        ck_assert_int_le(gallery.pictures, MOST + MOST / 8);
    }
    ck_assert_int_eq(ead_gallery_sort(&gallery, 3, &order), EAD_OK);
    for (int i = 0; i < MOST; i++) {
        const EadGalleryEntry *entry = &gallery.entries[order.entries[i]],
                              *same = &whole.entries[order.entries[i]];
        ck_assert(entry->map && entry->rgb.pixels);
        ck_assert_mem_eq(entry->map, same->map, 64 * sizeof *entry->map);
    }
    for (int i = MOST + MOST / 8; i < IMAGES; i++)
        ck_assert(!gallery.entries[order.entries[i]].map && !gallery.entries[order.entries[i]].rgb.pixels);
    ck_assert_int_eq(ead_gallery_range(&gallery, &low, &high), EAD_OK);
    ck_assert_int_eq(ead_gallery_range(&whole, &whole_low, &whole_high), EAD_OK);
    ck_assert(low == whole_low && high == whole_high);
    free(order.entries);
    ead_gallery_free(&gallery);
    ead_gallery_free(&whole);
}
END_TEST

/* Of images without labels the highest scores stay, and nothing of the others but their number. */
START_TEST(gallery_without_labels_is_bounded) {
    enum { IMAGES = 500, MOST = 40 };
    EadGallery gallery = ead_gallery_for_unlabelled(-1, 0);
    EadGalleryOrder order;
    ck_assert(gallery.bounded && isnan(gallery.threshold) && gallery.side >= 128 && gallery.most > 500);
    ck_assert_int_ge(ead_gallery_for_unlabelled(1000000, 0).side, 128);
    ck_assert_int_eq(ead_gallery_for_unlabelled(10, 0).side, EAD_GALLERY_SIDE);
    gallery.most = MOST;
    for (int i = 0; i < IMAGES; i++) {
        add_picture(&gallery, 8, 8, i % 3 ? "good" : "chip", (float)(i * 37 % IMAGES));
        ck_assert_int_le(gallery.count, MOST + MOST / 8);
        ck_assert_int_eq(gallery.count + gallery.dropped, i + 1);
    }
    ck_assert_int_eq(ead_gallery_sort(&gallery, NAN, &order), EAD_OK);
    for (int i = 0; i < MOST; i++) { /* each score from 0 to 499 was there once */
        const EadGalleryEntry *entry = &gallery.entries[order.entries[i]];
        ck_assert_float_eq(entry->score, (float)(IMAGES - 1 - i));
        ck_assert(entry->map && entry->rgb.pixels);
    }
    free(order.entries);
    ead_gallery_free(&gallery);
}
END_TEST

START_TEST(gallery_keeps_to_its_budget) {
    ck_assert_int_eq(ead_gallery_for(0, NAN, 0).side, EAD_GALLERY_SIDE);
    ck_assert_int_eq(ead_gallery_for(275, NAN, 0).side, EAD_GALLERY_SIDE);
    for (int64_t images = 500; images <= 4000; images *= 2) {
        int side = ead_gallery_for(images, NAN, 0).side;
        ck_assert(side >= 64 && side < EAD_GALLERY_SIDE);
        ck_assert_double_le(0.8 * (double)images * side * side, EAD_GALLERY_BUDGET);
    }
    ck_assert_int_eq(ead_gallery_for(1000000, NAN, 0).side, 64);
    ck_assert_int_eq(ead_gallery_for(220, NAN, 2).side, EAD_GALLERY_SIDE);
    ck_assert_double_le(1000 * pow(ead_gallery_for(1000, NAN, 2).side, 2) * (2 + 2 * 0.25) * 0.4,
                        EAD_GALLERY_BUDGET);
    EadGallery gallery = {.side = 100};
    add_picture(&gallery, 700, 301, "chip", 3);
    ck_assert(gallery.entries[0].rgb.width == 100 && gallery.entries[0].rgb.height == 43);
    ead_gallery_free(&gallery);
}
END_TEST

/* ---- the page ---- */

/* An evaluation of four 8 x 8 images with its metrics. */
static EadEvaluation *evaluate(EadMetrics *metrics) {
    static const float scores[] = {0.1f, 0.4f, 0.3f, 0.9f};
    EadEvaluation *e = NULL;
    ck_assert_int_eq(ead_evaluation_new(&e), EAD_OK);
    for (int k = 0; k < 4; k++) {
        float map[64];
        uint8_t mask[64] = {0};
        for (int i = 0; i < 64; i++) map[i] = scores[k] * (float)(64 - i) / 64;
        for (int i = 0; i < 9; i++) mask[i] = 255;
        EadGroundTruth truth = {.mask = {8, 8, 1, mask}};
        ck_assert_int_eq(ead_evaluation_add(e, "a&b.png", k < 2 ? "good" : "<hole>", k >= 2, scores[k], map,
                                            8, 8, k < 2 ? NULL : &truth, NULL),
                         EAD_OK);
    }
    ck_assert_int_eq(ead_evaluation_finish(e, metrics), EAD_OK);
    return e;
}

static void check_data(void) {
    json_t *data = data_of(SCRATCH "report.html");
    ASSERT_TEXT(data, "title", "bottle & <co>");
    ASSERT_TEXT(data, "columns.0.title", "Image AU-ROC");
    ASSERT_TEXT(data, "columns.0.places.1", "tile");
    ASSERT_VALUE(data, "metrics.image_auroc", 0.75);
    ASSERT_VALUE(data, "metrics.defects.<hole>.images", 2);
    ck_assert_double_eq_tol(json_number_value(at(data, "threshold")), 0.3, 1e-6); /* of the best F1 */
    ck_assert(json_is_false(at(data, "has_threshold")));
    ASSERT_VALUE(data, "scores.good.count", 2);
    ck_assert_double_eq_tol(json_number_value(at(data, "scores.good.sorted.0")), 0.1, 1e-7);
    ck_assert_double_eq_tol(json_number_value(at(data, "scores.anomalous.sorted.1")), 0.9, 1e-7);
    ASSERT_VALUE(data, "validation.count", 5);
    ASSERT_VALUE(data, "validation.sorted.0", 0.125);
    ASSERT_VALUE(data, "latency.sorted.2", 15.625);
    ASSERT_VALUE(data, "side_by_side", 2);
    ASSERT_VALUE(data, "curves.roc.0", 0);
    ck_assert_uint_ge(json_array_size(at(data, "curves.pro")), 4);
    ASSERT_VALUE(data, "losses.last_step", 1000);
    ck_assert_uint_eq(json_array_size(at(data, "losses.steps")), 240);
    ASSERT_TEXT(data, "losses.series.2.name", "loss_stae");
    ASSERT_VALUE(data, "losses.series.2.values.1", 0.5); /* without the one that is not finite */
    ASSERT_VALUE(data, "losses.series.1.values.1", 0);
    ASSERT_TEXT(data, "gallery.images.0.defect", "good"); /* a false alarm */
    ASSERT_TEXT(data, "gallery.images.1.path", SCRATCH "d/<p>.png");
    ASSERT_TEXT(data, "gallery.images.1.href", "d/%3Cp%3E.png");
    ASSERT_TEXT(data, "gallery.images.1.defect", "<hole>");
    ASSERT_VALUE(data, "gallery.images.1.milliseconds", 12.5);
    ASSERT_TEXT(data, "gallery.images.1.parts.1.name", "second map");
    ck_assert_uint_eq(json_array_size(at(data, "gallery.images.0.parts")), 0);
    ck_assert(json_is_true(at(data, "gallery.outlined")));
    const char *picture = json_string_value(at(data, "gallery.images.1.map"));
    ck_assert(strncmp(picture, "data:image/jpeg;base64,/9j/", 27) == 0);
    ASSERT_TEXT(data, "config", "train.steps: 12 # '<v>'\n");
    ASSERT_TEXT(data, "changed.0.0", "train.steps");
    ASSERT_TEXT(data, "changed.0.1", "12");
    ASSERT_TEXT(data, "changed.0.2", "70000");
    ASSERT_TEXT(data, "provenance.1.1", HOSTILE);
    ASSERT_TEXT(data, "timings.0.0", "seed");
    json_decref(data);
}

START_TEST(report_holds_everything_and_escapes_it) {
    EadMetrics metrics;
    EadEvaluation *e = evaluate(&metrics);
    EadGallery gallery = {0};
    write_noise_png(SCRATCH "d/<p>.png", 300, 200, 3, 1);
    add_picture(&gallery, 300, 200, "<hole>", 0.3f);
    add_picture(&gallery, 8, 8, "good", 0.4f);
    char *text = NULL;
    size_t size;
    FILE *rows = open_memstream(&text, &size);
    fputs("step,loss_hard,loss_penalty,loss_stae,lr\n", rows);
    for (int i = 0; i < 1000; i++) fprintf(rows, "%d,1,0,%s,1e-4\n", i + 1, i == 5 ? "nan" : "0.5");
    fclose(rows);
    write_bytes(SCRATCH "losses.csv", text, size);
    free(text);
    EadLossHistory losses;
    ASSERT_OK(ead_loss_history_read(SCRATCH "losses.csv", &losses));
    EadKeyValue facts[] = {{"seed", "42"}, {"data", HOSTILE}};
    const float validation[] = {0.25f, 0.5f, 0.125f, 0.25f, 0.375f};
    const float seconds[] = {0.015625f, 0.0078125f, 0.0078125f};
    EadReport report = {.title = "bottle & <co>",
                        .subtitle = "sub",
                        .metrics = &metrics,
                        .validation_scores = {validation, 5},
                        .seconds = {seconds, 3},
                        .threads = 2,
                        .losses = &losses,
                        .gallery = &gallery,
                        .config = "train.steps: 12 # '<v>'\n",
                        .provenance = facts,
                        .provenance_count = 2,
                        .timings = facts,
                        .timing_count = 1};
    report.samples = ead_evaluation_samples(e, &report.sample_count);
    ck_assert_int_eq(ead_report_write(SCRATCH "report.html", &report), EAD_OK);
    check_data();
    text = read_text(SCRATCH "report.html");
    ck_assert_int_eq(ead_report_write(SCRATCH "again.html", &report), EAD_OK);
    char *again = read_text(SCRATCH "again.html");
    ck_assert_str_eq(text, again);
    free(text);
    free(again);
    ead_loss_history_free(&losses);
    ead_gallery_free(&gallery);
    ead_metrics_free(&metrics);
    ead_evaluation_free(e);
}
END_TEST

START_TEST(report_of_almost_nothing) {
    EadMetrics metrics = {
        .total = {.images = 1, .image_auroc = NAN, .image_f1_best = NAN, .image_f1_threshold = NAN}};
    EadReport report = {.metrics = &metrics};
    ck_assert_int_eq(ead_report_write(SCRATCH "bare.html", &report), EAD_OK);
    json_t *data = data_of(SCRATCH "bare.html");
    ASSERT_VALUE(data, "metrics.images", 1);
    ck_assert(json_is_null(at(data, "metrics.image_auroc")) && json_is_null(at(data, "threshold")));
    ck_assert(!at(data, "gallery") && !at(data, "losses") && !at(data, "config"));
    json_decref(data);
}
END_TEST

/* Every tag closes in order; <img>, <input> and <wbr> are void. */
static void assert_tags_nest(const char *text) {
    char open[64][16];
    int depth = 0;
    for (const char *tag = strchr(text, '<'); tag; tag = strchr(tag + 1, '<')) {
        char name[16] = "";
        int closing = tag[1] == '/';
        if (tag[1] == '!') continue;
        ck_assert_msg(sscanf(tag + 1 + closing, "%15[a-z0-9]", name) == 1, "stray < at %.40s", tag);
        const char *end = strchr(tag, '>');
        ck_assert_ptr_nonnull(end);
        bool empty = strcmp(name, "input") == 0 || strcmp(name, "img") == 0 || strcmp(name, "wbr") == 0;
        if (empty || end[-1] == '/') continue;
        if (closing) {
            ck_assert_msg(depth > 0 && strcmp(open[depth - 1], name) == 0, "wrong </%s> at %.60s", name, tag);
            depth--;
        } else {
            ck_assert_int_lt(depth, 64);
            memcpy(open[depth++], name, sizeof name);
        }
    }
    ck_assert_int_eq(depth, 0);
}

/* What a browser makes of it, where there is one. */
START_TEST(a_browser_draws_it) {
    SKIP_UNLESS(system("command -v chromium >" SCRATCH "browser 2>&1") == 0, "chromium is not installed");
    ck_assert_int_eq(system("HOME=" SCRATCH
                            "home chromium --headless --no-sandbox --disable-gpu --enable-logging=stderr "
                            "--v=0 --dump-dom " SCRATCH "report.html >" SCRATCH "dom.html 2>" SCRATCH "log"),
                     0);
    char *text = read_text(SCRATCH "dom.html"), *log = read_text(SCRATCH "log");
    ck_assert_msg(!strstr(log, "CONSOLE"), "%s", log);
    static const char *const parts[] = {
        "<title>bottle &amp; &lt;co&gt;</title>",
        "Image AU-ROC",
        "75.00<small>",
        "<th scope=\"row\">&lt;hole&gt;</th>",
        "Losses",
        "</i>hard</span>",
        "Scores of the test images",
        "ROC of the images",
        "PRO of the pixels",
        "False alarms",
        "All others, highest score first",
        "mistakes <b>1</b>",
        "src=\"data:image/jpeg;base64,/9j/",
        "alt=\"heat map of &lt;p&gt;.png, &lt;hole&gt;, score 0.3\"",
        "train.steps: 12 # '&lt;v&gt;'",
        "<th scope=\"row\"><span>train.<wbr>steps</span></th><td>12</td><td>70000</td>",
        "Timings",
        "2 of 2 anomalous images found, 1 of 2 good ones called anomalous"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_contains(text, parts[i]);
    static const char *const banned[] = {"NaN", "undefined", "Infinity", "</i>penalty<", "<hole>"};
    char *drawn = strstr(text, "<main"), *end = strstr(text, "</main>");
    ck_assert(drawn && end);
    *end = '\0';
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        ck_assert_msg(!strstr(drawn, banned[i]), "\"%s\" must not be in the page", banned[i]);
    strcpy(end, "</main>");
    assert_tags_nest(drawn);
    free(text);
    free(log);
}
END_TEST

int main(void) {
    make_folders(SCRATCH "d/");
    Suite *suite = suite_create("report");
    TCase *tests = tcase_create("report");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, gallery_reduces_and_keeps_peaks);
    tcase_add_test(tests, gallery_sorts_mistakes_first);
    tcase_add_test(tests, gallery_keeps_the_first_pictures);
    tcase_add_test(tests, gallery_without_labels_is_bounded);
    tcase_add_test(tests, gallery_keeps_to_its_budget);
    tcase_add_test(tests, report_holds_everything_and_escapes_it);
    tcase_add_test(tests, report_of_almost_nothing);
    tcase_add_test(tests, a_browser_draws_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
