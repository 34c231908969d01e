/* Putting the networks together. */
#include "models/efficientad/model.h"

#include "core/base/memory.h"
#include "core/ops/channel_affine/channel_affine.h"

#include <math.h>
#include <stdlib.h>

EadStatus ead_efficientad_check_image_size(int height, int width) {
    bool fits = height % EAD_IMAGE_STEP == 0 && width % EAD_IMAGE_STEP == 0 && height >= EAD_IMAGE_MIN &&
                width >= EAD_IMAGE_MIN && height <= EAD_IMAGE_MAX && width <= EAD_IMAGE_MAX;
    if (fits) return EAD_OK;
    return ead_fail(
        EAD_BAD_SHAPE,
        "image size %dx%d is not possible: height and width must be multiples of %d from %d to %d "
        "(64, 68, 72, ...)",
        height, width, EAD_IMAGE_STEP, EAD_IMAGE_MIN, EAD_IMAGE_MAX);
}

EadStatus ead_efficientad_new(const EadEfficientadSpec *spec, EadEfficientad **out) {
    EAD_TRY(ead_efficientad_check_image_size(spec->height, spec->width));
    EadEfficientad *model = ead_new(1, sizeof *model, "a model");
    if (!model) return EAD_NO_MEMORY;
    model->base = ead_model_new("efficientad", spec->height, spec->width);
    model->spec = *spec;
    model->normalization = EAD_MAPS_NONE;
    for (int c = 0; c < EAD_FEATURES; c++) model->teacher_std[c] = model->teacher_scale[c] = 1;
    for (int m = 0; m < EAD_MAP_COUNT; m++)
        model->map_scale[EAD_LOOK_USUAL][m] = model->map_scale[EAD_LOOK_WHOLE][m] = 1;
    EadPdn teacher = ead_efficientad_teacher(model), student = ead_efficientad_student(model, true);
    EadStatus status = ead_pdn_declare(&teacher, &model->teacher);
    if (status == EAD_OK) status = ead_pdn_declare(&student, &model->trained);
    if (status == EAD_OK && spec->autoencoder)
        status = ead_autoencoder_declare(&model->trained, spec->height, spec->width);
    if (status == EAD_OK) status = ead_params_allocate(&model->teacher);
    if (status == EAD_OK) status = ead_params_allocate(&model->trained);
    if (status == EAD_OK)
        *out = model;
    else
        ead_efficientad_free(model);
    return status;
}

void ead_efficientad_free(EadEfficientad *model) {
    if (!model) return;
    ead_params_free(&model->teacher);
    ead_params_free(&model->trained);
    free(model);
}

void ead_efficientad_set_teacher_statistics(EadEfficientad *model, const double mean[EAD_FEATURES],
                                            const double std[EAD_FEATURES]) {
    for (int c = 0; c < EAD_FEATURES; c++) {
        EadStandardizing s = ead_standardizing(mean[c], std[c]);
        model->teacher_mean[c] = s.mean;
        model->teacher_std[c] = s.std;
        model->teacher_scale[c] = s.scale;
        model->teacher_shift[c] = s.shift;
    }
}

/* The line through (a, 0) and (b, 0.1), or the one that subtracts mean a and divides by deviation b. */
static EadStatus set_line(EadEfficientad *model, EadLook look, int map, double a, double b) {
    bool quantile = model->normalization == EAD_MAPS_QUANTILE;
    a = (double)(float)a;
    b = (double)(float)b;
    double spread = quantile ? b - a : b;
    if (!isfinite(a) || !isfinite(b) || !(spread > 0))
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "the %s map cannot be normalised: %s %g and %g of the validation maps; train longer or use "
            "more validation images",
            map == EAD_MAP_ST ? "student-teacher" : "autoencoder",
            quantile ? "quantiles" : "mean and standard deviation", a, b);
    double scale = (quantile ? 0.1 : 1) / spread;
    model->map_statistics[look][map][0] = (real)a;
    model->map_statistics[look][map][1] = (real)b;
    model->map_scale[look][map] = (real)scale;
    model->map_shift[look][map] = (real)(-a * scale);
    return EAD_OK;
}

static EadStatus set_lines(EadEfficientad *model, EadLook look, double statistics[EAD_MAP_COUNT][2]) {
    int maps = model->spec.autoencoder ? EAD_MAP_COUNT : 1;
    for (int m = 0; m < maps && model->normalization != EAD_MAPS_NONE; m++)
        EAD_TRY(set_line(model, look, m, statistics[m][0], statistics[m][1]));
    return EAD_OK;
}

EadStatus ead_efficientad_set_map_statistics(EadEfficientad *model, EadMapNormalization normalization,
                                             double statistics[EAD_MAP_COUNT][2]) {
    /* Map values that hardly occur on good images: five times the level of their 0.995 quantile; eight
     * standard deviations. */
    const float high[] = {[EAD_MAPS_QUANTILE] = 0.5f, [EAD_MAPS_GAUSSIAN] = 8, [EAD_MAPS_NONE] = (float)NAN};
    model->base.color_high = high[normalization];
    model->normalization = normalization;
    return set_lines(model, EAD_LOOK_USUAL, statistics);
}

EadStatus ead_efficientad_set_whole_statistics(EadEfficientad *model, double statistics[EAD_MAP_COUNT][2]) {
    return set_lines(model, EAD_LOOK_WHOLE, statistics);
}

int ead_efficientad_map_height(const EadEfficientadSpec *spec) {
    return ead_pdn_output_size(spec->padding, spec->height);
}
int ead_efficientad_map_width(const EadEfficientadSpec *spec) {
    return ead_pdn_output_size(spec->padding, spec->width);
}

int ead_efficientad_unseen_cells(const EadEfficientadSpec *spec) {
    enum { WITHOUT_PADDING = 4 }; /* 64 - 56 = 2 * 4 of an image of 256 */
    return spec->padding ? 0 : WITHOUT_PADDING;
}

EadPdn ead_efficientad_teacher(const EadEfficientad *model) {
    return (EadPdn){model->spec.size, model->spec.padding, "teacher", EAD_FEATURES, &model->teacher, false};
}

EadPdn ead_efficientad_student(const EadEfficientad *model, bool trainable) {
    int outputs = model->spec.autoencoder ? 2 * EAD_FEATURES : EAD_FEATURES;
    return (EadPdn){model->spec.size, model->spec.padding, "student", outputs, &model->trained, trainable};
}

EadAutoencoder ead_efficientad_autoencoder(const EadEfficientad *model, bool trainable) {
    const EadEfficientadSpec *spec = &model->spec;
    return (EadAutoencoder){.height = spec->height,
                            .width = spec->width,
                            .output_height = ead_efficientad_map_height(spec),
                            .output_width = ead_efficientad_map_width(spec),
                            .params = &model->trained,
                            .trainable = trainable};
}

EadNode *ead_efficientad_teacher_output(EadGraph *graph, const EadEfficientad *model, EadNode *x) {
    EadPdn teacher = ead_efficientad_teacher(model);
    EadNode *y = ead_pdn_head(graph, &teacher, ead_pdn_trunk(graph, &teacher, x), 0, 0);
    EadNode *scale =
        ead_leaf(graph, "teacher_scale", EAD_REAL, 1, 1, 1, EAD_FEATURES, (void *)model->teacher_scale);
    EadNode *shift =
        ead_leaf(graph, "teacher_shift", EAD_REAL, 1, 1, 1, EAD_FEATURES, (void *)model->teacher_shift);
    return ead_channel_affine(graph, y, scale, shift);
}
