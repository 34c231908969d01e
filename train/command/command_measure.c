/* efficientad measure: measures anomaly maps and scores that any program made. */
#include "train/command/given_options.h"

#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/made_folder.h"
#include "core/system/file_lock.h"
#include "train/evaluate/result_files.h"
#include "train/support/progress.h"
#include "train/support/version.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Everything one measurement holds on to. */
typedef struct Measuring {
    const EadArguments *arguments;
    const char *maps, *scores; /* as given; NULL: not at all */
    EadConfig config;
    EadDataset dataset;
    EadGivenResults given;
    EadFileLock lock; /* of the output */
    EadMadeFolder made;
    EadThresholds thresholds;
    bool partial; /* what has no map, or no image, is left out */
} Measuring;

/* Keys that change nothing here. */
static bool is_idle(const EadFit *fit, const EadConfig *config, int key) {
    static const char *const used[] = {"dataset.", "eval.memory_mb", "eval.pro_max_fpr", "output",
                                       "train.threads"};
    (void)fit, (void)config;
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        if (strncmp(ead_config_key(key)->rule.name, used[i], strlen(used[i])) == 0) return false;
    return true;
}

/* All that is wrong before a file is opened. */
static EadStatus check_all(Measuring *m) {
    EadConfig *config = &m->config;
    EadProblems *problems = &config->problems;
    if (m->maps && !ead_path_is_folder(m->maps))
        ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT, "--maps: %s: no such folder", m->maps));
    if (m->scores && access(m->scores, R_OK) != 0)
        ead_problems_add(problems,
                         ead_fail(EAD_IO, "--scores: %s: no such file, or it may not be read", m->scores));
    if (ead_arguments_given(m->arguments, EAD_OPTION_MEASURE_OUTPUT) &&
        !ead_config_was_refused(config, EAD_KEY_output))
        ead_evaluate_check_outputs(config->output, config->dataset_path, false, false, problems);
    bool named = ead_config_names_dataset(config, true);
    if (named && problems->lines.count > 0)
        ead_problems_add(problems, ead_config_open_dataset(config, true, &m->dataset));
    return ead_problems_tell(problems, stderr);
}

/* Images without a map and maps without an image: notes with --partial, else errors, which are told with what the maps
 * themselves hold. */
static EadStatus find_given(Measuring *m) {
    EadProblems *problems = &m->config.problems;
    EAD_TRY(ead_given_find(&m->dataset, m->config.dataset_path, m->maps, m->scores, problems, &m->given));
    const EadStringList *faults = &m->given.faults;
    for (int i = 0; i < faults->count; i++) {
        if (m->partial)
            ead_print(stderr, "left out: %s\n", faults->items[i]);
        else
            ead_problems_add(problems,
                             ead_fail(EAD_BAD_FILE, "%s; --partial leaves them out", faults->items[i]));
    }
    return EAD_OK;
}

/* Without usable masks no map is read; what was found till then is told with that. */
static EadStatus check_tests(Measuring *m) {
    EadProblems *problems = &m->config.problems;
    EadStatus status = ead_config_check_tests(&m->config, &m->dataset);
    ead_problems_add(problems, status);
    return status == EAD_OK ? EAD_OK : ead_problems_tell(problems, stderr);
}

static EadStatus open_all(Measuring *m) {
    EadConfig *config = &m->config;
    EAD_TRY(ead_config_defaults(config));
    (void)ead_arguments_configure(m->arguments, config);
    EAD_TRY(check_all(m));
    ead_tell_idle_keys(m->arguments, NULL, config, is_idle, ": the maps are measured as they are");
    ead_arguments_use_threads(m->arguments, config->train_threads);
    EAD_TRY(ead_config_open_dataset(config, true, &m->dataset));
    EAD_TRY(find_given(m));
    EAD_TRY(check_tests(m));
    if (m->dataset.test_count == 0) return EAD_OK; /* the evaluation says so */
    EAD_TRY(ead_made_folder_note(&m->made, config->output));
    EAD_TRY(ead_make_directories(config->output));
    return ead_folder_lock_take(config->output, &m->lock);
}

/* What could not be read is told, and an error unless it may be left out. */
static EadStatus tell_unmeasured(Measuring *m, EadResults *results) {
    enum { MOST = 10 };
    EadStringList *lines = &results->unscored;
    int count = m->dataset.test_count, left = count - lines->count - results->lacking;
    for (int i = 0; i < lines->count; i++) {
        if (!m->partial)
            ead_problems_add(&m->config.problems,
                             ead_fail(EAD_BAD_FILE, "%s; --partial leaves it out", lines->items[i]));
        else if (i < MOST)
            ead_print(stderr, "not measured: %s\n", lines->items[i]);
    }
    EAD_TRY(ead_problems_tell(&m->config.problems, stderr));
    if (left == 0)
        return ead_fail(EAD_BAD_FILE, "%s: none of its %d test images can be measured, see above",
                        m->config.dataset_path, count);
    if (left < count) ead_print(stderr, "%d of %d test images measured\n", left, count);
    ead_strings_free(lines);
    return EAD_OK;
}

static EadStatus measure(Measuring *m) {
    EadPath subtitle;
    EadResults results;
    const EadConfig *config = &m->config;
    const EadKeyValue provenance[] = {{"maps", m->maps},
                                      {"scores", m->scores ? m->scores : "the maximum of each map"},
                                      {"data", config->dataset_path},
                                      {"measured by version", ead_version()}};
    snprintf(subtitle, sizeof subtitle, "measured: the maps in %s", m->maps);
    EadEvaluateSpec spec = {.given = &m->given,
                            .dataset = &m->dataset,
                            .rules = ead_config_image_rules(config),
                            .thresholds = &m->thresholds,
                            .output = config->output,
                            .pro_limit = config->eval_pro_max_fpr,
                            .pixel_memory = (size_t)config->eval_memory_mb * 1000000,
                            .check_only = config->problems.lines.count > 0,
                            .quiet = ead_arguments_given(m->arguments, EAD_OPTION_QUIET),
                            .stopped = "nothing was written",
                            .title = ead_config_dataset_name(config),
                            .subtitle = subtitle,
                            .provenance = provenance,
                            .provenance_count = (int)(sizeof provenance / sizeof *provenance)};
    EadStatus status = ead_evaluate(&spec, &results);
    if (status == EAD_OK && results.resized > 0)
        ead_print(stderr, "resized to their images, bilinearly as eval does it: %d %s, the first %s\n",
                  results.resized, results.resized == 1 ? "map" : "maps", results.first_resized);
    if (status == EAD_OK) status = tell_unmeasured(m, &results);
    if (status == EAD_OK) status = ead_evaluate_deliver(&spec, &results);
    ead_results_free(&results);
    return status;
}

static EadThreshold threshold_of(const EadArguments *arguments, EadOptionId option) {
    bool given = ead_arguments_given(arguments, option);
    return ead_threshold_assess(given ? (float)ead_arguments_value(arguments, option).f64 : NAN, NULL, 0);
}

EadStatus ead_command_measure(const EadArguments *arguments) {
    Measuring m = {.arguments = arguments,
                   .maps = arguments->values[EAD_OPTION_GIVEN_MAPS],
                   .scores = arguments->values[EAD_OPTION_GIVEN_SCORES],
                   .partial = ead_arguments_given(arguments, EAD_OPTION_PARTIAL),
                   .thresholds = {threshold_of(arguments, EAD_OPTION_THRESHOLD),
                                  threshold_of(arguments, EAD_OPTION_PIXEL_THRESHOLD)}};
    ead_interrupt_catch();
    EadStatus status = open_all(&m);
    if (status == EAD_OK) status = measure(&m);
    ead_file_lock_release(&m.lock);
    if (status != EAD_OK) ead_made_folder_take_back(&m.made); /* where nothing was written */
    ead_given_free(&m.given);
    ead_dataset_free(&m.dataset);
    ead_config_free(&m.config);
    return status;
}
