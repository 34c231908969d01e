/* measure against scikit-learn and anomalib, and against eval on the same maps; each kind of bad input. Skipped where
 * $PROGRAM is not set. */
#define S "build/scratch/test_measure/"
#include "test/golden/measure/measure_golden.h"
#include "data/codec/map_file.h"
#include "test/program/program_scene.h"

#include <jansson.h>
#include <math.h>

#define GOLDEN  "test/golden/measure/"
#define SET     "--set dataset.path=" S "set --set dataset.category=parts "
#define MEASURE "measure -q " SET "-o " S "new "

static const char *const figure_keys[golden_figures] = {"image_auroc", "image_ap",     "image_f1_best",
                                                        "au_pro_0.30", "au_pro_0.05",  "pixel_auroc",
                                                        "pixel_ap",    "pixel_f1_best"};

/* The test set of the golden maps: pictures of noise, and masks. */
static void make_set(void) {
    EadImage mask;
    ASSERT_OK(ead_image_alloc(&mask, golden_width, golden_height, 1));
    for (int i = 0; i < golden_images; i++) {
        char path[256];
        snprintf(path, sizeof path, S "set/parts/test/%s.png", golden_names[i]);
        make_folders(path);
        write_noise_png(path, golden_width, golden_height, 3, (uint32_t)i);
        if (i < golden_good) continue;
        const char *marks = golden_masks + (i - golden_good) * golden_width * golden_height;
        for (int k = 0; k < golden_width * golden_height; k++) mask.pixels[k] = marks[k] == '#' ? 255 : 0;
        snprintf(path, sizeof path, S "set/parts/ground_truth/%s_mask.png", golden_names[i]);
        make_folders(path);
        ASSERT_OK(ead_png_write(path, &mask));
    }
    ead_image_free(&mask);
}

static void make_all(void) {
    make_scene();
    if (getenv("PROGRAM")) make_set();
}

static json_t *metrics_of(const char *folder) {
    char path[256];
    snprintf(path, sizeof path, S "%s/metrics.json", folder);
    json_t *metrics = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(metrics);
    return metrics;
}

static void check_figures(const char *folder, const double *expected) {
    json_t *metrics = metrics_of(folder);
    for (int i = 0; i < golden_figures; i++) {
        double value = json_number_value(json_object_get(metrics, figure_keys[i]));
        ck_assert_msg(fabs(value - expected[i]) < 1e-6, "%s: %s is %.9g, not %.9g", folder, figure_keys[i],
                      value, expected[i]);
    }
    json_decref(metrics);
}

START_TEST(metrics_are_those_of_scikit_learn_and_anomalib) {
    NEED_PROGRAM();
    run_well("measure -q " SET "--maps " GOLDEN "tiff -o " S "tiff");
    run_well("measure -q " SET "--maps " GOLDEN "npy -o " S "npy --threads 1");
    run_well("measure -q " SET "--maps " GOLDEN "png -o " S "png --threads 3");
    check_figures("tiff", golden_by_maxima);
    ck_assert(same_files(S "tiff/metrics.json", S "npy/metrics.json"));
    ck_assert(same_files(S "tiff/metrics.json", S "png/metrics.json"));
    ck_assert(same_files(S "tiff/scores.csv", S "png/scores.csv"));
    ck_assert(same_files(S "tiff/pro.csv", S "npy/pro.csv"));
    ck_assert(exists(S "tiff/report.html") && !exists(S "tiff/speed.json"));
    assert_file_holds(S "tiff/report.html", "measured: the maps in " GOLDEN "tiff");
}
END_TEST

START_TEST(maps_of_another_size_are_resized) {
    NEED_PROGRAM();
    Outcome outcome;
    run("measure -q " SET "--maps " GOLDEN "half -o " S "half", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "resized to their images, bilinearly as eval does it: 6 maps, the first "
                                 "chip/000.npy from 10 x 8 to 20 x 16\n");
    check_figures("half", golden_resized);
}
END_TEST

START_TEST(one_pixel_is_no_map) {
    NEED_PROGRAM();
    Outcome outcome;
    EadImage pixel;
    fill_image(&pixel, 1, 1, 1, 7);
    ASSERT_OK(ead_png_write(S "pixel.png", &pixel));
    ead_image_free(&pixel);
    shell_ok("cp -r " GOLDEN "png " S "lone && cp " S "pixel.png $(find " S
             "lone -name '*.png' | head -n 1)");
    run(MEASURE "--maps " S "lone", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "has one pixel, which is no map of " S "set/parts/test/");
    assert_contains(outcome.err, "a score alone goes into the file of --scores");
    ck_assert(!exists(S "new/metrics.json"));
}
END_TEST

/* Paths as another machine may have spelled them, in no order, and as predict prints them. */
static void write_scores(void) {
    FILE *csv = fopen(S "scores.csv", "w"), *lines = fopen(S "scores.jsonl", "w");
    ck_assert(csv && lines);
    fputs("model,score,path\n", csv);
    for (int i = golden_images - 1; i >= 0; i--) {
        fprintf(csv, "x,%.9g,/elsewhere/parts/test/%s.png\n", golden_scores[i], golden_names[i]);
        fprintf(lines, "{\"path\":\"%sparts/test/%s.png\",\"score\":%.9g,\"anomalous\":true}\n",
                i % 2 ? S "set/" : "", golden_names[i], golden_scores[i]);
    }
    fclose(csv);
    fclose(lines);
}

START_TEST(scores_may_be_given) {
    NEED_PROGRAM();
    write_scores();
    run_well(MEASURE "--maps " GOLDEN "tiff --scores " S "scores.csv");
    check_figures("new", golden_by_scores);
    run_well("measure -q " SET "--maps " GOLDEN "tiff --scores " S "scores.jsonl -o " S "lines");
    ck_assert(same_files(S "new/metrics.json", S "lines/metrics.json"));
    /* What measure wrote itself can be measured, too. */
    run_well("measure -q " SET "--maps " GOLDEN "tiff --scores " S "new/scores.csv -o " S "again");
    ck_assert(same_files(S "new/metrics.json", S "again/metrics.json"));
    ck_assert(same_files(S "new/scores.csv", S "again/scores.csv"));
}
END_TEST

/* Every value of the first is in the second, to the last digit. */
static void check_within(json_t *part, json_t *whole) {
    const char *key;
    json_t *value;
    json_object_foreach(part, key, value) {
        json_t *other = json_object_get(whole, key);
        if (json_is_object(value))
            check_within(value, other);
        else
            ck_assert_msg(json_equal(value, other), "%s differs", key);
    }
}

static void check_against_eval(const char *set, double threshold) {
    char words[1024];
    shell_ok("rm -rf " S "eval " S "measured");
    snprintf(words, sizeof words, "eval -q --model " MODEL " --maps %s --threshold %g -o " S "eval", set,
             threshold);
    run_well(words);
    snprintf(words, sizeof words, "measure -q --maps " S "eval/maps %s --threshold %g -o " S "measured", set,
             threshold);
    run_well(words);
    json_t *measured = metrics_of("measured"), *evaluated = metrics_of("eval");
    ck_assert_int_gt((int)json_object_size(measured), 12);
    check_within(measured, evaluated);
    json_decref(measured);
    json_decref(evaluated);
    ck_assert(same_files(S "eval/scores.csv", S "measured/scores.csv"));
    ck_assert(same_files(S "eval/pro.csv", S "measured/pro.csv"));
    ck_assert(same_files(S "eval/pixel_pr.csv", S "measured/pixel_pr.csv"));
}

START_TEST(measures_maps_of_eval_as_eval_does) {
    NEED_PROGRAM();
    check_against_eval("--set dataset.path=" S "data --set dataset.category=gasket", 0.1);
    ck_assert(!exists(S "measured/spro.csv"));
}
END_TEST

/* Pictures of the scene as MVTec LOCO lays them out. */
#define LOCO S "loco/juice_bottle/"
static void make_loco(void) {
    static const char *const kinds[][2] = {{"logical_anomalies", "missing"},
                                           {"structural_anomalies", "scratch"}};
    shell_ok("mkdir -p " LOCO "test/good && cp " S "data/gasket/test/good/*.png " LOCO "test/good");
    for (int i = 0; i < 2; i++) {
        char command[1024];
        const char *kind = kinds[i][0], *from = kinds[i][1];
        snprintf(command, sizeof command,
                 "mkdir -p " LOCO "test/%s " LOCO "ground_truth/%s/000 && cp " S
                 "data/gasket/test/%s/000.png " LOCO "test/%s/000.png && cp " S
                 "data/gasket/ground_truth/%s/000_mask.png " LOCO "ground_truth/%s/000/000.png",
                 kind, kind, from, kind, from, kind);
        shell_ok(command);
    }
    write_text(LOCO "defects_config.json",
               "[{\"defect_name\": \"a\", \"pixel_value\": 255, \"saturation_threshold\": "
               "0.5, \"relative_saturation\": true}]");
}

START_TEST(measures_maps_of_loco_as_eval_does) {
    NEED_PROGRAM();
    make_loco();
    check_against_eval("--set dataset.type=mvtec_loco --set dataset.path=" S
                       "loco --set dataset.category=juice_bottle",
                       0.2);
    json_t *metrics = metrics_of("measured");
    ck_assert(json_is_real(json_object_get(metrics, "au_spro_0.05")));
    json_decref(metrics);
    ck_assert(same_files(S "eval/spro.csv", S "measured/spro.csv"));
}
END_TEST

#define COPY "cp -r " GOLDEN "tiff " S "maps; "

/* What is done to a copy of the maps, what follows the command, what it says. Maps are in S "maps". */
static const struct {
    const char *change, *words, *says;
} bad[] = {
    {"mkdir " S "maps", "", "maps: no anomaly maps in this folder (.tif, .tiff, .npy, .png)"},
    {"true", "", "--maps: " S "maps: no such folder"},
    {"true", "--set dataset.category=pats", "has no category \"pats\""},
    {COPY "rm " S "maps/chip/001.tiff", "",
     "test images without a map (1): " S "set/parts/test/chip/001.png; --partial"},
    {COPY "cp " S "maps/chip/001.tiff " S "maps/chip/9.tiff", "",
     "maps that belong to no test image (1): chip/9.tiff; --partial"},
    {COPY "cp " GOLDEN "png/test/chip/001.png " S "maps/chip", "",
     "maps: chip/001.png and chip/001.tiff: two for one image, " S "set/parts/test/chip/001.png; delete one"},
    {COPY "mv " S "maps/chip/000.tiff " S "maps", "", "000.tiff: may belong to " S "set/parts/test/"},
    {COPY "mkdir " S "maps/cable; mv " S "maps/chip " S "maps/cable/test", "",
     "maps that belong to no test image (2): cable/test/000.tiff, cable/test/001.tiff; --partial"},
    {COPY ": >" S "maps/chip/001.tiff", "",
     S "maps/chip/001.tiff: the file is empty (0 bytes); --partial leaves it out"},
    {COPY, "--scores " S "none.csv", "--scores: " S "none.csv: no such file"},
    {COPY "echo path,value >" S "s.csv", "--scores " S "s.csv",
     "its first line does not name the columns path and score"},
    {COPY "printf 'path,score\\ngood/000.png,high\\n' >" S "s.csv", "--scores " S "s.csv",
     "s.csv: scores that are missing or no finite numbers (1): line 2 (good/000.png, 'high'); --partial"},
    {COPY "printf 'path,score\\ngood/000.png,1\\nb,2\\n' >" S "s.csv", "--scores " S "s.csv",
     "s.csv: test images without a score (5)"},
    {COPY "printf 'path,score\\ngood/000.png,1\\nb,2\\n' >" S "s.csv", "--scores " S "s.csv",
     "s.csv: scores that belong to no test image (1): line 3 (b); --partial"},
    {COPY "printf 'path,score\\ngood/000.png,1\\nb,2\\nparts/test/good/000,2\\n' >" S "s.csv",
     "--scores " S "s.csv",
     S "s.csv: line 2 (good/000.png) and line 4 (parts/test/good/000): two for one image, " S
       "set/parts/test/good/000.png; delete one"},
    {COPY "printf '{\"path\": \"good/000.png\", \"score\": 1}\\n\\n%.0s' 1 2 >" S "s.csv",
     "--scores " S "s.csv", S "s.csv: line 1 (good/000.png) and line 3 (good/000.png): two for one image"},
    {COPY "sed '3s/,[^,]*$/,nan/' " S "new/scores.csv >" S "s.csv", "--scores " S "s.csv",
     "s.csv: scores that are missing or no finite numbers (1): line 3 (" S
     "set/parts/test/chip/001.png); --partial"},
    {COPY "echo '{\"path\": 3}' >" S "s.csv", "--scores " S "s.csv",
     "s.csv:1: not {\"path\": TEXT, \"score\": NUMBER}"},
    {COPY "echo '{path' >" S "s.csv", "--scores " S "s.csv", "s.csv:1"},
};

START_TEST(bad_input_is_told_in_one_line) {
    NEED_PROGRAM();
    char command[1024];
    Outcome outcome;
    if (_i == 0) run_well(MEASURE "--maps " GOLDEN "tiff");
    shell_ok("rm -rf " S "maps " S "bad " S "s.csv");
    shell_ok(bad[_i].change);
    snprintf(command, sizeof command, "measure -q " SET "--maps " S "maps -o " S "bad %s", bad[_i].words);
    run(command, 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, bad[_i].says), "%d: %s", outcome.code,
                  outcome.err);
    ck_assert(!exists(S "bad/metrics.json") && !exists(S "bad/scores.csv"));
}
END_TEST

/* What is missing, what is damaged, what means nothing, and the rows of scores, in one run. */
START_TEST(all_that_is_wrong_is_told_at_once) {
    static const char *const lines[] = {
        S "maps: chip/000.png and chip/000.tiff: two for one image, ",
        S "s.csv: line 2 (good/000.png) and line 3 (good/000.png): two for one image, ",
        S "maps: test images without a map (1): " S "set/parts/test/good/001.png; --partial leaves them out",
        S "maps: maps that belong to no test image (1): more.tiff; --partial leaves them out",
        S "s.csv: test images without a score (5): ",
        S "maps/chip/001.tiff: the file is empty (0 bytes); --partial leaves it out",
        "efficientad: 6 mistakes"};
    NEED_PROGRAM();
    Outcome outcome;
    shell_ok("rm -rf " S "bad " S "maps; " COPY "rm " S "maps/good/001.tiff; : >" S
             "maps/chip/001.tiff; cp " S "maps/good/000.tiff " S "maps/more.tiff; cp " GOLDEN
             "png/test/chip/000.png " S
             "maps/chip; printf 'path,score\\ngood/000.png,1\\ngood/000.png,1\\n' >" S "s.csv");
    run("measure -q " SET "--maps " S "maps --scores " S "s.csv -o " S "bad", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    for (int i = 0; i < COUNT(lines); i++) assert_contains(outcome.err, lines[i]);
    run("measure -q --partial " SET "--maps " S "maps --scores " S "s.csv -o " S "bad", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "efficientad: 2 mistakes"); /* what may mean two things */
    shell_ok("for map in " S "maps/*/*; do : >$map; done");
    run("measure -q --partial " SET "--maps " S "maps -o " S "bad", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    shell_ok("rm " S "maps/chip/*.png");
    run("measure -q --partial " SET "--maps " S "maps -o " S "bad", 0, &outcome);
    assert_contains(outcome.err, S "set: none of its 6 test images can be measured, see above\n");
    ck_assert(!exists(S "bad"));
}
END_TEST

/* What stands where a map should, and all scores that are none. */
START_TEST(all_that_cannot_be_read_is_told) {
    static const char *const lines[] = {
        S "maps/chip/000.tiff: is not a regular file", S "maps/chip/001.tiff: cannot read: No such file",
        S "maps: test images without a map (2): ",
        S "s.csv: scores that are missing or no finite numbers (3): line 2 (good/000.png, '1,5'), line 3 "
          "(good/001.png), line 4 (",
        S "s.csv: scores that belong to no test image (1): line 5 (b)"};
    NEED_PROGRAM();
    Outcome outcome;
    shell_ok("rm -rf " S "maps " S "bad; " COPY "cd " S
             "maps/chip; rm 000.tiff 001.tiff; mkfifo 000.tiff; ln -s gone "
             "001.tiff");
    write_text(S "s.csv", "path,score\ngood/000.png,\"1,5\"\ngood/001.png,nan\nchip/000.png,\nb,2\n");
    run("measure -q " SET "--maps " S "maps --scores " S "s.csv -o " S "bad", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    for (int i = 0; i < COUNT(lines); i++) assert_contains(outcome.err, lines[i]);
    run(MEASURE "--partial --maps " S "maps", 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    assert_contains(outcome.err, "left out: " S "maps/chip/001.tiff: cannot read: ");
    assert_contains(outcome.err, "4 of 6 test images measured\n");
}
END_TEST

START_TEST(partial_leaves_out_and_tells) {
    NEED_PROGRAM();
    Outcome outcome;
    shell_ok("rm -rf " S "maps; " COPY "rm " S "maps/good/001.tiff; : >" S "maps/chip/001.tiff; cp " S
             "maps/good/000.tiff " S "maps/more.tiff");
    run(MEASURE "--partial --maps " S "maps", 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    assert_contains(outcome.err,
                    "left out: " S "maps: test images without a map (1): " S "set/parts/test/good/001.png\n");
    assert_contains(outcome.err, "left out: " S "maps: maps that belong to no test image (1): more.tiff\n");
    assert_contains(outcome.err, "not measured: " S "maps/chip/001.tiff: the file is empty (0 bytes)\n");
    assert_contains(outcome.err, "4 of 6 test images measured\n");
    json_t *metrics = metrics_of("new");
    ck_assert_int_eq(json_integer_value(json_object_get(metrics, "images")), 4);
    json_decref(metrics);
}
END_TEST

START_TEST(keys_of_training_have_no_effect) {
    NEED_PROGRAM();
    Outcome outcome;
    run(MEASURE "--maps " GOLDEN "tiff --set train.steps=3 --set eval.maps=true", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "--set train.steps has no effect: the maps are measured as they are\n");
    assert_contains(outcome.err, "--set eval.maps has no effect");
    run("measure " SET "--maps " GOLDEN "tiff", 0, &outcome);
    ck_assert_int_eq(outcome.code, 2);
    assert_contains(outcome.err, "measure needs --output DIR");
}
END_TEST

/* A map in NPY, of 64-bit numbers or, `whole`, of 32-bit integers. */
static void write_map(const char *path, const double *values, bool whole) {
    char header[119];
    snprintf(header, sizeof header, "{'descr': '<%s', 'fortran_order': False, 'shape': (%d, %d), }",
             whole ? "i4" : "f8", golden_height, golden_width);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fwrite("\x93NUMPY\1\0\x76", 1, 9, file);
    fputc(0, file);
    fprintf(file, "%-117s\n", header);
    for (int i = 0; i < golden_width * golden_height; i++) {
        int32_t integer = whole ? (int32_t)values[i] : 0;
        fwrite(whole ? (const void *)&integer : &values[i], whole ? 4 : 8, 1, file);
    }
    fclose(file);
}

/* The maps of GOLDEN "npy", times a factor, plus an offset. */
static void write_maps(double factor, double offset, bool whole) {
    shell_ok("rm -rf " S "wide");
    for (int i = 0; i < golden_images; i++) {
        EadMapFile map;
        char path[256];
        snprintf(path, sizeof path, GOLDEN "npy/parts/test/%s.npy", golden_names[i]);
        ASSERT_OK(ead_map_file_load(path, &map));
        for (int k = 0; k < golden_width * golden_height; k++)
            map.values[k] = factor * map.values[k] + offset;
        snprintf(path, sizeof path, S "wide/%s.npy", golden_names[i]);
        make_folders(path);
        write_map(path, map.values, whole);
        ead_map_file_free(&map);
    }
}

/* Numbers of 64 bits are measured as scikit-learn does it, or refused: never as ties that they are not. */
START_TEST(rounding_is_never_silent) {
    NEED_PROGRAM();
    Outcome outcome;
    write_maps(1.0 / 3, 0.1, false);
    run_well("measure -q " SET "--maps " S "wide -o " S "thirds");
    check_figures("thirds", golden_by_maxima);
    write_maps(1, -70000, true);
    run_well("measure -q " SET "--maps " S "wide -o " S "whole");
    check_figures("whole", golden_by_maxima);
    write_maps(1, 2e9, true);
    run("measure -q " SET "--maps " S "wide -o " S "offset", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "subtract 20000");
    write_maps(1e-10, 1000, false);
    run("measure -q " SET "--maps " S "wide -o " S "offset", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, S "wide: metrics are computed from 32-bit numbers");
    assert_contains(outcome.err, "AU-ROC of the pixels would be 0.5, not 0.");
    assert_contains(outcome.err, "subtract 1000.0000");
    FILE *csv = fopen(S "close.csv", "w");
    ck_assert_ptr_nonnull(csv);
    fputs("path,score\n", csv);
    for (int i = 0; i < golden_images; i++)
        fprintf(csv, "%s.png,%.17g\n", golden_names[i], 1 - 1e-10 * (i < golden_good ? 2 : 1));
    fclose(csv);
    run("measure -q " SET "--maps " GOLDEN "tiff --scores " S "close.csv -o " S "offset", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, S "close.csv: metrics are computed from 32-bit numbers");
    assert_contains(outcome.err, "AU-ROC of the images would be 0.5, not 1; subtract 0.99999999");
    ck_assert(!exists(S "offset"));
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, metrics_are_those_of_scikit_learn_and_anomalib);
    tcase_add_test(tests, maps_of_another_size_are_resized);
    tcase_add_test(tests, one_pixel_is_no_map);
    tcase_add_test(tests, scores_may_be_given);
    tcase_add_test(tests, rounding_is_never_silent);
    tcase_add_test(tests, measures_maps_of_eval_as_eval_does);
    tcase_add_test(tests, measures_maps_of_loco_as_eval_does);
    tcase_add_loop_test(tests, bad_input_is_told_in_one_line, 0, COUNT(bad));
    tcase_add_test(tests, all_that_is_wrong_is_told_at_once);
    tcase_add_test(tests, all_that_cannot_be_read_is_told);
    tcase_add_test(tests, partial_leaves_out_and_tells);
    tcase_add_test(tests, keys_of_training_have_no_effect);
}

int main(void) {
    return run_program_suite("measure", S, make_all, remove_scene, add_tests);
}
