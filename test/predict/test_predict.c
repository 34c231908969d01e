/* predict from the outside; its parts are in test_predict_lines.c. */
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "test/support/scratch.h"
#include "train/support/json_writer.h"
#include "train/evaluate/map_output.h"
#include "train/evaluate/predict_lines.h"

#include <jansson.h>
#include <math.h>

#define FOLDER "build/scratch/test_predict/"
#define MODEL  FOLDER "model.safetensors"

static void write_images(void) {
    shell_ok("rm -rf " FOLDER "in " FOLDER "out " FOLDER "empty && mkdir -p " FOLDER "empty");
    write_noise_png(FOLDER "in/b.png", 70, 50, 3, 1);
    write_noise_png(FOLDER "in/a.PNG", 64, 64, 3, 2);
    write_noise_png(FOLDER "in/sub/deep/c.jpg", 40, 90, 3, 3);
    write_bytes(FOLDER "in/notes.txt", "no image", 8);
}

/* Runs predict with these arguments (and what follows them in the shell); streams go to files. */
static int run_predict(const char *arguments) {
    char words[2048];
    snprintf(words, sizeof words, "predict --model " MODEL " %s", arguments);
    return run_program(FOLDER, words);
}

/* The JSON objects that were printed, as an array. */
static json_t *printed_lines(void) {
    char *text = read_text(FOLDER "stdout");
    json_t *lines = json_array();
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        json_t *object = json_loads(line, 0, NULL);
        ck_assert_msg(json_is_object(object), "not JSON: %s", line);
        json_array_append_new(lines, object);
        line = end + 1;
    }
    free(text);
    return lines;
}

static const char *member_text(json_t *lines, size_t index, const char *key) {
    const char *text = json_string_value(json_object_get(json_array_get(lines, index), key));
    return text ? text : "(none)";
}

/* Maps, scores and overlays of a folder, against the library. */
START_TEST(scores_are_the_librarys) {
    static const char *const paths[] = {FOLDER "in/a.PNG", FOLDER "in/b.png", FOLDER "in/sub/deep/c.jpg"};
    static const char *const names[] = {"a", "b", "sub/deep/c"};
    static const int sizes[][2] = {{64, 64}, {70, 50}, {40, 90}};
    EadDetector *detector;
    char path[256];
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    ck_assert_int_eq(run_predict("--maps " FOLDER "out/m --overlays " FOLDER "out/o " FOLDER "in"), 0);
    json_t *lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 3);
    for (size_t i = 0; i < 3; i++) {
        float score;
        float *map = library_map(detector, paths[i], &score);
        json_t *line = json_array_get(lines, i);
        ck_assert_str_eq(member_text(lines, i, "path"), paths[i]);
        ck_assert_float_eq((float)json_number_value(json_object_get(line, "score")), score);
        ck_assert_float_eq(score, largest(map, (int64_t)sizes[i][0] * sizes[i][1]));
        ck_assert_ptr_null(json_object_get(line, "anomalous"));
        snprintf(path, sizeof path, FOLDER "out/m/%s.tiff", names[i]);
        ck_assert_str_eq(member_text(lines, i, "map"), path);
        assert_tiff_equals(path, map, sizes[i][0], sizes[i][1]);
        snprintf(path, sizeof path, FOLDER "out/o/%s.png", names[i]);
        ck_assert_str_eq(member_text(lines, i, "overlay"), path);
        assert_png(path, sizes[i][0], sizes[i][1] + (sizes[i][0] < 44 ? 0 : 22)); /* with the bar below it */
        free(map);
    }
    json_decref(lines);
    ead_detector_close(detector);
}
END_TEST

static bool told_anomalous(const char *options) {
    char arguments[256];
    snprintf(arguments, sizeof arguments, "%s " FOLDER "in/b.png", options);
    ck_assert_int_eq(run_predict(arguments), 0);
    json_t *lines = printed_lines(), *told = json_object_get(json_array_get(lines, 0), "anomalous");
    ck_assert(json_is_boolean(told));
    bool anomalous = json_is_true(told);
    json_decref(lines);
    return anomalous;
}

START_TEST(threshold_of_option_or_file) {
    EadDetector *detector;
    char options[64];
    float score;
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, 1e6f, NULL);
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    free(library_map(detector, FOLDER "in/b.png", &score));
    ead_detector_close(detector);
    ck_assert(!told_anomalous(""));
    snprintf(options, sizeof options, "--threshold=%.17g", (double)score);
    ck_assert(told_anomalous(options)); /* from the threshold on */
    snprintf(options, sizeof options, "--threshold=%.17g", (double)nextafterf(score, INFINITY));
    ck_assert(!told_anomalous(options));
}
END_TEST

static double scored(const char *arguments) {
    ck_assert_int_eq(run_predict(arguments), 0);
    json_t *lines = printed_lines();
    double score = json_number_value(json_object_get(json_array_get(lines, 0), "score"));
    json_decref(lines);
    return score;
}

/* The model as one of images with that many bits, or of which that value is white. */
static void save_with_levels(int bits, int white) {
    EadEfficientad *model = tiny_model();
    model->base.image_bits = bits;
    model->base.image_white = white;
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ead_efficientad_free(model);
}

/* A picture of 12 bits gives the score of its 8-bit version where an option or the model says so, by bits or by what is white. */
START_TEST(bits_of_option_or_model) {
#define LOW12 "test/golden/reading/low12.png"
    EadImage image;
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    ASSERT_OK(ead_image_load_with(LOW12, &(EadImageRules){.bits = 12}, &image));
    ASSERT_OK(ead_png_write(FOLDER "low8bit.png", &image));
    ead_image_free(&image);
    double right = scored(FOLDER "low8bit.png"), dark = scored(LOW12);
    assert_file_holds(FOLDER "stderr", "1 image of 16 bits, but no value is above 4095");
    assert_file_holds(FOLDER "stderr", "--bits 12, or dataset.bits: 12 in a config: " LOW12);
    ck_assert(dark != right);
    ck_assert(scored("--bits 12 " LOW12) == right);
    ck_assert(scored("--white 4095 " LOW12) == right);
    ck_assert(scored("--white 3000 " LOW12) != right);
    save_with_levels(12, 0);
    ck_assert(scored(LOW12) == right);
    ck_assert(scored("--bits 16 " LOW12) == dark);
    save_with_levels(0, 4095);
    ck_assert(scored(LOW12) == right);
    ck_assert(scored("--bits 16 " LOW12) == dark);
    ck_assert(scored("--white 65535 " LOW12) == dark);
    ck_assert_int_eq(run_predict("--max-pixels 98 " LOW12), 1);
    assert_file_holds(FOLDER "stderr", "11 x 9 pixels; at most 98 in all are read");
}
END_TEST

/* Images of one name keep their maps apart; those of an earlier run are replaced, which is told. */
START_TEST(images_of_one_name_and_earlier_files) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    write_noise_png(FOLDER "in/sub/b.png", 30, 30, 3, 4);
    write_noise_png(FOLDER "in/sub/deep/b.png", 20, 20, 3, 5);
    ck_assert_int_eq(run_predict("--maps " FOLDER "out " FOLDER "in/b.png " FOLDER "in/sub/b.png " FOLDER
                                 "in/sub/deep/b.png " FOLDER "in/b.png"),
                     0);
    json_t *lines = printed_lines();
    ck_assert_str_eq(member_text(lines, 0, "map"), FOLDER "out/b.tiff");
    ck_assert_str_eq(member_text(lines, 1, "map"), FOLDER "out/b.png.tiff");
    ck_assert_str_eq(member_text(lines, 2, "map"), FOLDER "out/b.png~2.tiff");
    ck_assert_str_eq(member_text(lines, 3, "map"), FOLDER "out/b.tiff");
    json_decref(lines);
    ck_assert_int_eq(files_in(FOLDER "out"), 3);
    ck_assert_int_eq(shell("grep -q replaced " FOLDER "stderr"), 1);
    ck_assert_int_eq(run_predict("--maps " FOLDER "out --overlays " FOLDER "out " FOLDER "in/sub/b.png"), 0);
    assert_file_holds(FOLDER "stderr", "1 file (overlays or maps) of an earlier run was replaced");
    ck_assert_int_eq(run_predict("--maps " FOLDER "out --overlays " FOLDER "out " FOLDER "in/b.png"), 0);
    assert_file_holds(FOLDER "stderr", "2 files (overlays or maps) of an earlier run were replaced");
}
END_TEST

/* Every input has its line; the good ones are scored although others fail. */
START_TEST(unreadable_images_do_not_stop_the_others) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    write_bytes(FOLDER "in/cut.png", "\x89PNG\r\n\x1a\n", 8);
    ck_assert_int_eq(run_predict(FOLDER "in missing.png " FOLDER "empty " FOLDER "in/a.PNG"), 1);
    json_t *lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 7);
    ck_assert_str_eq(member_text(lines, 2, "path"), FOLDER "in/cut.png");
    for (size_t i = 0; i < 7; i++) {
        bool failed = i == 2 || i == 4 || i == 5;
        json_t *line = json_array_get(lines, i);
        ck_assert_int_eq(json_object_get(line, "error") != NULL, failed);
        ck_assert_int_eq(json_object_get(line, "score") == NULL, failed);
        if (failed) assert_file_holds(FOLDER "stderr", member_text(lines, i, "error"));
    }
    assert_file_holds(FOLDER "stderr", "4 of 7 inputs scored");
    json_decref(lines);
}
END_TEST

/* What gets no line is told, and by the exit code. */
START_TEST(nothing_is_left_out_without_a_word) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    shell_ok("cp " FOLDER "in/b.png " FOLDER "in/plain && mv " FOLDER "in/sub/deep/c.jpg " FOLDER
             "in/c.jfif");
    ck_assert_int_eq(run_predict("-q " FOLDER "in"), 0);
    json_t *lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 4);
    ck_assert_str_eq(member_text(lines, 2, "path"), FOLDER "in/c.jfif");
    ck_assert_str_eq(member_text(lines, 3, "path"), FOLDER "in/plain");
    json_decref(lines);
    assert_file_holds(FOLDER "stderr",
                      FOLDER "in: 1 file that is not a picture is ignored: " FOLDER "in/notes.txt");
    assert_file_holds(FOLDER "stderr", "2 files of other endings are images by their content");
    ck_assert_int_eq(run_predict(FOLDER "in"), 0);
    assert_file_holds(FOLDER "stderr", "4 of 4 inputs scored");
    write_bytes(FOLDER "in/anim.gif", "GIF89a", 6);
    ck_assert_int_eq(run_predict("-q " FOLDER "in"), 1);
    assert_file_holds(FOLDER "stderr",
                      "1 picture of a format that is not read is left out: " FOLDER "in/anim.gif");
    assert_file_holds(FOLDER "stderr", "4 of 5 inputs scored");
    shell_ok("rm " FOLDER "in/anim.gif && ln -s /nowhere/x.png " FOLDER "in/0.png && ln -s 1.png " FOLDER
             "in/1.png");
    ck_assert_int_eq(run_predict("-q " FOLDER "in"), 1);
    lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 6);
    ck_assert_str_eq(member_text(lines, 4, "path"), FOLDER "in/0.png");
    assert_contains(member_text(lines, 4, "error"), "0.png: cannot read: No such file");
    assert_contains(member_text(lines, 5, "error"), "1.png: cannot read: Too many");
    json_decref(lines);
    assert_file_holds(FOLDER "stderr", "4 of 6 inputs scored");
}
END_TEST

/* A picture that cannot be written costs neither the score nor the other picture. */
START_TEST(scores_outlive_pictures) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    char name[256], command[1024];
    memset(name, 'x', sizeof name);
    strcpy(name + 251, ".png"); /* with .tiff it is too long */
    snprintf(command, sizeof command, "cp " FOLDER "in/b.png " FOLDER "in/%s", name);
    shell_ok(command);
    make_folders(FOLDER "out/o/b.png/"); /* where an overlay should go */
    make_folders(FOLDER "out/m/");
    write_text(FOLDER "out/m/sub", ""); /* a folder's place that a file has */
    ck_assert_int_eq(run_predict("-q --maps " FOLDER "out/m --overlays " FOLDER "out/o " FOLDER "in"), 1);
    json_t *lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert(json_is_real(json_object_get(json_array_get(lines, i), "score")));
    assert_contains(member_text(lines, 1, "error"), "out/o/b.png");
    ck_assert_str_eq(member_text(lines, 1, "map"), FOLDER "out/m/b.tiff");
    ck_assert_str_eq(member_text(lines, 1, "overlay"), "(none)");
    assert_contains(member_text(lines, 2, "error"), "out/m/sub");
    assert_contains(member_text(lines, 3, "error"), "File name too long");
    json_decref(lines);
    assert_file_holds(FOLDER "stderr",
                      "4 of 4 inputs scored, but overlays or maps of 3 could not be written");
    /* It is told before the first image, too: the model is not planned yet. */
    ck_assert_int_eq(run_predict("--maps " FOLDER "out/m --overlays " FOLDER "out/o " FOLDER "in"), 1);
    size_t size;
    char *said = (char *)read_bytes(FOLDER "stderr", &size);
    said[size - 1] = '\0';
    char *told = strstr(said, "overlays or maps of 3 images will not be written: " FOLDER
                              "out/o/b.png: cannot write: it is a folder, ...\n");
    char *memory = strstr(said, "memory of inference"), *failed = strstr(said, "efficientad: ");
    ck_assert_msg(told && memory && failed && told < memory && told < failed, "%s", said);
    free(said);
    shell_ok("rm -r " FOLDER "out && rm " FOLDER "in/b.png");
    ck_assert_int_eq(run_predict("-q --maps " FOLDER "out/m " FOLDER "in"), 1);
    assert_file_holds(FOLDER "stderr", "maps of 1 image will not be written: " FOLDER "out/m/xxx");
    assert_file_holds(FOLDER "stderr",
                      "xxx.tiff: cannot write: a name of 256 bytes; there are at most 255\n");
}
END_TEST

START_TEST(lists_on_stdin_and_odd_names) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    static const char list[] =
        FOLDER "odd/q\"uote \xc3\xbc.png\n" FOLDER "odd/\xff.png\n" FOLDER "in/b.png\n";
    write_noise_png(FOLDER "odd/q\"uote \xc3\xbc.png", 30, 30, 3, 9);
    write_noise_png(FOLDER "odd/\xff.png", 30, 30, 3, 9);
    write_bytes(FOLDER "list", list, sizeof list - 1);
    /* Nothing was inspected, which is not the same as nothing found. */
    ck_assert_int_eq(run_predict("- < /dev/null"), 1);
    assert_file_holds(FOLDER "stderr", "efficientad: -: the list on standard input is empty");
    assert_file_holds(FOLDER "stderr", "0 of 1 inputs scored");
    ck_assert_int_eq(run_predict("--maps " FOLDER "out - <" FOLDER "list"), 0);
    json_t *lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 3);
    ck_assert_str_eq(member_text(lines, 0, "path"), FOLDER "odd/q\"uote \xc3\xbc.png");
    ck_assert_str_eq(member_text(lines, 1, "path"), FOLDER "odd/\\xff.png");
    json_decref(lines);
    ck_assert(exists(FOLDER "out/b.tiff") && exists(FOLDER "out/\xff.tiff"));
}
END_TEST

/* What other programs put around names, where no file is called so. */
START_TEST(lists_of_other_programs) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    static const char list[] = "\xEF\xBB\xBF" FOLDER "in/b.png  \r\n \t\r\n\"" FOLDER "in/b.png\"\r\n"
                               "\xEF\xBB\xBF" FOLDER "in/b.png\t\n  '" FOLDER "in/b.png'\n" FOLDER
                               "odd/ so named.png \n" FOLDER "odd/none.png \n\x1A";
    write_noise_png(FOLDER "odd/ so named.png ", 30, 30, 3, 9);
    write_bytes(FOLDER "list", list, sizeof list - 1);
    ck_assert_int_eq(run_predict("- <" FOLDER "list"), 1);
    json_t *lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 6);
    for (size_t i = 0; i < 4; i++) ck_assert_str_eq(member_text(lines, i, "path"), FOLDER "in/b.png");
    ck_assert_str_eq(member_text(lines, 4, "path"), FOLDER "odd/ so named.png ");
    ck_assert_str_eq(member_text(lines, 5, "path"), FOLDER "odd/none.png ");
    json_decref(lines);
    assert_file_holds(FOLDER "stderr", "5 of 6 inputs scored");
    /* Names that end with a byte of 0 are as they are. */
    write_bytes(FOLDER "list", FOLDER "in/b.png ", sizeof(FOLDER "in/b.png "));
    ck_assert_int_eq(run_predict("- <" FOLDER "list"), 1);
}
END_TEST

/* As `find -print0` writes it, found out or said; and no name reaches a terminal as it is. */
START_TEST(lists_of_hostile_names) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    static const char list[] = FOLDER "odd/two\nlines.png\0" FOLDER "in/b.png\0" FOLDER "odd/\xc2\x9b"
                                      "31m\u202e.png";
    write_noise_png(FOLDER "odd/two\nlines.png", 30, 30, 3, 9);
    write_bytes(FOLDER "list", list, sizeof list - 1);
    ck_assert_int_eq(run_predict("--null - <" FOLDER "list"), 1);
    json_t *lines = printed_lines();
    ck_assert_int_eq((int)json_array_size(lines), 3);
    ck_assert_str_eq(member_text(lines, 0, "path"), FOLDER "odd/two\nlines.png");
    ck_assert_str_eq(member_text(lines, 2, "path"), FOLDER "odd/\xc2\x9b"
                                                           "31m\u202e.png");
    json_decref(lines);
    assert_file_holds(FOLDER "stderr", "odd/?31m?.png: ");
    ck_assert_int_ne(shell("cat " FOLDER "stdout " FOLDER "stderr | grep -q -e '\xc2\x9b' -e '\u202e'"), 0);
    /* The first name holds a line end: without --null it cannot be told. */
    ck_assert_int_eq(run_predict("- <" FOLDER "list"), 1);
    assert_file_holds(FOLDER "stderr", "list of images: entry 2 ends in a zero byte, others in line ends; "
                                       "separate all names in one way, and if "
                                       "by zero bytes, say --null");
    ck_assert_int_eq(run_predict("- <" FOLDER "in/b.png"), 1);
    assert_file_holds(FOLDER "stderr", "list of images: is no list but an image (PNG)");
    write_bytes(FOLDER "list", "\xFF\xD8\xFF\xE0\0\x10JFIF\0\1", 12);
    ck_assert_int_eq(run_predict("- <" FOLDER "list"), 1);
    assert_file_holds(FOLDER "stderr", "list of images: is no list but an image (JPEG)");
    shell_ok("head -c 200 /dev/zero >" FOLDER "list");
    ck_assert_int_eq(run_predict("- <" FOLDER "list"), 1);
    assert_file_holds(FOLDER "stderr", "list of images: is not text (binary)");
    write_bytes(FOLDER "list", FOLDER "in/b.png\0" FOLDER "in/a.PNG",
                sizeof(FOLDER "in/b.png\0" FOLDER "in/a.PNG"));
    ck_assert_int_eq(run_predict("- <" FOLDER "list"), 0);
}
END_TEST

START_TEST(images_are_never_overwritten) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    size_t before, after;
    uint8_t *first = read_bytes(FOLDER "in/b.png", &before);
    ck_assert_int_eq(run_predict("--overlays " FOLDER "in " FOLDER "in"), 1);
    ck_assert_int_eq(run_predict("--overlays " FOLDER "in/heat " FOLDER "in"), 1);
    ck_assert_int_eq(run_predict("--overlays " FOLDER "in " FOLDER "in/b.png"), 1);
    assert_file_holds(FOLDER "stderr", "b.png: its overlay");
    ck_assert_int_eq(run_predict("--maps " FOLDER "in/maps " FOLDER "in"), 1);
    ck_assert_int_eq(run_predict("--maps " FOLDER "in " FOLDER "in/b.png"), 1);
    assert_file_holds(FOLDER "stderr", "its map would lie among the images");
    ck_assert(!exists(FOLDER "in/b.tiff"));
    ck_assert_int_eq(run_predict("--overlays " FOLDER "in/heat " FOLDER "in/b.png"), 0);
    uint8_t *second = read_bytes(FOLDER "in/b.png", &after);
    ck_assert_uint_eq(before, after);
    ck_assert_mem_eq(first, second, before);
    free(first);
    free(second);
}
END_TEST

/* Whose file stands where a map or overlay goes, and what leads there; the program's own are replaced. */
START_TEST(only_maps_and_overlays_are_replaced) {
    static const struct {
        const char *file, *scene, *words;
    } cases[] = {
        {FOLDER "in/b.png", "ln -s ../in/b.png " FOLDER "out/a.png", "--overlays " FOLDER "out " FOLDER "in"},
        {FOLDER "in/b.png", "ln -s $PWD/" FOLDER "in/b.png " FOLDER "out/a.tiff",
         "--maps " FOLDER "out " FOLDER "in"},
        {FOLDER "mine.png", "ln -s ../mine.png " FOLDER "out/a.png; cp " FOLDER "in/b.png " FOLDER "mine.png",
         "--overlays " FOLDER "out " FOLDER "in/a.PNG"},
        {FOLDER "out/b.png", "cp " FOLDER "in/sub/b.png " FOLDER "out",
         "--overlays " FOLDER "out " FOLDER "in/b.png " FOLDER "out/b.png"},
        {FOLDER "out/b.tiff", "cp test/golden/reading/cmyk.tif " FOLDER "out/b.tiff",
         "--maps " FOLDER "out " FOLDER "in/b.png"},
        {FOLDER "out/b.tiff", /* of the same form, by another program */
         "$PROGRAM predict -q -m " MODEL " --maps " FOLDER "out " FOLDER "in/b.png >" FOLDER "stdout && "
         "sed -i 's/efficientad map/somebodys maps/' " FOLDER "out/b.tiff && >" FOLDER "stdout",
         "--maps " FOLDER "out " FOLDER "in/b.png"},
        {FOLDER "out/b.tiff", "printf notes >" FOLDER "out/b.tiff", "--maps " FOLDER "out " FOLDER "in"},
        {MODEL, "ln -s ../model.safetensors " FOLDER "out/b.tiff", "--maps " FOLDER "out " FOLDER "in/b.png"},
        {FOLDER "out/b.png", "cp " FOLDER "in/sub/b.png " FOLDER "out",
         "--overlays " FOLDER "out - <" FOLDER "list"},
    };
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t before, after;
        write_images();
        save_tiny_model(MODEL, NAN, NULL);
        write_noise_png(FOLDER "in/sub/b.png", 30, 30, 3, 4);
        write_text(FOLDER "list", FOLDER "in/b.png\n");
        shell_ok("mkdir -p " FOLDER "out");
        shell_ok(cases[i].scene);
        uint8_t *first = read_bytes(cases[i].file, &before);
        ck_assert_int_eq(run_predict(cases[i].words), 1);
        assert_file_holds(FOLDER "stderr", strstr(cases[i].words, "--maps")
                                               ? "is in the way, and is no map that this program"
                                               : "is in the way, and is no overlay that this program");
        assert_file_holds(FOLDER "stderr",
                          "wrote (or one from before 2026-11-28, without a mark; then delete it)");
        uint8_t *second = read_bytes(cases[i].file, &after);
        ck_assert_uint_eq(before, after);
        ck_assert_mem_eq(first, second, before);
        free(first);
        free(second);
        if (strstr(cases[i].words, " - <")) continue;
        char *printed = read_text(FOLDER "stdout"); /* it fails before the work */
        ck_assert_str_eq(printed, "");
        free(printed);
    }
    /* Of many one is named. */
    write_images();
    shell_ok("mkdir -p " FOLDER "out/sub/deep && cp " FOLDER "in/b.png " FOLDER "out/a.png && cp " FOLDER
             "in/b.png " FOLDER "out/ && cp " FOLDER "in/b.png " FOLDER "out/sub/deep/c.png");
    ck_assert_int_eq(run_predict("--overlays " FOLDER "out " FOLDER "in"), 1);
    assert_file_holds(FOLDER "stderr", FOLDER "out/a.png: is in the way");
    assert_file_holds(FOLDER "stderr", "files are in the way of 3 inputs, this the first");
}
END_TEST

START_TEST(failures_and_usage) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    write_images();
    save_tiny_model(MODEL, NAN, NULL);
    ck_assert_int_eq(run_predict(""), 2);
    ck_assert_int_eq(run_predict("''"), 2);
    assert_file_holds(FOLDER "stderr",
                      "predict: the path is empty; perhaps a variable of the shell is not set");
    ck_assert_int_eq(run_predict("--threshold high a.png"), 2);
    assert_file_holds(FOLDER "stderr", "--threshold");
    ck_assert_int_eq(run_predict("--maps " MODEL " " FOLDER "in/b.png"), 1);
    assert_file_holds(FOLDER "stderr", MODEL);
    SKIP_UNLESS(exists("/dev/full"), "/dev/full");
    char command[512];
    snprintf(command, sizeof command,
             "%s predict --model " MODEL " " FOLDER "in >/dev/full 2>" FOLDER "stderr", getenv("PROGRAM"));
    ck_assert_int_eq(shell(command), 1);
    assert_file_holds(FOLDER "stderr", "standard output");
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("predict");
    TCase *program = tcase_create("program");
    tcase_set_timeout(program, 120);
    tcase_add_test(program, scores_are_the_librarys);
    tcase_add_test(program, threshold_of_option_or_file);
    tcase_add_test(program, bits_of_option_or_model);
    tcase_add_test(program, images_of_one_name_and_earlier_files);
    tcase_add_test(program, unreadable_images_do_not_stop_the_others);
    tcase_add_test(program, nothing_is_left_out_without_a_word);
    tcase_add_test(program, scores_outlive_pictures);
    tcase_add_test(program, lists_on_stdin_and_odd_names);
    tcase_add_test(program, lists_of_other_programs);
    tcase_add_test(program, lists_of_hostile_names);
    tcase_add_test(program, images_are_never_overwritten);
    tcase_add_test(program, only_maps_and_overlays_are_replaced);
    tcase_add_test(program, failures_and_usage);
    suite_add_tcase(suite, program);
    return suite;
}

int main(void) {
    return run_suite(make_suite());
}
