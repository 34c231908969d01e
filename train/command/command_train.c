/* efficientad train and efficientad distill. */
#include "train/command/given_options.h"
#include "train/command/train_folder.h"
#include "train/command/train_init.h"

#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "train/ranks/ranks_start.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All that can be known to be wrong before the run. A run lists the data set itself; so this does only where the
 * run will not come to that. fit: NULL if the config names none, which is among its problems. */
static EadStatus check_all(const EadFit *fit, const EadRunSpec *spec, EadConfig *config) {
    EadDataset dataset = {0};
    EadProblems *problems = &config->problems;
    bool named = (!fit || fit->model) && ead_config_names_dataset(config, false);
    if (fit && fit->model) ead_fit_check_region(config);
    if (fit) ead_fit_check_files(fit, config);
    if (fit) ead_fit_check_run(fit, spec, problems);
    bool placed = config->output[0] && !ead_config_was_refused(config, EAD_KEY_output);
    if (!fit && placed && ead_ranks_leads(spec->ranks))
        ead_problems_add(problems, ead_check_output_folder(config->output, "--output"));
    if (named && problems->lines.count > 0)
        ead_problems_add(problems, ead_config_open_dataset(config, false, &dataset));
    ead_dataset_free(&dataset);
    return ead_problems_tell(problems, stderr);
}

/* Ranks that may use the same processors divide them, where nobody asked for a number of threads. */
static void use_threads(const EadArguments *arguments, int default_count) {
    int sharers = ead_ranks_sharers();
    bool asked =
        default_count > 0 || ead_arguments_given(arguments, EAD_OPTION_THREADS) || getenv("OMP_NUM_THREADS");
    ead_arguments_use_threads(arguments, default_count);
    if (sharers > 1 && !asked)
        omp_set_num_threads(omp_get_max_threads() > sharers ? omp_get_max_threads() / sharers : 1);
}

static bool is_idle(const EadFit *fit, const EadConfig *config, int key) {
    (void)config;
    return key != fit->length_key && !ead_config_is_read_by(key, fit->name);
}

/* Whether each member of an ensemble says it for itself; the split of the images may still go by a seed. */
static bool is_members_own(const EadFit *fit, const EadConfig *config, int key) {
    bool all;
    return strcmp(fit->name, "patchcore_ensemble") == 0 &&
           ead_config_list_sets(config, EAD_KEY_patchcore_ensemble_members, key, &all) == EAD_OK && all;
}

/* given [EAD_CONFIG_KEYS]: what the command line sets. */
static EadRunSpec read_spec(const EadArguments *arguments, const EadConfig *config, const bool *given) {
    bool limited = ead_arguments_given(arguments, EAD_OPTION_MINUTES);
    return (EadRunSpec){.config = config,
                        .backend = arguments->backend,
                        .no_capture = ead_arguments_given(arguments, EAD_OPTION_NO_CAPTURE),
                        .streams = (int)ead_arguments_value(arguments, EAD_OPTION_STREAMS).i64,
                        .resume = ead_arguments_given(arguments, EAD_OPTION_RESUME),
                        .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET),
                        .dry_run = ead_arguments_given(arguments, EAD_OPTION_DRY_RUN),
                        .minutes = limited ? ead_arguments_value(arguments, EAD_OPTION_MINUTES).f64 : 0,
                        .given = given,
                        .ranks = ead_ranks(),
                        .messages = ead_ranks_messages()};
}

/* What was stopped without a word of how it goes on. */
static EadStatus name_next(const char *output, EadStatus status) {
    EadPath checkpoint;
    if (status != EAD_INTERRUPTED || strchr(ead_error_message(), ';')) return status;
    if (ead_path_in(checkpoint, output, "checkpoint.safetensors") == EAD_OK && access(checkpoint, F_OK) == 0)
        return ead_fail(status, "%s; continue with --resume --output %s", ead_error_message(), output);
    return ead_fail(status, "%s, before the first checkpoint; start again with the same command",
                    ead_error_message());
}

static EadStatus run_fit(const EadArguments *arguments, const EadFit *fit, const EadRunSpec *spec) {
    use_threads(arguments, spec->config->train_threads);
    ead_tell_idle_keys(arguments, fit, spec->config, is_idle, ": %s does not use it", fit->name);
    ead_tell_idle_keys(arguments, fit, spec->config, is_members_own,
                       " on the members: each of them sets it itself");
    return name_next(spec->config->output, ead_fit_run(fit, spec));
}

/* Train would leave out all that it says of its images. */
static EadStatus refuse_distillation(const EadArguments *arguments, const EadConfig *config) {
    const char *file = arguments->values[EAD_OPTION_CONFIG];
    if (!file || !ead_config_distils(config) || ead_arguments_given(arguments, EAD_OPTION_RESUME))
        return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: is the config of a distillation (distill.images), which makes a teacher; efficientad "
        "distill -c %s takes it",
        file, file);
}

/* name: of the fit; NULL: the one that model.method names. */
static EadStatus run(const EadArguments *arguments, const char *name) {
    EadConfig config;
    bool given[EAD_CONFIG_KEYS];
    const EadFit *fit = name ? ead_fit_find(name) : NULL;
    EAD_TRY(ead_ranks_start());
    EAD_TRY(ead_config_defaults(&config));
    ead_arguments_given_keys(arguments, given);
    ead_problems_add(&config.problems, ead_train_init_begin(arguments, &config));
    ead_problems_add(&config.problems, ead_train_folder_begin(arguments, &config));
    (void)ead_arguments_configure(arguments, &config); /* what is wrong is told with all else */
    EadRunSpec spec = read_spec(arguments, &config, given);
    EadStatus distils = name ? EAD_OK : refuse_distillation(arguments, &config);
    ead_problems_add(&config.problems, distils);
    config.unread = config.unread || distils != EAD_OK; /* what it lacks for a training is no news */
    if (!fit) ead_problems_add(&config.problems, ead_fit_of_config(&config, &fit));
    if (!name) ead_problems_add(&config.problems, ead_train_folder_apply(arguments, fit, &config));
    ead_problems_add(&config.problems, ead_train_init_apply(arguments, &config));
    if (arguments->backend)
        ead_problems_add(&config.problems,
                         ead_precision_check(arguments->backend, (EadPrecision)config.train_precision, true,
                                             "train.precision"));
    /* Of another kind of run it would not help to tell what its config lacks, or what is not there. */
    bool resumes = spec.resume && config.output[0];
    bool own = !ead_arguments_given(arguments, EAD_OPTION_CONFIG);
    EadStatus status = resumes ? ead_fit_check_resumed(fit, config.output, own ? &config : NULL) : EAD_OK;
    ead_problems_add(&config.problems, status);
    status = status == EAD_OK ? check_all(fit, &spec, &config) : ead_problems_tell(&config.problems, stderr);
    if (status == EAD_OK) status = run_fit(arguments, fit, &spec);
    ead_config_free(&config);
    return status;
}

EadStatus ead_command_train(const EadArguments *arguments) {
    return run(arguments, NULL);
}

EadStatus ead_command_distill(const EadArguments *arguments) {
    return run(arguments, "distill");
}
