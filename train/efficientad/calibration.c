/* Passes over the cached images with inference graphs: the numbers that a model takes from its data besides the weights,
 * and the teacher's outputs themselves. */
#include "train/efficientad/efficientad_fit.h"

#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/quantile/quantile.h"
#include "core/plan/plan.h"
#include "train/support/channel_sums.h"
#include "train/support/progress.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* A planned graph that looks at one image at a time. */
typedef struct Pass {
    EadGraph *graph;
    EadNode *images;
    EadPlan *plan;
} Pass;

static EadStatus begin(Pass *pass, const EadEfficientad *model) {
    *pass = (Pass){.graph = ead_graph_new()};
    if (!pass->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    pass->images = ead_leaf(pass->graph, "images", EAD_U8, 1, model->spec.height, model->spec.width, 3, NULL);
    return EAD_OK;
}

static EadStatus plan_pass(Pass *pass, const EadBackend *backend) {
    return ead_plan_new(pass->graph, &(EadPlanOptions){.backend = backend}, &pass->plan);
}

static void end(Pass *pass) {
    ead_plan_free(pass->plan);
    ead_graph_free(pass->graph);
}

/* Uses the outputs of an image. */
typedef EadStatus Visit(const EadPlan *image_plan, void *context, int image);

typedef struct ImageWalk {
    const Pass *pass;
    const EadImageCache *images;
    Visit *visit;
    void *context;
} ImageWalk;

static EadStatus run_image(void *context, int index) {
    const ImageWalk *walk = context;
    const Pass *pass = walk->pass;
    void *image = ead_plan_input_buffer(pass->plan, pass->images);
    EAD_TRY(ead_image_cache_read(walk->images, index, image));
    ead_plan_write(pass->plan, pass->images, image);
    ead_plan_run(pass->plan);
    return walk->visit(pass->plan, walk->context, index);
}

static EadStatus run_all(const Pass *pass, const EadImageCache *images, const char *what, bool quiet,
                         Visit *visit, void *context) {
    ImageWalk image_walk = {pass, images, visit, context};
    EadWalk walk = {.what = what, .count = ead_image_cache_count(images), .quiet = quiet};
    return ead_walk(&walk, run_image, &image_walk);
}

/* ---- the teacher's channels ---- */

typedef struct TeacherSums {
    const EadNode *output;
    EadChannelSums channels;
} TeacherSums;

static EadStatus add_features(const EadPlan *image_plan, void *context, int image) {
    TeacherSums *s = context;
    const void *value;
    (void)image;
    EAD_TRY(ead_plan_fetch(image_plan, s->output, &value));
    ead_channel_sums_add(&s->channels, value, ead_count(&s->output->y) / EAD_FEATURES);
    return EAD_OK;
}

EadStatus ead_measure_teacher(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                              bool quiet) {
    TeacherSums sums = {NULL};
    Pass pass;
    EAD_TRY(ead_channel_sums_new(EAD_FEATURES, &sums.channels));
    EadStatus status = begin(&pass, model);
    if (status == EAD_OK) {
        EadPdn teacher = ead_efficientad_teacher(model);
        EadNode *x = ead_normalize_image(pass.graph, pass.images);
        sums.output =
            ead_keep(ead_pdn_head(pass.graph, &teacher, ead_pdn_trunk(pass.graph, &teacher, x), 0, 0));
        status = plan_pass(&pass, backend);
    }
    if (status == EAD_OK)
        status = run_all(&pass, images, "measuring the teacher", quiet, add_features, &sums);
    if (status == EAD_OK) {
        double mean[EAD_FEATURES], std[EAD_FEATURES];
        ead_channel_sums_result(&sums.channels, mean, std);
        ead_efficientad_set_teacher_statistics(model, mean, std);
    }
    ead_channel_sums_free(&sums.channels);
    end(&pass);
    return status;
}

/* ---- the teacher's outputs ---- */

typedef struct CachedOutputs {
    const EadNode *output;
    EadTrainingStep *step;
} CachedOutputs;

static EadStatus cache_output(const EadPlan *image_plan, void *context, int image) {
    CachedOutputs *t = context;
    const void *value;
    EAD_TRY(ead_plan_fetch(image_plan, t->output, &value));
    ead_training_step_set_row(t->step, EAD_TABLE_TEACHER, image, value);
    return EAD_OK;
}

EadStatus ead_cache_teacher_outputs(const EadEfficientad *model, const EadPlanOptions *options,
                                    const EadImageCache *images, bool quiet, EadTrainingStep *step) {
    const EadBackend *backend = options->backend ? options->backend : &ead_backend_cpu;
    EadPlanOptions as_in_training = *options;
    as_in_training.precision = ead_precision_resolve(backend, options->precision, true);
    CachedOutputs outputs = {NULL, step};
    Pass pass;
    EadStatus status = begin(&pass, model);
    if (status == EAD_OK) {
        EadNode *x = ead_normalize_image(pass.graph, pass.images);
        outputs.output = ead_keep(ead_efficientad_teacher_output(pass.graph, model, x));
        status = ead_plan_new(pass.graph, &as_in_training, &pass.plan);
    }
    if (status == EAD_OK)
        status = run_all(&pass, images, "keeping the teacher's outputs", quiet, cache_output, &outputs);
    end(&pass);
    return status;
}

/* ---- the maps ---- */

typedef struct MapValues {
    EadMaps maps;
    real *values[EAD_MAP_COUNT]; /* [images][H][W] */
    int64_t pixels;              /* of one map */
} MapValues;

static EadStatus collect_maps(const EadPlan *image_plan, void *context, int image) {
    MapValues *v = context;
    for (int m = 0; m < EAD_MAP_COUNT; m++)
        if (v->values[m])
            EAD_TRY(ead_plan_read(image_plan, v->maps.raw[m], v->values[m] + image * v->pixels));
    return EAD_OK;
}

/* Exact quantiles by the same op that the hard feature loss uses. */
static EadStatus quantiles(real *values, int images, int pixels, const EadMapMeasure *measure,
                           double out[2]) {
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *all = ead_leaf(graph, "maps", EAD_REAL, images, 1, 1, pixels, values);
    EadNode *a = ead_keep(ead_quantile(graph, all, measure->q_start));
    EadNode *b = ead_keep(ead_quantile(graph, all, measure->q_end));
    EadPlan *plan = NULL;
    EadStatus status = ead_plan_new(graph, NULL, &plan);
    real at[2];
    if (status == EAD_OK) ead_plan_run(plan);
    if (status == EAD_OK) status = ead_plan_read(plan, a, &at[0]);
    if (status == EAD_OK) status = ead_plan_read(plan, b, &at[1]);
    for (int i = 0; i < 2 && status == EAD_OK; i++) out[i] = (double)at[i];
    ead_plan_free(plan);
    ead_graph_free(graph);
    return status;
}

static void mean_and_std(const real *values, int64_t count, double out[2]) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)values[i];
    out[0] = sum / (double)count;
    for (int64_t i = 0; i < count; i++)
        squares += ((double)values[i] - out[0]) * ((double)values[i] - out[0]);
    out[1] = sqrt(squares / (double)count);
}

static EadStatus set_statistics(EadEfficientad *model, MapValues *v, int images,
                                const EadMapMeasure *measure) {
    double statistics[EAD_MAP_COUNT][2] = {{0}};
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        if (!v->values[m]) continue;
        if (measure->normalization == EAD_MAPS_QUANTILE)
            EAD_TRY(quantiles(v->values[m], images, (int)v->pixels, measure, statistics[m]));
        else
            mean_and_std(v->values[m], images * v->pixels, statistics[m]);
    }
    return ead_efficientad_set_map_statistics(model, measure->normalization, statistics);
}

static EadStatus allocate(MapValues *v, const EadEfficientad *model, int images) {
    v->pixels = (int64_t)model->spec.height * model->spec.width;
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        if (!v->maps.raw[m]) continue;
        v->values[m] = malloc((size_t)(images * v->pixels) * sizeof(real));
        if (!v->values[m])
            return ead_fail(EAD_NO_MEMORY, "no memory for the maps of %d validation images", images);
    }
    return EAD_OK;
}

EadStatus ead_measure_maps(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                           const EadMapMeasure *measure, bool quiet) {
    MapValues v = {0};
    Pass pass;
    int count = ead_image_cache_count(images);
    EadStatus status = begin(&pass, model);
    if (status == EAD_OK) {
        v.maps = ead_build_raw_maps(pass.graph, model, pass.images);
        status = plan_pass(&pass, backend);
    }
    if (status == EAD_OK) status = allocate(&v, model, count);
    if (status == EAD_OK) status = run_all(&pass, images, "measuring the maps", quiet, collect_maps, &v);
    if (status == EAD_OK) status = set_statistics(model, &v, count, measure);
    for (int m = 0; m < EAD_MAP_COUNT; m++) free(v.values[m]);
    end(&pass);
    return status;
}
