/* The shared library's threads in a host program: they sleep between calls, whatever the environment says; a host with
 * OpenMP of its own says how many they are, and keeps what it had. Each case in a process of its own. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "test/support/sample_models.h"

#include "models/efficientad.h"

#include <dirent.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "build/scratch/test_team_host/"
#define MODEL  FOLDER "model.safetensors"

enum { SIDE = 96, FAILED = 1, CANNOT_BE_TRIED = 77 };

/* The library's functions, by their names. */
static struct {
    int (*open)(const char *, const EadDetectorOptions *, EadDetector **);
    int (*run)(EadDetector *, const uint8_t *, int, int, ptrdiff_t, float *, float *);
    void (*close)(EadDetector *);
} library;

static bool load_library(const char *path) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return false;
    *(void **)&library.open = dlsym(handle, "ead_detector_open_with");
    *(void **)&library.run = dlsym(handle, "ead_detector_run");
    *(void **)&library.close = dlsym(handle, "ead_detector_close");
    return library.open && library.run && library.close;
}

/* Threads of this process, or with `awake` those that are not asleep. */
static int count_threads(bool awake) {
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[300], text[400] = "";
        if (*task->d_name == '.') continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
        FILE *stream = fopen(path, "r");
        const char *name_end = stream && fgets(text, sizeof text, stream) ? strrchr(text, ')') : NULL;
        count += !awake || (name_end && name_end[2] != 'S');
        if (stream) fclose(stream);
    }
    closedir(tasks);
    return count;
}

static bool all_but_me_fall_asleep(void) {
    for (int i = 0; i < 500 && count_threads(true) > 1; i++) poll(NULL, 0, 10);
    return count_threads(true) == 1;
}

/* The threads that there are after a call of a detector with that many; 0: its own number. */
static int threads_after_a_call(int threads, float *score) {
    static uint8_t image[SIDE * SIDE * 3];
    EadDetectorOptions options = {.size = sizeof options, .threads = threads};
    EadDetector *detector;
    if (library.open(MODEL, &options, &detector) != 0) return -1;
    int status = library.run(detector, image, SIDE, SIDE, 3 * SIDE, NULL, score);
    library.close(detector);
    return status == 0 ? count_threads(false) : -1;
}

/* `TEST sleep LIBRARY` */
static int run_sleeping(const char *path) {
    float one, three;
    if (!load_library(path)) return FAILED;
    if (dlsym(RTLD_DEFAULT, "omp_get_max_threads"))
        return CANNOT_BE_TRIED; /* came with the test's libraries */
    if (threads_after_a_call(1, &one) != 1) return 2;
    if (threads_after_a_call(3, &three) != 3 || one != three) return 3;
    return all_but_me_fall_asleep() ? 0 : 4;
}

/* `TEST host LIBRARY`: GCC's OpenMP is there. */
static int run_beside_openmp(const char *path) {
    void *openmp = dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
    void (*set)(int) = NULL;
    int (*get)(void) = NULL;
    float score;
    if (!openmp) return CANNOT_BE_TRIED;
    if (!load_library(path)) return FAILED;
    *(void **)&set = dlsym(openmp, "omp_set_num_threads");
    *(void **)&get = dlsym(openmp, "omp_get_max_threads");
    set(5);
    if (threads_after_a_call(0, &score) != 5) return 2;
    set(7); /* later on, too */
    if (threads_after_a_call(0, &score) != 7) return 3;
    set(1);
    if (threads_after_a_call(2, &score) != 7 || get() != 1)
        return 4; /* those that there are, two of which work */
    return all_but_me_fall_asleep() ? 0 : 5;
}

static void check_anew(const char *kind) {
    char path[4096], program[4096] = "";
    int status;
    SKIP_UNLESS(getenv("LIBRARY") && !SANITIZED, "LIBRARY is not set, or needs a sanitizer's program");
    snprintf(path, sizeof path, "%s.so", getenv("LIBRARY"));
    char *library_path = realpath(path, NULL);
    SKIP_UNLESS(library_path, "no shared library");
    char command[8192];
    snprintf(command, sizeof command, "ldd %s | grep -q omp", library_path);
    SKIP_UNLESS(system(command) != 0, "another compiler's OpenMP");
    ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof program - 1), 0);
    pid_t child = fork();
    if (child == 0) {
        unsetenv("OMP_NUM_THREADS");
        setenv("OMP_WAIT_POLICY", "active", 1);
        execl(program, program, kind, library_path, (char *)NULL);
        _exit(FAILED);
    }
    free(library_path);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    SKIP_UNLESS(!WIFEXITED(status) || WEXITSTATUS(status) != CANNOT_BE_TRIED, "cannot be tried here");
    ck_assert_msg(status == 0, "%s: wait status %d", kind, status);
}

START_TEST(threads_sleep_between_calls) {
    check_anew("sleep");
}
END_TEST

START_TEST(the_hosts_openmp_is_asked_and_left_alone) {
    check_anew("host");
}
END_TEST

static void set_up(void) {
    make_folders(FOLDER);
    save_tiny_model(MODEL, NAN, NULL);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "sleep") == 0) return run_sleeping(argv[2]);
    if (argc == 3 && strcmp(argv[1], "host") == 0) return run_beside_openmp(argv[2]);
    Suite *suite = suite_create("team in a host");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, threads_sleep_between_calls);
    tcase_add_test(tests, the_hosts_openmp_is_asked_and_left_alone);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
