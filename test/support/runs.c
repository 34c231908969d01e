#include "test/support/runs.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void configure_run(EadConfig *config, const char *base, const char *run, const char *settings) {
    char setting[256];
    ASSERT_OK(ead_config_defaults(config));
    ASSERT_OK(ead_config_parse(base, strlen(base), "base", config));
    ASSERT_OK(ead_config_set_key(config, EAD_KEY_output, run));
    for (int used; sscanf(settings, "%255s%n", setting, &used) == 1; settings += used)
        ASSERT_OK(ead_config_set(config, setting, "test"));
}

void read_loss_rows(const char *run, const char *header, int count, int columns, double *values) {
    char path[256], line[256];
    int step;
    snprintf(path, sizeof path, "%slosses.csv", run);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_str_eq(fgets(line, sizeof line, file), header);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(fscanf(file, "%d", &step), 1);
        ck_assert_int_eq(step, i + 1);
        for (int c = 0; c < columns; c++) ck_assert_int_eq(fscanf(file, ",%lf", &values[i * columns + c]), 1);
        ck_assert_int_eq(fgetc(file), '\n');
    }
    ck_assert_int_eq(fgetc(file), EOF);
    fclose(file);
}

bool tensors_within(const char *a, const char *b) {
    EadSafetensors *x, *y;
    ASSERT_OK(ead_safetensors_open(a, &x));
    ASSERT_OK(ead_safetensors_open(b, &y));
    bool same = ead_safetensors_count(x) > 0;
    for (int i = 0; same && i < ead_safetensors_count(x); i++) {
        const EadFileTensor *p = ead_safetensors_at(x, i), *q = ead_safetensors_find(y, p->name);
        same = q && p->type == q->type && p->bytes == q->bytes && memcmp(p->data, q->data, p->bytes) == 0;
    }
    ead_safetensors_close(x);
    ead_safetensors_close(y);
    return same;
}

bool same_tensors(const char *a, const char *b) {
    return tensors_within(a, b) && tensors_within(b, a);
}

bool same_runs(const char *a, const char *b) {
    char x[256], y[256];
    snprintf(x, sizeof x, "%slosses.csv", a);
    snprintf(y, sizeof y, "%slosses.csv", b);
    if (!same_files(x, y)) return false;
    snprintf(x, sizeof x, "%smodel.safetensors", a);
    snprintf(y, sizeof y, "%smodel.safetensors", b);
    return same_tensors(x, y);
}

static const char *scratch = "";

void program_runs_in(const char *folder) {
    scratch = folder;
}

int run_program_suite(const char *name, const char *folder, void (*make)(void), void (*remove_all)(void),
                      void (*add_tests)(TCase *tests)) {
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    program_runs_in(folder);
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make, remove_all);
    add_tests(tests);
    return run_suite(suite);
}

/* In the child. limit: bytes that a file may grow to, as if the disk were then full; 0: none. */
static _Noreturn void become(const char *words, long limit) {
    char line[2048];
    struct rlimit size = {(rlim_t)limit, (rlim_t)limit};
    snprintf(line, sizeof line, "exec %s %s >%sout 2>%serr", getenv("PROGRAM"), words, scratch, scratch);
    if (limit > 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &size);
    }
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

pid_t start(const char *words, long limit) {
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) become(words, limit);
    return child;
}

void read_into(const char *path, char *text) {
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(text, 1, TEXT_SIZE - 1, file) : 0;
    text[size] = '\0';
    if (file) fclose(file);
}

void await(pid_t child, Outcome *outcome) {
    int status;
    while (waitpid(child, &status, 0) < 0) ck_assert_int_eq(errno, EINTR);
    *outcome = (Outcome){.code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_KILLED};
    char path[512];
    snprintf(path, sizeof path, "%sout", scratch);
    read_into(path, outcome->out);
    snprintf(path, sizeof path, "%serr", scratch);
    read_into(path, outcome->err);
    for (const char *line = outcome->err; *line; line = strchr(line, '\n') + 1) {
        outcome->lines++;
        outcome->complaints += strncmp(line, "efficientad: ", 13) == 0;
        ck_assert_msg(strchr(line, '\n'), "not a whole line: %s", line);
    }
}

void run(const char *words, long limit, Outcome *outcome) {
    await(start(words, limit), outcome);
}

void await_file(const char *path, pid_t child) {
    while (!exists(path)) {
        ck_assert_msg(waitpid(child, NULL, WNOHANG) == 0, "ended before %s was there", path);
        pause_for(0.001);
    }
}

void run_well(const char *words) {
    Outcome outcome;
    run(words, 0, &outcome);
    ck_assert_msg(outcome.code == 0 && outcome.complaints == 0, "%s: exit %d: %s", words, outcome.code,
                  outcome.err);
}

void remove_defects(const char *category, const char *kinds) {
    char command[1024];
    snprintf(command, sizeof command, "cd %s && for kind in %s; do rm -r test/$kind ground_truth/$kind; done",
             category, kinds);
    shell_ok(command);
}

void draw_parts(const char *folder, const char *options, const char *left_out) {
    char words[512];
    snprintf(words, sizeof words, "rm -rf %s", folder);
    shell_ok(words);
    snprintf(words, sizeof words, "synth --output %s --category gasket %s", folder, options);
    run_well(words);
    snprintf(words, sizeof words, "%s/gasket", folder);
    remove_defects(words, left_out);
}

int run_program(const char *folder, const char *arguments) {
    char command[2304];
    snprintf(command, sizeof command, "%s %s >%sstdout 2>%sstderr", getenv("PROGRAM"), arguments, folder,
             folder);
    return shell(command);
}
