/* The examples build against what `make install` puts into a prefix, without the source tree, by pkg-config and by CMake,
 * and give the library's score. */
#include "test/support/runs.h"
#include "test/support/sample_models.h"

#define S "build/scratch/test_examples/"
/* In the folder of the examples, a sibling of the prefix. */
#define THERE                                                                                                \
    "cd " S "away && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS PKG_CONFIG_PATH=$PWD/../prefix/lib/pkgconfig "  \
    "LD_LIBRARY_PATH=$PWD/../prefix/lib "

enum { WIDTH = 70, HEIGHT = 50 };

static uint8_t rgb[WIDTH * HEIGHT * 3];

/* A picture of the head and `bytes` of rgb. */
static void write_picture(const char *path, const char *kind, size_t bytes) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%s\n%d %d\n255\n", kind, WIDTH, HEIGHT);
    ck_assert_uint_eq(fwrite(rgb, 1, bytes, file), bytes);
    ck_assert_int_eq(fclose(file), 0);
}

static float score_of(EadPixelFormat format, int step) {
    EadDetector *detector;
    float score;
    EadImageView view = {
        .size = sizeof view, .pixels = rgb, .width = WIDTH, .height = HEIGHT, .format = format};
    view.stride = (ptrdiff_t)step * WIDTH;
    ASSERT_OK((EadStatus)ead_detector_open(S "model.safetensors", &detector));
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, NULL, NULL, &score));
    ead_detector_close(detector);
    return score;
}

/* The command prints that and ends with that code. */
static void check_example(const char *command, int code, const char *expected) {
    char line[1024];
    snprintf(line, sizeof line, THERE "%s >../output 2>../errors", command);
    int ended = shell(line);
    char *errors = read_text(S "errors");
    ck_assert_msg(ended == code, "exit code %d of: %s\n%s", ended, command, errors);
    assert_file_holds(S "output", expected);
    free(errors);
}

static void check_both(const char *folder) {
    char command[256], expected[128];
    float color = score_of(EAD_PIXELS_RGB8, 3), gray = score_of(EAD_PIXELS_GRAY8, 1);
    snprintf(command, sizeof command, "%s/score_image ../model.safetensors ../color.ppm", folder);
    snprintf(expected, sizeof expected, "score %.6g, threshold 1e+06, highest at ", (double)color);
    check_example(command, 0, expected);
    snprintf(command, sizeof command, "%s/score_image ../model.safetensors ../gray.pgm", folder);
    snprintf(expected, sizeof expected, "score %.6g, ", (double)gray);
    check_example(command, 0, expected);
    snprintf(command, sizeof command, "%s/score_image ../strict.safetensors ../color.ppm", folder);
    check_example(command, 1, "threshold -1e+06");
    snprintf(command, sizeof command,
             "%s/score_images ../model.safetensors ../color.ppm ../color.ppm ../color.ppm", folder);
    snprintf(expected, sizeof expected, "../color.ppm %f good\n../color.ppm %f good\n../color.ppm %f good\n",
             (double)color, (double)color, (double)color);
    check_example(command, 0, expected);
    snprintf(command, sizeof command, "%s/score_images ../color.ppm ../color.ppm", folder);
    check_example(command, 2, "");
    assert_file_holds(S "errors", "color.ppm: is an image or film of a format that is not read, not a model");
}

START_TEST(the_examples_build_and_run) {
    const char *library = getenv("LIBRARY");
    SKIP_UNLESS(library && strcmp(library, "build/libefficientad") == 0,
                "not the release build under make test");
    SKIP_UNLESS(shell("pkg-config --version >/dev/null 2>&1 && c++ --version >/dev/null 2>&1") == 0,
                "no pkg-config or no C++ compiler");
    shell_ok("rm -rf " S " && mkdir -p " S "away");
    save_tiny_model(S "model.safetensors", 1e6f, NULL);
    save_tiny_model(S "strict.safetensors", -1e6f, NULL);
    fill_noise(rgb, sizeof rgb, 11);
    write_picture(S "color.ppm", "P6", sizeof rgb);
    write_picture(S "gray.pgm", "P5", sizeof rgb / 3);
    shell_ok("env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s install PREFIX=$PWD/" S "prefix >/dev/null");
    shell_ok("cp " S "prefix/share/doc/efficientad/examples/* " S "away");
    shell_ok(THERE "sh -c '"
                   "cc -std=c11 -Wall -Wextra -Werror -o score_image score_image.c"
                   " $(pkg-config --cflags --libs efficientad) && "
                   "c++ -std=c++11 -Wall -Wextra -Werror -pthread -o score_images score_images.cpp"
                   " $(pkg-config --cflags --libs efficientad)'");
    check_both(".");
    SKIP_UNLESS(shell("cmake --version >/dev/null 2>&1") == 0, "no CMake");
    shell_ok(
        THERE
        "cmake -B built -DCMAKE_PREFIX_PATH=$PWD/../prefix >../output && cmake --build built >../output");
    check_both("built");
    /* Where the tree was put does not matter, as long as its parts stay together. */
    shell_ok("mv " S "prefix " S "moved && cd " S
             "away && rm -rf built && cmake -B built -DCMAKE_PREFIX_PATH=$PWD/../moved"
             " >../output && cmake --build built >../output");
    check_both("built");
    ck_assert_int_ne(shell("cd " S
                           "away && sed -i 's/efficientad [0-9.]* REQ/efficientad 99 REQ/' CMakeLists.txt"
                           " && cmake -B other -DCMAKE_PREFIX_PATH=$PWD/../moved >../output 2>&1"),
                     0);
    assert_file_holds(S "output", "efficientad-config.cmake, version: 0.");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("examples");
    TCase *tests = tcase_create("examples");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, the_examples_build_and_run);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
