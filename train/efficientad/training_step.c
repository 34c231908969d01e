/* The graph of a training step, and the nodes that draw, gather and change images; their twin on the host is
 * data/loader/training_images.c. */
#include "train/efficientad/efficientad_fit.h"

#include "core/base/philox.h"
#include "core/ops/color_jitter/color_jitter.h"
#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/gather_image/gather_image.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/random_grayscale/random_grayscale.h"
#include "core/ops/sample_index/sample_index.h"
#include "train/support/memory_budget.h"

const EadLossColumn ead_efficientad_losses[] = {
    {"loss_hard", "loss/hard"},      {"loss_penalty", "loss/penalty"},
    {"loss_ae", "loss/autoencoder"}, {"loss_stae", "loss/student_autoencoder"},
    {"loss_total", "loss/total"},    {NULL, NULL},
};

EadTrainingOptions ead_training_options_default(int64_t steps, uint64_t seed) {
    return (EadTrainingOptions){
        .loss = {.hard_quantile = 0.999, .penalty = true, .dropout = 0.2, .seed = seed},
        .adam = ead_adam_usual(1e-5),
        .schedule = {.base = 1e-4, .factor = 0.1, .drop_step = steps * 95 / 100},
    };
}

/* ---- the images of a step ---- */

static EadTensor row_shape(const EadEfficientadSpec *spec, EadResidentImages table) {
    if (table != EAD_TABLE_TEACHER) return (EadTensor){EAD_U8, 1, spec->height, spec->width, 3, NULL};
    return (EadTensor){EAD_REAL,     1,   ead_efficientad_map_height(spec), ead_efficientad_map_width(spec),
                       EAD_FEATURES, NULL};
}

size_t ead_step_table_bytes(const EadEfficientadSpec *spec, EadResidentImages table, int rows) {
    EadTensor row = row_shape(spec, table);
    return (size_t)rows * ead_bytes(&row);
}

typedef struct Builder {
    EadTrainingStep *training;
    EadGraph *graph;
    EadNode *done;
    EadNode *given; /* u8 leaf of the images that come with the step; NULL: none */
} Builder;

static EadNode *draw(const Builder *b, EadStream stream, int64_t *images, const char *name) {
    EadNode *count = ead_leaf(b->graph, name, EAD_I64, 1, 1, 1, 1, images);
    return ead_sample_index(b->graph, b->done, count,
                            (EadSampleIndex){b->training->options.tables.seed, stream});
}

static EadNode *gather(const Builder *b, EadResidentImages table, const char *name, EadNode *index) {
    EadTensor row = row_shape(&b->training->model->spec, table);
    int rows = b->training->options.tables.rows[table];
    EadNode *images = ead_table(b->graph, name, row.type, rows, row.h, row.w, row.c);
    b->training->tables[table] = images;
    return ead_gather_image(b->graph, images, index);
}

/* The batch from the training image that was drawn; a penalty image without a table comes with the step. */
static EadNode *batch_of(const Builder *b, EadBatchSlots slots, EadNode *train) {
    const EadResidentData *tables = &b->training->options.tables;
    EadNode *parts[3], *penalty = b->given;
    if (slots.penalty >= 0 && !penalty) {
        EadNode *index = draw(b, EAD_STREAM_PENALTY_ORDER, &b->training->penalty_count, "penalty images");
        penalty = ead_random_grayscale(
            b->graph, gather(b, EAD_TABLE_PENALTY, "penalty", index), b->done,
            (EadRandomGrayscale){tables->seed, EAD_STREAM_PENALTY_GRAY, EAD_PENALTY_GRAY_PROBABILITY});
    }
    if (slots.penalty >= 0) parts[slots.penalty] = ead_normalize_image(b->graph, penalty);
    EadNode *x = parts[slots.train] = ead_normalize_image(b->graph, train);
    if (slots.augmented >= 0)
        parts[slots.augmented] =
            tables->augment ? ead_normalize_image(
                                  b->graph, ead_random_color_jitter(b->graph, train, b->done, tables->seed))
                            : x;
    return ead_concat_batch(b->graph, slots.count, parts);
}

static EadLossInputs build_inputs(Builder *b) {
    const EadEfficientadSpec *spec = &b->training->model->spec;
    const int *rows = b->training->options.tables.rows;
    EadBatchSlots slots = ead_batch_slots(b->training->options.loss.penalty, spec->autoencoder);
    EadLossInputs inputs = {.step = b->done};
    bool has_train = rows[EAD_TABLE_TRAIN] > 0, has_teacher = rows[EAD_TABLE_TEACHER] > 0;
    int given = has_train ? slots.penalty >= 0 && !rows[EAD_TABLE_PENALTY] : slots.count;
    b->training->train_count = has_train ? rows[EAD_TABLE_TRAIN] : rows[EAD_TABLE_TEACHER];
    b->training->penalty_count = rows[EAD_TABLE_PENALTY];
    if (given) b->given = ead_leaf(b->graph, "images", EAD_U8, given, spec->height, spec->width, 3, NULL);
    EadNode *index = has_train || has_teacher
                         ? draw(b, EAD_STREAM_TRAIN_ORDER, &b->training->train_count, "training images")
                         : NULL;
    if (has_teacher) inputs.teacher = gather(b, EAD_TABLE_TEACHER, "teacher", index);
    inputs.x = has_train ? batch_of(b, slots, gather(b, EAD_TABLE_TRAIN, "train", index))
                         : ead_normalize_image(b->graph, b->given);
    return inputs;
}

/* ---- the step ---- */

/* An EadStepBuilder; the losses in the order of ead_efficientad_losses. */
static void build(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    EadTrainingStep *training = context;
    Builder b = {.training = training, .graph = graph, .done = done};
    EadLosses l = ead_build_losses(graph, training->model, &training->options.loss, build_inputs(&b));
    EadNode *const losses[] = {l.hard, l.penalty, l.autoencoder, l.student_autoencoder, l.total};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) parts->losses[i] = losses[i];
    parts->total = l.total;
    parts->inputs[0] = b.given;
    parts->groups[0] =
        (EadStepGroup){&training->model->trained, training->options.adam, training->options.schedule};
    parts->group_count = 1;
}

EadStatus ead_training_step_new(EadEfficientad *model, const EadTrainingOptions *options,
                                const EadPlanOptions *plan, EadStep *step, EadTrainingStep *out) {
    *out = (EadTrainingStep){.model = model, .options = *options, .step = step};
    if (plan && plan->backend && plan->backend->device) out->options.loss.teacher_per_image = true;
    return ead_step_new(step, ead_loss_count(ead_efficientad_losses), build, out, plan);
}

void ead_training_step_set_row(EadTrainingStep *step, EadResidentImages table, int row, const void *value) {
    ead_plan_write_image(step->step->plan, step->tables[table], row, value);
}

void ead_training_step_draw_from(EadTrainingStep *step, EadResidentImages table, int count) {
    *(table == EAD_TABLE_PENALTY ? &step->penalty_count : &step->train_count) = count;
}

/* Adds a table of images if it fits into what is left of the room. */
static bool add_images(EadResidentData *tables, const EadEfficientadSpec *spec, EadResidentImages table,
                       int images, size_t *room) {
    size_t bytes = ead_step_table_bytes(spec, table, images);
    if (images == 0 || bytes > *room) return false;
    *room -= bytes;
    tables->rows[table] = images;
    return true;
}

EadStatus ead_resident_data_choose(const EadConfig *config, const EadBackend *backend,
                                   const EadEfficientadSpec *spec, int train_images, int penalty_images,
                                   EadResidentData *out) {
    size_t available = ead_available_memory(backend);
    *out = (EadResidentData){.seed = config->train_seed, .augment = config->augment_enabled};
    if (config->tiles_size > 0) return EAD_OK; /* no two draws are the same */
    size_t teacher = ead_step_table_bytes(spec, EAD_TABLE_TEACHER, train_images);
    bool worth = teacher <= available / 4 && config->train_steps > train_images;
    bool kept = config->train_teacher_cache == EAD_TEACHER_CACHE_CHOICE_TRUE ||
                (config->train_teacher_cache == EAD_TEACHER_CACHE_CHOICE_AUTO && worth);
    if (kept)
        out->rows[EAD_TABLE_TEACHER] = train_images;
    else
        teacher = 0;
    if (teacher > available)
        return ead_fail(EAD_NO_MEMORY,
                        "train.teacher_cache: the teacher's outputs on %d training images take %.0f MB, but "
                        "%.0f MB are free on %s; set train.teacher_cache=false or lower model.image_size",
                        train_images, 1e-6 * (double)teacher, 1e-6 * (double)available, backend->name);
    if (!backend->device) return EAD_OK;
    size_t room = (available - teacher) / 2;
    if (add_images(out, spec, EAD_TABLE_TRAIN, train_images, &room))
        add_images(out, spec, EAD_TABLE_PENALTY, penalty_images, &room);
    return EAD_OK;
}
