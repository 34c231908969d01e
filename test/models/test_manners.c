/* The library towards its host: bad arguments, locales, modes of numbers, fork(), threads, limits. */
#define _GNU_SOURCE /* setgroups */
#include "models/efficientad.h"
#include "test/support/sample_models.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <grp.h>
#include <locale.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FOLDER "build/scratch/test_manners/"
#define MODEL  FOLDER "model.safetensors"

enum { WIDTH = 150, HEIGHT = 90, ROW = 3 * WIDTH, PATIENCE = 120 };

static uint8_t image[HEIGHT * ROW];

static float score_of(EadDetector *detector) {
    float score = NAN;
    ead_detector_run(detector, image, WIDTH, HEIGHT, ROW, NULL, &score);
    return score;
}

static EadDetector *open_tiny(void) {
    EadDetector *detector;
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    return detector;
}

/* ---- arguments ---- */

START_TEST(null_is_refused) {
    EadDetector *detector;
    float score;
    ASSERT_FAILS((EadStatus)ead_detector_open(NULL, &detector), EAD_BAD_ARGUMENT, "no path");
    ASSERT_FAILS((EadStatus)ead_detector_open_with("", NULL, &detector), EAD_BAD_ARGUMENT, "no path");
    ASSERT_FAILS((EadStatus)ead_detector_open(MODEL, NULL), EAD_BAD_ARGUMENT, "out is NULL");
    ASSERT_FAILS((EadStatus)ead_detector_open_with(MODEL, NULL, NULL), EAD_BAD_ARGUMENT, "out is NULL");
    ASSERT_FAILS((EadStatus)ead_detector_open_memory(NULL, 9, NULL, &detector), EAD_BAD_ARGUMENT,
                 "bytes is NULL");
    ASSERT_FAILS((EadStatus)ead_detector_run(NULL, image, WIDTH, HEIGHT, ROW, NULL, &score), EAD_BAD_ARGUMENT,
                 "no detector");
    detector = open_tiny();
    ASSERT_FAILS((EadStatus)ead_detector_run(detector, NULL, WIDTH, HEIGHT, ROW, NULL, &score),
                 EAD_BAD_ARGUMENT, "pixels are NULL");
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, WIDTH, HEIGHT, ROW, NULL, NULL));
    ead_detector_close(detector);
    ead_detector_close(NULL);
    ck_assert_int_eq(ead_detector_model_width(NULL), 0);
    ck_assert_int_eq(ead_detector_model_height(NULL), 0);
    ck_assert(isnan(ead_detector_threshold(NULL)));
    ck_assert(isnan(ead_detector_pixel_threshold(NULL)));
    ck_assert_ptr_null(ead_detector_threshold_rule(NULL));
    ck_assert_ptr_null(ead_detector_method(NULL));
    ck_assert_ptr_null(ead_detector_maps(NULL));
    ck_assert_ptr_null(ead_detector_metadata(NULL, "config"));
    ck_assert_ptr_null(ead_detector_metadata_key(NULL, 0));
    ck_assert_int_eq(ead_detector_metadata_count(NULL), 0);
}
END_TEST

START_TEST(out_is_null_after_every_failure) {
    static const struct {
        const char *path;
        EadDetectorOptions options;
    } cases[] = {{NULL, {0}},
                 {"", {0}},
                 {FOLDER "none", {0}},
                 {FOLDER, {0}},
                 {FOLDER "text", {0}},
                 {FOLDER "cut", {0}},
                 {MODEL, {.max_pixels = -1}},
                 {MODEL, {.max_pixels = INT64_MIN}},
                 {MODEL, {.device = "tpu"}},
                 {MODEL, {.device = "cuda:99"}},
                 {MODEL, {.precision = "fp17"}},
                 {MODEL, {.maps = "rgb"}},
                 {MODEL, {.threads = -1}},
                 {MODEL, {.threads = 1025}},
                 {MODEL, {.batch = -1}},
                 {MODEL, {.batch = 1025}},
                 {MODEL, {.precision = "tf32"}}};
    write_text(FOLDER "text", "{\"no\": \"model\"}");
    shell_ok("head -c 5000 " MODEL " >" FOLDER "cut");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadDetector *detector = (EadDetector *)(void *)image;
        EadDetectorOptions options = cases[i].options;
        options.size = sizeof options;
        ck_assert_int_gt(ead_detector_open_with(cases[i].path, &options, &detector), 0);
        ck_assert_ptr_null(detector);
        ead_detector_close(detector);
    }
}
END_TEST

START_TEST(strides_that_cannot_be_are_refused) {
    static const ptrdiff_t strides[] = {
        100, 0, 3, ROW - 1, 1 - ROW, PTRDIFF_MAX, PTRDIFF_MIN, -ROW + 100, PTRDIFF_MAX / HEIGHT + 1};
    EadDetector *detector = open_tiny();
    float score = 7;
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++)
        ASSERT_FAILS((EadStatus)ead_detector_run(detector, image, WIDTH, HEIGHT, strides[i], NULL, &score),
                     EAD_BAD_ARGUMENT, "bytes from row to row; a row of 150 pixels has 450 bytes");
    ck_assert_float_eq(score, 7);
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, WIDTH, 1, 0, NULL, &score)); /* the only row */
    ead_detector_close(detector);
}
END_TEST

START_TEST(rows_may_be_padded_and_stored_from_the_last) {
    enum { STRIDE = ROW + 14 };
    uint8_t *padded = calloc(HEIGHT, STRIDE), *turned = calloc(HEIGHT, STRIDE);
    EadDetector *detector = open_tiny();
    float expected = score_of(detector), one, two;
    for (int y = 0; y < HEIGHT; y++) {
        memcpy(padded + y * STRIDE, image + y * ROW, ROW);
        memcpy(turned + (HEIGHT - 1 - y) * STRIDE, image + y * ROW, ROW);
    }
    ASSERT_OK((EadStatus)ead_detector_run(detector, padded, WIDTH, HEIGHT, STRIDE, NULL, &one));
    ASSERT_OK((EadStatus)ead_detector_run(detector, turned + (HEIGHT - 1) * STRIDE, WIDTH, HEIGHT, -STRIDE,
                                          NULL, &two));
    ck_assert_float_eq(one, expected);
    ck_assert_float_eq(two, expected);
    ead_detector_close(detector);
    free(padded);
    free(turned);
}
END_TEST

/* The reason stands at the end of a line, however long the name is before it. */
START_TEST(long_names_leave_room_for_the_reason) {
    static char path[100001];
    EadDetector *detector;
    const EadDetectorOptions options = {.size = sizeof options, .device = path};
    memset(path, 'n', sizeof path - 1);
    ASSERT_FAILS((EadStatus)ead_detector_open(path, &detector), EAD_IO, "n: cannot open: File name too long");
    path[5000] = '\0';
    ASSERT_FAILS((EadStatus)ead_detector_open(path, &detector), EAD_IO, "cannot open: File name too long");
    ck_assert_int_gt(ead_detector_open_with(MODEL, &options, &detector), 0);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "this build has the backends"));
    for (int i = 0; i < 1500; i += 100) path[i] = '/';
    path[1500] = '\0';
    ASSERT_FAILS((EadStatus)ead_detector_open(path, &detector), EAD_IO, "cannot open: No such file");
    path[1000] = '\0';
    ASSERT_FAILS((EadStatus)ead_detector_open(path, &detector), EAD_IO, "n: cannot open: No such file");
}
END_TEST

/* ---- locales and modes ---- */

static bool make_comma_locale(void) {
    setenv("LOCPATH", FOLDER "locales", 1);
    shell_ok("mkdir -p " FOLDER "locales; localedef -i de_DE -f UTF-8 $PWD/" FOLDER
             "locales/de_DE.UTF-8 >" FOLDER "localedef.log 2>&1 || true");
    bool made = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    unsetenv(
        "LOCPATH"); /* a program that is started later would read it, and libp11-kit's start then leaks */
    return made;
}

static bool writes_comma(void) {
    char text[8];
    snprintf(text, sizeof text, "%.1f", 0.5);
    return strcmp(text, "0,5") == 0;
}

/* The process's locale and the thread's: numbers of the file are read, those of messages written with a point, and
 * the host keeps what it had. */
START_TEST(a_decimal_comma_does_not_matter) {
    EadDetector *detector = open_tiny();
    float expected = score_of(detector);
    ead_detector_close(detector);
    SKIP_UNLESS(make_comma_locale(), "no locale with a comma can be made here");
    ck_assert(writes_comma());
    locale_t own = duplocale(LC_GLOBAL_LOCALE); /* glibc's newlocale() leaks the LOCPATH that it parsed */
    for (int thread = 0; thread < 2; thread++) {
        if (thread) setlocale(LC_ALL, "C"), uselocale(own);
        locale_t before = uselocale((locale_t)0);
        detector = open_tiny();
        ck_assert_float_eq(ead_detector_threshold(detector), 0.25f);
        ck_assert_float_eq(score_of(detector), expected);
        ead_detector_close(detector);
        ASSERT_FAILS((EadStatus)ead_detector_open(FOLDER "broken.safetensors", &detector), EAD_BAD_FILE,
                     "teacher_std[0] is -0.5,");
        ck_assert(writes_comma());
        ck_assert_ptr_eq(uselocale((locale_t)0), before);
    }
    uselocale(LC_GLOBAL_LOCALE);
    freelocale(own);
}
END_TEST

/* How a host rounds, that it stops at bad numbers, and that it takes tiny ones for 0: none of it changes a score,
 * and all of it stays. */
START_TEST(modes_of_numbers_do_not_matter) {
    static const int roundings[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    EadDetector *detector = open_tiny();
    float expected = score_of(detector);
    ead_detector_close(detector);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(fesetround(roundings[i]), 0);
        detector = open_tiny();
        float score = score_of(detector);
        int rounding = fegetround();
        fesetround(FE_TONEAREST);
        ck_assert_float_eq(score, expected);
        ck_assert_int_eq(rounding, roundings[i]);
        ead_detector_close(detector);
    }
    feenableexcept(FE_ALL_EXCEPT);
    detector = open_tiny();
    float score = score_of(detector);
    int excepts = fegetexcept();
    fedisableexcept(FE_ALL_EXCEPT);
    ck_assert_float_eq(score, expected);
    ck_assert_int_eq(excepts, FE_ALL_EXCEPT);
    ead_detector_close(detector);
}
END_TEST

/* ---- processes and threads ---- */

/* Waits for a child; one that hangs ends by SIGALRM. */
static void check_child(pid_t child) {
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %d", status);
}

static int score_is(EadDetector *detector, float expected) {
    return detector && score_of(detector) == expected ? 0 : 1;
}

/* Its parent's detector, one of its own, and the same in a child of the child. */
static int work_as_child(EadDetector *parents, float expected, int depth) {
    EadDetector *own;
    alarm(PATIENCE);
    if (score_is(parents, expected) != 0) return 1;
    if (ead_detector_open(MODEL, &own) != 0 || score_is(own, expected) != 0) return 2;
    ead_detector_close(own);
    pid_t child = depth > 0 ? fork() : -1;
    if (child == 0) _exit(work_as_child(parents, expected, depth - 1));
    int status = 0;
    if (child > 0) waitpid(child, &status, 0);
    return status ? 3 : 0;
}

START_TEST(children_of_fork_work) {
    omp_set_num_threads(4);
    EadDetector *detector = open_tiny();
    float expected = score_of(detector);
    pid_t child = fork();
    if (child == 0) _exit(work_as_child(detector, expected, 1));
    check_child(child);
    ck_assert_int_eq(omp_get_max_threads(), 4);
    ck_assert_float_eq(score_of(detector), expected); /* the parent goes on */
    ead_detector_close(detector);
}
END_TEST

START_TEST(children_are_refused_on_a_gpu) {
    EadDetector *detector;
    const EadDetectorOptions options = {.size = sizeof options, .device = "cuda"};
    SKIP_UNLESS(ead_detector_open_with(MODEL, &options, &detector) == 0, ead_error_message());
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        int status = ead_detector_run(detector, image, WIDTH, HEIGHT, ROW, NULL, NULL);
        _exit(status == EAD_UNSUPPORTED ? 0 : 1);
    }
    check_child(child);
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, WIDTH, HEIGHT, ROW, NULL, NULL));
    ead_detector_close(detector);
}
END_TEST

/* This program anew, as `TEST alone`: OpenMP is the host's before it is ours, and the child the first to use us. */
static int run_alone(void) {
    EadDetector *detector;
    int threads = 0, status = 0;
#pragma omp parallel num_threads(3) reduction(+ : threads)
    threads++;
    if (threads != 3) return 77;
    fill_noise(image, sizeof image, 5);
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        _exit(ead_detector_open(MODEL, &detector) == 0 && isfinite(score_of(detector)) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return status ? 1 : 0;
}

static void check_anew(const char *kind, const char *word) {
    char program[4096] = "";
    int status;
    ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof program - 1), 0);
    pid_t child = fork();
    if (child == 0) execl(program, program, kind, word, (char *)NULL), _exit(1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    SKIP_UNLESS(!WIFEXITED(status) || WEXITSTATUS(status) != 77, "cannot be tried here");
    ck_assert_msg(status == 0, "%s: wait status %d", kind, status);
}

START_TEST(children_of_a_host_with_threads_work) {
    check_anew("alone", NULL);
}
END_TEST

/* As plugins do it: nothing may run that is no longer there, and nothing pile up. `TEST plugin LIBRARY`. */
static int run_plugin(const char *library) {
    omp_set_num_threads(4);
    for (int i = 0; i < 5; i++) {
        int (*open_)(const char *, EadDetector **);
        void (*close_)(EadDetector *);
        EadDetector *detector;
        void *plugin = dlopen(library, RTLD_NOW | RTLD_LOCAL), *symbol = NULL;
        if (!plugin || !(symbol = dlsym(plugin, "ead_detector_open"))) return puts(dlerror()), 1;
        memcpy(&open_, &symbol, sizeof symbol);
        symbol = dlsym(plugin, "ead_detector_close");
        memcpy(&close_, &symbol, sizeof symbol);
        if (open_(MODEL, &detector) != 0) return 2;
        close_(detector);
        if (dlclose(plugin) != 0) return 3;
    }
    void *plugin = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    return plugin ? 0 : 4; /* it stays, for the threads that it made stay */
}

START_TEST(plugins_may_be_closed) {
    char library[4096];
    SKIP_UNLESS(getenv("LIBRARY") && !SANITIZED, "LIBRARY is not set, or needs a sanitizer's program");
    snprintf(library, sizeof library, "%s.so", getenv("LIBRARY"));
    SKIP_UNLESS(exists(library), "no shared library");
    check_anew("plugin", realpath(library, NULL));
}
END_TEST

static struct {
    EadDetector *detector;
    float expected;
    int scores, refused;
} meeting;

static void *meet(void *unused) {
    for (int i = 0; i < 20; i++) {
        float score = NAN;
        int status = ead_detector_run(meeting.detector, image, WIDTH, HEIGHT, ROW, NULL, &score);
        bool refused = status == EAD_BUSY && strstr(ead_error_message(), "another thread works with this");
        if (status == 0 && score == meeting.expected)
            __atomic_fetch_add(&meeting.scores, 1, __ATOMIC_RELAXED);
        if (refused) __atomic_fetch_add(&meeting.refused, 1, __ATOMIC_RELAXED);
    }
    return unused;
}

/* It belongs to one at a time; who comes meanwhile is told, and disturbs nobody. */
START_TEST(threads_do_not_share_a_detector) {
    pthread_t others[3];
    meeting.detector = open_tiny();
    meeting.expected = score_of(meeting.detector);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pthread_create(&others[i], NULL, meet, NULL), 0);
    for (int i = 0; i < 3; i++) pthread_join(others[i], NULL);
    ck_assert_int_eq(meeting.scores + meeting.refused, 60);
    ck_assert_int_gt(meeting.scores, 0);
    ck_assert_float_eq(score_of(meeting.detector), meeting.expected);
    ead_detector_close(meeting.detector);
}
END_TEST

/* This program anew, as `TEST limited KIND SCORE`: many threads are wanted, few or none can be had. */
static int run_limited(const char *kind, const char *score) {
    struct rlimit limit = {1, 1};
    bool stacks = strstr(kind, "stacks") != NULL; /* nothing is limited, but there is not as much */
    int which = stacks ? RLIMIT_CORE : strcmp(kind, "processes") == 0 ? RLIMIT_NPROC : RLIMIT_AS;
    if (which == RLIMIT_NPROC && geteuid() == 0 && (setgroups(0, NULL) != 0 || setuid(65534) != 0)) return 77;
    if (which == RLIMIT_NPROC && access(MODEL, R_OK) != 0) return 77;
    if (which == RLIMIT_AS) limit.rlim_cur = limit.rlim_max = (rlim_t)600 << 20;
    if (setrlimit((__rlimit_resource_t)which, &limit) != 0) return 77;
    EadDetector *detector;
    omp_set_num_threads(200);
    alarm(PATIENCE);
    fill_noise(image, sizeof image, 5);
    if (ead_detector_open(MODEL, &detector) != 0) return puts(ead_error_message()), 1;
    if (fabsf(score_of(detector) - strtof(score, NULL)) > 1e-6f) return 2;
    if (omp_get_max_threads() != 200) return 3;
    ead_detector_close(detector);
    return 0;
}

/* What OpenMP would end the process at. */
START_TEST(threads_that_cannot_be_had_are_done_without) {
    static const char *const kinds[] = {"processes", "address space", "stacks", "other stacks"};
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    EadDetector *detector = open_tiny();
    char score[32], program[4096] = "";
    snprintf(score, sizeof score, "%.9g", (double)score_of(detector));
    ead_detector_close(detector);
    ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof program - 1), 0);
    for (int i = 0; i < 4; i++) {
        int status;
        pid_t child = fork();
        if (child == 0 && i >= 2)
            setenv(i == 2 ? "OMP_STACKSIZE" : "GOMP_STACKSIZE", i == 2 ? "100000g" : "90000000000", 1);
        if (child == 0) execl(program, program, "limited", kinds[i], score, (char *)NULL), _exit(1);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            printf("skipped: no limit on %s here\n", kinds[i]);
        else
            ck_assert_msg(status == 0, "%s: wait status %d", kinds[i], status);
    }
}
END_TEST

static void *score_alone(void *context) {
    EadDetector *detector = open_tiny();
    *(float *)context = score_of(detector);
    ead_detector_close(detector);
    return NULL;
}

/* The stack that models/efficientad.h asks for is enough. */
START_TEST(a_small_stack_is_enough) {
    pthread_attr_t attributes;
    pthread_t thread;
    float score = 0, expected;
    SKIP_UNLESS(!SANITIZED, "sanitizers take more of the stack");
    score_alone(&expected);
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, 128 << 10), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, score_alone, &score), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    ck_assert_float_eq(score, expected);
}
END_TEST

static void set_up(void) {
    make_folders(FOLDER);
    save_tiny_model(MODEL, 0.25f, NULL);
    EadEfficientad *broken = tiny_model();
    EadSafetensorsWriter *writer;
    broken->teacher_std[0] = -0.5f;
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_model_write(&broken->base, writer));
    ASSERT_OK(ead_safetensors_writer_write(writer, FOLDER "broken.safetensors"));
    ead_safetensors_writer_free(writer);
    ead_efficientad_free(broken);
    fill_noise(image, sizeof image, 5);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "limited") == 0) return run_limited(argv[2], argv[3]);
    if (argc == 2 && strcmp(argv[1], "alone") == 0) return run_alone();
    if (argc == 3 && strcmp(argv[1], "plugin") == 0) return run_plugin(argv[2]);
    Suite *suite = suite_create("manners");
    TCase *cases = tcase_create("all");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 0);
    tcase_add_unchecked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, null_is_refused);
    tcase_add_test(cases, out_is_null_after_every_failure);
    tcase_add_test(cases, strides_that_cannot_be_are_refused);
    tcase_add_test(cases, rows_may_be_padded_and_stored_from_the_last);
    tcase_add_test(cases, long_names_leave_room_for_the_reason);
    tcase_add_test(cases, a_decimal_comma_does_not_matter);
    tcase_add_test(cases, modes_of_numbers_do_not_matter);
    tcase_add_test(cases, children_of_fork_work);
    tcase_add_test(cases, children_are_refused_on_a_gpu);
    tcase_add_test(cases, children_of_a_host_with_threads_work);
    tcase_add_test(cases, plugins_may_be_closed);
    tcase_add_test(cases, threads_do_not_share_a_detector);
    tcase_add_test(cases, threads_that_cannot_be_had_are_done_without);
    tcase_add_test(cases, a_small_stack_is_enough);
    return run_suite(suite);
}
