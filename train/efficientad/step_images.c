/* The nodes that draw, gather and change images; their twin on the host is data/loader/training_images.c. */
#include "train/efficientad/step_images.h"

#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/random_grayscale/random_grayscale.h"
#include "core/ops/sample_index/sample_index.h"
#include "core/ops/color_jitter/color_jitter.h"
#include "core/ops/gather_image/gather_image.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/base/philox.h"
#include "data/loader/training_images.h"

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
    EadStepImages *images;
    EadGraph *graph;
    const EadEfficientadSpec *spec;
    const EadResidentData *tables;
    EadNode *step;
} Builder;

static EadNode *draw(const Builder *b, EadStream stream, int which, const char *name) {
    EadNode *count = ead_leaf(b->graph, name, EAD_I64, 1, 1, 1, 1, &b->images->counts[which]);
    return ead_sample_index(b->graph, b->step, count, (EadSampleIndex){b->tables->seed, stream});
}

static EadNode *gather(const Builder *b, EadResidentImages table, const char *name, EadNode *index) {
    EadTensor row = row_shape(b->spec, table);
    b->images->tables[table] =
        ead_table(b->graph, name, row.type, b->tables->rows[table], row.h, row.w, row.c);
    return ead_gather_image(b->graph, b->images->tables[table], index);
}

static EadNode *gather_penalty(const Builder *b) {
    EadRandomGrayscale gray = {b->tables->seed, EAD_STREAM_PENALTY_GRAY, EAD_PENALTY_GRAY_PROBABILITY};
    EadNode *index = draw(b, EAD_STREAM_PENALTY_ORDER, EAD_DRAWN_PENALTY, "penalty images");
    return ead_random_grayscale(b->graph, gather(b, EAD_TABLE_PENALTY, "penalty", index), b->step, gray);
}

/* The batch from the training image that was drawn; a penalty image without a table comes with the step. */
static EadNode *batch_of(const Builder *b, const EadLossOptions *loss, EadNode *train) {
    EadNode *parts[3], *given = b->images->given;
    int count = 0;
    if (loss->penalty) parts[count++] = ead_normalize_image(b->graph, given ? given : gather_penalty(b));
    EadNode *x = parts[count++] = ead_normalize_image(b->graph, train);
    if (b->spec->autoencoder)
        parts[count++] = b->tables->augment
                             ? ead_normalize_image(b->graph, ead_random_color_jitter(b->graph, train, b->step,
                                                                                     b->tables->seed))
                             : x;
    return ead_concat_batch(b->graph, count, parts);
}

EadLossInputs ead_step_images_build(EadStepImages *images, EadGraph *graph, const EadEfficientad *model,
                                    const EadLossOptions *loss, const EadResidentData *tables,
                                    EadNode *step) {
    Builder b = {images, graph, &model->spec, tables, step};
    EadLossInputs inputs = {.step = step};
    const int *rows = tables->rows;
    bool has_train = rows[EAD_TABLE_TRAIN] > 0, has_teacher = rows[EAD_TABLE_TEACHER] > 0;
    int given = has_train ? loss->penalty && !rows[EAD_TABLE_PENALTY]
                          : ead_batch_slots(loss->penalty, model->spec.autoencoder).count;
    images->counts[EAD_DRAWN_TRAIN] = has_train ? rows[EAD_TABLE_TRAIN] : rows[EAD_TABLE_TEACHER];
    images->counts[EAD_DRAWN_PENALTY] = rows[EAD_TABLE_PENALTY];
    if (given)
        images->given =
            ead_leaf(graph, "images", EAD_U8, given, model->spec.height, model->spec.width, 3, NULL);
    EadNode *index = has_train || has_teacher
                         ? draw(&b, EAD_STREAM_TRAIN_ORDER, EAD_DRAWN_TRAIN, "training images")
                         : NULL;
    if (has_teacher) inputs.teacher = gather(&b, EAD_TABLE_TEACHER, "teacher", index);
    inputs.x = has_train ? batch_of(&b, loss, gather(&b, EAD_TABLE_TRAIN, "train", index))
                         : ead_normalize_image(graph, images->given);
    return inputs;
}
