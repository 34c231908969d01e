/* The Python package: `make wheel`, installed into a bare virtual environment; its own tests are in Python
 * (test/python/test_package.py). Its tag is held against auditwheel where that can be had. */
#include "test/support/runs.h"
#include "test/support/sample_models.h"

#define S "build/scratch/test_wheel/"

START_TEST(the_package_works_where_only_numpy_is) {
    const char *library = getenv("LIBRARY");
    SKIP_UNLESS(library && strcmp(library, "build/libefficientad") == 0,
                "not the release build under make test");
    SKIP_UNLESS(shell("python3 --version >/dev/null 2>&1 && objdump --version >/dev/null 2>&1") == 0,
                "no Python or no objdump");
    shell_ok("rm -rf " S);
    save_tiny_model(S "model.safetensors", 0.25f, NULL);
    SKIP_UNLESS(shell("python3 -m venv " S "bare >/dev/null 2>&1") == 0, "no virtual environments");
    SKIP_UNLESS(shell("timeout 300 " S "bare/bin/pip install -q --no-compile numpy >/dev/null 2>&1") == 0,
                "pip cannot have numpy");
    shell_ok("env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s wheel >" S "made");
    /* Teacher included; without CUDA, whose kernels are large. */
    if (shell("build/efficientad --backends | grep -q cuda") != 0)
        shell_ok("test $(stat -c %s build/wheel/*.whl) -le 12000000");
    shell_ok(S "bare/bin/pip install -q --no-compile --no-index --no-deps build/wheel/*.whl");
    shell_ok("mkdir " S "away && cp test/python/test_package.py " S "away && cd " S "away"
             " && ../bare/bin/python test_package.py ../bare/bin/efficientad ../model.safetensors . 2>&1");
    /* The example, which exits with 1 where an image is anomalous. */
    write_noise_png(S "noise.png", 60, 40, 3, 7);
    int code = shell(S "bare/bin/python examples/score_images.py " S "model.safetensors " S "noise.png " S
                       "noise.png >" S "scores");
    ck_assert_int_le(code, 1);
    shell_ok("test $(grep -c '^" S "noise.png .* highest at [0-9]*,[0-9]* ' " S "scores) = 2");
}
END_TEST

START_TEST(the_tag_is_right) {
    SKIP_UNLESS(shell("ls build/wheel/*.whl >/dev/null 2>&1 && test -d " S "bare") == 0, "no wheel");
    SKIP_UNLESS(shell("timeout 300 " S "bare/bin/pip install -q --no-compile auditwheel >/dev/null 2>&1") ==
                    0,
                "pip cannot have auditwheel");
    shell_ok("tag=$(basename build/wheel/*.whl .whl | sed 's/.*-none-//'); " S
             "bare/bin/auditwheel show build/wheel/*.whl | tr '\\n' ' ' | grep -q \"platform tag: "
             "\\\"$tag\\\"\"");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wheel");
    TCase *tests = tcase_create("wheel");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, the_package_works_where_only_numpy_is);
    tcase_add_test(tests, the_tag_is_right);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
