/* The table of fits, and what a config means to one before it runs. */
#include "train/fit.h"

#include "core/file/file_role.h"
#include "core/file/output_check.h"
#include "train/evaluate/result_files.h"
#include "train/pace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the table ---- */

#define EAD_FIT(name) extern const EadFit ead_fit_##name;
#include "train/fits.def"
#undef EAD_FIT

static const EadFit *const fits[] = {
#define EAD_FIT(name) &ead_fit_##name,
#include "train/fits.def"
#undef EAD_FIT
};

const EadFit *ead_fit_find(const char *name) {
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
        if (strcmp(fits[i]->name, name) == 0) return fits[i];
    return NULL;
}

EadStatus ead_fit_of_config(const EadConfig *config, const EadFit **out) {
    char known[256] = "";
    const EadMethod *method;
    *out = ead_method_find(config->model_method) ? ead_fit_find(config->model_method) : NULL;
    if (*out) return EAD_OK;
    for (int i = 0; (method = ead_method_at(i)) != NULL; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", method->name);
    return ead_fail(EAD_BAD_ARGUMENT, "model.method: there is no method '%.80s'; there are: %s",
                    config->model_method, known);
}

void ead_fit_check_region(EadConfig *config) {
    EadRegion region = {0};
    ead_config_judge(config, EAD_KEY_roi_box, ead_region_set_box(&region, config->roi_box));
    if (access(config->roi_mask, F_OK) == 0)
        ead_config_judge(config, EAD_KEY_roi_mask, ead_train_data_mask(config, NULL, &region));
    ead_region_free(&region);
}

EadStatus ead_fit_check(EadConfig *config) {
    const EadFit *fit;
    int known = config->problems.lines.count;
    (void)ead_config_check(config);
    ead_fit_check_region(config);
    ead_problems_add(&config->problems, ead_fit_of_config(config, &fit));
    if (fit) (void)fit->check(config, EAD_CHECK_TRAINING);
    const EadMethod *method = ead_method_find(config->model_method);
    if (config->tiles_size > 0 && method && !method->functions->takes_tiles)
        ead_config_wrong(config, EAD_KEY_tiles_size,
                         "tiles.size is for the method efficientad, not for %s; set it to 0", method->name);
    return ead_problems_since(&config->problems, known);
}

void ead_fit_check_files(const EadFit *fit, EadConfig *config) {
    (void)fit->check(config, EAD_CHECK_FILES);
    if (fit->model) (void)ead_config_is_there(config, EAD_KEY_roi_mask);
}

EadStatus ead_fit_check_resumed(const EadFit *fit, const char *folder, const EadConfig *own) {
    bool detector = !fit || fit->model;
    EadPath checkpoint;
    EAD_TRY(ead_path_in(checkpoint, folder, "checkpoint.safetensors"));
    EAD_TRY(ead_file_expect(checkpoint, detector ? EAD_ROLES_TRAINED : EAD_ROLE(DISTILL_CHECKPOINT),
                            detector ? "a checkpoint of a training" : "a checkpoint of a distillation"));
    bool trains = own && own->dataset_path[0], distils = own && own->distill_images[0];
    if (trains == distils || trains == detector) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: is the run of a %s; %s --resume goes on with it", folder,
                    trains ? "training" : "distillation", trains ? "train" : "distill");
}

EadStatus ead_fit_planned(const EadConfig *config, int count, const EadConfigKeyId keys[], EadStatus status) {
    char text[256] = "";
    if (status != EAD_NO_MEMORY && status != EAD_BAD_SHAPE) return status;
    for (int i = 0; i < count; i++) {
        char *value = NULL;
        size_t used = strlen(text);
        if (ead_config_value_text(config, keys[i], &value) == EAD_OK && strcmp(value, "0") != 0)
            snprintf(text + used, sizeof text - used, "%s%s=%s", used ? ", " : "",
                     ead_config_key((int)keys[i])->rule.name, value);
        free(value);
    }
    return ead_fail_prefix(status, "%s with model.image_size=%dx%d is too much, lower one of them: ", text,
                           config->model_image_size.height, config->model_image_size.width);
}

int ead_fit_calibrated_by_validation(const EadConfig *config, int validation, int test) {
    (void)config, (void)test;
    return validation;
}

/* ---- what will be written, and what trained ---- */

/* A checkpoint, or the model of a finished run. */
static bool holds_run(const EadRunFolder *folder) {
    return access(folder->checkpoint, F_OK) == 0 || access(folder->model, F_OK) == 0;
}

/* What an earlier run left, whatever its method; without what can be resumed it begins anew. */
static EadStatus check_losses(const EadRunFolder *folder) {
    EadStatus status = EAD_OK;
    char header[EAD_LOSS_HEADER];
    for (size_t i = 0; i < sizeof fits / sizeof *fits && !holds_run(folder); i++) {
        if (!fits[i]->losses) continue;
        ead_loss_header(fits[i]->losses, header);
        status = ead_check_replaced(folder->losses, "--output", header, NULL);
        if (status == EAD_OK) break;
    }
    return status;
}

/* What is told of a training while it goes on; a run that is resumed reads it back. */
static EadStatus check_table(const EadRunFolder *folder, const char *table) {
    return holds_run(folder) ? EAD_OK : ead_check_replaced(table, "--output", "step,", ",lr");
}

/* That of a run begins so; a run that is resumed may have a changed one. */
static EadStatus check_config_file(const EadRunFolder *folder) {
    if (holds_run(folder)) return EAD_OK;
    return ead_check_replaced(folder->config, "--output", "dataset:", "\nthreshold:\n");
}

/* The files that any fit writes into its folder, which can be made. */
static void check_run_files(const EadFit *fit, const EadConfig *config, EadProblems *problems) {
    EadRunFolder folder;
    EadPath metrics;
    EadStatus status = ead_run_folder_name(&folder, config->output, fit->model_name);
    if (status == EAD_OK) status = ead_path_in(metrics, config->output, "metrics.json");
    ead_problems_add(problems, status);
    if (status != EAD_OK) return;
    const char *const files[] = {folder.config, folder.model,      folder.checkpoint, folder.losses,
                                 metrics,       folder.validation, folder.test};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        status = ead_check_output_in_run(files[i]);
        if (status == EAD_OK && files[i] == folder.config) status = check_config_file(&folder);
        if (status == EAD_OK && (files[i] == folder.validation || files[i] == folder.test))
            status = check_table(&folder, files[i]);
        if (status == EAD_OK && files[i] == folder.losses) status = check_losses(&folder);
        if (status == EAD_OK && files[i] == metrics && !fit->model)
            status = ead_check_replaced(metrics, "--output", "{", EAD_METRICS_MARK);
        ead_problems_add(problems, status);
    }
}

/* A cache without a name of its own lies in the folder. */
static EadStatus check_cache(const EadFit *fit, const EadConfig *config) {
    const char *named = fit->model ? config->dataset_cache : config->distill_cache;
    return *named ? ead_check_cache_folder(named, fit->model ? "dataset.cache" : "distill.cache") : EAD_OK;
}

void ead_fit_check_outputs(const EadFit *fit, const EadConfig *config, EadProblems *problems) {
    EadStatus status = ead_check_output_folder(config->output, "--output");
    EadPath cache;
    ead_problems_add(problems, status);
    ead_problems_add(problems, check_cache(fit, config));
    if (status != EAD_OK) return;
    check_run_files(fit, config, problems);
    if (!fit->model) return;
    if (!config->dataset_cache[0] && ead_train_data_cache(config, cache) == EAD_OK)
        ead_problems_add(problems, ead_check_output_folder(cache, "dataset.cache"));
    ead_evaluate_check_outputs(config->output, config->dataset_path, config->eval_maps, config->eval_overlays,
                               problems);
}

void ead_fit_check_run(const EadFit *fit, const EadRunSpec *spec, EadProblems *problems) {
    const EadConfig *config = spec->config;
    EadRunFolder folder = {0};
    if (config->train_until_converged && !fit->validate)
        ead_problems_add(
            problems, ead_fail(EAD_BAD_ARGUMENT,
                               "train.until_converged: %s has no loss on validation images; set it to false",
                               fit->name));
    if (config->train_until_converged && config->train_validate_every == 0)
        ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT,
                                            "train.validate_every: 0 looks never, and "
                                            "train.until_converged needs it; set one of them otherwise"));
    if (spec->minutes > 0) ead_problems_add(problems, ead_pace_check(fit, spec));
    bool not_there = spec->resume && config->unread; /* what was told is about the same folder */
    if (!config->output[0] || not_there || ead_config_was_refused(config, EAD_KEY_output)) return;
    if (!ead_ranks_leads(spec->ranks)) return;
    EadStatus status = ead_run_folder_name(&folder, config->output, fit->model_name);
    if (status == EAD_OK) status = ead_run_folder_check_new(&folder, spec->resume);
    ead_problems_add(problems, status);
    ead_fit_check_outputs(fit, config, problems);
}

void ead_fit_trained(const EadConfig *config, char *text) {
    const EadFit *fit;
    char *number = NULL;
    snprintf(text, 64, "one pass");
    if (ead_fit_of_config(config, &fit) != EAD_OK) return;
    if (fit->remark && fit->remark(config)) snprintf(text, 64, "one pass, %s", fit->remark(config));
    if (fit->length_key < 0) return;
    const char *unit = strchr(ead_config_key(fit->length_key)->rule.name, '.') + 1;
    if (ead_config_value_text(config, (EadConfigKeyId)fit->length_key, &number) == EAD_OK)
        snprintf(text, 64, "%.40s %.*s", number, (int)strlen(unit) - (strcmp(number, "1") == 0), unit);
    free(number);
}

/* ---- checkpoints ---- */

EadStatus ead_fit_read_model(const EadSafetensors *file, EadModel *own,
                             bool (*take)(EadModel *own, const EadModel *read)) {
    EadModel *read;
    EAD_TRY(ead_model_read(file, &read));
    bool same = read->method == own->method && take(own, read);
    ead_model_free(read);
    return same ? EAD_OK
                : ead_fail(EAD_BAD_FILE, "%s: holds another kind of model than the config asks for",
                           ead_safetensors_path(file));
}
