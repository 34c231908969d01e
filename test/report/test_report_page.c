/* report.html, of a run and of a training that goes on, the page of images without labels, and runs side by side in a browser:
 * the slider moves table, chart and gallery, the keyboard reaches everything, every text can be read, light and dark, on a
 * desk and on a phone. */
#include "test/report/browser.h"
#include "train/comparison/comparison.h"
#include "train/report/report.h"
#include "train/report/training_page.h"

#include <math.h>
#include <time.h>

#define SCRATCH "build/scratch/report_page/"

enum { GOOD = 8, BAD = 12, IMAGES = GOOD + BAD, VALIDATION = 21, SIDE = 96 };
enum { KEY_TAB = 9, KEY_ENTER = 13, KEY_ESCAPE = 27, KEY_END = 35, KEY_HOME, KEY_LEFT, KEY_RIGHT = 39 };

/* Scores of good images are 0.05, 0.1, ... 0.4, of anomalous ones 0.3, 0.35, ... 0.85. */
static float score_of(int image) {
    return image < GOOD ? 0.05f * (float)(image + 1) : 0.3f + 0.05f * (float)(image - GOOD);
}

static void fill_gallery(EadGallery *gallery, bool labelled) {
    static float map[SIDE * SIDE], coarse[16 * 16];
    EadImage rgb, mask;
    fill_image(&mask, SIDE, SIDE, 1, 0);
    fill_image(&rgb, SIDE, SIDE, 3, 0);
    memset(mask.pixels, 255, 20 * SIDE);
    for (int i = 0; i < IMAGES; i++) {
        char path[200];
        bool bad = i >= GOOD;
        snprintf(path, sizeof path, SCRATCH "data/%s %d <b>.png", bad ? "bad" : "good", i);
        write_noise_png(path, SIDE, SIDE, 3, (uint32_t)i);
        fill_noise(rgb.pixels, image_bytes(&rgb), (uint32_t)i);
        for (int k = 0; k < SIDE * SIDE; k++) map[k] = k < 20 * SIDE ? score_of(i) : 0.01f;
        for (int k = 0; k < 16 * 16; k++) coarse[k] = k < 64 ? score_of(i) : 0;
        EadMap parts[EAD_GALLERY_PARTS] = {{"student–teacher map", 16, 16, coarse},
                                           {"autoencoder map", 16, 16, coarse}};
        ASSERT_OK(ead_gallery_add(gallery, &(EadGalleryImage){.path = path,
                                                              .defect = bad ? "<i>scratch" : "good",
                                                              .anomalous = bad,
                                                              .score = score_of(i),
                                                              .seconds = 0.01 + 0.001 * i,
                                                              .rgb = &rgb,
                                                              .map = map,
                                                              .mask = labelled && bad ? &mask : NULL,
                                                              .parts = parts}));
    }
    ead_image_free(&rgb);
    ead_image_free(&mask);
}

/* Numbers that both pages show. */
static float validation[VALIDATION], seconds[IMAGES], scores[IMAGES];

static void fill_numbers(void) {
    for (int i = 0; i < VALIDATION; i++) validation[i] = 0.02f * (float)(i + 1); /* to 0.42 */
    for (int i = 0; i < IMAGES; i++) seconds[i] = 0.01f + 0.001f * (float)i;
    for (int i = 0; i < IMAGES; i++) scores[i] = score_of(i);
}

/* limit: the threshold; NAN: none. */
static void write_labelled(const char *path, float limit) {
    EadEvaluation *evaluation = NULL;
    EadMetrics metrics;
    EadGallery gallery = {.side = SIDE};
    fill_numbers();
    fill_gallery(&gallery, true);
    ASSERT_OK(ead_evaluation_new(&evaluation));
    EadThreshold threshold = ead_threshold_assess(limit, validation, VALIDATION);
    if (!isnan(limit)) ead_evaluation_set_threshold(evaluation, &threshold);
    if (!isnan(limit)) ead_evaluation_set_pixel_threshold(evaluation, &threshold);
    for (int i = 0; i < IMAGES; i++)
        ASSERT_OK(ead_evaluation_add(evaluation, "image", i < GOOD ? "good" : "<i>scratch", i >= GOOD,
                                     scores[i], NULL, SIDE, SIDE, NULL, NULL));
    ASSERT_OK(ead_evaluation_finish(evaluation, &metrics));
    EadKeyValue facts[] = {
        {"data", "a long path of data, which has to be wrapped on a phone/0123456789/0123456789"},
        {"seed", "<b>42"}};
    EadReport report = {.title = "bottles <b>",
                        .subtitle = "EfficientAD-S",
                        .metrics = &metrics,
                        .validation_scores = {validation, VALIDATION},
                        .seconds = {seconds, IMAGES},
                        .threads = 2,
                        .gallery = &gallery,
                        .config = "train.steps: 12\n",
                        .provenance = facts,
                        .provenance_count = 2,
                        .timings = facts,
                        .timing_count = 1};
    report.samples = ead_evaluation_samples(evaluation, &report.sample_count);
    ASSERT_OK(ead_report_write(path, &report));
    ead_metrics_free(&metrics);
    ead_evaluation_free(evaluation);
    ead_gallery_free(&gallery);
}

static void write_unlabelled(const char *path, double threshold) {
    EadGallery gallery = {.side = SIDE};
    fill_numbers();
    fill_gallery(&gallery, false);
    EadUnlabelled unlabelled = {
        .threshold = threshold, .heat = {0, 1, (float)threshold}, .scores = scores, .count = IMAGES};
    EadReport report = {.title = "new photographs",
                        .unlabelled = &unlabelled,
                        .validation_scores = {validation, VALIDATION},
                        .gallery = &gallery};
    ASSERT_OK(ead_report_write(path, &report));
    ead_gallery_free(&gallery);
}

/* Runs of these thresholds, NAN: without one, in these folders. */
static void write_compared(const char *path, int count, const char *const folders[], const float limits[]) {
    EadRunPage runs[3];
    EadComparison comparison;
    int deciding = 0;
    for (int i = 0; i < count; i++) {
        char page[200];
        snprintf(page, sizeof page, "%s/report.html", folders[i]);
        make_folders(page);
        write_labelled(page, limits[i]);
        ASSERT_OK(ead_run_page_read(folders[i], &runs[i]));
        deciding += !isnan(limits[i]);
    }
    ASSERT_OK(ead_comparison_write(path, runs, count, &comparison));
    ck_assert_int_eq(comparison.images, IMAGES);
    ck_assert_int_eq(comparison.deciding, deciding);
    for (int i = 0; i < count; i++) ead_run_page_free(&runs[i]);
}

/* 0.3 and 0.35 are judged differently, by 4 images. */
static void write_comparison(const char *path) {
    write_compared(path, 2, (const char *const[]){SCRATCH "a", SCRATCH "b <i>"}, (float[]){0.45f, 0.32f});
}

/* ended: why, or NULL while it goes on. */
static void write_training(const char *path, const char *ended, int64_t written) {
    EadTrainingPage page = {.title = "bottles <b>",
                            .doing = ended ? NULL : "training",
                            .ended = ended,
                            .step = 300,
                            .steps = 1000,
                            .seconds_left = 2000,
                            .refresh = 3600,
                            .losses = SCRATCH "losses.csv",
                            .scores = SCRATCH "validation.csv",
                            .tests = SCRATCH "test.csv",
                            .config = "train.steps: 1000\n",
                            .written = written};
    write_text(page.losses, "step,st,ae,total,lr\n1,9,3,12,0.0001\n150,4,2,6,0.0001\n300,2,1,3,0.0001\n");
    write_text(page.scores, "step,minimum,lower_quartile,median,upper_quartile,maximum,lr\n"
                            "100,0.1,0.2,0.3,0.4,0.5,0.0001\n200,0.05,0.1,0.2,0.3,0.4,0.0001\n");
    write_text(page.tests, "step,image_auroc,au_pro_0.30,lr\n100,0.5,0.4,0.0001\n200,0.9,0.8,0.0001\n");
    ASSERT_OK(ead_training_page_write(path, &page));
}

/* Numbers of the confusion table, and how many cards stand under a heading that begins like this. */
#define CELL(row, column) "document.querySelector('#confusion').rows[" #row "].cells[" #column "].textContent"
#define CARDS(heading)                                                                                       \
    "[...document.querySelectorAll('.gallery h3')].filter(h => h.textContent.startsWith('" heading "'))"     \
    ".map(h => h.nextSibling.children.length).reduce((a, b) => a + b, 0)"

/* Types a number into the field beside the slider, as a user does. */
static void type_threshold(Browser *b, const char *number) {
    json_decref(browser_value(b,
                              "document.querySelector('#threshold-number').focus(), document.querySelector("
                              "'#threshold-number').select()"));
    browser_do(b, "Input.insertText", json_pack("{s:s}", "text", number));
    browser_settle(b);
}

static void press_times(Browser *b, const char *key, int number, int times) {
    for (int i = 0; i < times; i++) browser_press(b, key, number);
}

/* The report of labelled images, in a window of this size; page: the report, perhaps with an image of it. */
static void open_labelled(Browser *b, int width, int height, const char *page) {
    write_labelled(SCRATCH "report.html", 0.45f);
    browser_open(b, SCRATCH "home");
    browser_window(b, width, height, false);
    browser_visit(b, page);
}

START_TEST(slider_judges_anew) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    open_labelled(&b, 1280, 720, SCRATCH "report.html");
    /* 0.45 and more are 9 of 12; no good one is. */
    browser_expect(&b, CELL(1, 1), "9");
    browser_expect(&b, CELL(1, 2), "3");
    browser_expect(&b, CELL(2, 1), "0");
    ck_assert_double_eq(browser_number(&b, CARDS("Missed")), 3);
    ck_assert_double_eq(browser_number(&b, CARDS("False")), 0);
    ck_assert_double_eq(browser_number(&b, CARDS("All others")), IMAGES - 3);
    ck_assert_double_eq(browser_number(&b, IN_TEXT("0 reach it: a false-alarm rate of 0 to 16.1 %")), 1);
    type_threshold(&b,
                   "0.27"); /* below all anomalous ones and 3 good ones; 8 of 21 validation images reach it */
    browser_expect(&b, CELL(1, 1), "12");
    browser_expect(&b, CELL(2, 1), "3");
    browser_expect(&b, CELL(3, 1), "15");
    browser_expect(&b, "document.querySelector('#rates').rows[2].cells[1].textContent", "80.00");
    ck_assert_double_eq(browser_number(&b, CARDS("Missed")), 0);
    ck_assert_double_eq(browser_number(&b, CARDS("False")), 3);
    ck_assert_double_eq(browser_number(&b, "document.querySelectorAll('.shot.wrong').length"), 3);
    ck_assert_double_eq(
        browser_number(&b, "Number(document.querySelector('#show-wrong + label b').textContent)"), 3);
    double low, high;
    char interval[200];
    ead_clopper_pearson(8, VALIDATION, 0.95, &low, &high);
    snprintf(interval, sizeof interval, IN_TEXT("8 reach it: a false-alarm rate of %.3g to %.3g %%"),
             100 * low, 100 * high);
    ck_assert_double_eq(browser_number(&b, interval), 1);
    /* By keyboard alone: Home and End are the ends of the slider. */
    json_decref(browser_value(&b, "document.querySelector('#threshold').focus()"));
    browser_press(&b, "End", KEY_END);
    browser_expect(&b, CELL(1, 1), "0");
    browser_press(&b, "Home", KEY_HOME);
    browser_expect(&b, CELL(2, 1), "8");
    double at = browser_number(&b, "threshold");
    browser_press(&b, "ArrowRight", KEY_RIGHT);
    ck_assert_double_gt(browser_number(&b, "threshold"), at);
    json_decref(browser_value(&b, "document.querySelector('#threshold-back').click()"));
    browser_settle(&b);
    browser_expect(&b, CELL(1, 1), "9");
    ck_assert_msg(!b.message[0], "console: %s", b.message);
    browser_close(&b);
}
END_TEST

/* Scores from 0.1721 to 0.1722: what is told of them differs where they do. */
START_TEST(scores_that_lie_close_are_told_apart) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    EadGallery gallery = {.side = SIDE};
    float close[IMAGES];
    fill_gallery(&gallery, false);
    for (int i = 0; i < IMAGES; i++)
        close[i] = gallery.entries[i].score = 0.1721f + 1e-4f * (float)i / (IMAGES - 1);
    EadUnlabelled unlabelled = {
        .threshold = 0.172151, .heat = {0, 1, 0.172151f}, .scores = close, .count = IMAGES};
    EadReport report = {.title = "close", .unlabelled = &unlabelled, .gallery = &gallery};
    ASSERT_OK(ead_report_write(SCRATCH "close.html", &report));
    ead_gallery_free(&gallery);
    browser_open(&b, SCRATCH "home");
    for (int i = 0; i < WINDOWS; i++) {
        browser_window(&b, browser_windows[i].width, browser_windows[i].height, false);
        browser_visit(&b, SCRATCH "close.html");
        ck_assert_double_gt(browser_number(&b, "document.querySelectorAll('text.tick').length"), 8);
        browser_expect(&b, /* of each axis */
                       "[...document.querySelectorAll('svg')].flatMap(svg => ['middle', 'end'].map(end => "
                       "[...svg.querySelectorAll(`text.tick[text-anchor=${end}]`)].map(t => t.textContent)))"
                       ".filter(texts => new Set(texts).size < texts.length).join(' and ')",
                       "");
        browser_expect(&b, /* nor do they lie on each other */
                       "[...document.querySelectorAll('svg')].flatMap(svg => [...svg.querySelectorAll("
                       "'text.tick[text-anchor=middle]')].map(t => t.getBoundingClientRect()).filter("
                       "(box, i, all) => i > 0 && box.left < all[i - 1].right)).length + ''",
                       "0");
    }
    browser_expect(&b, "document.querySelector('#threshold-number').value", "0.172151");
    ck_assert_double_eq(browser_number(&b, "new Set([...document.querySelectorAll('.shot b')].map(e => "
                                           "e.textContent)).size"),
                        IMAGES);
    browser_visit(&b, SCRATCH "close.html#image-10"); /* the tenth of those with the highest scores */
    browser_expect(&b, "document.querySelector('.verdict').textContent",
                   "score 0.17215262 \u2265 0.172151: NG \u00b7 20 ms");
    ck_assert_msg(!b.message[0], "console: %s", b.message);
    browser_close(&b);
}
END_TEST

#define TITLE "document.querySelector('#view-title').textContent"
#define OPEN  "Number(document.querySelector('#view').open)"

START_TEST(view_goes_by_keyboard) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    open_labelled(&b, 1280, 720, SCRATCH "report.html#image-4"); /* after the missed ones the highest score */
    ck_assert_double_eq(browser_number(&b, OPEN), 1);
    browser_expect(&b, TITLE, "bad 19 <b>.png");
    json_decref(browser_value(&b, "new Promise(done => { const p = document.querySelector('.original img');"
                                  "if (p.complete) done(); else p.onload = p.onerror = done; })"));
    ck_assert_double_eq(browser_number(&b, "document.querySelector('.original img').naturalWidth"), SIDE);
    ck_assert_double_eq(browser_number(&b, "document.querySelector('.original img').clientWidth"), SIDE);
    browser_expect(&b, "document.querySelector('.original a').getAttribute('href')",
                   "data/bad%2019%20%3Cb%3E.png");
    browser_expect(&b, "[...document.querySelectorAll('.views figcaption')].map(c => c.textContent).join()",
                   "image, true defect outlined,heat map,student–teacher map,autoencoder map");
    browser_expect(&b, "document.querySelector('.views figure:nth-child(3) img').alt",
                   "student–teacher map of bad 19 <b>.png, <i>scratch, score 0.85");
    press_times(&b, "ArrowRight", KEY_RIGHT, 2);
    browser_expect(&b, TITLE, "bad 17 <b>.png");
    browser_expect(&b, "location.hash", "#image-6");
    press_times(&b, "ArrowLeft", KEY_LEFT, 3);
    browser_expect(&b, TITLE,
                   "bad 10 <b>.png"); /* the last of the missed ones, which begin with the lowest score */
    press_times(&b, "ArrowLeft", KEY_LEFT, 5);
    browser_expect(&b, TITLE, "bad 8 <b>.png");
    browser_press(&b, "Escape", KEY_ESCAPE);
    ck_assert_double_eq(browser_number(&b, OPEN), 0);
    browser_expect(&b, "document.activeElement.textContent", "bad 8 <b>.png");
    browser_press(&b, "Enter", KEY_ENTER);
    ck_assert_double_eq(browser_number(&b, OPEN), 1);
    browser_press(&b, "Escape", KEY_ESCAPE);
    ck_assert_msg(!b.message[0], "console: %s", b.message);
    browser_close(&b);
}
END_TEST

/* Whatever reacts to the mouse is on the way of the Tab key, or has a twin that is. */
static void assert_tab_reaches_everything(Browser *b) {
    json_decref(browser_value(b, "window.reached = new Set()"));
    for (int i = 0; i < 75; i++) {
        browser_press(b, "Tab", KEY_TAB);
        json_decref(browser_value(b, "void reached.add(document.activeElement)"));
    }
    ck_assert_double_gt(browser_number(b, "reached.size"), 1);
    browser_expect(b,
                   "[...document.querySelectorAll('#page :is(input, summary, button:not(:disabled), .shot "
                   "a.name, .compared a, "
                   "[tabindex=\"0\"])')].filter(e => !reached.has(e) && !(e.type === 'radio' && !e.checked))"
                   ".map(e => e.outerHTML).join()",
                   "");
}

START_TEST(tab_reaches_everything) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    open_labelled(&b, 390, 844, SCRATCH "report.html");
    assert_tab_reaches_everything(&b);
    write_comparison(SCRATCH "compared.html");
    browser_visit(&b, SCRATCH "compared.html");
    assert_tab_reaches_everything(&b);
    write_training(SCRATCH "training.html", NULL, (int64_t)time(NULL));
    browser_visit(&b, SCRATCH "training.html");
    assert_tab_reaches_everything(&b);
    browser_close(&b);
}
END_TEST

START_TEST(tables_and_pictures_are_described) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    open_labelled(&b, 1280, 720, SCRATCH "report.html");
    ck_assert_double_gt(browser_number(&b, "document.querySelectorAll('th').length"), 20);
    ck_assert_double_eq(browser_number(&b, "document.querySelectorAll('th:not([scope])').length"), 0);
    ck_assert_double_eq(browser_number(&b, "document.querySelectorAll('img').length"), 2 * IMAGES);
    ck_assert_double_eq(
        browser_number(&b, "new Set([...document.querySelectorAll('img')].map(i => i.alt)).size"),
        2 * IMAGES);
    ck_assert_double_eq(
        browser_number(
            &b, "[...document.querySelectorAll('img')].filter(i => "
                "/^(image|heat map) of .*\\.png, (good|<i>scratch), score [\\d.]+$/.test(i.alt)).length"),
        2 * IMAGES);
    browser_expect(&b,
                   "document.querySelectorAll('.gallery b, .gallery i.score, .gallery a').length > 0 && "
                   "!document.querySelector('#page figcaption i, h1 b') ? 'text' : 'markup'",
                   "text");
    ck_assert_double_eq(
        browser_number(&b, IN_TEXT("Time of each image, network and map, with 2 side by side")), 1);
    browser_close(&b);
}
END_TEST

START_TEST(pages_are_readable) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    write_labelled(SCRATCH "report.html", 0.45f);
    write_unlabelled(SCRATCH "new.html", 0.45);
    browser_open(&b, SCRATCH "home");
    assert_readable_everywhere(&b, SCRATCH "report.html");
    assert_readable_everywhere(&b, SCRATCH "report.html#image-4");
    assert_readable_everywhere(&b, SCRATCH "new.html");
    browser_close(&b);
}
END_TEST

#define SEEN(selector)                                                                                       \
    "[...document.querySelectorAll('" selector "')].filter(e => e.getClientRects().length).length"

START_TEST(runs_are_compared) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    write_comparison(SCRATCH "compared.html");
    browser_open(&b, SCRATCH "home");
    assert_readable_everywhere(&b, SCRATCH "compared.html");
    ck_assert_double_eq(browser_number(&b, IN_TEXT("on 4 their decisions differ")), 1);
    ck_assert_double_eq(browser_number(&b, SEEN("figure.compared")), IMAGES);
    /* By keyboard: from the first choice, all, to the next one. */
    json_decref(browser_value(&b, "document.querySelector('#compared-all').focus()"));
    browser_press(&b, "ArrowRight", KEY_RIGHT);
    ck_assert_double_eq(browser_number(&b, SEEN("figure.compared")), 4);
    ck_assert_double_eq(browser_number(&b, "document.querySelectorAll('th:not([scope])').length"), 0);
    ck_assert_double_eq(browser_number(&b, "document.querySelectorAll('img').length"), 3 * IMAGES);
    ck_assert_double_eq(
        browser_number(&b, "new Set([...document.querySelectorAll('img')].map(i => i.alt)).size"),
        3 * IMAGES);
    browser_expect(&b, "document.querySelector('#page figcaption b, #page th i') ? 'markup' : 'text'",
                   "text");
    browser_close(&b);
}
END_TEST

START_TEST(runs_without_a_threshold_decide_nothing) {
    static const char *const folders[] = {SCRATCH "none", SCRATCH "a", SCRATCH "b <i>"};
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    browser_open(&b, SCRATCH "home");
    write_compared(SCRATCH "three.html", 3, folders, (float[]){NAN, 0.45f, 0.32f});
    assert_readable_everywhere(&b, SCRATCH "three.html");
    ck_assert_double_eq(
        browser_number(&b, IN_TEXT("; on 4 the decisions of the 2 runs with a threshold differ, each")), 1);
    json_decref(browser_value(&b, "document.querySelector('#compared-differs').click()"));
    ck_assert_double_eq(browser_number(&b, SEEN("figure.compared")), 4);
    write_compared(SCRATCH "two.html", 2, folders, (float[]){NAN, 0.45f});
    browser_visit(&b, SCRATCH "two.html");
    ck_assert_double_eq(browser_number(&b, IN_TEXT("20 images are in all runs. First come the largest")), 1);
    ck_assert_double_eq(browser_number(&b, IN_TEXT("decisions")), 0);
    ck_assert_double_eq(browser_number(&b, SEEN("figure.compared")), IMAGES);
    browser_close(&b);
}
END_TEST

START_TEST(training_goes_on) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    browser_open(&b, SCRATCH "home");
    write_training(SCRATCH "training.html", NULL, (int64_t)time(NULL));
    assert_readable_everywhere(&b, SCRATCH "training.html");
    ck_assert_double_eq(browser_number(&b, IN_TEXT("step 300 of 1000, about 33 minutes left")), 1);
    ck_assert_double_eq(browser_number(&b, "document.querySelector('progress').position"), 0.3);
    ck_assert_double_eq(browser_number(&b, SEEN(".plots svg")), 3);
    write_training(SCRATCH "training.html", NULL, 1);
    assert_readable_everywhere(&b, SCRATCH "training.html");
    ck_assert_double_eq(browser_number(&b, IN_TEXT("No news since")), 1);
    write_training(SCRATCH "training.html", "stopped; continue with --resume <b>", 1);
    assert_readable_everywhere(&b, SCRATCH "training.html");
    ck_assert_double_eq(browser_number(&b, IN_TEXT("--resume <b>")), 1);
    browser_close(&b);
}
END_TEST

START_TEST(slider_judges_unlabelled_images) {
    Browser b;
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    write_unlabelled(SCRATCH "new.html", 0.45);
    write_unlabelled(SCRATCH "bare.html", (double)NAN);
    browser_open(&b, SCRATCH "home");
    browser_window(&b, 1280, 720, true);
    browser_visit(&b, SCRATCH "new.html");
    static const char tiles[] = "[...document.querySelectorAll('.tile b')].map(b => b.textContent).join()";
    browser_expect(&b, tiles, "20,9,11");
    ck_assert_double_eq(browser_number(&b, CARDS("NG")), 9);
    type_threshold(&b, "0.27");
    browser_expect(&b, tiles, "20,15,5");
    ck_assert_double_eq(browser_number(&b, CARDS("NG")), 15);
    ck_assert_double_eq(browser_number(&b, CARDS("OK")), 5);
    ck_assert_double_eq(browser_number(&b, "document.querySelectorAll('img[alt*=\", NG, score\"]').length"),
                        30);
    ck_assert_double_eq(browser_number(&b, IN_TEXT("8 reach it")), 1);
    browser_visit(&b, SCRATCH "bare.html");
    browser_expect(&b, tiles, "20,–,–");
    ck_assert_double_eq(browser_number(&b, CARDS("Highest")), IMAGES);
    type_threshold(&b, "0.27");
    browser_expect(&b, tiles, "20,15,5");
    ck_assert_msg(!b.message[0], "console: %s", b.message);
    browser_close(&b);
}
END_TEST

int main(void) {
    make_folders(SCRATCH "data/");
    Suite *suite = suite_create("report_page");
    TCase *tests = tcase_create("report_page");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, slider_judges_anew);
    tcase_add_test(tests, scores_that_lie_close_are_told_apart);
    tcase_add_test(tests, view_goes_by_keyboard);
    tcase_add_test(tests, tab_reaches_everything);
    tcase_add_test(tests, tables_and_pictures_are_described);
    tcase_add_test(tests, pages_are_readable);
    tcase_add_test(tests, runs_are_compared);
    tcase_add_test(tests, runs_without_a_threshold_decide_nothing);
    tcase_add_test(tests, training_goes_on);
    tcase_add_test(tests, slider_judges_unlabelled_images);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
