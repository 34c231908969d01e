/* efficientad bench infer|step|ops|metrics|distill|features|loader: runs the measurements, prints and writes the
 * results. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"
#include "bench/benchmarks.h"
#include "core/file/output_check.h"
#include "train/cli/arguments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef EadStatus Measurement(const EadBenchOptions *options, EadBenchResults *results);

static Measurement *measurement(const char *word) {
    static const struct {
        const char *word;
        Measurement *measurement;
    } rows[] = {
#define ROW(word) {#word, ead_bench_##word},
        EAD_BENCHMARKS(ROW)
#undef ROW
    };
    size_t i = 0;
    while (strcmp(word, rows[i].word) != 0) i++; /* one of them: the command line is checked */
    return rows[i].measurement;
}

/* Of the option, or else of the key where that is set. */
static EadSize read_size(const EadArguments *arguments, const EadConfig *config) {
    bool given[EAD_CONFIG_KEYS];
    ead_arguments_given_keys(arguments, given);
    bool by_key =
        given[EAD_KEY_model_image_size] && !ead_arguments_given(arguments, EAD_OPTION_BENCH_IMAGE_SIZE);
    return by_key ? config->model_image_size
                  : ead_arguments_value(arguments, EAD_OPTION_BENCH_IMAGE_SIZE).size;
}

static EadBenchOptions read_options(const EadArguments *arguments, const EadConfig *config,
                                    const EadBenchMachine *machine) {
    EadSize size = read_size(arguments, config);
    bool repeat = ead_arguments_given(arguments, EAD_OPTION_BENCH_REPEAT);
    return (EadBenchOptions){
        .settings = arguments->settings,
        .setting_count = arguments->setting_count,
        .height = size.height,
        .width = size.width,
        .batch = (int)ead_arguments_value(arguments, EAD_OPTION_BENCH_BATCH).i64,
        .own_set = ead_arguments_given(arguments, EAD_OPTION_BENCH_IMAGE_SIZE) ||
                   ead_arguments_given(arguments, EAD_OPTION_BENCH_BATCH),
        .repeat = repeat ? (int)ead_arguments_value(arguments, EAD_OPTION_BENCH_REPEAT).i64 : 0,
        .load = (int)ead_arguments_value(arguments, EAD_OPTION_BENCH_LOAD).i64,
        .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET),
        .errors = ead_arguments_given(arguments, EAD_OPTION_BENCH_ERRORS),
        .peak_gflop_per_s = arguments->backend->device ? NAN : machine->peak_gflop_per_s,
    };
}

/* Whether what was measured of this kind goes by the size; if not, it is measured once. */
static bool goes_by_size(const EadBenchResults *results, const char *bench, const char *size) {
    for (int i = 0; i < results->count; i++)
        if (strcmp(results->items[i].bench, bench) == 0 && strcmp(results->items[i].model, size) == 0)
            return true;
    return false;
}

static EadStatus measure(const EadArguments *arguments, EadBenchOptions *options, EadBenchResults *results) {
    int64_t wanted = ead_arguments_value(arguments, EAD_OPTION_BENCH_SIZE).i64;
    static const char *const sizes[] = {"small", "medium"};
    for (int size = EAD_SIZE_CHOICE_SMALL; size <= EAD_SIZE_CHOICE_MEDIUM; size++) {
        if (wanted != EAD_BENCH_SIZE_BOTH && wanted != size) continue;
        options->size = sizes[size];
        for (int i = 0; i < arguments->path_count; i++) {
            const char *word = arguments->paths[i];
            bool again = wanted == EAD_BENCH_SIZE_BOTH && size > EAD_SIZE_CHOICE_SMALL;
            if (again && !goes_by_size(results, word, sizes[0])) continue;
            EAD_TRY(measurement(word)(options, results));
            if (options->simulated_count > 0 && (strcmp(word, "infer") == 0 || strcmp(word, "step") == 0))
                EAD_TRY(ead_bench_simulate(options, word, results));
        }
    }
    return EAD_OK;
}

static bool measures(const EadArguments *arguments, const char *word) {
    for (int i = 0; i < arguments->path_count; i++)
        if (strcmp(arguments->paths[i], word) == 0) return true;
    return false;
}

enum { MOST_SIMULATED = 16, MOST_THREADS = 1024 };

/* "4,8,16" to [MOST_SIMULATED]. */
static EadStatus read_simulated(const char *text, int *threads, int *count) {
    *count = 0;
    for (const char *at = text; *at; at += *at == ',') {
        char *end;
        long number = strtol(at, &end, 10);
        bool follows = *end == ',' && end[1];
        if (end == at || number < 1 || number > MOST_THREADS || (*end && !follows) ||
            *count == MOST_SIMULATED)
            return ead_fail(EAD_BAD_ARGUMENT,
                            "--simulate-threads: '%s' is no list of at most %d numbers from 1 to %d, such as "
                            "4,8,16",
                            text, MOST_SIMULATED, MOST_THREADS);
        threads[(*count)++] = (int)number;
        at = end;
    }
    return EAD_OK;
}

static EadStatus check_simulated(const EadArguments *arguments, const EadPlanOptions *plan) {
    int threads[MOST_SIMULATED], count;
    const char *text = ead_arguments_text(arguments, EAD_OPTION_BENCH_SIMULATE);
    if (!text) return EAD_OK;
    EAD_TRY(read_simulated(text, threads, &count));
    if (!measures(arguments, "infer") && !measures(arguments, "step"))
        return ead_fail(EAD_BAD_ARGUMENT, "--simulate-threads is for infer and step; name one of them");
    if (plan->backend && plan->backend->device)
        return ead_fail(EAD_UNSUPPORTED,
                        "--simulate-threads is about a CPU's threads: it needs --device cpu");
    return EAD_OK;
}

/* What of the measurements asked for cannot be made. */
static void check_measurements(const EadArguments *arguments, const EadConfig *config,
                               const EadPlanOptions *plan, EadProblems *problems) {
    const EadFit *fit = NULL;
    bool of_method =
        measures(arguments, "infer") || measures(arguments, "step") || measures(arguments, "ops");
    bool errors = ead_arguments_given(arguments, EAD_OPTION_BENCH_ERRORS);
    if (of_method && !ead_config_was_refused(config, EAD_KEY_model_method))
        ead_problems_add(problems, ead_fit_of_config(config, &fit));
    if (fit && plan->backend && measures(arguments, "step"))
        ead_problems_add(problems, ead_bench_check_step(fit, plan));
    ead_problems_add(problems, check_simulated(arguments, plan));
    if (errors && plan->backend && plan->backend->device && measures(arguments, "ops"))
        ead_problems_add(
            problems,
            ead_fail(EAD_UNSUPPORTED, "--errors reads the values of every call: it needs --device cpu"));
}

/* The folder is not made for it. */
static EadStatus check_output(const char *path, const char *option) {
    EadPath folder;
    EAD_TRY(ead_check_output_file(path, option));
    EAD_TRY(ead_path_folder(folder, path));
    if (!*folder || ead_path_is_folder(folder)) return EAD_OK;
    return ead_fail(EAD_IO, "%s: cannot write: there is no folder %s; make it, or %s names another place",
                    path, folder, option);
}

static void check_all(const EadArguments *arguments, EadConfig *config, EadPlanOptions *plan) {
    const char *json = ead_arguments_text(arguments, EAD_OPTION_BENCH_JSON);
    const char *csv = ead_arguments_text(arguments, EAD_OPTION_BENCH_CSV);
    EadProblems *problems = &config->problems;
    (void)ead_arguments_configure(arguments, config);
    ead_problems_add(problems, ead_arguments_plan_options(arguments, plan));
    check_measurements(arguments, config, plan, problems);
    if (json) ead_problems_add(problems, check_output(json, "--json"));
    if (csv) ead_problems_add(problems, check_output(csv, "--csv"));
    if (json && csv && ead_outputs_collide(json, csv))
        ead_problems_add(
            problems, ead_fail(EAD_BAD_ARGUMENT, "--json and --csv name the same file: %s, %s", json, csv));
}

static EadStatus run(const EadArguments *arguments, const EadConfig *config, const EadPlanOptions *plan) {
    EadBenchMachine machine = ead_bench_machine(arguments->backend);
    EadBenchOptions options = read_options(arguments, config, &machine);
    EadBenchResults results = {0};
    int simulated[MOST_SIMULATED];
    const char *json = ead_arguments_text(arguments, EAD_OPTION_BENCH_JSON);
    const char *csv = ead_arguments_text(arguments, EAD_OPTION_BENCH_CSV);
    const char *simulate = ead_arguments_text(arguments, EAD_OPTION_BENCH_SIMULATE);
    options.plan = *plan;
    options.simulated = simulated;
    EAD_TRY(read_simulated(simulate ? simulate : "", simulated, &options.simulated_count));
    ead_bench_print_machine(stdout, &machine);
    EadStatus status = measure(arguments, &options, &results);
    if (status == EAD_OK) ead_bench_print_results(stdout, &results);
    if (status == EAD_OK && json) status = ead_bench_write_json(json, &machine, &results);
    if (status == EAD_OK && csv) status = ead_bench_write_csv(csv, &results);
    ead_bench_results_free(&results);
    return status;
}

EadStatus ead_command_bench(const EadArguments *arguments) {
    EadConfig config;
    EadPlanOptions plan;
    EAD_TRY(ead_config_defaults(&config));
    check_all(arguments, &config, &plan);
    ead_arguments_use_threads(arguments, 0);
    EadStatus status = ead_problems_tell(&config.problems, stderr);
    if (status == EAD_OK) status = run(arguments, &config, &plan);
    ead_config_free(&config);
    return status;
}
