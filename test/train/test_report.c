/* The gallery and report.html: what they hold, that tags nest, and that pictures keep to their budget. */
#include "test/support/data_support.h"
#include "train/report/gallery.h"
#include "train/report/report_html.h"

#include <math.h>

#define SCRATCH "build/scratch/report/"

static void add_picture(EadGallery *gallery, int width, int height, const char *defect, float score) {
    EadImage rgb, mask;
    fill_image(&rgb, width, height, 3, 90);
    fill_image(&mask, width, height, 1, 0);
    float *map = calloc((size_t)width * (size_t)height, sizeof *map);
    ck_assert_ptr_nonnull(map);
    map[(size_t)width * (size_t)height - 1] = score;
    mask.pixels[0] = 1;
    int anomalous = strcmp(defect, "good") != 0;
    ck_assert_int_eq(
        ead_gallery_add(gallery, "d/<p>.png", defect, anomalous, score, &rgb, map, anomalous ? &mask : NULL),
        EAD_OK);
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
    ead_gallery_range(&gallery, &low, &high);
    ck_assert(low < high && low >= 0 && high <= 3);
    ead_gallery_free(&gallery);
    ead_gallery_range(&gallery, &low, &high);
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

START_TEST(gallery_keeps_to_its_budget) {
    ck_assert_int_eq(ead_gallery_side(0), EAD_GALLERY_SIDE);
    ck_assert_int_eq(ead_gallery_side(275), EAD_GALLERY_SIDE);
    for (int64_t images = 500; images <= 4000; images *= 2) {
        int side = ead_gallery_side(images);
        ck_assert(side >= 64 && side < EAD_GALLERY_SIDE);
        ck_assert_double_le(0.8 * (double)images * side * side, EAD_GALLERY_BUDGET);
    }
    ck_assert_int_eq(ead_gallery_side(1000000), 64);
    EadGallery gallery = {.side = 100};
    add_picture(&gallery, 700, 301, "chip", 3);
    ck_assert(gallery.entries[0].rgb.width == 100 && gallery.entries[0].rgb.height == 43);
    ead_gallery_free(&gallery);
}
END_TEST

/* Every tag closes in order; <meta> and <img> are void, <x/> closes itself. */
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
        if (strcmp(name, "meta") == 0 || strcmp(name, "img") == 0 || end[-1] == '/') continue;
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
                                            8, 8, k < 2 ? NULL : &truth),
                         EAD_OK);
    }
    ck_assert_int_eq(ead_evaluation_finish(e, metrics), EAD_OK);
    return e;
}

START_TEST(report_holds_everything_and_escapes_it) {
    EadMetrics metrics;
    EadEvaluation *e = evaluate(&metrics);
    EadGallery gallery = {0};
    add_picture(&gallery, 300, 200, "<hole>", 0.3f);
    add_picture(&gallery, 8, 8, "good", 0.4f);
    EadLossPoint losses[1000];
    for (int i = 0; i < 1000; i++) losses[i] = (EadLossPoint){i + 1, 1, 0, 2, i == 5 ? NAN : 0.5f, 3.5f};
    EadKeyValue facts[] = {{"seed", "42"}, {"data", "<script>alert(1)</script>"}};
    EadReport report = {.title = "bottle & <co>",
                        .subtitle = "sub",
                        .metrics = &metrics,
                        .losses = losses,
                        .loss_count = 1000,
                        .gallery = &gallery,
                        .config = "train.steps: 12 # '<v>'\n",
                        .provenance = facts,
                        .provenance_count = 2,
                        .timings = facts,
                        .timing_count = 1};
    report.samples = ead_evaluation_samples(e, &report.sample_count);
    ck_assert_int_eq(ead_report_write(SCRATCH "report.html", &report), EAD_OK);
    char *text = read_text(SCRATCH "report.html");
    assert_tags_nest(text);
    static const char *const parts[] = {"<title>bottle &amp; &lt;co&gt;</title>",
                                        "Image AU-ROC",
                                        "75.00<small>",
                                        "&lt;hole&gt;",
                                        "Losses",
                                        "hard feature loss",
                                        "Scores of the test images",
                                        "ROC of the images",
                                        "PRO of the pixels",
                                        "False alarms",
                                        "All others, highest score first",
                                        "mistakes <b>1</b>",
                                        "data:image/jpeg;base64,/9j/",
                                        "&lt;p&gt;.png",
                                        "train.steps: 12 # &#39;&lt;v&gt;&#39;",
                                        "<td>train.steps</td><td>12</td><td>70000</td>",
                                        "&lt;script&gt;",
                                        "Timings",
                                        "prefers-color-scheme:dark",
                                        "2 of 2 anomalous images found, 1 of 2 good ones called anomalous"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_contains(text, parts[i]);
    static const char *const banned[] = {"://",  "<script", "<link",     "@import", "nan<",
                                         " nan", "inf<",    ">penalty<", "<hole>"};
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++) {
        const char *found = strstr(text, banned[i]);
        ck_assert_msg(!found, "\"%s\" must not be in the page", banned[i]);
    }
    ck_assert_int_eq(ead_report_write(SCRATCH "again.html", &report), EAD_OK);
    char *again = read_text(SCRATCH "again.html");
    ck_assert_str_eq(text, again);
    free(text);
    free(again);
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
    char *text = read_text(SCRATCH "bare.html");
    assert_tags_nest(text);
    assert_contains(text, "Test images");
    ck_assert_ptr_null(strstr(text, "Test images</h2>"));
    ck_assert_ptr_null(strstr(text, "Losses"));
    free(text);
}
END_TEST

static int count_of(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* Noise is more than twice as large as what the side of the pictures is chosen for. */
START_TEST(pictures_end_where_the_budget_does) {
    enum { IMAGES = 150, SIDE = 256 };
    EadMetrics metrics = {.total = {.images = IMAGES}, .has_threshold = 1, .threshold = {.value = 0.5f}};
    EadGallery gallery = {.side = ead_gallery_side(IMAGES)};
    ck_assert_int_eq(gallery.side, SIDE);
    EadImage noise;
    float *map = calloc(SIDE * SIDE, sizeof *map);
    ck_assert_ptr_nonnull(map);
    fill_image(&noise, SIDE, SIDE, 3, 0);
    for (int i = 0; i < IMAGES; i++) {
        fill_noise(noise.pixels, image_bytes(&noise), (uint32_t)i);
        ASSERT_OK(ead_gallery_add(&gallery, "a.png", "good", 0, i < 2 ? 1 : 0.25f, &noise, map, NULL));
    }
    EadReport report = {.metrics = &metrics, .gallery = &gallery};
    ASSERT_OK(ead_report_write(SCRATCH "large.html", &report));
    char *text = read_text(SCRATCH "large.html"), note[96];
    int pairs = count_of(text, "class=\"pair\"");
    ck_assert(pairs > 2 && pairs < IMAGES);
    ck_assert_int_eq(count_of(text, "<figure class=\"shot"), IMAGES);
    size_t picture = strlen(text) / (size_t)pairs; /* a little more than a pair */
    ck_assert_uint_le(strlen(text), EAD_GALLERY_BUDGET + 2 * picture);
    snprintf(note, sizeof note, "The other %d images without pictures: the page keeps to 16 MB.",
             IMAGES - pairs);
    const char *told = strstr(text, note);
    ck_assert_msg(told != NULL, "no note: %s", note);
    ck_assert_ptr_null(strstr(told, "class=\"pair\""));
    ck_assert_int_eq(count_of(told, "<figure class=\"shot"), IMAGES - pairs);
    ck_assert_int_eq(count_of(text, "shots bare\">"), 1);
    ck_assert_ptr_null(strstr(text, "outlined"));
    assert_tags_nest(text);
    free(text);
    free(map);
    ead_image_free(&noise);
    ead_gallery_free(&gallery);
}
END_TEST

int main(void) {
    make_folders(SCRATCH);
    Suite *suite = suite_create("report");
    TCase *tests = tcase_create("report");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, gallery_reduces_and_keeps_peaks);
    tcase_add_test(tests, gallery_sorts_mistakes_first);
    tcase_add_test(tests, gallery_keeps_to_its_budget);
    tcase_add_test(tests, report_holds_everything_and_escapes_it);
    tcase_add_test(tests, report_of_almost_nothing);
    tcase_add_test(tests, pictures_end_where_the_budget_does);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
