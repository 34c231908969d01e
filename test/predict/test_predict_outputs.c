/* What predict decides and writes besides maps and overlays: regions, masks, the table, sorted copies, the page. */
#include "core/base/printing.h"
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "train/evaluate/predict_lines.h"

#include <jansson.h>

#define S     "build/scratch/test_predict_outputs/"
#define MODEL S "model.safetensors"
#define IN    S "in/"

/* A model whose threshold lies between the scores of the pictures: a low one, a middle one, a high one. */
static float scores[3], middle;
static const char *const pictures[] = {IN "a.png", IN "sub/=1+1.png", IN "sub/b.jpg.png"};

static int by_value(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static void make_scene(void) {
    EadDetector *detector;
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    write_noise_png(pictures[0], 70, 50, 3, 1);
    write_noise_png(pictures[1], 64, 64, 3, 2);
    write_noise_png(pictures[2], 40, 90, 3, 3);
    write_bytes(IN "cut.png", "\x89PNG\r\n\x1a\n", 8);
    save_tiny_model(MODEL, NAN, NULL);
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int i = 0; i < 3; i++) free(library_map(detector, pictures[i], &scores[i]));
    ead_detector_close(detector);
    float sorted[3];
    memcpy(sorted, scores, sizeof sorted);
    qsort(sorted, 3, sizeof *sorted, by_value);
    ck_assert(sorted[0] < sorted[1] && sorted[1] < sorted[2]);
    middle = sorted[1]; /* of pixels, too: the model scores by its map's maximum */
    save_tiny_model(MODEL, middle, NULL);
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

static void predict(const char *words, int code) {
    char line[1024];
    snprintf(line, sizeof line, "predict -m " MODEL " %s", words);
    ck_assert_int_eq(run_program(S, line), code);
}

/* The next line, without its end; NULL behind the last. */
static char *take_line(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');
    if (!end) return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}

/* The objects that were printed. */
static json_t *printed_lines(void) {
    char *text = read_text(S "stdout"), *rest = text;
    json_t *lines = json_array();
    for (char *line; (line = take_line(&rest)) != NULL;) {
        json_t *object = json_loads(line, 0, NULL);
        ck_assert_msg(json_is_object(object), "not JSON: %s", line);
        json_array_append_new(lines, object);
    }
    free(text);
    return lines;
}

static json_t *line_of(json_t *lines, const char *path) {
    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *line = json_array_get(lines, i);
        if (strcmp(json_string_value(json_object_get(line, "path")), path) == 0) return line;
    }
    ck_abort_msg("%s has no line", path);
}

/* A mask has 255 where the map reaches the threshold, 0 elsewhere; the regions' areas are its pixels. */
START_TEST(masks_and_regions_are_of_the_map) {
    EadDetector *detector;
    NEED_PROGRAM();
    predict("-q --masks " S "masks " IN "a.png " IN "sub", 0);
    json_t *lines = printed_lines();
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int i = 0; i < 3; i++) {
        json_t *line = line_of(lines, pictures[i]), *regions = json_object_get(line, "regions");
        EadImage mask;
        float score;
        float *map = library_map(detector, pictures[i], &score);
        ASSERT_OK(ead_mask_load(json_string_value(json_object_get(line, "mask")), &mask));
        json_int_t area = 0, set = 0;
        for (int k = 0; k < mask.width * mask.height; k++) {
            ck_assert_int_eq(mask.pixels[k], map[k] >= middle ? 255 : 0);
            set += mask.pixels[k] == 255;
        }
        for (size_t k = 0; k < json_array_size(regions); k++)
            area += json_integer_value(json_object_get(json_array_get(regions, k), "area"));
        ck_assert(area == set && (set > 0) == (score >= middle));
        ck_assert(json_is_true(json_object_get(line, "anomalous")) == (set > 0));
        if (set > 0)
            ck_assert_float_eq((float)json_number_value(json_object_get(json_array_get(regions, 0), "score")),
                               score);
        ead_image_free(&mask);
        free(map);
    }
    ead_detector_close(detector);
    json_decref(lines);
    assert_file_holds(S "stdout", "\"regions\":[]");
    predict("-q " S "masks", 1); /* its own are no images */
    assert_file_holds(S "stderr",
                      "3 maps, overlays and masks that this program wrote are not taken for images");
}
END_TEST

/* A row for each line, with the same numbers; a cell that a spreadsheet would compute is text. */
START_TEST(the_table_has_a_row_for_each_image) {
    NEED_PROGRAM();
    predict("-q --csv " S "t.csv " IN, 1);
    json_t *lines = printed_lines();
    char *text = read_text(S "t.csv"), *rest = text, threshold[EAD_NUMBER_TEXT];
    ead_float_text(middle, threshold);
    ck_assert_str_eq(take_line(&rest), EAD_PREDICTIONS_HEAD);
    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *line = json_array_get(lines, i), *regions = json_object_get(line, "regions"),
               *first = json_array_get(regions, 0);
        const char *path = json_string_value(json_object_get(line, "path"));
        char *row = take_line(&rest), right[256] = "";
        ck_assert(strncmp(row, path, strlen(path)) == 0);
        if (json_object_get(line, "error")) {
            snprintf(right, sizeof right, ",error,,%s,,,,,,,,,%s", threshold,
                     json_string_value(json_object_get(line, "error")));
        } else {
            json_int_t area = 0, box[4], peak[2];
            for (size_t k = 0; k < json_array_size(regions); k++)
                area += json_integer_value(json_object_get(json_array_get(regions, k), "area"));
            for (size_t k = 0; k < 4; k++)
                box[k] = json_integer_value(json_array_get(json_object_get(first, "box"), k));
            for (size_t k = 0; k < 2; k++)
                peak[k] = json_integer_value(json_array_get(json_object_get(first, "peak"), k));
            int used = snprintf(right, sizeof right, ",%s,%.9g,%s,%zu,%lld,", first ? "ng" : "ok",
                                json_number_value(json_object_get(line, "score")), threshold,
                                json_array_size(regions), (long long)area);
            if (first)
                snprintf(right + used, sizeof right - (size_t)used, "%lld,%lld,%lld,%lld,%lld,%lld,",
                         (long long)peak[0], (long long)peak[1], (long long)box[0], (long long)box[1],
                         (long long)box[2], (long long)box[3]);
        }
        assert_contains(row, right);
    }
    ck_assert_str_eq(rest, "");
    free(text);
    json_decref(lines);
    predict("-q --csv " S "t.csv " IN "a.png", 0); /* one of its own is replaced */
    write_text(S "t.csv", "mine\n");
    predict("-q --csv " S "t.csv " IN "a.png", 1);
    assert_file_holds(S "stderr", "t.csv: is in the way, and was not written by this program");
    assert_file_holds(S "t.csv", "mine\n");
}
END_TEST

START_TEST(formulas_are_neutralised) {
    char row[512] = "";
    FILE *stream = fmemopen(row, sizeof row, "w");
    EadPrediction prediction = {.path = "=1+1, \"x\".png", .score = NAN, .threshold = NAN, .error = "@a,b"};
    ead_prediction_write_row(stream, &prediction);
    fclose(stream);
    ck_assert_str_eq(row, "\"'=1+1, \"\"x\"\".png\",error,,,,,,,,,,,\"'@a,b\"\n");
}
END_TEST

/* Where the copy of a picture is, by its line. */
static void assert_copied(json_t *lines, const char *path, const char *copy) {
    const char *told = json_string_value(json_object_get(line_of(lines, path), "copy"));
    ck_assert_str_eq(told ? told : "(none)", copy);
    ck_assert(same_files(path, copy));
}

START_TEST(copies_are_sorted_by_verdict) {
    char path[128];
    NEED_PROGRAM();
    predict("-q --copy-to " S "sorted " IN, 1);
    json_t *lines = printed_lines();
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"a.png", "sub/=1+1.png", "sub/b.jpg.png"};
        snprintf(path, sizeof path, S "sorted/%s/%s", scores[i] >= middle ? "ng" : "ok", names[i]);
        assert_copied(lines, pictures[i], path);
    }
    assert_copied(lines, IN "cut.png", S "sorted/error/cut.png");
    json_decref(lines);
    assert_file_holds(S "stderr", "cut.png: ");
    /* All are called good now: copies move, and there are no more than before. */
    predict("-q --threshold 1e9 --copy-to " S "sorted " IN, 1);
    ck_assert_int_eq(shell("test $(find " S "sorted -type f | wc -l) = 4"), 0);
    ck_assert(exists(S "sorted/ok/a.png") && exists(S "sorted/ok/sub/=1+1.png"));
    predict("-q --threshold 1e9 --copy-to " S "sorted " IN, 1);
    ck_assert_int_eq(shell("test $(find " S "sorted -type f | wc -l) = 4"), 0);
    /* Equal names are kept apart, as those of maps. */
    write_noise_png(S "other/a.png", 20, 20, 3, 9);
    predict("-q --threshold 1e9 --copy-to " S "sorted " IN "a.png " S "other/a.png", 0);
    ck_assert(same_files(S "other/a.png", S "sorted/ok/a.png.png"));
}
END_TEST

/* Before the work: another picture in any of the three folders. */
START_TEST(no_copy_replaces_what_is_none) {
    static const char *const folders[] = {"ok", "ng", "error"};
    NEED_PROGRAM();
    for (int i = 0; i < 3; i++) {
        char line[256], file[128];
        shell_ok("rm -rf " S "sorted");
        snprintf(file, sizeof file, S "sorted/%s/a.png", folders[i]);
        write_noise_png(file, 8, 8, 3, 5);
        snprintf(line, sizeof line, "cp %s " S "kept.png", file);
        shell_ok(line);
        predict("--copy-to " S "sorted " IN "a.png", 1);
        assert_file_holds(S "stderr", "/a.png: is in the way, and is no copy of " IN "a.png");
        ck_assert(shell("grep -q 'memory of' " S "stderr") != 0);
        ck_assert(same_files(file, S "kept.png"));
    }
}
END_TEST

/* The data of the page as JSON. */
static json_t *page_data(const char *path) {
    char *text = read_text(path), *begin = strstr(text, "id=\"data\">"), *end = strstr(begin, "</script>");
    begin = strchr(begin, '\n');
    json_t *data = json_loadb(begin, (size_t)(end - begin), 0, NULL);
    ck_assert_ptr_nonnull(data);
    free(text);
    return data;
}

START_TEST(the_page_shows_scores_and_pictures) {
    NEED_PROGRAM();
    predict("-q --report " S "made/for/page.html --csv " S "made/t.csv " IN "a.png", 0);
    ck_assert(exists(S "made/for/page.html") && exists(S "made/t.csv"));
    predict("-q --report " S "page.html " IN, 1);
    json_t *data = page_data(S "page.html"), *gallery = json_object_get(data, "gallery"),
           *images = json_object_get(gallery, "images"), *course = json_object_get(data, "course"),
           *all = json_object_get(json_object_get(data, "scores"), "images");
    ck_assert_str_eq(json_string_value(json_object_get(data, "kind")), "unlabelled");
    ck_assert_int_eq(json_integer_value(json_object_get(all, "count")), 3);
    ck_assert_int_eq((int)json_array_size(json_object_get(all, "sorted")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(data, "validation"), "count")), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(data, "failed")), 1);
    ck_assert_int_eq((int)json_array_size(images), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(gallery, "dropped")), 0);
    for (size_t i = 0; i < 3; i++) {
        json_t *image = json_array_get(images, i), *mean = json_array_get(json_array_get(course, i), 1);
        const char *verdict = json_string_value(json_object_get(image, "defect"));
        double score = json_number_value(json_object_get(image, "score"));
        ck_assert_str_eq(verdict, (float)score >= middle ? "NG" : "OK");
        ck_assert(i == 0 ||
                  score <= json_number_value(json_object_get(json_array_get(images, i - 1), "score")));
        ck_assert_double_eq_tol(json_number_value(mean), (double)scores[i], 1e-4 * fabs((double)scores[i]));
    }
    json_decref(data);
    predict("-q --report " S "page.html " IN "a.png", 0);
    write_text(S "page.html", "<!DOCTYPE html>\n<title>mine</title>\n");
    predict("-q --report " S "page.html " IN "a.png", 1);
    assert_file_holds(S "stderr", "page.html: is in the way");
}
END_TEST

START_TEST(threads_change_nothing) {
    NEED_PROGRAM();
    shell_ok("mkdir -p " S "many && for i in 1 2 3; do cp " IN "a.png " S "many/$i.png; cp '" IN
             "sub/=1+1.png' " S "many/x$i.png; done");
    predict("-q --threads 1 --csv " S "1.csv --report " S "1.html --overlays " S "o1 " S "many", 0);
    shell_ok("mv " S "stdout " S "lines");
    predict("-q --threads 3 --csv " S "3.csv --report " S "3.html --overlays " S "o3 " S "many", 0);
    ck_assert(same_files(S "1.csv", S "3.csv") && same_files(S "1.html", S "3.html"));
    shell_ok("diff -r " S "o1 " S "o3");
    shell_ok("sed 's,/o1/,/o3/,' " S "lines | cmp - " S "stdout");
}
END_TEST

START_TEST(what_the_model_lacks_is_told_first) {
    NEED_PROGRAM();
    save_tiny_model(S "bare.safetensors", NAN, NULL);
    ck_assert_int_eq(run_program(S, "predict -m " S "bare.safetensors --masks " S "m --copy-to " S "c " IN),
                     1);
    assert_file_holds(S "stderr", "--masks: the model has no pixel threshold");
    assert_file_holds(S "stderr", "--copy-to: the model has no threshold");
    ck_assert(!exists(S "m") && !exists(S "c"));
    ck_assert_int_eq(run_program(S, "predict -m " S "bare.safetensors " IN "a.png"), 0);
    assert_file_holds(S "stderr", "no regions: " S "bare.safetensors holds no pixel threshold");
    ck_assert(shell("grep -q regions " S "stdout") != 0);
    ck_assert_int_eq(run_program(S, "predict -m " S "bare.safetensors --pixel-threshold=-1e9 " IN "a.png"),
                     0);
    assert_file_holds(S "stdout", "\"regions\":[{\"area\":3500,\"box\":[0,0,70,50],");
}
END_TEST

/* What two outputs, or an output and the images, must not have in common is told before the first image, and nothing is
 * made. */
START_TEST(outputs_are_checked_together) {
    static const struct {
        const char *words, *message;
    } cases[] = {
        {"--csv " S "new/x.html --report " S "new/x.html " IN "a.png",
         "--csv and --report name the same file: " S "new/x.html"},
        {"--csv " S "leads.csv --report " S "there.html " IN "a.png",
         "--csv and --report name the same file"},
        {"--csv " S "new --maps " S "new " IN "a.png",
         "new: the file of --csv and the maps of --maps would meet"},
        {"--overlays " S "new --csv " S "new/a.png " IN "a.png",
         "new/a.png: the file of --csv and the overlays of --overlays would meet"},
        {"--overlays " S "new --masks " S "new/ " IN "a.png", "overlays and masks would lie in one folder"},
        {"--maps " S "new/ok --copy-to " S "new " IN "a.png", "maps and copies would lie in one folder"},
        {"--masks " IN "new " IN, "the folder " IN "new of the masks lies in this folder of images"},
        {"--copy-to " S "inside/new " IN, "of the copies lies in this folder of images"},
        {"--csv " IN "new.png " IN, IN "new.png lies in this folder of images; write it elsewhere"},
        {"--overlays " IN " " IN "a.png " S "other.png", IN "a.png: its overlay would lie among the images"},
        {"--csv " S "small " IN "a.png", "small: is in the way, and was not written by this program"},
        {"--report - " IN "a.png", "-: --report needs a file, and stdout is none"},
        {"--report " S "small " IN "a.png", "small: is in the way, and was not written by this program"},
        {"--report " S "new/x.txt " IN "a.png", "new/x.txt: --report names a web page, and browsers open"},
    };
    NEED_PROGRAM();
    write_noise_png(S "other.png", 20, 20, 3, 9);
    shell_ok("ln -s there.html " S "leads.csv && ln -s in " S "inside && printf '{}' >" S "small");
    for (int i = 0; i < COUNT(cases); i++) {
        predict(cases[i].words, 1);
        assert_file_holds(S "stderr", cases[i].message);
        char *printed = read_text(S "stdout");
        ck_assert_str_eq(printed, "");
        free(printed);
        ck_assert_msg(!exists(S "new") && !exists(IN "new") && !exists(IN "new.png") &&
                          !exists(S "there.html"),
                      "%s", cases[i].words);
    }
    assert_file_holds(S "small", "{}");
    shell_ok("rm " S "small && : >" S "small"); /* an empty file is nothing */
    predict("-q --csv " S "small --maps " S "new --overlays " S "new " IN "a.png", 0);
}
END_TEST

/* What is found in a list has its turn, and costs itself. */
START_TEST(outputs_among_the_images_of_a_list) {
    NEED_PROGRAM();
    write_text(S "list", IN "\n" IN "a.png\n" S "other.png\n");
    write_noise_png(S "other.png", 20, 20, 3, 9);
    predict("-q --masks " IN "listed - <" S "list", 1);
    assert_file_holds(S "stderr", IN ": the folder " IN "listed of the masks lies in this folder of images");
    assert_file_holds(S "stderr", "2 of 3 inputs scored");
    shell_ok("rm -r " IN "listed");
    write_text(S "list", IN "\n");
    predict("-q --masks " IN "listed - <" S "list", 1);
    ck_assert(!exists(IN "listed"));
}
END_TEST

START_TEST(what_fails_is_called_by_its_name) {
    NEED_PROGRAM();
    shell_ok("mkdir -p " S "full/a.png");
    predict("--masks " S "full " IN "a.png " IN "sub", 1);
    assert_file_holds(S "stderr", "masks of 1 image will not be written: " S "full/a.png: cannot write");
    assert_file_holds(S "stderr", "3 of 3 inputs scored, but masks of 1 could not be written");
}
END_TEST

/* Rows in place of lines; a name that is not UTF-8 is the same in both. */
/* Nothing that was made for outputs that did not come, whatever kept them; what was there before stays. */
START_TEST(no_folder_stays_empty) {
    NEED_PROGRAM();
    shell_ok("rm -rf " S "new " S "old && mkdir -p " S "old/kept");
    shell_ok("(ulimit -f 0; $PROGRAM predict -q -m " MODEL " --maps " S "new/maps --overlays " S
             "new/a/b/ --masks " S "old/masks --copy-to " S "new/copies " IN " 2>&1 >/dev/null) | cat >" S
             "err");
    assert_file_holds(S "err", "cannot write: File too large");
    ck_assert(!exists(S "new") && !exists(S "old/masks") && exists(S "old/kept"));
    ck_assert_int_eq(shell("$PROGRAM predict -q -m " MODEL " --csv " S "new/t/t.csv --report " S
                           "new/r.html " IN " >/dev/full 2>" S "err"),
                     1);
    ck_assert(!exists(S "new"));
    shell_ok("mkfifo " S "fifo");
    ck_assert_int_eq(
        shell("$PROGRAM predict -q -m " MODEL " --copy-to " S "new " S "fifo >" S "out 2>" S "err"), 1);
    assert_file_holds(S "err",
                      "efficientad: " S "fifo: is a FIFO, not a regular file; put one in its place\n");
    ck_assert(!exists(S "new"));
    shell_ok("rm -r " S "old " S "fifo");
}
END_TEST

START_TEST(the_table_may_go_to_standard_output) {
    NEED_PROGRAM();
    write_noise_png(S "odd/\xff.png", 30, 30, 3, 9);
    write_text(S "list", S "odd/\xff.png\n" IN "a.png\n");
    predict("-q --csv " S "rows.csv - <" S "list", 0);
    json_t *lines = printed_lines();
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(lines, 0), "path")), S "odd/\\xff.png");
    json_decref(lines);
    assert_file_holds(S "rows.csv", S "odd/\\xff.png,");
    predict("-q --csv - - <" S "list", 0);
    ck_assert(same_files(S "stdout", S "rows.csv"));
    ck_assert(!exists("-"));
}
END_TEST

/* Of normal images that neither the fit nor the choice of the threshold has seen, a share has regions that lies in the
 * interval told for the pixel threshold. */
START_TEST(regions_of_held_out_images_are_as_rare_as_told) {
    NEED_PROGRAM();
    shell_ok("$PROGRAM synth -o " S "drawn --size 128 --train 60 --test-good 40 --test-defect 1 >" S
             "stdout 2>" S "stderr");
    shell_ok("$PROGRAM train -q -c configs/patchcore.yaml --set dataset.path=" S
             "drawn --set dataset.category=gasket --set dataset.validation_fraction=0.5 --set "
             "model.image_size=128 "
             "--set dataset.cache=" S "cache -o " S "drawn/run >" S "stdout 2>" S "stderr");
    json_t *metrics = json_load_file(S "drawn/run/metrics.json", 0, NULL);
    double low = json_number_value(json_object_get(metrics, "validation_region_fpr_low")),
           high = json_number_value(json_object_get(metrics, "validation_region_fpr_high"));
    ck_assert_int_eq(json_integer_value(json_object_get(metrics, "validation_images")), 30);
    ck_assert_msg(low >= 0 && high > 0.02 && high < 0.2, "%g to %g", low, high);
    ck_assert_int_eq(
        run_program(S, "predict -q -m " S "drawn/run/model.safetensors " S "drawn/gasket/test/good"), 0);
    json_t *lines = printed_lines();
    int with = 0, all = (int)json_array_size(lines);
    for (int i = 0; i < all; i++)
        with += json_array_size(json_object_get(json_array_get(lines, (size_t)i), "regions")) > 0;
    ck_assert_int_eq(all, 40);
    ck_assert_msg(with >= low * all && with <= high * all, "%d of 40, told: %g to %g", with, low, high);
    ck_assert_int_eq(
        run_program(S, "predict -q -m " S "drawn/run/model.safetensors " S "drawn/gasket/test/missing"), 0);
    assert_file_holds(S "stdout", "\"regions\":[{"); /* it is no threshold that nothing reaches */
    json_decref(lines);
    json_decref(metrics);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, masks_and_regions_are_of_the_map);
    tcase_add_test(tests, the_table_has_a_row_for_each_image);
    tcase_add_test(tests, formulas_are_neutralised);
    tcase_add_test(tests, copies_are_sorted_by_verdict);
    tcase_add_test(tests, no_copy_replaces_what_is_none);
    tcase_add_test(tests, the_page_shows_scores_and_pictures);
    tcase_add_test(tests, threads_change_nothing);
    tcase_add_test(tests, outputs_are_checked_together);
    tcase_add_test(tests, outputs_among_the_images_of_a_list);
    tcase_add_test(tests, what_fails_is_called_by_its_name);
    tcase_add_test(tests, no_folder_stays_empty);
    tcase_add_test(tests, the_table_may_go_to_standard_output);
    tcase_add_test(tests, regions_of_held_out_images_are_as_rare_as_told);
    tcase_add_test(tests, what_the_model_lacks_is_told_first);
}

int main(void) {
    return run_program_suite("predict_outputs", S, make_scene, remove_scene, add_tests);
}
