/* `make deb`: the packages pass lintian, depend on what they use, and are enough to predict and to build the example.
 * test/packages/clean_system.sh installs them in a fresh system. */
#include "test/support/runs.h"
#include "test/support/sample_models.h"

#include <math.h>

#define S    "build/scratch/test_deb/"
#define ROOT S "root/"
/* The field of a package's control data holds that. */
#define HOLDS(package, field, expression)                                                                    \
    shell_ok("dpkg-deb -f build/deb/" package "_*.deb " field " | grep -qE '" expression "'")

static void look_into_the_packages(void) {
    HOLDS("libefficientad0", "Depends", "libc6 .*libjansson4");
    HOLDS("efficientad", "Depends", "libjpeg.*libmicrohttpd.*libpng.*libtiff.*libwebp.*libyaml.*libzip");
    HOLDS("libefficientad-dev", "Depends", "libefficientad0 \\(= [0-9.]*\\), libjansson-dev");
    HOLDS("efficientad-data", "Architecture", "^all$");
    shell_ok("for unit in efficientad efficientad-watch; do dpkg-deb -c build/deb/efficientad_*.deb |"
             " grep \" ./lib/systemd/system/$unit.service$\" >/dev/null || exit 1; done");
    shell_ok("! dpkg-deb -f build/deb/libefficientad0_*.deb Depends | grep -E 'blas|gomp|png|tiff'");
    /* Programs take no library of another minor version below 1.0. */
    shell_ok("minor=$(cut -d. -f2 VERSION) && dpkg-deb -I build/deb/libefficientad0_*.deb shlibs | grep -qF "
             "\"libefficientad 0 libefficientad0 (>= 0.$minor), libefficientad0 (<< 0.$((minor + 1))~)\"");
    if (shell("lintian --version >/dev/null 2>&1") != 0) return;
    /* Whoever publishes them gives an address. */
    shell_ok("lintian --allow-root --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog"
             " build/deb/*.deb >" S "lintian 2>&1 || true; ! grep '^[EW]:' " S "lintian >&2");
}

static void use_them(void) {
    EadDetector *detector;
    float score;
    char said[TEXT_SIZE];
    save_tiny_model(S "model.safetensors", 1e6f, NULL);
    write_noise_png(S "noise.png", 60, 40, 3, 7);
    shell_ok("for deb in build/deb/*.deb; do dpkg-deb -x $deb " ROOT "; done");
    shell_ok(ROOT "usr/bin/efficientad doctor >" S "doctor");
    shell_ok("grep -q '^ok  *teachers .*" ROOT "usr/share/efficientad/teacher_small' " S "doctor");
    shell_ok("export LD_LIBRARY_PATH=$(dirname $PWD/" ROOT "usr/lib/*/libefficientad.a)"
             " PKG_CONFIG_SYSROOT_DIR=$PWD/" ROOT " && export PKG_CONFIG_PATH=$LD_LIBRARY_PATH/pkgconfig"
             " && cc -o " S "score_image " ROOT "usr/share/doc/libefficientad-dev/examples/score_image.c"
             " -I" ROOT "usr/include -L$LD_LIBRARY_PATH $(pkg-config --libs efficientad)"
             " && { printf 'P6\\n60 40\\n255\\n'; yes 0123456789 | head -c 7200; } >" S "image.ppm"
             " && " S "score_image " S "model.safetensors " S "image.ppm >" S "example");
    ASSERT_OK((EadStatus)ead_detector_open(S "model.safetensors", &detector));
    free(library_map(detector, S "noise.png", &score));
    ead_detector_close(detector);
    shell_ok(ROOT "usr/bin/efficientad predict --quiet --model " S "model.safetensors " S "noise.png >" S
                  "said");
    read_into(S "said", said);
    assert_contains(said, "\"score\":");
    ck_assert_float_le(fabsf((float)atof(strstr(said, "\"score\":") + 8) - score), 1e-5f * score);
    assert_file_holds(S "example", "threshold 1e+06, highest at ");
}

START_TEST(the_packages_are_sound) {
    const char *library = getenv("LIBRARY");
    SKIP_UNLESS(library && strcmp(library, "build/libefficientad") == 0,
                "not the release build under make test");
    SKIP_UNLESS(shell("command -v dh >/dev/null && git rev-parse HEAD >/dev/null 2>&1") == 0,
                "no debhelper, or not in a clone");
    shell_ok("rm -rf " S " && mkdir -p " S);
    /* Made in a third of the time: how fast and to which last bit they count, and their size, are for others. */
    shell_ok("env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u CFLAGS DEB_CFLAGS_APPEND='-O1 -g0' "
             "DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1 make -s deb CUDA=0 "
             "PACKAGES_CHECKED=1 >" S "made 2>&1"
             " || { tail -n 20 " S "made >&2; false; }");
    look_into_the_packages();
    use_them();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deb");
    TCase *tests = tcase_create("deb");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, the_packages_are_sound);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
