/* efficientad sweep. */
#include "train/forecast/sweep_forecast.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/cli/arguments.h"
#include "train/fit.h"
#include "train/support/shell_word.h"
#include "train/sweep/job_array.h"

#include <stdlib.h>

/* What would be done: one line a run, its state and its name. to_do [runs]: set where there is something. A run whose
 * state cannot be told, or is that of another one, is among the sweep's problems. */
static EadStatus list_runs(const EadSweepWork *work, bool *to_do) {
    int counts[EAD_RUN_CHANGED + 1] = {0}, total = 0;
    for (int i = 0; i < work->sweep->run_count; i++) {
        EadRunState state;
        if (!ead_sweep_in_shard(work, i)) continue;
        const EadConfig *config = &work->sweep->runs[i].config;
        EadStatus status = ead_sweep_state(config->output, config, &state);
        if (status == EAD_NO_MEMORY) return status;
        if (status != EAD_OK) state = EAD_RUN_CHANGED;
        if (state == EAD_RUN_DAMAGED) ead_print(stderr, "%s\n", ead_error_message());
        printf("%s\t%s\n", ead_run_state_name(state), work->sweep->runs[i].name);
        to_do[i] = state == EAD_RUN_NEW || state == EAD_RUN_STARTED || state == EAD_RUN_DAMAGED;
        counts[state]++;
        total++;
    }
    ead_print(stderr, "%d runs in %s", total, work->sweep->output);
    for (int state = 0; state <= EAD_RUN_CHANGED; state++)
        if (counts[state] > 0)
            ead_print(stderr, ", %d %s", counts[state], ead_run_state_name((EadRunState)state));
    fputc('\n', stderr);
    return EAD_OK;
}

/* The sweep's problems are what its runs do not find yet: they are told, and make the dry run fail as the sweep would. */
static EadStatus forecast(const EadSweepWork *work, const EadBackend *backend) {
    int wrong = work->sweep->problems.lines.count;
    bool *to_do = ead_new(work->sweep->run_count, sizeof *to_do, "the runs of a sweep");
    if (!to_do) return EAD_NO_MEMORY;
    EadStatus status = list_runs(work, to_do);
    if (status == EAD_OK) status = ead_sweep_forecast(work->sweep, to_do, backend);
    free(to_do);
    EAD_TRY(status);
    if (wrong == 0) return EAD_OK;
    return ead_fail(EAD_IO, "%s: the sweep would not start: %d thing%s not ready yet", work->sweep->path,
                    wrong, wrong == 1 ? " is" : "s are");
}

/* Each old name once, though every run has met it. */
static EadStatus print_renamed(const EadSweep *sweep) {
    EadStringList notices = {0};
    EadStatus status = EAD_OK;
    for (int i = 0; i < sweep->run_count && status == EAD_OK; i++) {
        const EadStringList *renamed = &sweep->runs[i].config.renamed;
        for (int j = 0; j < renamed->count && status == EAD_OK; j++) {
            if (ead_strings_find(&notices, renamed->items[j]) >= 0) continue;
            ead_print(stderr, "%s\n", renamed->items[j]);
            status = ead_strings_add(&notices, renamed->items[j]);
        }
    }
    ead_strings_free(&notices);
    return status;
}

static void check_inputs(EadConfig *config) {
    const EadFit *fit;
    if (ead_fit_of_config(config, &fit) != EAD_OK) return;
    int known = config->problems.lines.count;
    ead_fit_check_files(fit, config);
    if (config->problems.lines.count == known)
        ead_problems_add(&config->problems, ead_train_data_try_region(config));
}

static void check_outputs(const EadConfig *config, EadProblems *problems) {
    const EadFit *fit;
    if (ead_fit_of_config(config, &fit) == EAD_OK) ead_fit_check_outputs(fit, config, problems);
}

/* How it goes on. */
static EadStatus name_tables(const char *output) {
    char *program = ead_program_word(), *folder = ead_shell_word(output);
    if (program && folder) ead_print(stderr, "the tables: %s report %s\n", program, folder);
    EadStatus status = program && folder ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for the last line");
    free(program);
    free(folder);
    return status;
}

static EadStatus run_sweep(const EadArguments *arguments, EadSweep *sweep) {
    EadSweepWork work = {.jobs = (int)ead_arguments_value(arguments, EAD_OPTION_JOBS).i64,
                         .device = ead_arguments_text(arguments, EAD_OPTION_DEVICE),
                         .shard = ead_arguments_value(arguments, EAD_OPTION_SHARD).shard,
                         .sweep = sweep};
    int begun_in;
    if (ead_arguments_given(arguments, EAD_OPTION_THREADS))
        work.threads = (int)ead_arguments_value(arguments, EAD_OPTION_THREADS).i64;
    EadStatus status = arguments->path_count > 0 ? ead_sweep_load(arguments->paths[0], sweep) : EAD_OK;
    if (status == EAD_NO_MEMORY) return status;
    ead_problems_add_all(&sweep->problems, &arguments->problems);
    ead_problems_add(&sweep->problems, ead_arguments_check_device(arguments));
    sweep->check = ead_fit_check;
    sweep->check_inputs = check_inputs;
    sweep->check_outputs = check_outputs;
    sweep->trained = ead_fit_trained;
    status = ead_sweep_expand(sweep, ead_arguments_text(arguments, EAD_OPTION_SWEEP_OUTPUT),
                              arguments->settings, arguments->setting_count);
    if (status == EAD_NO_MEMORY) return status;
    for (int i = 0; i < sweep->run_count && arguments->backend; i++) {
        EadConfig *config = &sweep->runs[i].config;
        ead_problems_add(&config->problems,
                         ead_precision_check(arguments->backend, (EadPrecision)config->train_precision, true,
                                             "train.precision"));
    }
    EAD_TRY(ead_sweep_begun_in(sweep, &begun_in));
    status = ead_job_array_shard(begun_in, &work.shard);
    if (status != EAD_OK) work.shard = (EadShard){1, 1};
    ead_problems_add(&sweep->problems, status);
    EAD_TRY(print_renamed(sweep));
    bool listed = ead_arguments_given(arguments, EAD_OPTION_DRY_RUN);
    bool wrong = sweep->problems.lines.count > 0; /* itself, whatever is there or not */
    EAD_TRY(ead_sweep_check(&work));
    if (!listed || wrong) EAD_TRY(ead_problems_tell(&sweep->problems, stderr));
    if (listed) return forecast(&work, arguments->backend);
    EAD_TRY(ead_sweep_write_manifest(sweep, work.shard.parts));
    EAD_TRY(ead_sweep_work(&work));
    return name_tables(sweep->output);
}

EadStatus ead_command_sweep(const EadArguments *arguments) {
    EadSweep sweep = {0};
    EadStatus status = run_sweep(arguments, &sweep);
    ead_sweep_free(&sweep);
    return status;
}
