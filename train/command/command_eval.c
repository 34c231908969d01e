/* efficientad eval: measures a model file on the test set it was trained for, or on another one. */
#include "train/command/given_options.h"
#include "train/evaluate/result_files.h"
#include "train/evaluate/threshold_file.h"
#include "core/base/file_bytes.h"
#include "core/base/printing.h"
#include "core/base/paths.h"
#include "core/file/made_folder.h"
#include "core/system/file_lock.h"
#include "train/support/progress.h"
#include "train/support/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything one eval holds on to. */
typedef struct Eval {
    const EadArguments *arguments;
    const char *path;     /* of the model file; NULL: not known */
    EadSafetensors *file; /* open: its metadata is the base of the config and part of the report */
    EadModel *model;
    EadPlanOptions plan;
    EadConfig config;
    EadDataset dataset;
    EadPath folder, losses; /* of the model file; losses.csv beside it */
    EadFileLock lock;       /* of the output: nothing else may write there meanwhile */
    EadMadeFolder made;     /* the output */
    char *yaml;
    EadThresholds thresholds; /* the model's, and what its validation scores say about them */
    float *validation;        /* [validation_count] these scores, owned; NULL: of other maps, or not known */
    int validation_count;
} Eval;

/* The config's key that chooses maps, with words in the order of EadMethod.maps; NULL: there is no choice. */
static int *map_choice(Eval *eval) {
    const EadFit *fit = ead_fit_find(eval->model->method->name);
    if (!fit || fit->maps_key < 0) return NULL;
    return ead_config_member(&eval->config, fit->maps_key);
}

/* The maps and the threshold: those of the file unless other ones are asked for. trained: the file's rule. */
static EadStatus adjust_model(Eval *eval, EadThresholdRule trained) {
    EadThresholdRule rule = ead_threshold_rule(&eval->config);
    int of_scores = eval->model->map_choice;
    EAD_TRY(ead_model_options_apply(eval->arguments, map_choice(eval) ? *map_choice(eval) : of_scores,
                                    eval->model));
    eval->thresholds = (EadThresholds){ead_threshold_assess(eval->model->threshold, NULL, 0),
                                       ead_threshold_assess(eval->model->pixel_threshold, NULL, 0)};
    if (eval->model->map_choice != of_scores) return EAD_OK;
    EAD_TRY(ead_validation_scores(eval->file, &eval->validation, &eval->validation_count));
    bool other_rule =
        rule.method != trained.method || (rule.method != EAD_THRESHOLD_NONE && rule.value != trained.value);
    bool given = ead_arguments_given(eval->arguments, EAD_OPTION_THRESHOLD),
         pixels_given = ead_pixel_threshold_given(eval->arguments, eval->model);
    return ead_thresholds_by_file(eval->file,
                                  (EadThresholdsAnew){other_rule && !given, other_rule && !pixels_given},
                                  rule, eval->model, &eval->thresholds);
}

/* The path of a model that was carried to another machine is that of its training. */
static EadStatus open_dataset(Eval *eval) {
    EadStatus status = ead_config_open_dataset(&eval->config, true, &eval->dataset);
    bool given = ead_arguments_given(eval->arguments, EAD_OPTION_CONFIG);
    for (int i = 0; i < eval->arguments->setting_count; i++)
        given |= strncmp(eval->arguments->settings[i], "dataset.path=", strlen("dataset.path=")) == 0;
    if (status == EAD_OK || given) return status;
    return ead_fail_prefix(
        status, "dataset.path comes from %s, --set dataset.path=FOLDER gives another: ", eval->path);
}

/* The model, and the config in its file. */
static void open_model(Eval *eval) {
    EadConfig *config = &eval->config;
    char label[EAD_PATH_SIZE + 16];
    if (eval->path)
        ead_problems_add(&config->problems, ead_model_open_file(eval->path, &eval->file, &eval->model));
    if (!eval->model) return;
    const char *text = ead_safetensors_metadata(eval->file, "config");
    snprintf(label, sizeof label, "%s: its config", eval->path);
    if (text) (void)ead_config_parse(text, strlen(text), label, config);
    /* Of the training only; what the user now asks for comes from the command line. */
    config->eval_maps = config->eval_overlays = false;
    if (map_choice(eval)) *map_choice(eval) = eval->model->map_choice;
}

/* Keys that the model has taken on in its training; a setting of them now would change what the results say of it, and
 * nothing else. */
static bool is_of_training(const EadFit *fit, const EadConfig *config, int key) {
    static const char *const sections[] = {"roi.", "model.", "score.", "train."};
    const char *name = ead_config_key(key)->rule.name;
    (void)config;
    if (fit && key == fit->maps_key) return false;
    if (key == EAD_KEY_train_threads || key == EAD_KEY_train_precision) return false;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strncmp(name, sections[i], strlen(sections[i])) == 0) return true;
    return *ead_config_key(key)->readers != '\0';
}

/* All that is wrong. The data set is opened here only where nothing will come of it. */
static EadStatus check_all(Eval *eval, EadThresholdRule trained) {
    EadConfig *config = &eval->config;
    EadProblems *problems = &config->problems;
    const EadFit *fit = eval->model ? ead_fit_find(eval->model->method->name) : NULL;
    /* The output in the file's config is that of its training. */
    bool output_given = ead_arguments_given(eval->arguments, EAD_OPTION_EVAL_OUTPUT);
    for (int i = 0; i < eval->arguments->setting_count; i++)
        output_given |= strncmp(eval->arguments->settings[i], "output=", strlen("output=")) == 0;
    if (!output_given) EAD_TRY(ead_config_set_key(config, EAD_KEY_output, eval->folder));
    bool placed = (output_given || eval->model) && !ead_config_was_refused(config, EAD_KEY_output);
    if (placed)
        ead_evaluate_check_outputs(config->output, config->dataset_path, config->eval_maps,
                                   config->eval_overlays, problems);
    bool named = ead_config_names_dataset(config, true);
    if (fit) (void)fit->check(config, EAD_CHECK_MODEL);
    if (eval->model) ead_problems_add(problems, adjust_model(eval, trained));
    if (named && problems->lines.count > 0) ead_problems_add(problems, open_dataset(eval));
    return ead_problems_tell(problems, stderr);
}

static EadStatus lock_output(Eval *eval) {
    if (eval->lock.path || !ead_path_is_folder(eval->config.output)) return EAD_OK;
    return ead_folder_lock_take(eval->config.output, &eval->lock);
}

static EadStatus open_all(Eval *eval) {
    EadConfig *config = &eval->config;
    EAD_TRY(ead_config_defaults(config));
    ead_problems_add(&config->problems, ead_path_folder(eval->folder, eval->path ? eval->path : ""));
    if (!eval->folder[0]) eval->folder[0] = '.';
    ead_problems_add(&config->problems, ead_path_in(eval->losses, eval->folder, "losses.csv"));
    open_model(eval);
    EadThresholdRule trained = ead_threshold_rule(config);
    (void)ead_arguments_configure(eval->arguments, config);
    /* Without a model, what the config leaves out may stand in there. */
    bool whole = ead_arguments_given(eval->arguments, EAD_OPTION_CONFIG) && config->dataset_path[0];
    config->unread = config->unread || (!eval->model && !whole);
    ead_problems_add(&config->problems, ead_arguments_plan_options(eval->arguments, &eval->plan));
    EAD_TRY(check_all(eval, trained));
    EAD_TRY(ead_made_folder_note(&eval->made, config->output));
    EAD_TRY(lock_output(eval));
    ead_tell_idle_keys(eval->arguments, ead_fit_find(eval->model->method->name), &eval->config,
                       is_of_training, ": the model is used as it was trained");
    ead_arguments_use_threads(eval->arguments, eval->config.train_threads);
    EAD_TRY(ead_config_to_yaml(&eval->config, &eval->yaml));
    EAD_TRY(open_dataset(eval));
    return ead_config_check_tests(&eval->config, &eval->dataset);
}

static EadStatus evaluate(Eval *eval) {
    /* What the trainer wrote into the model file about itself. */
    static const char *const keys[] = {"data",         "category", "seed",   "steps",
                                       "train_images", "backend",  "version"};
    EadKeyValue provenance[2 + sizeof keys / sizeof *keys] = {{"model file", eval->path},
                                                              {"evaluated by version", ead_version()}};
    int rows = 2;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = ead_safetensors_metadata(eval->file, keys[i]);
        if (value && *value) provenance[rows++] = (EadKeyValue){keys[i], value};
    }
    EadResults results;
    EadEvaluateSpec spec = {.model = eval->model,
                            .plan = eval->plan,
                            .dataset = &eval->dataset,
                            .rules = ead_config_image_rules(&eval->config),
                            .thresholds = &eval->thresholds,
                            .validation_scores = eval->validation,
                            .validation_count = eval->validation_count,
                            .output = eval->config.output,
                            .maps = eval->config.eval_maps,
                            .overlays = eval->config.eval_overlays,
                            .pro_limit = eval->config.eval_pro_max_fpr,
                            .pixel_memory = (size_t)eval->config.eval_memory_mb * 1000000,
                            .quiet = ead_arguments_given(eval->arguments, EAD_OPTION_QUIET),
                            .stopped = eval->config.eval_maps || eval->config.eval_overlays
                                           ? "their maps and overlays are written, tables and report are not"
                                           : "nothing was written",
                            .title = ead_config_dataset_name(&eval->config),
                            .losses = eval->losses,
                            .config = eval->yaml,
                            .provenance = provenance,
                            .provenance_count = rows};
    if (eval->dataset.test_count > 0) EAD_TRY(ead_make_directories(eval->config.output));
    EAD_TRY(lock_output(eval)); /* if it was not there at first */
    EadStatus status = ead_evaluate(&spec, &results);
    if (status == EAD_OK) status = ead_evaluate_deliver(&spec, &results);
    ead_results_free(&results);
    return status;
}

EadStatus ead_command_eval(const EadArguments *arguments) {
    Eval eval = {.arguments = arguments, .path = arguments->values[EAD_OPTION_MODEL]};
    ead_interrupt_catch();
    EadStatus status = open_all(&eval);
    if (status == EAD_OK) status = evaluate(&eval);
    ead_file_lock_release(&eval.lock);
    if (status != EAD_OK) ead_made_folder_take_back(&eval.made); /* where nothing was written */
    ead_dataset_free(&eval.dataset);
    ead_config_free(&eval.config);
    ead_model_free(eval.model);
    ead_safetensors_close(eval.file);
    free(eval.validation);
    free(eval.yaml);
    return status;
}
