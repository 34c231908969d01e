/* doctor: what it finds here and what it misses elsewhere. Skipped where $PROGRAM is not set. */
#define S "build/scratch/test_doctor/"
#include "test/support/runs.h"

#include <jansson.h>

static void make_scene(void) {
    if (getenv("PROGRAM")) shell_ok("rm -rf " S " && mkdir -p " S);
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

/* The JSON that a shell command with the program as $P prints; gives its exit code. */
static json_t *ask(const char *command, int *code) {
    char line[1024];
    snprintf(line, sizeof line, "P=$(realpath $PROGRAM); O=$(realpath " S ")/out.json; (%s) >$O 2>/dev/null",
             command);
    *code = shell(line);
    json_t *found = json_load_file(S "out.json", 0, NULL);
    ck_assert_msg(found != NULL, "%s: no JSON", command);
    return found;
}

static json_t *check_named(const json_t *found, const char *name) {
    size_t i;
    json_t *check;
    json_array_foreach(json_object_get(found, "checks"), i, check) {
        if (strcmp(json_string_value(json_object_get(check, "name")), name) == 0) return check;
    }
    ck_abort_msg("no check %s", name);
    return NULL;
}

static const char *text_of(const json_t *found, const char *name, const char *key) {
    const char *text = json_string_value(json_object_get(check_named(found, name), key));
    return text ? text : "";
}

START_TEST(tells_each_check_in_a_line) {
    NEED_PROGRAM();
    static const char *const names[] = {"version",   "cuda",    "mpi",    "cameras", "libraries",
                                        "cpu",       "threads", "load",   "memory",  "teachers",
                                        "backbones", "configs", "folder", "locks"};
    Outcome outcome;
    int code, missing = 0;
    json_t *found = ask("$P doctor --json", &code);
    json_t *checks = json_object_get(found, "checks");
    run("doctor", 0, &outcome);
    ck_assert_int_eq((int)json_array_size(checks), COUNT(names));
    for (int i = 0; i < COUNT(names); i++) {
        const char *state = text_of(found, names[i], "state");
        char begin[32];
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(checks, (size_t)i), "name")),
                         names[i]);
        missing += strcmp(state, "missing") == 0;
        ck_assert_int_eq(strcmp(state, "ok") == 0, text_of(found, names[i], "cure")[0] == '\0');
        snprintf(begin, sizeof begin, "  %-9s  ", names[i]);
        assert_contains(outcome.out, begin);
    }
    ck_assert_int_eq(code, missing > 0);
    ck_assert_int_eq(json_is_true(json_object_get(found, "ok")), missing == 0);
    ck_assert_int_eq(json_integer_value(json_object_get(check_named(found, "teachers"), "files")), 2);
    assert_contains(text_of(found, "teachers", "text"), "models/weights/teacher_small.safetensors (");
    assert_contains(text_of(found, "libraries", "text"), "libpng 1.");
    assert_contains(text_of(found, "libraries", "text"), "; OpenBLAS is not needed");
    json_decref(found);
    ck_assert_int_eq(shell("test -z \"$(ls -a | grep efficientad-doctor)\""), 0);
}
END_TEST

START_TEST(tells_what_was_asked_for) {
    NEED_PROGRAM();
    int code;
    json_t *found = ask("OMP_NUM_THREADS=1 EFFICIENTAD_CPU=v2 $P doctor --json", &code);
    ck_assert_int_eq(json_integer_value(json_object_get(check_named(found, "threads"), "threads")), 1);
    assert_contains(text_of(found, "threads", "text"), "OMP_NUM_THREADS is set");
#ifdef __x86_64__
    assert_contains(text_of(found, "cpu", "text"), "kernels of level v2, no AMX");
    assert_contains(text_of(found, "cpu", "cure"), "EFFICIENTAD_CPU is set");
#endif
    json_decref(found);
}
END_TEST

START_TEST(what_the_program_needs_is_missed) {
    NEED_PROGRAM();
    int code;
    shell_ok("mkdir -p " S "lonely && cp $PROGRAM " S "lonely/efficientad");
    json_t *found = ask(S "lonely/efficientad doctor --json", &code);
    ck_assert_int_eq(code, 1);
    ck_assert(json_is_false(json_object_get(found, "ok")));
    ck_assert_str_eq(text_of(found, "teachers", "state"), "missing");
    assert_contains(text_of(found, "teachers", "cure"), "make install");
    ck_assert_str_eq(text_of(found, "configs", "state"), "note");
    json_decref(found);
    SKIP_UNLESS(exists("/proc/self/stat"), "there is no /proc");
    found = ask("cd /proc && $P doctor --json", &code);
    ck_assert_int_eq(code, 1);
    ck_assert_str_eq(text_of(found, "folder", "state"), "missing");
    ck_assert_str_eq(text_of(found, "locks", "state"), "missing");
    ck_assert_str_eq(text_of(found, "teachers", "state"), "ok");
    json_decref(found);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, tells_each_check_in_a_line);
    tcase_add_test(tests, tells_what_was_asked_for);
    tcase_add_test(tests, what_the_program_needs_is_missed);
}

int main(void) {
    return run_program_suite("doctor", S, make_scene, remove_scene, add_tests);
}
