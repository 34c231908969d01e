/* What methods that are trained by steps on the features of a backbone check and say. */
#include "train/feature_fit.h"

#include "core/base/minmax.h"
#include "core/base/printing.h"
#include "core/file/file_role.h"
#include "train/loop/train_backbone.h"
#include "train/support/memory_budget.h"

#include <stdio.h>
#include <string.h>

EadStatus ead_fit_check_backbone(EadConfig *config, EadCheckScope scope, EadConfigKeyId layers) {
    int known = config->problems.lines.count;
    if (scope >= EAD_CHECK_FILES) ead_check_backbone(config, layers);
    ead_fit_check_init(config, scope, config->model_method);
    return ead_problems_since(&config->problems, known);
}

static EadStatus judge_init(const char *path, const char *method) {
    EadSafetensors *file;
    EAD_TRY(ead_file_expect(path, EAD_ROLES_TRAINED, "a model to start from"));
    EAD_TRY(ead_safetensors_open(path, &file));
    const char *name = ead_safetensors_metadata(file, "method");
    EadStatus status = EAD_OK;
    if (strcmp(name ? name : "efficientad", method) != 0)
        status = ead_fail(EAD_BAD_FILE, "%s: is of the method %s, from which %s cannot start", path,
                          name ? name : "efficientad", method);
    ead_safetensors_close(file);
    return status;
}

void ead_fit_check_init(EadConfig *config, EadCheckScope scope, const char *method) {
    if (scope < EAD_CHECK_FILES || strcmp(config->model_method, method) != 0) return;
    if (ead_config_is_there(config, EAD_KEY_model_init))
        ead_config_judge(config, EAD_KEY_model_init, judge_init(config->model_init, method));
}

EadStatus ead_fit_read_init(const EadConfig *config, void *state,
                            EadStatus (*read)(void *state, const EadSafetensors *file)) {
    EadSafetensors *file;
    if (!config->model_init[0]) return EAD_OK;
    EAD_TRY(ead_safetensors_open(config->model_init, &file));
    EadStatus status = read(state, file);
    ead_safetensors_close(file);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "model.init: ");
}

EadFeatureFit ead_feature_fit(const EadRunSpec *run, const EadTrainData *data, int images, const int *epochs,
                              int batch, bool drops) {
    EadFeatureFit fit = {
        .run = run, .data = data, .images = images > 0 ? images : batch, .epochs = epochs, .drops = drops};
    fit.batch = ead_min(batch, fit.images);
    return fit;
}

int64_t ead_feature_fit_epoch(const EadFeatureFit *fit) {
    return ead_steps_of_epoch(fit->images, fit->batch, fit->drops);
}

int64_t ead_feature_fit_steps(const EadFeatureFit *fit) {
    return ead_feature_fit_epoch(fit) * *fit->epochs;
}

int ead_feature_fit_last(const EadFeatureFit *fit) {
    return fit->drops ? 0 : fit->images % fit->batch;
}

void ead_feature_fit_print_start(const EadFeatureFit *fit, const EadModel *model) {
    const EadTrainData *data = fit->data;
    char text[256], last[64] = "";
    int train = ead_image_cache_count(data->train);
    model->method->functions->describe(model, text, sizeof text);
    if (ead_feature_fit_last(fit))
        snprintf(last, sizeof last, ", the last of each epoch of %d", ead_feature_fit_last(fit));
    if (fit->drops && train % fit->batch)
        snprintf(last, sizeof last, "; each epoch leaves %d out", train % fit->batch);
    ead_print(stderr,
              "%s, on %s, %s: %d training, %d validation, %d test images; %lld steps of %d images%s\n", text,
              fit->run->backend->name, ead_run_precision_name(fit->run), train,
              ead_image_cache_count(data->validation), data->dataset.test_count,
              (long long)ead_feature_fit_steps(fit), fit->batch, last);
}

static EadTrainFeaturesSpec spec_of(const EadFeatureFit *fit, const EadImageCache *images) {
    return (EadTrainFeaturesSpec){.run = fit->run,
                                  .images = images,
                                  .backbone = fit->backbone,
                                  .settings = fit->settings,
                                  .height = fit->model->height,
                                  .width = fit->model->width,
                                  .build = fit->build,
                                  .model = fit->model,
                                  .batch = fit->batch,
                                  .drops = fit->drops};
}

EadStatus ead_feature_fit_open(EadFeatureFit *fit) {
    if (!fit->data || fit->features.cache) return EAD_OK;
    EadTrainFeaturesSpec spec = spec_of(fit, fit->data->train);
    return ead_train_features_open(&fit->features, &spec);
}

EadStatus ead_feature_fit_look(const EadFeatureFit *fit, const EadImageCache *few) {
    EadTrainFeaturesSpec spec = spec_of(fit, few);
    return ead_train_features_look(&spec);
}

EadStatus ead_feature_fit_bytes(const EadFeatureFit *fit, char *text, uint64_t *bytes) {
    EadTrainFeaturesSpec spec = spec_of(fit, NULL);
    snprintf(text, sizeof fit->settings, "%s", fit->settings);
    return ead_train_features_bytes(&spec, fit->images, bytes);
}
