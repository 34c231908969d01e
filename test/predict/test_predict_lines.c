/* What predict prints of an image and lists as inputs, and the names of its maps and overlays. */
#include "test/support/scratch.h"
#include "train/evaluate/map_output.h"
#include "train/evaluate/predict_lines.h"
#include "train/report/overlay.h"
#include "train/support/json_writer.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "build/scratch/test_predict_lines/"

START_TEST(json_strings) {
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\n\t\x01", "\"\\u000a\\u0009\\u0001\""},
        {"gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x98\x80", "\"gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"\xff x\xc3", "\"\\\\xff x\\\\xc3\""},
        {"a\xc2\x9b\u202e\x7f", "\"a\\u009b\\u202e\\u007f\""}, /* what a terminal would obey */
        {"\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\""},         /* a surrogate */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256] = "";
        FILE *stream = fmemopen(text, sizeof text, "w");
        EadJson json = {.stream = stream};
        ead_json_string(&json, NULL, cases[i].text);
        fclose(stream);
        ck_assert_str_eq(text, cases[i].json);
        json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
        ck_assert(json_is_string(value));
        json_decref(value);
    }
}
END_TEST

START_TEST(json_lines_with_regions) {
    EadMapRegion items[] = {{12, 3, 4, 5, 6, 7, 8, 0.5f}, {1, 0, 0, 1, 1, 0, 0, 0.1f}};
    EadMapRegions regions = {.threshold = 0.1f, .count = 2, .area = 13, .kept = 2, .items = items};
    EadPrediction prediction = {.path = "a.png", .score = 0.25f, .threshold = 0.25f, .regions = &regions};
    static const char *const lines[] = {
        ("[{\"area\":12,\"box\":[3,4,5,6],\"peak\":[7,8],\"score\":0.5},"
         "{\"area\":1,\"box\":[0,0,1,1],\"peak\":[0,0],\"score\":0.1}]}\n"),
        "[{\"area\":12,\"box\":[3,4,5,6],\"peak\":[7,8],\"score\":0.5}],\"regions_left_out\":1}\n", "[]}\n"};
    for (int i = 0; i < 3; i++) {
        char text[256] = "", right[256];
        FILE *stream = fmemopen(text, sizeof text, "w");
        if (i == 2) regions.count = 0;
        regions.kept = 2 - i;
        ASSERT_OK(ead_prediction_print(stream, &prediction));
        fclose(stream);
        snprintf(right, sizeof right, "{\"path\":\"a.png\",\"score\":0.25,\"anomalous\":true,\"regions\":%s",
                 lines[i]);
        ck_assert_str_eq(text, right);
    }
}
END_TEST

START_TEST(json_lines) {
    static const struct {
        EadPrediction prediction;
        const char *line;
    } cases[] = {
        {{"a.png", NULL, 0.25f, NAN, NULL, NULL, NULL, NULL, NULL}, "{\"path\":\"a.png\",\"score\":0.25}\n"},
        {{"a.png", NULL, 0.25f, 0.25f, NULL, NULL, NULL, NULL, NULL},
         "{\"path\":\"a.png\",\"score\":0.25,\"anomalous\":true}\n"},
        {{"a.png", NULL, 0.25f, 0.2501f, "m.tiff", "o.png", NULL, NULL, NULL},
         "{\"path\":\"a.png\",\"score\":0.25,\"anomalous\":false,\"map\":\"m.tiff\",\"overlay\":\"o.png\"}"
         "\n"},
        {{"a.png", "o.png: full", 0.25f, NAN, "m.tiff", NULL, NULL, NULL, NULL},
         "{\"path\":\"a.png\",\"score\":0.25,\"map\":\"m.tiff\",\"error\":\"o.png: full\"}\n"},
        {{"a.png", "a.png: \"bad\"", NAN, 0, "m.tiff", NULL, NULL, NULL, NULL},
         "{\"path\":\"a.png\",\"error\":\"a.png: \\\"bad\\\"\"}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256] = "";
        FILE *stream = fmemopen(text, sizeof text, "w");
        ASSERT_OK(ead_prediction_print(stream, &cases[i].prediction));
        fclose(stream);
        ck_assert_str_eq(text, cases[i].line);
    }
    FILE *full = fopen("/dev/full", "w");
    SKIP_UNLESS(full, "/dev/full");
    ASSERT_FAILS(ead_prediction_print(full, &cases[0].prediction), EAD_IO, "standard output");
    fclose(full);
}
END_TEST

/* What a terminal would obey becomes '?'; a pipe or file gets the names as they are. */
START_TEST(rows_on_a_terminal_are_printable) {
    EadPrediction prediction = {
        .path = "b\x1b[1m\xc2\x9b\u202e.png", .score = NAN, .threshold = NAN, .error = "x"};
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    SKIP_UNLESS(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "no pseudo-terminals");
    make_folders(FOLDER "rows");
    FILE *terminal = fopen(ptsname(master), "w"), *file = fopen(FOLDER "rows", "w");
    char text[128] = "";
    ck_assert(terminal && file);
    ASSERT_OK(ead_prediction_print_row(terminal, &prediction));
    ck_assert_int_gt(read(master, text, sizeof text - 1), 0);
    ck_assert_msg(strncmp(text, "b?[1m??.png,error,,,", 20) == 0, "%s", text);
    ASSERT_OK(ead_prediction_print_row(file, &prediction));
    fclose(file);
    fclose(terminal);
    close(master);
    assert_file_holds(FOLDER "rows", "b\x1b[1m\xc2\x9b\u202e.png,error,");
}
END_TEST

START_TEST(every_image_has_its_name) {
    static const char *const cases[][3] = {
        {"", "x/a.png", "a"},       {"", "x/a.jpg", "a.jpg"},      {"", "y/a.jpg", "a.jpg~2"},
        {"", "z/a.jpg", "a.jpg~3"}, {"", "x/a.png", "a"},          {"", "y/a.jpg", "a.jpg~2"},
        {"f", "x/a.jpg", "f/a"},    {"f/g", "a.b.png", "f/g/a.b"}, {"", "noextension", "noextension"},
        {"", "x/.png", ".png"},     {"", "a.tiff", "a.tiff"},      {"", "w/a.jpg~2", "a.jpg~2~2"},
    };
    EadOutputNames *names;
    const char *name;
    ASSERT_OK(ead_output_names_new(&names));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ASSERT_OK(ead_output_names_take(names, cases[i][0], cases[i][1], &name));
        ck_assert_str_eq(name, cases[i][2]);
    }
    /* Enough to make the table grow. */
    for (int i = 0; i < 2000; i++) {
        char path[64];
        snprintf(path, sizeof path, "%d/same.png", i % 1000);
        ASSERT_OK(ead_output_names_take(names, "", path, &name));
        if (i % 1000 == 999) ck_assert_str_eq(name, "same.png~999");
    }
    ead_output_names_free(names);
}
END_TEST

/* All inputs as "folder|path\n", failed ones with "!". */
static void list_inputs(const char *const *paths, int count, const char *list, const char *apart, char *out,
                        size_t size) {
    EadPredictInputs inputs;
    EadPredictInput input;
    bool found = true;
    FILE *stream = list ? fmemopen((void *)list, strlen(list), "r") : NULL;
    out[0] = '\0';
    EadMapOutput output = {.folders = {[EAD_OUTPUT_OVERLAYS] = apart}};
    ead_predict_inputs_start(&inputs, paths, count, stream, &output);
    for (;;) {
        ASSERT_OK(ead_predict_inputs_next(&inputs, &input, &found));
        if (!found) break;
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s|%s\n", input.status == EAD_OK ? "" : "!", input.folder,
                 input.path);
    }
    ead_predict_inputs_free(&inputs);
    if (stream) fclose(stream);
}

START_TEST(inputs_are_files_folders_and_lists) {
    const char *const mixed[] = {FOLDER "in/", "missing.png", "-", FOLDER "empty", "-"};
    char out[1024];
    shell_ok("rm -rf " FOLDER "in && mkdir -p " FOLDER "in/sub/deep " FOLDER "empty && touch " FOLDER
             "in/b.png " FOLDER "in/a.PNG " FOLDER "in/sub/deep/c.jpg && echo no image >" FOLDER
             "in/notes.txt");
    list_inputs(mixed, 5, "one.png\r\n\n" FOLDER "in/sub\ntwo.png", NULL, out, sizeof out);
    ck_assert_str_eq(out, "|" FOLDER "in/a.PNG\n|" FOLDER "in/b.png\nsub/deep|" FOLDER "in/sub/deep/c.jpg\n"
                          "!|missing.png\n!|one.png\ndeep|" FOLDER "in/sub/deep/c.jpg\n!|two.png\n!|" FOLDER
                          "empty\n");
    ck_assert_int_eq((int)ead_predict_inputs_count(mixed, 5), -1);
    static const char *const lists[] = {"\n", "\r\n\r\n", "\xEF\xBB\xBF", "  \n\t\n", "\x1A"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        list_inputs(mixed + 2, 2, lists[i], NULL, out, sizeof out);
        ck_assert_str_eq(out, "!|-\n!|" FOLDER "empty\n");
    }
    ck_assert_int_eq((int)ead_predict_inputs_count(mixed, 2), 4);
    list_inputs(mixed, 1, NULL, FOLDER "in/sub", out, sizeof out);
    ck_assert_str_eq(out, "!|" FOLDER "in/\n");
    ck_assert_msg(strstr(ead_error_message(), "overlays") != NULL, "%s", ead_error_message());
    list_inputs(mixed, 1, NULL, FOLDER "empty", out, sizeof out);
    ck_assert_ptr_nonnull(strstr(out, "b.png"));
}
END_TEST

/* Maps and overlays of an earlier run below the images; a picture of the user has their names, too. */
START_TEST(own_output_is_no_input) {
    static float map[16 * 16];
    const char *const folder[] = {FOLDER "own"}, *const named[] = {FOLDER "own/heat/b.png",
                                                                   FOLDER "own/a.TIFF"};
    char out[1024];
    EadImage image;
    EadPredictInputs inputs;
    EadPredictInput input;
    bool found = true;
    shell_ok("rm -rf " FOLDER "own && mkdir -p " FOLDER "own/heat");
    write_noise_png(FOLDER "own/b.png", 16, 16, 3, 1);
    write_noise_png(FOLDER "own/heat/c.png", 16, 16, 3, 2);
    ASSERT_OK(ead_image_load(FOLDER "own/b.png", &image));
    ASSERT_OK(ead_overlay_write_png(FOLDER "own/heat/b.png", &(EadOverlay){.rgb = &image}));
    ASSERT_OK(ead_tiff_write_map(FOLDER "own/a.TIFF", map, 16, 16));
    ASSERT_OK(ead_tiff_write_map(FOLDER "own/heat/b.tiff", map, 16, 16));
    ead_image_free(&image);
    list_inputs(folder, 1, NULL, NULL, out, sizeof out);
    ck_assert_str_eq(out, "|" FOLDER "own/b.png\nheat|" FOLDER "own/heat/c.png\n");
    ck_assert_int_eq((int)ead_predict_inputs_count(folder, 1), 2);
    ead_predict_inputs_start(&inputs, folder, 1, NULL, NULL);
    ASSERT_OK(ead_predict_inputs_next(&inputs, &input, &found));
    ck_assert_int_eq(inputs.notes.count, 1);
    ck_assert_int_eq((int)inputs.missed, 0);
    ck_assert_str_eq(
        inputs.notes.items[0],
        FOLDER "own: 3 maps, overlays and masks that this program wrote are not taken for images: " FOLDER
               "own/a.TIFF, " FOLDER "own/heat/b.png, " FOLDER "own/heat/b.tiff");
    ead_predict_inputs_free(&inputs);
    list_inputs(named, 2, NULL, NULL, out, sizeof out);
    ck_assert_str_eq(out, "|" FOLDER "own/heat/b.png\n|" FOLDER "own/a.TIFF\n");
    ead_predict_inputs_start(&inputs, named, 2, NULL, NULL);
    ASSERT_OK(ead_predict_inputs_next(&inputs, &input, &found));
    ASSERT_OK(ead_predict_inputs_next(&inputs, &input, &found));
    ck_assert_int_eq(inputs.notes.count, 2);
    ck_assert_str_eq(inputs.notes.items[0],
                     FOLDER "own/heat/b.png: is a map, overlay or mask that this program wrote, "
                            "and is scored since it was named");
    ead_predict_inputs_free(&inputs);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("predict_lines");
    TCase *tests = tcase_create("predict_lines");
    tcase_add_test(tests, json_strings);
    tcase_add_test(tests, json_lines);
    tcase_add_test(tests, json_lines_with_regions);
    tcase_add_test(tests, rows_on_a_terminal_are_printable);
    tcase_add_test(tests, every_image_has_its_name);
    tcase_add_test(tests, inputs_are_files_folders_and_lists);
    tcase_add_test(tests, own_output_is_no_input);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
