/* The C# binding and its NuGet package: compiled by mono's compiler, run by mono, and held against what the C library
 * says of the same pixels (test/packages/BindingTests.cs). */
#include "test/support/runs.h"
#include "test/support/sample_models.h"

#define S "build/scratch/test_csharp/"
/* C# 7, which .NET Framework's compilers have, too. */
#define COMPILE "mcs -langversion:7 -warnaserror "
#define MONO    "env LC_ALL=C.UTF-8 LD_LIBRARY_PATH=$PWD/" S "native mono "

enum { WIDTH = 60, HEIGHT = 40 };

static void make_inputs(void) {
    static uint8_t rgb[WIDTH * HEIGHT * 3];
    static float map[WIDTH * HEIGHT];
    EadDetectorOptions options = {.size = sizeof options, .threads = 1};
    EadDetector *detector;
    float score;
    char text[64];
    save_tiny_model(S "model.safetensors", 0.25f, NULL);
    save_tiny_model(S "bare.safetensors", NAN, NULL);
    fill_noise(rgb, sizeof rgb, 11);
    ASSERT_OK((EadStatus)ead_detector_open_with(S "model.safetensors", &options, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, WIDTH, HEIGHT, 3 * WIDTH, map, &score));
    ead_detector_close(detector);
    snprintf(text, sizeof text, "%.9g", (double)score);
    write_text(S "score", text);
    write_bytes(S "map", map, sizeof map);
    write_bytes(S "pixels", rgb, sizeof rgb);
    shell_ok("{ printf 'P6\\n60 40\\n255\\n'; cat " S "pixels; } >" S "color.ppm"
             " && { printf 'P5\\n60 40\\n255\\n'; head -c 2400 " S "pixels; } >" S "gray.pgm");
}

static bool is_ready(void) {
    const char *library = getenv("LIBRARY");
    return library && strcmp(library, "build/libefficientad") == 0 &&
           shell("mcs --version >/dev/null 2>&1 && mono --version >/dev/null 2>&1") == 0;
}

START_TEST(the_binding_says_what_the_library_says) {
    SKIP_UNLESS(is_ready(), "no mono (mono-mcs, mono-runtime), or not the release build under make test");
    shell_ok("rm -rf " S);
    make_inputs();
    shell_ok("mkdir " S "native && cp build/libefficientad.so " S "native");
    shell_ok(COMPILE "-out:" S "BindingTests.exe test/packages/BindingTests.cs models/csharp/EfficientAD.cs");
    shell_ok(MONO S "BindingTests.exe " S);
}
END_TEST

/* The example with what is in the package and nothing else. */
START_TEST(the_package_is_enough) {
    SKIP_UNLESS(is_ready() && shell("python3 --version >/dev/null 2>&1") == 0, "no mono or no Python");
    shell_ok("rm -rf " S);
    make_inputs();
    shell_ok("env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s nuget >" S "made");
    shell_ok("python3 -m zipfile -e build/nuget/EfficientAD.*.nupkg " S "package"
             " && cp -r " S "package/runtimes/linux-*/native " S "native"
             " && test -z \"$(ldd " S "native/libefficientad.so | grep -E 'jansson|gomp' | grep -v $PWD/" S
             "native/)\"");
    shell_ok("grep -q \"<version>$(cat VERSION)</version>\" " S "package/EfficientAD.nuspec");
    shell_ok(COMPILE "-out:" S "ScoreImages.exe examples/ScoreImages.cs " S
                     "package/contentFiles/cs/netstandard2.0/EfficientAD.cs");
    int code = shell(MONO S "ScoreImages.exe " S "model.safetensors " S "color.ppm " S "gray.pgm >" S "out");
    ck_assert_int_le(code, 1);
    shell_ok("test \"$(printf '%.5g' $(awk 'NR == 1 { print $2 }' " S "out))\" = \"$(printf '%.5g' $(cat " S
             "score))\" && test $(grep -cE 'ppm .* (good|anomalous)$|pgm .* (good|anomalous)$' " S
             "out) = 2");
    ck_assert_int_eq(shell(MONO S "ScoreImages.exe " S "pixels " S "color.ppm 2>" S "err"), 2);
    assert_file_holds(S "err", "pixels");
    ck_assert_int_eq(shell(MONO S "ScoreImages.exe " S "model.safetensors " S "pixels 2>" S "err"), 2);
    assert_file_holds(S "err", "pixels: no binary PPM or PGM of 8 bits");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("csharp");
    TCase *tests = tcase_create("csharp");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, the_binding_says_what_the_library_says);
    tcase_add_test(tests, the_package_is_enough);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
