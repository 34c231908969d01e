/* Evaluation end to end on a small folder data set with a random model: the files of a run folder agree with
 * each other, with the library, and with metrics computed the slow way. */
#include "core/base/printing.h"
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "test/support/scratch.h"
#include "train/config/config.h"
#include "train/evaluate/result_files.h"
#include "train/metrics/metrics_output.h"
#include "train/support/progress.h"

#include <jansson.h>
#include <math.h>

#define FOLDER "build/scratch/test_evaluate/"
#define OUT    FOLDER "out/"
#define GOOD   3
#define IMAGES 6

/* Sizes differ, one pair of names collides (a file's content, not its name, says that it is a PNG). */
static const struct {
    const char *path, *defect, *output;
    int width, height, bad;
} samples[IMAGES] = {
    {"data/good/a.jpg", "good", "good/a", 90, 70, 0},
    {"data/good/a.png", "good", "good/a.png", 64, 128, 0},
    {"data/good/b.png", "good", "good/b", 64, 64, 0},
    {"data/bad/hole/a.png", "hole", "hole/a", 64, 80, 1},
    {"data/bad/scratch/a.png", "scratch", "scratch/a", 130, 60, 1},
    {"data/bad/scratch/b.png", "scratch", "scratch/b", 64, 64, 1},
};

static char *sample_path(int i) {
    static char path[256];
    snprintf(path, sizeof path, FOLDER "%s", samples[i].path);
    return path;
}

/* A mask with one defect of 10x10 pixels. */
static void write_mask(const char *path, int width, int height) {
    EadImage mask;
    make_folders(path);
    ASSERT_OK(ead_image_alloc(&mask, width, height, 1));
    memset(mask.pixels, 0, image_bytes(&mask));
    for (int y = 20; y < 30; y++) memset(mask.pixels + y * width + 20, 255, 10);
    ASSERT_OK(ead_png_write(path, &mask));
    ead_image_free(&mask);
}

static void write_data(void) {
    ck_assert_int_eq(shell("rm -rf " FOLDER), 0);
    for (int i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, FOLDER "data/train/%d.png", i);
        write_noise_png(path, 64, 64, 3, (uint32_t)i);
    }
    for (int i = 0; i < IMAGES; i++)
        write_noise_png(sample_path(i), samples[i].width, samples[i].height, 3, 100 + (uint32_t)i);
    write_mask(FOLDER "data/masks/hole/a.png", 64, 80);
    write_mask(FOLDER "data/masks/scratch/a_mask.png", 130, 60);
    write_mask(FOLDER "data/masks/scratch/b.png", 64, 64);
}

static EadConfig data_config(bool masks) {
    EadConfig config;
    ASSERT_OK(ead_config_defaults(&config));
    ASSERT_OK(ead_config_set(&config, "dataset.type=folder", "test"));
    ASSERT_OK(ead_config_set(&config, "dataset.path=" FOLDER "data", "test"));
    ASSERT_OK(ead_config_set(&config, "dataset.train_good=train", "test"));
    ASSERT_OK(ead_config_set(&config, "dataset.test_good=good", "test"));
    ASSERT_OK(ead_config_set(&config, "dataset.defects=bad", "test"));
    if (masks) ASSERT_OK(ead_config_set(&config, "dataset.masks=masks", "test"));
    return config;
}

static EadDataset open_data(bool masks) {
    EadConfig config = data_config(masks);
    EadDataset dataset;
    ASSERT_OK(ead_config_open_dataset(&config, false, &dataset));
    ck_assert_str_eq(ead_config_dataset_name(&config), "data");
    ck_assert_int_eq(dataset.test_count, IMAGES);
    ead_config_free(&config);
    return dataset;
}

static EadEvaluateSpec spec_for(const EadModel *model, const EadDataset *dataset) {
    return (EadEvaluateSpec){
        .model = model, .dataset = dataset, .output = FOLDER "out", .quiet = true, .title = "data"};
}

/* Number of lines. */
static int count_lines(const char *text) {
    int lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

static void check_metrics(const float *scores) {
    double wins = 0;
    for (int good = 0; good < GOOD; good++)
        for (int bad = GOOD; bad < IMAGES; bad++)
            wins += scores[bad] > scores[good] ? 1 : scores[bad] == scores[good] ? 0.5 : 0;
    json_t *root = json_load_file(OUT "metrics.json", 0, NULL);
    ck_assert_ptr_nonnull(root);
    ck_assert_double_eq_tol(json_number_value(json_object_get(root, "image_auroc")),
                            wins / (GOOD * (IMAGES - GOOD)), 1e-12);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "images")), IMAGES);
    ck_assert(json_is_real(json_object_get(root, "au_pro_0.30")));
    ck_assert(json_is_real(json_object_get(root, "pixel_auroc")));
    json_t *defects = json_object_get(root, "defects");
    ck_assert_int_eq((int)json_object_size(defects), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(defects, "scratch"), "images")), 2);
    json_decref(root);
}

/* Every test image once, each with the library's score. */
static void check_scores(const float *scores) {
    char *text = read_text(OUT "scores.csv"), row[512], score[EAD_NUMBER_TEXT];
    ck_assert_int_eq(count_lines(text), IMAGES + 1);
    for (int i = 0; i < IMAGES; i++) {
        snprintf(row, sizeof row, "%s,%d,%s,%s\n", sample_path(i), samples[i].bad, samples[i].defect,
                 ead_float_text(scores[i], score));
        ck_assert_msg(strstr(text, row) != NULL, "no row %s in %s", row, text);
    }
    free(text);
}

START_TEST(writes_files_that_agree_with_the_library) {
    write_data();
    EadEfficientad *model = tiny_model();
    EadDataset dataset = open_data(true);
    EadEvaluateSpec spec = spec_for(&model->base, &dataset);
    EadResults results;
    EadDetector *detector;
    float scores[IMAGES];
    char path[256];
    spec.maps = spec.overlays = true;
    ASSERT_OK(ead_evaluate(&spec, &results));
    ASSERT_OK(ead_evaluate_write(&spec, &results));
    ASSERT_OK(ead_detector_new(&model->base, NULL, 1, &detector));
    for (int i = 0; i < IMAGES; i++) {
        float *map = library_map(detector, sample_path(i), &scores[i]);
        snprintf(path, sizeof path, OUT "maps/%s.tiff", samples[i].output);
        assert_tiff_equals(path, map, samples[i].width, samples[i].height);
        snprintf(path, sizeof path, OUT "overlays/%s.png", samples[i].output);
        assert_png(path, samples[i].width, samples[i].height + 22); /* with the bar below it */
        free(map);
    }
    check_scores(scores);
    check_metrics(scores);
    ck_assert(exists(OUT "roc.csv") && exists(OUT "pro.csv") && exists(OUT "report.html"));
    ck_assert(!exists(OUT "losses.csv"));
    ck_assert_int_eq((int)results.metrics.total.images, IMAGES);
    ck_assert_int_eq(results.metrics.has_threshold, 0);
    ead_results_free(&results);
    ead_detector_close(detector);
    ead_dataset_free(&dataset);
    ead_efficientad_free(model);
}
END_TEST

/* Without masks there are no pixel metrics, and the curve of an earlier evaluation has no rows any more; losses and a
 * threshold show in the report. */
START_TEST(does_without_masks) {
    write_data();
    EadEfficientad *model = tiny_model();
    EadDataset dataset = open_data(false);
    EadEvaluateSpec spec = spec_for(&model->base, &dataset);
    EadResults results;
    static const char losses[] = "step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr\n"
                                 "1,0.5,0.25,1,2,3.75,0.0001\n2,0.4,0.25,1,2,3.65,0.0001\n";
    write_bytes(OUT "pro.csv", "old", 3);
    write_bytes(OUT "losses.csv", losses, sizeof losses - 1);
    model->base.threshold = 0.5f;
    ASSERT_OK(ead_evaluate(&spec, &results));
    ASSERT_OK(ead_evaluate_write(&spec, &results));
    assert_file_holds(OUT "pro.csv", "threshold,false_positive_rate,per_region_overlap\n");
    ck_assert(!exists(OUT "pixel_roc.csv") && !exists(OUT "maps") && !exists(OUT "overlays"));
    ck_assert_int_eq(results.metrics.total.has_pixels, 0);
    ck_assert_int_eq(results.metrics.has_threshold, 1);
    ck_assert_float_eq(results.metrics.threshold.value, 0.5f);
    char *page = read_text(OUT "report.html");
    ck_assert_ptr_nonnull(strstr(page, "\"name\": \"loss_hard\""));
    ck_assert_ptr_nonnull(strstr(page, "EfficientAD-S at 128x128, without padding"));
    ck_assert_ptr_nonnull(strstr(page, "ms an image"));
    free(page);
    ead_results_free(&results);
    ead_dataset_free(&dataset);
    ead_efficientad_free(model);
}
END_TEST

/* An image that cannot be read costs itself; the end tells. */
static void check_image_is_told(const char *name) {
    EadEfficientad *model = tiny_model();
    EadDataset dataset = open_data(true);
    EadEvaluateSpec spec = spec_for(&model->base, &dataset);
    EadResults results;
    ASSERT_OK(ead_evaluate(&spec, &results));
    ck_assert_int_eq(results.metrics.total.images, IMAGES - 1);
    ASSERT_FAILS(ead_results_complete(&results), EAD_BAD_FILE, name);
    ead_results_free(&results);
    ead_dataset_free(&dataset);
    ead_efficientad_free(model);
}

static void check_evaluate_fails(EadStatus status, const char *first, const char *second) {
    EadEfficientad *model = tiny_model();
    EadDataset dataset = open_data(true);
    EadEvaluateSpec spec = spec_for(&model->base, &dataset);
    EadResults results;
    ASSERT_FAILS(ead_evaluate(&spec, &results), status, first);
    ck_assert_msg(strstr(ead_error_message(), second) != NULL, "%s", ead_error_message());
    ck_assert(!exists(OUT "metrics.json") && !exists(OUT "report.html") && !exists(OUT "scores.csv"));
    ead_results_free(&results);
    ead_dataset_free(&dataset);
    ead_efficientad_free(model);
}

START_TEST(names_what_is_wrong_with_an_image) {
    write_data();
    write_mask(FOLDER "data/masks/hole/a.png", 64, 81);
    check_evaluate_fails(EAD_BAD_FILE, "data/masks/hole/a.png", "data/bad/hole/a.png");
    write_mask(FOLDER "data/masks/hole/a.png", 64, 80);
    write_bytes(FOLDER "data/good/b.png", "\x89PNG\r\n\x1a\n", 8);
    check_image_is_told("data/good/b.png");
    write_bytes(FOLDER "data/good/b.png", "", 0);
    check_image_is_told("data/good/b.png");
}
END_TEST

static bool stop_at_once(void) {
    return true;
}

START_TEST(stops_on_request_and_refuses_an_empty_test_set) {
    write_data();
    EadEfficientad *model = tiny_model();
    EadDataset dataset = open_data(true), empty = {0};
    EadEvaluateSpec spec = spec_for(&model->base, &dataset);
    EadResults results;
    spec.stop = stop_at_once;
    ASSERT_FAILS(ead_evaluate(&spec, &results), EAD_INTERRUPTED, "1 of 6");
    ck_assert(!exists(OUT "metrics.json"));
    ead_results_free(&results);
    spec.dataset = &empty;
    ASSERT_FAILS(ead_evaluate(&spec, &results), EAD_BAD_ARGUMENT, "no test images");
    ead_results_free(&results);
    ead_dataset_free(&dataset);
    ead_efficientad_free(model);
}
END_TEST

START_TEST(progress_line) {
    EadProgress progress;
    char line[200];
    ead_progress_start(&progress, "training", 100, 1100, true);
    ead_progress_format(&progress, 0, NULL, line, sizeof line);
    ck_assert_str_eq(line, "training 100/1100 9%  -/s  0:00, ? left");
    progress.done = 600;
    ead_progress_format(&progress, 250, "loss 1.5", line, sizeof line);
    ck_assert_str_eq(line, "training 600/1100 55%  2.0/s  4:10, 4:10 left  loss 1.5");
    progress.done = 101;
    ead_progress_format(&progress, 4, NULL, line, sizeof line);
    ck_assert_str_eq(line, "training 101/1100 9%  4.00 s each  0:04, 1:06:36 left");
    ead_progress_start(&progress, "nothing", 0, 0, true);
    ead_progress_format(&progress, 0, NULL, line, sizeof line);
    ck_assert_str_eq(line, "nothing 0/0 100%  -/s  0:00, ? left");
}
END_TEST

START_TEST(table_for_people) {
    EadDefectMetrics defects[] = {
        {.name = "gut\xc3\xa9\x1b",
         .set = {.images = 7, .image_auroc = 1, .image_f1_best = 0.5, .has_pixels = 0}}};
    EadMetrics metrics = {.total = {.images = 12,
                                    .image_auroc = 0.98765,
                                    .image_f1_best = (double)NAN,
                                    .has_pixels = 1,
                                    .au_pro_30 = 0.9,
                                    .au_pro_05 = 0.8,
                                    .pixel_auroc = 0.7},
                          .defect_count = 1,
                          .defects = defects};
    char text[1024] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    ead_print_metrics(stream, &metrics);
    fclose(stream);
    ck_assert_str_eq(
        text, "              images   AU-ROC  best F1  AU-PRO 0.30  AU-PRO 0.05  pixel AU-ROC\n"
              "all images        12   0.9877        -       0.9000       0.8000        0.7000\n"
              "gut\xc3\xa9?              7   1.0000   0.5000            -            -             -\n");
    for (int defective = 0; defective < 2; defective++) {
        metrics.total.image_auroc = (double)NAN;
        metrics.defect_count = defective;
        stream = fmemopen(text, sizeof text, "w");
        ead_print_metrics(stream, &metrics);
        fclose(stream);
        assert_contains(
            text, defective ? "\nno good test images: AU-ROC needs both good and defective ones\n"
                            : "\nno defective test images: AU-ROC needs both good and defective ones\n");
    }
}
END_TEST

/* ---- the command ---- */

static const char config_text[] = "dataset:\n  type: folder\n  path: " FOLDER "data\n  normal: train\n"
                                  "  test_good: good\n  defects: bad\n  masks: masks\n";

/* Runs the program with these arguments; streams go to files. Its exit code. */
static int run_eval(const char *arguments) {
    char words[1024];
    snprintf(words, sizeof words, "eval %s", arguments);
    return run_program(FOLDER, words);
}

START_TEST(command_takes_data_from_the_model_file) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_data();
    save_tiny_model(FOLDER "run/model.safetensors", NAN, config_text);
    ck_assert_int_eq(run_eval("--model " FOLDER "run/model.safetensors --overlays"), 0);
    char *printed = read_text(FOLDER "stdout"), *written = read_text(FOLDER "run/metrics.json");
    ck_assert_str_eq(printed, written);
    free(printed);
    free(written);
    assert_file_holds(FOLDER "stderr", FOLDER "run/report.html");
    assert_file_holds(FOLDER "stderr", "scratch");
    ck_assert(exists(FOLDER "run/overlays/good/a.png.png") && !exists(FOLDER "run/maps"));
    ck_assert_int_eq(run_eval("-q --maps --model " FOLDER
                              "run/model.safetensors --set dataset.masks= -o " FOLDER "elsewhere"),
                     0);
    ck_assert(exists(FOLDER "elsewhere/maps/hole/a.tiff") && !exists(FOLDER "elsewhere/pro.csv"));
}
END_TEST

/* The image without a mask is in no pixel figure, and said so; image figures are those with its empty mask. */
static void assert_unmasked(const char *folder) {
    static const char *const images[] = {"image_auroc", "image_ap", "image_f1_best", "images"};
    static const char *const pixels[] = {"pixel_auroc", "pixel_ap", "au_pro_0.30"};
    char path[256];
    snprintf(path, sizeof path, "%smetrics.json", folder);
    json_t *empty = json_load_file(FOLDER "empty.json", 0, NULL), *missing = json_load_file(path, 0, NULL);
    ck_assert(empty && missing && !json_object_get(empty, "images_without_mask"));
    ck_assert_int_eq(json_integer_value(json_object_get(missing, "images_without_mask")), 1);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(missing, "without_mask"), 0)),
                     FOLDER "data/bad/hole/a.png");
    for (size_t i = 0; i < 4; i++)
        ck_assert(json_equal(json_object_get(empty, images[i]), json_object_get(missing, images[i])));
    for (size_t i = 0; i < 3; i++)
        ck_assert(json_is_real(json_object_get(missing, pixels[i])) &&
                  !json_equal(json_object_get(empty, pixels[i]), json_object_get(missing, pixels[i])));
    json_t *hole = json_object_get(json_object_get(missing, "defects"), "hole");
    ck_assert(hole && !json_object_get(hole, "pixel_auroc") && json_object_get(hole, "image_auroc"));
    json_decref(empty);
    json_decref(missing);
    snprintf(path, sizeof path, "%sreport.html", folder);
    assert_file_holds(path, "\"without_mask\": [\"" FOLDER "data/bad/hole/a.png\"]");
}

/* One bad image, mask or picture costs itself; all else is written, and the exit code tells. */
START_TEST(one_bad_thing_costs_itself) {
    static const char model[] = "--model " FOLDER "run/model.safetensors";
    char arguments[512];
    EadImage mask;
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_data();
    save_tiny_model(FOLDER "run/model.safetensors", NAN, config_text);
    fill_image(&mask, 64, 80, 1, 0);
    ASSERT_OK(ead_png_write(FOLDER "data/masks/hole/a.png", &mask));
    ead_image_free(&mask);
    ck_assert_int_eq(run_eval(model), 0);
    assert_file_holds(FOLDER "stderr", "warning: 1 of 3 masks mark nothing; their images count as anomalous, "
                                       "without a region: " FOLDER "data/masks/hole/a.png");
    assert_file_holds(FOLDER "run/metrics.json", "\"images\": 6");
    snprintf(arguments, sizeof arguments, "%s -o " FOLDER "strict --set dataset.strict=true", model);
    ck_assert_int_eq(run_eval(arguments), 1);
    assert_file_holds(FOLDER "stderr", "efficientad: dataset.strict: 1 of 3 masks mark nothing");
    ck_assert(!exists(FOLDER "strict"));
    shell_ok("rm " FOLDER "data/masks/hole/a.png && mv " FOLDER "run/metrics.json " FOLDER "empty.json");
    ck_assert_int_eq(run_eval(model), 0); /* an empty mask is one, a missing mask is none */
    assert_file_holds(FOLDER "stderr",
                      "warning: 1 of 3 masks are missing or cannot be used; their images are left out of "
                      "the pixel metrics: " FOLDER "data/bad/hole/a.png: has no mask");
    assert_file_holds(FOLDER "stderr",
                      "in no pixel metric: 1 anomalous image: " FOLDER "data/bad/hole/a.png\n");
    assert_unmasked(FOLDER "run/");
    ck_assert_int_eq(run_eval(arguments), 1);
    assert_file_holds(FOLDER "stderr", "efficientad: dataset.strict: 1 of 3 masks are missing");
    shell_ok("truncate -s 5000 " FOLDER "data/good/b.png && : >" FOLDER
             "data/bad/scratch/b.png && mkdir -p " FOLDER "bad/maps/hole/a.tiff && ln -s gone.png " FOLDER
             "data/good/c.png");
    snprintf(arguments, sizeof arguments, "%s -q --maps -o " FOLDER "bad", model);
    ck_assert_int_eq(run_eval(arguments), 1);
    assert_file_holds(FOLDER "stderr",
                      "data set: 1 cannot be read and is left out: " FOLDER "data/good/c.png");
    assert_file_holds(FOLDER "stderr", "not scored: " FOLDER "data/good/b.png: truncated");
    assert_file_holds(FOLDER "stderr", "not scored: " FOLDER "data/bad/scratch/b.png: the file is empty");
    assert_file_holds(FOLDER "stderr", "not written: " FOLDER "bad/maps/hole/a.tiff");
    assert_file_holds(FOLDER "stderr", "maps of 1 image will not be written: " FOLDER
                                       "bad/maps/hole/a.tiff: cannot write: it is a folder\n");
    assert_file_holds(FOLDER "stderr", "2 test images could not be scored");
    assert_file_holds(FOLDER "bad/metrics.json", "\"images\": 4");
    ck_assert(exists(FOLDER "bad/report.html") && exists(FOLDER "bad/maps/scratch/a.tiff"));
    snprintf(arguments, sizeof arguments, "%s -o " FOLDER "strict --set dataset.strict=true", model);
    ck_assert_int_eq(run_eval(arguments), 1);
    assert_file_holds(
        FOLDER "stderr", /* a line each */
        "\nefficientad: dataset.strict: 1 picture is left out, see above\n"
        "efficientad: dataset.strict: 2 of 6 test images cannot be read and will have no score: " FOLDER);
    assert_file_holds(
        FOLDER "stderr",
        "\nefficientad: dataset.strict: 1 of 3 masks are missing or cannot be used; their images");
    assert_file_holds(FOLDER "stderr", "\nefficientad: 3 mistakes; nothing was started\n");
}
END_TEST

START_TEST(command_tells_what_is_missing) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_data();
    save_tiny_model(FOLDER "bare.safetensors", NAN, NULL);
    ck_assert_int_eq(run_eval("--model " FOLDER "bare.safetensors"), 1);
    assert_file_holds(FOLDER "stderr", "dataset.path is not set");
    save_tiny_model(FOLDER "odd.safetensors", NAN, "dataset:\n  colour: red\n");
    ck_assert_int_eq(run_eval("--model " FOLDER "odd.safetensors"), 1);
    assert_file_holds(FOLDER "stderr", "odd.safetensors: its config:2");
    save_tiny_model(FOLDER "run/model.safetensors", NAN, config_text);
    ck_assert_int_eq(run_eval("--model " FOLDER "run/model.safetensors --set dataset.test_good= --set "
                              "dataset.defects= --set dataset.masks="),
                     1);
    assert_file_holds(FOLDER "stderr", "no test images");
    ck_assert(!exists(FOLDER "run/metrics.json"));
    ck_assert_int_eq(run_eval("--model " FOLDER "run/model.safetensors --set dataset.test_good="), 0);
    assert_file_holds(FOLDER "stderr", "\nno good test images: AU-ROC needs both");
    ck_assert_int_eq(
        run_eval("--model " FOLDER "run/model.safetensors --set dataset.defects= --set dataset.masks="), 0);
    assert_file_holds(FOLDER "stderr", "\nno defective test images: AU-ROC needs both");
    ck_assert_int_eq(run_eval("--model " FOLDER "missing.safetensors"), 1);
    assert_file_holds(FOLDER "stderr", "missing.safetensors");
    ck_assert_int_eq(run_eval(""), 2);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("evaluate");
    TCase *library = tcase_create("library"), *command = tcase_create("command");
    tcase_set_timeout(library, 120);
    tcase_set_timeout(command, 120);
    tcase_add_test(library, writes_files_that_agree_with_the_library);
    tcase_add_test(library, does_without_masks);
    tcase_add_test(library, names_what_is_wrong_with_an_image);
    tcase_add_test(library, stops_on_request_and_refuses_an_empty_test_set);
    tcase_add_test(library, progress_line);
    tcase_add_test(library, table_for_people);
    tcase_add_test(command, command_takes_data_from_the_model_file);
    tcase_add_test(command, one_bad_thing_costs_itself);
    tcase_add_test(command, command_tells_what_is_missing);
    suite_add_tcase(suite, library);
    suite_add_tcase(suite, command);
    return suite;
}

int main(void) {
    return run_suite(make_suite());
}
