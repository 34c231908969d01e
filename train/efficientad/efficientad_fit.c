/* EfficientAD as a row of train/fits.def: one phase. */
#include "train/efficientad/efficientad_fit.h"

#include "core/base/printing.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/file/file_role.h"
#include "train/loop/checkpoint.h"
#include "train/loop/train_backbone.h"
#include "train/support/memory_budget.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOADER_THREADS = 2, SAMPLE_ROWS = 8 };

#define PENALTY_IMAGES "penalty images"

EAD_SAME_VALUE(EAD_SELECT_CHOICE_BOTH, EAD_USE_BOTH);
EAD_SAME_VALUE(EAD_SELECT_CHOICE_ST, EAD_USE_ST);
EAD_SAME_VALUE(EAD_SELECT_CHOICE_AE, EAD_USE_AE);
EAD_SAME_VALUE(EAD_SIZE_CHOICE_MEDIUM, EAD_PDN_MEDIUM);
EAD_SAME_VALUE(EAD_NORMALIZATION_CHOICE_QUANTILE, EAD_MAPS_QUANTILE);
EAD_SAME_VALUE(EAD_NORMALIZATION_CHOICE_GAUSSIAN, EAD_MAPS_GAUSSIAN);
EAD_SAME_VALUE(EAD_NORMALIZATION_CHOICE_NONE, EAD_MAPS_NONE);

typedef struct FitState {
    const EadRunSpec *spec;
    const EadConfig *config;
    const EadTrainData *data; /* NULL: a sample for the bench */
    EadEfficientad *model;
    bool reads_penalty;        /* images of files: that loss is on, and they are not drawn */
    EadImageList penalty_list; /* empty unless they are read */
    EadImageDraws *penalty;    /* NULL unless they are read */
    EadResidentData tables;
    EadTrainingStep training;
    EadTrainingImages images;
} FitState;

/* ---- the model and its data ---- */

static EadEfficientadSpec spec_of(const EadConfig *config) {
    return (EadEfficientadSpec){.size = (EadPdnSize)config->model_size,
                                .padding = config->model_padding,
                                .height = config->model_image_size.height,
                                .width = config->model_image_size.width,
                                .autoencoder = config->autoencoder_enabled};
}

static EadStatus new_model(FitState *s) {
    EadEfficientadSpec spec = spec_of(s->config);
    EAD_TRY(ead_efficientad_new(&spec, &s->model));
    s->model->base.tiles = ead_config_tiles(s->config);
    return ead_model_choose_maps(&s->model->base, s->config->maps_select);
}

static void free_state(void *state) {
    FitState *s = state;
    ead_image_draws_print(s->penalty, stderr);
    ead_image_draws_close(s->penalty);
    ead_image_list_free(&s->penalty_list);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

static EadFitDraws draws(const EadConfig *config) {
    bool reads = config->loss_penalty && !ead_config_draws_penalty(config);
    return (EadFitDraws){"penalty", "penalty.path", reads ? config->penalty_path : NULL};
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, void **state) {
    FitState *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (FitState){.spec = spec, .config = spec->config, .data = data};
    s->reads_penalty = draws(s->config).path != NULL;
    *state = s;
    return EAD_OK;
}

/* What is not made for a key, but holds the networks that it needs, is used and named. */
static void note_role(const char *key, const char *path, EadFileRole usual) {
    EadFileRole role = ead_file_role(path);
    if (role != usual && role != EAD_ROLE_UNKNOWN)
        ead_print(stderr, "%s: %s is %s; the networks in it are used\n", key, path, ead_file_role_name(role));
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    const EadConfig *config = spec->config;
    const char *teacher = config->model_teacher;
    EadPath shipped;
    EAD_TRY(new_state(spec, data, state));
    FitState *s = *state;
    EAD_TRY(new_model(s));
    if (!teacher[0]) {
        EAD_TRY(ead_shipped_teacher(ead_pdn_size_name(s->model->spec.size), shipped));
        teacher = shipped;
    }
    EAD_TRY(ead_efficientad_read_teacher(s->model, teacher));
    if (strcmp(teacher, config->model_init) != 0) note_role("model.teacher", teacher, EAD_ROLE_TEACHER);
    ead_params_initialize(&s->model->trained, config->train_seed);
    if (config->model_init[0]) {
        EAD_TRY(ead_efficientad_read_trained(s->model, config->model_init));
        note_role("model.init", config->model_init, EAD_ROLE_MODEL);
    }
    if (s->reads_penalty) {
        EadDrawOrder order = {config->train_seed, EAD_STREAM_PENALTY_ORDER};
        EadFitDraws drawn = draws(config);
        EAD_TRY(ead_train_data_others(config, drawn.key, drawn.path, "images of other things", &order, data,
                                      &s->penalty_list));
        s->penalty_list.rules.max_pixels =
            config->dataset_max_pixels; /* and no bits: other cameras took them */
    }
    int again = s->penalty_list.count <= config->train_steps ? s->penalty_list.count : 0; /* all are drawn */
    return ead_resident_data_choose(config, spec->backend, &s->model->spec, data->dataset.train.count, again,
                                    &s->tables);
}

/* As in a training on a device, whose images lie there from the start. */
static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    EAD_TRY(new_state(spec, NULL, state));
    FitState *s = *state;
    double mean[EAD_FEATURES] = {0}, std[EAD_FEATURES];
    double statistics[EAD_MAP_COUNT][2] = {{0, 1}, {0, 1}};
    for (int c = 0; c < EAD_FEATURES; c++) std[c] = 0.1;
    bool tables = s->config->tiles_size == 0;
    bool kept = spec->config->train_teacher_cache != EAD_TEACHER_CACHE_CHOICE_FALSE;
    EAD_TRY(new_model(s));
    if (images > 0) {
        EAD_TRY(
            ead_resident_data_choose(spec->config, spec->backend, &s->model->spec, images, 0, &s->tables));
        kept = s->tables.rows[EAD_TABLE_TEACHER] > 0;
        s->tables = (EadResidentData){.seed = 0};
    }
    if (tables && spec->backend && spec->backend->device)
        s->tables = (EadResidentData){{SAMPLE_ROWS, SAMPLE_ROWS, 0}, .seed = 1, .augment = true};
    if (tables && kept) s->tables.rows[EAD_TABLE_TEACHER] = SAMPLE_ROWS;
    ead_params_initialize(&s->model->teacher, 1);
    ead_params_initialize(&s->model->trained, 2);
    ead_efficientad_set_teacher_statistics(s->model, mean, std);
    EAD_TRY(ead_efficientad_set_map_statistics(s->model, EAD_MAPS_QUANTILE, statistics));
    return ead_efficientad_set_whole_statistics(s->model, statistics);
}

static EadStatus open_penalty(void *state) {
    FitState *s = state;
    if (!s->reads_penalty) return EAD_OK;
    EadFitDraws drawn = draws(s->config);
    EAD_TRY(ead_open_draws(s->config, &s->penalty_list, ead_penalty_fit(s->config), drawn.kind, drawn.key,
                           s->config->train_steps, &s->penalty));
    return ead_image_draws_try(s->penalty);
}

/* ---- the phase ---- */

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const EadConfig *config = ((const FitState *)state)->config;
    out[0] = (EadPhase){"training", config->train_steps, "train.lr", config->train_lr, 1};
    return 1;
}

/* At the paper's rate some hundred steps lead nowhere. That of a training from the start is raised below FULL_RATE_STEPS, with the
 * root of what is missing, at most MOST_RATE times: docs/training.md says what that brings. */
static EadStatus shorten(EadConfig *config, const bool *given) {
    enum { FULL_RATE_STEPS = 7000, MOST_RATE = 5 };
    double factor = fmin(MOST_RATE, sqrt(FULL_RATE_STEPS / (double)config->train_steps));
    char rate[32];
    if (factor <= 1 || config->model_init[0] || (given && given[EAD_KEY_train_lr])) return EAD_OK;
    snprintf(rate, sizeof rate, "%.2g", fmin(1, factor * config->train_lr));
    ead_print(stderr, "so few steps learn faster: train.lr is %s in place of %.2g\n", rate, config->train_lr);
    return ead_config_set_key(config, EAD_KEY_train_lr, rate);
}

/* Leaves out what a step can do without; false if there is nothing. */
static bool leave_tables(const EadConfig *config, EadResidentData *tables) {
    bool any = tables->rows[EAD_TABLE_TRAIN] > 0;
    tables->rows[EAD_TABLE_TRAIN] = tables->rows[EAD_TABLE_PENALTY] = 0;
    if (config->train_teacher_cache == EAD_TEACHER_CACHE_CHOICE_AUTO) {
        any |= tables->rows[EAD_TABLE_TEACHER] > 0;
        tables->rows[EAD_TABLE_TEACHER] = 0;
    }
    return any;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    FitState *s = state;
    const EadConfig *config = s->config;
    EadTrainingOptions options = ead_training_options_default(config->train_steps, config->train_seed);
    EadPlanOptions plan_options = ead_run_plan_options(s->spec);
    (void)phase;
    options.loss.hard_quantile = config->loss_hard_quantile;
    options.loss.penalty = config->loss_penalty;
    options.loss.dropout = config->autoencoder_dropout;
    options.adam = ead_adam_usual(config->train_weight_decay);
    options.schedule = (EadLrSchedule){config->train_lr, config->train_lr_drop_factor,
                                       ead_run_drop_step(config->train_lr_drop_at, config->train_steps)};
    options.tables = s->tables;
    EadStatus status = ead_training_step_new(s->model, &options, &plan_options, step, &s->training);
    if (status == EAD_NO_MEMORY && leave_tables(config, &s->tables)) {
        options.tables = s->tables;
        status = ead_training_step_new(s->model, &options, &plan_options, step, &s->training);
    }
    if (status == EAD_NO_MEMORY && s->tables.rows[EAD_TABLE_TEACHER])
        return ead_fail_prefix(status, "with train.teacher_cache, which false switches off: ");
    return status;
}

static EadStatus start(void *state, const EadStep *step) {
    static const char *const names[EAD_TABLES] = {"training images", PENALTY_IMAGES,
                                                  "outputs of the teacher"};
    const FitState *s = state;
    (void)step;
    const EadEfficientadSpec *spec = &s->model->spec;
    char penalty[32] = "drawn";
    if (s->reads_penalty || !s->config->loss_penalty)
        snprintf(penalty, sizeof penalty, "%d", s->penalty_list.count);
    ead_print(stderr,
              "EfficientAD-%s at %dx%d%s on %s, %s: %d training, %d validation, %s penalty, %d test images\n",
              spec->size == EAD_PDN_SMALL ? "S" : "M", spec->height, spec->width,
              s->model->base.tiles.size ? " in tiles" : "", s->spec->backend->name,
              ead_run_precision_name(s->spec), ead_image_cache_count(s->data->train),
              ead_image_cache_count(s->data->validation), penalty, s->data->dataset.test_count);
    if (s->config->loss_penalty && !s->reads_penalty)
        ead_print(stderr, "penalty images: drawn anew for each step (penalty.path=drawn); the paper's are "
                          "photographs: --set penalty.path=FOLDER takes those of a folder\n");
    const char *before = "kept in memory: ";
    for (int t = 0; t < EAD_TABLES; t++) {
        int rows = s->tables.rows[t];
        if (rows == 0) continue;
        size_t bytes = ead_step_table_bytes(spec, (EadResidentImages)t, rows);
        ead_print(stderr, "%s%d %s (%.0f MB)", before, rows, names[t], 1e-6 * (double)bytes);
        before = ", ";
    }
    if (before[0] == ',') fputc('\n', stderr);
    return EAD_OK;
}

static EadStatus fit(void *state, int phase) {
    const FitState *s = state;
    (void)phase;
    return ead_measure_teacher(s->model, s->spec->backend, s->data->train, s->spec->quiet);
}

/* A second time where begin() keeps what the first has measured. */
static EadStatus look(void *state, const EadImageCache *few) {
    FitState *s = state;
    EAD_TRY(ead_measure_teacher(s->model, s->spec->backend, few, true));
    if (s->tables.rows[EAD_TABLE_TEACHER] == 0) return EAD_OK;
    return ead_measure_teacher(s->model, s->spec->backend, few, true);
}

/* Brings images into a table, or, for a sample, the same image everywhere. */
typedef struct TableFill {
    FitState *s;
    EadResidentImages table;
    uint8_t *image;
} TableFill;

static EadStatus fill_row(void *context, int row) {
    const TableFill *fill = context;
    FitState *s = fill->s;
    if (s->data && fill->table == EAD_TABLE_TRAIN)
        EAD_TRY(ead_image_cache_read(s->data->train, row, fill->image));
    if (s->data && fill->table == EAD_TABLE_PENALTY)
        EAD_TRY(ead_image_draws_read(s->penalty, row, fill->image));
    ead_training_step_set_row(&s->training, fill->table, row, fill->image);
    return EAD_OK;
}

static EadStatus fill_table(FitState *s, EadResidentImages table, const char *what) {
    const EadEfficientadSpec *spec = &s->model->spec;
    int rows = s->tables.rows[table];
    if (rows == 0) return EAD_OK;
    TableFill fill = {s, table, ead_new(1, ead_step_table_bytes(spec, table, 1), "an image")};
    if (!fill.image) return EAD_NO_MEMORY;
    for (int i = 0; !s->data && table != EAD_TABLE_TEACHER && i < spec->height * spec->width * 3; i++)
        fill.image[i] = (uint8_t)(i * 31 % 251);
    EadWalk walk = {.what = what, .count = rows, .quiet = s->spec->quiet};
    EadStatus status = ead_walk(&walk, fill_row, &fill);
    free(fill.image);
    ead_training_step_draw_from(&s->training, table, walk.count);
    return status;
}

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    FitState *s = state;
    const EadConfig *config = s->config;
    const EadImageCache *train = s->data ? s->data->train : NULL;
    EadPlanOptions plan_options = ead_run_plan_options(s->spec);
    (void)phase, (void)step;
    EAD_TRY(fill_table(s, EAD_TABLE_TRAIN, "bringing the training images to the device"));
    EAD_TRY(fill_table(s, EAD_TABLE_PENALTY, "bringing the penalty images to the device"));
    if (!s->data) EAD_TRY(fill_table(s, EAD_TABLE_TEACHER, "making outputs of the teacher"));
    if (s->data && s->tables.rows[EAD_TABLE_TEACHER])
        EAD_TRY(ead_cache_teacher_outputs(s->model, &plan_options, train, s->spec->quiet, &s->training));
    EadBatchSlots slots = ead_batch_slots(config->loss_penalty, config->autoencoder_enabled);
    if (s->tables.rows[EAD_TABLE_TRAIN])
        slots = (EadBatchSlots){0, -1, -1, 1}; /* the others are drawn there */
    s->images = (EadTrainingImages){.train = train,
                                    .tiles = s->model->base.tiles,
                                    .penalty = s->penalty,
                                    .seed = config->train_seed,
                                    .augment = config->augment_enabled,
                                    .penalty_at = slots.penalty,
                                    .train_at = slots.train,
                                    .augmented_at = slots.augmented,
                                    .count = slots.count};
    loader->threads = LOADER_THREADS;
    if (s->data && config->loss_penalty && !s->tables.rows[EAD_TABLE_PENALTY] && s->spec->backend->device)
        loader->threads = 0; /* drawing or decoding one takes longer than a step there */
    if (s->data && config->loss_penalty && !s->reads_penalty) {
        s->images.drawn_height = s->model->spec.height;
        s->images.drawn_width = s->model->spec.width;
    }
    loader->fill = ead_training_images_fill;
    loader->context = &s->images;
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    const FitState *s = state;
    if (s->penalty_list.count > 0)
        EAD_TRY(ead_checkpoint_write_list(writer, PENALTY_IMAGES, &s->penalty_list));
    return ead_model_write(&s->model->base, writer);
}

static bool take(EadModel *own, const EadModel *base) {
    EadEfficientad *model = (EadEfficientad *)own;
    const EadEfficientad *read = (const EadEfficientad *)base;
    if (model->teacher.total != read->teacher.total || model->trained.total != read->trained.total)
        return false;
    memcpy(model->teacher.values, read->teacher.values, (size_t)model->teacher.total * sizeof(real));
    memcpy(model->trained.values, read->trained.values, (size_t)model->trained.total * sizeof(real));
    memcpy(model->teacher_mean, read->teacher_mean, sizeof model->teacher_mean);
    memcpy(model->teacher_std, read->teacher_std, sizeof model->teacher_std);
    memcpy(model->teacher_scale, read->teacher_scale, sizeof model->teacher_scale);
    memcpy(model->teacher_shift, read->teacher_shift, sizeof model->teacher_shift);
    return true;
}

static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    const FitState *s = state;
    if (s->penalty_list.count > 0) ead_checkpoint_compare_list(file, PENALTY_IMAGES, &s->penalty_list);
    return ead_fit_read_model(file, &s->model->base, take);
}

static EadStatus validate(void *state, double *loss) {
    const FitState *s = state;
    return ead_mean_of_maps(s->model, s->spec->backend, s->data->validation, loss);
}

static EadStatus calibrate(void *state, const EadRunFolder *folder, const char *config_text, int64_t done) {
    const FitState *s = state;
    const EadConfig *config = s->config;
    EadMapMeasure measure = {(EadMapNormalization)config->maps_normalization, config->maps_q_start,
                             config->maps_q_end};
    (void)folder, (void)config_text, (void)done;
    return ead_measure_maps(s->model, s->spec->backend, s->data->validation, &measure, s->spec->quiet);
}

static EadModel *model_of(void *state) {
    return &((FitState *)state)->model->base;
}

/* The files that training reads. Whether networks fit is not asked where their size was refused. */
static void check_files(EadConfig *config) {
    EadEfficientadSpec spec = spec_of(config);
    bool sized = !ead_config_was_refused(config, EAD_KEY_model_size) &&
                 !ead_config_was_refused(config, EAD_KEY_model_image_size) &&
                 !ead_config_was_refused(config, EAD_KEY_autoencoder_enabled);
    bool photographs = config->loss_penalty && !ead_config_draws_penalty(config);
    if (photographs && ead_config_is_there(config, EAD_KEY_penalty_path))
        ead_config_judge(config, EAD_KEY_penalty_path, ead_image_source_check(config->penalty_path));
    if (ead_config_is_there(config, EAD_KEY_model_teacher) && sized)
        ead_config_judge(config, EAD_KEY_model_teacher,
                         ead_teacher_read(spec.size, config->model_teacher, NULL));
    if (ead_config_is_there(config, EAD_KEY_model_init) && sized)
        ead_config_judge(config, EAD_KEY_model_init,
                         ead_efficientad_check_trained(&spec, config->model_init));
}

static void check_tiles(EadConfig *config) {
    EadSize size = config->model_image_size;
    int side = config->tiles_size;
    if (!side) return;
    if (size.height != side || size.width != side)
        ead_config_wrong(config, EAD_KEY_tiles_size,
                         "tiles.size is %d and model.image_size %dx%d: a tile is what the networks look at; "
                         "set both to one number",
                         side, size.height, size.width);
    if (config->model_padding)
        ead_config_wrong(config, EAD_KEY_model_padding,
                         "tiles.size needs model.padding=false: padded networks see edges where tiles end");
    if (config->roi_mask[0])
        ead_config_wrong(config, EAD_KEY_roi_mask,
                         "tiles.size and roi.mask cannot be had together; roi.box can, which cuts images");
    if (config->train_teacher_cache == EAD_TEACHER_CACHE_CHOICE_TRUE)
        ead_config_wrong(
            config, EAD_KEY_train_teacher_cache,
            "train.teacher_cache is true, but no two tiles are the same (tiles.size); set it to auto");
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    EadSize size = config->model_image_size;
    if (ead_efficientad_check_image_size(size.height, size.width) != EAD_OK)
        ead_config_wrong(config, EAD_KEY_model_image_size, "model.image_size: %s", ead_error_message());
    check_tiles(config);
    if (config->maps_q_start >= config->maps_q_end)
        ead_config_wrong(config, EAD_KEY_maps_q_start, "maps.q_start (%g) must be less than maps.q_end (%g)",
                         config->maps_q_start, config->maps_q_end);
    if (config->maps_select == EAD_SELECT_CHOICE_AE && !config->autoencoder_enabled)
        ead_config_wrong(config, EAD_KEY_maps_select,
                         "maps.select is ae, but autoencoder.enabled is false; set one of them otherwise");
    if (scope >= EAD_CHECK_TRAINING && config->loss_penalty && !config->penalty_path[0] &&
        !ead_config_was_refused(config, EAD_KEY_penalty_path))
        ead_config_wrong(config, EAD_KEY_loss_penalty,
                         "loss.penalty is true, but penalty.path is not set; set it to a folder or "
                         ".tar archive of varied photographs, or to drawn, for drawn images, or set "
                         "loss.penalty=false");
    if (scope >= EAD_CHECK_FILES) check_files(config);
    return ead_problems_since(&config->problems, known);
}

const EadFit ead_fit_efficientad = {.name = "efficientad",
                                    .model_name = "model.safetensors",
                                    .scope = EAD_SAME_STEPS,
                                    .losses = ead_efficientad_losses,
                                    .maps_key = EAD_KEY_maps_select,
                                    .slots = 8,
                                    .length_key = EAD_KEY_train_steps,
                                    .check = check,
                                    .create = create,
                                    .sample = sample,
                                    .least_steps = 250,
                                    .shorten = shorten,
                                    .free = free_state,
                                    .phases = phases,
                                    .plan = plan,
                                    .open = open_penalty,
                                    .start = start,
                                    .fit = fit,
                                    .look = look,
                                    .calibrated = ead_fit_calibrated_by_validation,
                                    .draws = draws,
                                    .begin = begin,
                                    .write = write_checkpoint,
                                    .read = read_checkpoint,
                                    .validate = validate,
                                    .calibrate = calibrate,
                                    .model = model_of};
