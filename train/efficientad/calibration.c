/* Passes over the cached images with inference graphs: the numbers that a model takes from its data besides
 * the weights, and the teacher's outputs themselves. */
#include "train/efficientad/efficientad_fit.h"

#include "core/base/memory.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/quantile/quantile.h"
#include "core/plan/plan.h"
#include "train/support/channel_sums.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdlib.h>

/* How a pass looks at images. */
typedef enum PassLook {
    LOOK_USUAL, /* at the model's size; of a model with tiles in these, and their outputs are blended */
    LOOK_APART, /* the same, but each tile is visited by itself */
    LOOK_WHOLE, /* of a model with tiles, reduced to one */
} PassLook;

/* A graph that looks at one cached image after another. */
typedef struct Pass {
    const char *what; /* for the progress line */
    PassLook look;
    EadPlanOptions options;
    void (*build)(struct Pass *pass, EadGraph *graph, EadNode *images); /* leaves the outputs, kept */
    EadStatus (*visit)(struct Pass *pass, int image);                   /* uses them */
    const EadEfficientad *model;
    const EadImageCache *cache;
    void *context; /* of visit */
    EadNode *images, *outputs[EAD_MAP_COUNT];
    EadPlan *plan;
    real *blended
        [EAD_MAP_COUNT]; /* outputs of all tiles of the present image, [blended_cells]; NULL: those of the plan */
    int64_t blended_cells;
    /* 1 inside of the region of interest, else 0; NULL: all is inside. */
    real *cells;     /* of the networks' outputs */
    uint8_t *inside; /* of the pixels of their maps stretched to image size */
} Pass;

static EadStatus find_inside(Pass *pass) {
    const EadEfficientadSpec *spec = &pass->model->spec;
    int height = ead_efficientad_map_height(spec), width = ead_efficientad_map_width(spec);
    if (!pass->model->base.region.mask) return EAD_OK;
    pass->cells = ead_new((int64_t)height * width, sizeof *pass->cells, "a region of interest");
    pass->inside = ead_new((int64_t)spec->height * spec->width, 1, "a region of interest");
    if (!pass->cells || !pass->inside) return EAD_NO_MEMORY;
    ead_region_cells(&pass->model->base.region, height, width, ead_efficientad_unseen_cells(spec),
                     pass->cells);
    for (int y = 0; y < spec->height; y++)
        for (int x = 0; x < spec->width; x++)
            pass->inside[y * spec->width + x] =
                pass->cells[y * height / spec->height * width + x * width / spec->width] > 0;
    return EAD_OK;
}

/* The values of an output for what is visited. */
static EadStatus output_of(const Pass *pass, int output, const real **values, int64_t *count) {
    const void *value;
    *values = pass->blended[output];
    *count = pass->blended_cells;
    if (*values) return EAD_OK;
    EAD_TRY(ead_plan_fetch(pass->plan, pass->outputs[output], &value));
    *values = value;
    *count = ead_count(&pass->outputs[output]->y);
    return EAD_OK;
}

/* ---- tiles ---- */

static EadStatus add_tile(Pass *pass, const EadTiling *grid, int tile) {
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        const void *value;
        if (!pass->outputs[m]) continue;
        EAD_TRY(ead_plan_fetch(pass->plan, pass->outputs[m], &value));
        ead_tiling_add(grid, tile, value, pass->blended[m]);
    }
    return EAD_OK;
}

static EadStatus visit_tiles(Pass *pass, int index, const EadTiling *grid, const uint8_t *image) {
    uint8_t *buffer = ead_plan_input_buffer(pass->plan, pass->images);
    bool apart = pass->look == LOOK_APART;
    pass->blended_cells = ead_tiling_cells(grid);
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        if (apart || !pass->outputs[m]) continue;
        pass->blended[m] = ead_new(pass->blended_cells, sizeof(real), "the map of an image in tiles");
        if (!pass->blended[m]) return EAD_NO_MEMORY;
    }
    for (int tile = 0; tile < ead_tiling_count(grid); tile++) {
        ead_tiling_cut(grid, image, tile, buffer);
        ead_plan_write(pass->plan, pass->images, buffer);
        ead_plan_run(pass->plan);
        EAD_TRY(apart ? pass->visit(pass, index) : add_tile(pass, grid, tile));
    }
    return apart ? EAD_OK : pass->visit(pass, index);
}

/* image: [height][width][3] as it is kept. */
static EadStatus run_tiles(Pass *pass, int index, const uint8_t *image, int width, int height) {
    const EadEfficientadSpec *spec = &pass->model->spec;
    EadTiles tiles = pass->model->base.tiles;
    EadTiling grid;
    if (pass->look == LOOK_APART) tiles.overlap = 0;
    EAD_TRY(ead_tiling_new(&grid, &tiles, ead_efficientad_unseen_cells(spec), width, height));
    EadStatus status = visit_tiles(pass, index, &grid, image);
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        free(pass->blended[m]);
        pass->blended[m] = NULL;
    }
    ead_tiling_free(&grid);
    return status;
}

/* ---- a pass ---- */

static EadStatus run_at_once(Pass *pass, int index, const void *image) {
    ead_plan_write(pass->plan, pass->images, image);
    ead_plan_run(pass->plan);
    return pass->visit(pass, index);
}

static EadStatus run_large(Pass *pass, int index) {
    const EadEfficientadSpec *spec = &pass->model->spec;
    uint8_t *buffer = ead_plan_input_buffer(pass->plan, pass->images);
    int width, height;
    ead_image_cache_size(pass->cache, index, &width, &height);
    uint8_t *image = ead_new((int64_t)width * height, 3, "an image in tiles");
    EadStatus status = image ? ead_image_cache_read(pass->cache, index, image) : EAD_NO_MEMORY;
    if (status == EAD_OK && pass->look != LOOK_WHOLE)
        status = run_tiles(pass, index, image, width, height);
    else if (status == EAD_OK) {
        status =
            ead_resize_u8(image, width, height, 3, (ptrdiff_t)3 * width, buffer, spec->width, spec->height);
        if (status == EAD_OK) status = run_at_once(pass, index, buffer);
    }
    free(image);
    return status;
}

static EadStatus run_image(void *context, int index) {
    Pass *pass = context;
    if (pass->model->base.tiles.size) return run_large(pass, index);
    void *image = ead_plan_input_buffer(pass->plan, pass->images);
    EAD_TRY(ead_image_cache_read(pass->cache, index, image));
    return run_at_once(pass, index, image);
}

static EadStatus run_pass(Pass *pass, bool quiet) {
    const EadEfficientadSpec *spec = &pass->model->spec;
    EadWalk walk = {.what = pass->what, .count = ead_image_cache_count(pass->cache), .quiet = quiet};
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    pass->images = ead_leaf(graph, "images", EAD_U8, 1, spec->height, spec->width, 3, NULL);
    pass->build(pass, graph, pass->images);
    EadStatus status = ead_plan_new(graph, &pass->options, &pass->plan);
    if (status == EAD_OK) status = find_inside(pass);
    if (status == EAD_OK) status = ead_walk(&walk, run_image, pass);
    free(pass->cells);
    free(pass->inside);
    ead_plan_free(pass->plan);
    ead_graph_free(graph);
    return status;
}

/* ---- the teacher's channels ---- */

static void build_features(Pass *pass, EadGraph *graph, EadNode *images) {
    EadPdn teacher = ead_efficientad_teacher(pass->model);
    EadNode *x = ead_normalize_image(graph, images);
    pass->outputs[0] = ead_keep(ead_pdn_head(graph, &teacher, ead_pdn_trunk(graph, &teacher, x), 0, 0));
}

static EadStatus add_features(Pass *pass, int image) {
    const real *values;
    int64_t count;
    (void)image;
    EAD_TRY(output_of(pass, 0, &values, &count));
    int64_t cells = count / EAD_FEATURES;
    if (!pass->cells) ead_channel_sums_add(pass->context, values, cells);
    for (int64_t i = 0; i < cells && pass->cells; i++)
        if (pass->cells[i] > 0) ead_channel_sums_add(pass->context, values + i * EAD_FEATURES, 1);
    return EAD_OK;
}

EadStatus ead_measure_teacher(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                              bool quiet) {
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    EadChannelSums sums;
    Pass pass = {.what = "measuring the teacher",
                 .look = LOOK_APART,
                 .options = {.backend = backend},
                 .build = build_features,
                 .visit = add_features,
                 .model = model,
                 .cache = images,
                 .context = &sums};
    EAD_TRY(ead_channel_sums_new(EAD_FEATURES, &sums));
    EadStatus status = run_pass(&pass, quiet);
    pass.look = LOOK_WHOLE;
    if (status == EAD_OK && model->base.tiles.whole_image) status = run_pass(&pass, quiet);
    if (status == EAD_OK) {
        ead_channel_sums_result(&sums, mean, std);
        ead_efficientad_set_teacher_statistics(model, mean, std);
    }
    ead_channel_sums_free(&sums);
    return status;
}

/* ---- the teacher's outputs ---- */

static void build_output(Pass *pass, EadGraph *graph, EadNode *images) {
    EadNode *x = ead_normalize_image(graph, images);
    pass->outputs[0] = ead_keep(ead_efficientad_teacher_output(graph, pass->model, x));
}

static EadStatus cache_output(Pass *pass, int image) {
    const void *value;
    EAD_TRY(ead_plan_fetch(pass->plan, pass->outputs[0], &value));
    ead_training_step_set_row(pass->context, EAD_TABLE_TEACHER, image, value);
    return EAD_OK;
}

EadStatus ead_cache_teacher_outputs(const EadEfficientad *model, const EadPlanOptions *options,
                                    const EadImageCache *images, bool quiet, EadTrainingStep *step) {
    const EadBackend *backend = options->backend ? options->backend : &ead_backend_cpu;
    Pass pass = {.what = "keeping the teacher's outputs",
                 .options = *options,
                 .build = build_output,
                 .visit = cache_output,
                 .model = model,
                 .cache = images,
                 .context = step};
    pass.options.precision = ead_precision_resolve(backend, options->precision, true); /* as in training */
    return run_pass(&pass, quiet);
}

/* ---- the maps ---- */

typedef struct MapValues {
    real *values[EAD_MAP_COUNT]; /* room for those of all images; NULL: the model has no such map */
    int64_t count;               /* of each, so far: of every image those inside of the region */
} MapValues;

static void build_raw_maps(Pass *pass, EadGraph *graph, EadNode *images) {
    EadMaps maps = ead_build_raw_maps(graph, pass->model, images);
    for (int m = 0; m < EAD_MAP_COUNT; m++) pass->outputs[m] = maps.raw[m];
}

static EadStatus collect_maps(Pass *pass, int image) {
    MapValues *v = pass->context;
    int64_t first = v->count;
    (void)image;
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        const real *values;
        int64_t count;
        if (!v->values[m]) continue;
        EAD_TRY(output_of(pass, m, &values, &count));
        v->count = first;
        for (int64_t i = 0; i < count; i++)
            if (!pass->inside || pass->inside[i]) v->values[m][v->count++] = values[i];
    }
    return EAD_OK;
}

/* ---- their mean ---- */

typedef struct MapSum {
    int64_t count; /* of the values, of each kind of map */
    double sum;
} MapSum;

static EadStatus add_maps(Pass *pass, int image) {
    MapSum *s = pass->context;
    (void)image;
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        const real *values;
        int64_t count;
        if (!pass->outputs[m]) continue;
        EAD_TRY(output_of(pass, m, &values, &count));
        for (int64_t i = 0; i < count; i++)
            if (!pass->inside || pass->inside[i]) {
                s->sum += (double)values[i];
                s->count += m == EAD_MAP_ST;
            }
    }
    return EAD_OK;
}

EadStatus ead_mean_of_maps(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                           double *mean) {
    MapSum sum = {0};
    Pass pass = {.what = "measuring the maps",
                 .options = {.backend = backend},
                 .build = build_raw_maps,
                 .visit = add_maps,
                 .model = model,
                 .cache = images,
                 .context = &sum};
    EAD_TRY(run_pass(&pass, true));
    *mean = sum.sum / (double)sum.count;
    return EAD_OK;
}

/* ---- their statistics ---- */

/* Exact quantiles by the same op that the hard feature loss uses. */
static EadStatus quantiles(real *values, int rows, int pixels, const EadMapMeasure *measure, double out[2]) {
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *all = ead_leaf(graph, "maps", EAD_REAL, rows, 1, 1, pixels, values);
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

/* rows: of equal length, in which the values can be divided. */
static EadStatus set_statistics(EadEfficientad *model, PassLook look, MapValues *v, int rows,
                                const EadMapMeasure *measure) {
    double statistics[EAD_MAP_COUNT][2] = {{0}};
    for (int m = 0; m < EAD_MAP_COUNT; m++) {
        if (!v->values[m]) continue;
        if (measure->normalization == EAD_MAPS_QUANTILE)
            EAD_TRY(quantiles(v->values[m], rows, (int)(v->count / rows), measure, statistics[m]));
        else
            mean_and_std(v->values[m], v->count, statistics[m]);
    }
    if (look == LOOK_WHOLE) return ead_efficientad_set_whole_statistics(model, statistics);
    return ead_efficientad_set_map_statistics(model, measure->normalization, statistics);
}

/* Values of one kind of map of all images: of pixels, or with tiles of cells. */
static int64_t values_of(const EadEfficientad *model, const EadImageCache *images) {
    int64_t count = 0;
    for (int i = 0; i < ead_image_cache_count(images); i++) {
        int width = model->spec.width, height = model->spec.height;
        if (model->base.tiles.size) {
            ead_image_cache_size(images, i, &width, &height);
            width = (width + EAD_TILE_STEP - 1) / EAD_TILE_STEP;
            height = (height + EAD_TILE_STEP - 1) / EAD_TILE_STEP;
        }
        count += (int64_t)width * height;
    }
    return count;
}

static EadStatus measure_look(EadEfficientad *model, PassLook look, const EadBackend *backend,
                              const EadImageCache *images, const EadMapMeasure *measure, bool quiet) {
    bool tiled = model->base.tiles.size > 0;
    int maps = model->spec.autoencoder ? EAD_MAP_COUNT : 1;
    MapValues v = {0};
    Pass pass = {.what = "measuring the maps",
                 .look = look,
                 .options = {.backend = backend},
                 .build = build_raw_maps,
                 .visit = collect_maps,
                 .model = model,
                 .cache = images,
                 .context = &v};
    EadStatus status = EAD_OK;
    int64_t room = values_of(model, images);
    for (int m = 0; m < maps && status == EAD_OK; m++) {
        v.values[m] = ead_new(room, sizeof(real), "the maps of all validation images");
        if (!v.values[m]) status = EAD_NO_MEMORY;
    }
    if (status == EAD_OK) status = run_pass(&pass, quiet);
    if (status == EAD_OK)
        status = set_statistics(model, look, &v, tiled ? 1 : ead_image_cache_count(images), measure);
    for (int m = 0; m < EAD_MAP_COUNT; m++) free(v.values[m]);
    return status;
}

EadStatus ead_measure_maps(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                           const EadMapMeasure *measure, bool quiet) {
    EAD_TRY(measure_look(model, LOOK_USUAL, backend, images, measure, quiet));
    if (!model->base.tiles.whole_image) return EAD_OK;
    return measure_look(model, LOOK_WHOLE, backend, images, measure, quiet);
}
