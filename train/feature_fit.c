/* What methods that are trained by steps on the features of a backbone check and say. */
#include "train/feature_fit.h"

#include "core/base/printing.h"
#include "train/loop/train_backbone.h"
#include "train/support/memory_budget.h"

#include <stdio.h>

EadStatus ead_fit_check_backbone(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    if (scope >= EAD_CHECK_FILES) ead_check_backbone(config);
    return ead_problems_since(&config->problems, known);
}

void ead_fit_print_start(const EadRunSpec *run, const EadTrainData *data, const EadModel *model,
                         int64_t steps, int batch) {
    char text[256];
    model->method->functions->describe(model, text, sizeof text);
    ead_print(stderr, "%s, on %s, %s: %d training, %d validation, %d test images; %lld steps of %d images\n",
              text, run->backend->name, ead_run_precision_name(run), ead_image_cache_count(data->train),
              ead_image_cache_count(data->validation), data->dataset.test_count, (long long)steps, batch);
}

int64_t ead_feature_fit_steps(const EadFeatureFit *fit) {
    int64_t images = fit->data ? fit->data->dataset.train.count : 1;
    return (images * *fit->epochs + fit->batch - 1) / fit->batch;
}

EadStatus ead_feature_fit_open(EadFeatureFit *fit, const EadModel *model, const EadBackbone *backbone,
                               EadFeatureBuilder *build) {
    if (!fit->data || fit->features.cache) return EAD_OK;
    EadTrainFeaturesSpec spec = {.run = fit->run,
                                 .images = fit->data->train,
                                 .backbone = backbone,
                                 .settings = fit->settings,
                                 .height = model->height,
                                 .width = model->width,
                                 .build = build,
                                 .model = model,
                                 .batch = fit->batch};
    return ead_train_features_open(&fit->features, &spec);
}
