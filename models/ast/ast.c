/* The model, its file, and its row among the methods. */
#include "models/ast/ast.h"

#include "core/base/memory.h"
#include "models/networks/folded_conv.h"
#include "models/networks/params_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHANNELS = 1 << 16 };

static void free_model(EadModel *base) {
    EadAst *model = (EadAst *)base;
    ead_backbone_free(&model->backbone);
    ead_params_free(&model->teacher);
    ead_params_free(&model->student);
    free(model->orders), free(model->position), free(model->running), free(model->merged);
    free(model);
}

EadStatus ead_ast_find_tap(const EadBackbone *backbone, const char *name, EadTaps *out) {
    const char *last = strrchr(backbone->family->taps, '|');
    EAD_TRY(ead_backbone_find_taps(backbone, name[0] || !last ? name : last + 1, out));
    if (out->count == 1) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "'%.80s' names %d features; name one", name, out->count);
}

/* ---- parameters ---- */

/* Numbers of all batch norms: two a channel. */
static int64_t norm_numbers(const EadAst *model) {
    return (int64_t)4 * model->spec.student_blocks * model->spec.student_hidden;
}

/* The network that changes so many channels by all others and the position. */
static EadStatus declare_network(EadAst *model, int block, const char *which, int changed) {
    EadParams *params = &model->teacher;
    int kernel = block == model->spec.blocks - 1 ? 5 : 3, hidden = model->spec.teacher_hidden;
    char name[EAD_NAME_SIZE];
    snprintf(name, sizeof name, "teacher.%d.%s.conv1", block, which);
    EAD_TRY(ead_params_declare_conv(params, name, hidden, kernel, kernel,
                                    model->shape.c - changed + EAD_AST_POSITION));
    snprintf(name, sizeof name, "teacher.%d.%s.conv2", block, which);
    EAD_TRY(ead_params_declare_conv(params, name, 2 * changed, kernel, kernel, hidden));
    snprintf(name, sizeof name, "teacher.%d.%s.gamma", block, which);
    return ead_params_declare(params, name, 1, 1, 1, 1, 1);
}

static EadStatus declare_teacher(EadAst *model) {
    int channels = model->shape.c, first = channels / 2;
    if (channels < 2 || channels > MAX_CHANNELS)
        return ead_fail(EAD_BAD_ARGUMENT, "features of %d channels cannot be coupled", channels);
    for (int block = 0; block < model->spec.blocks; block++) {
        EAD_TRY(declare_network(model, block, "first", first));
        EAD_TRY(declare_network(model, block, "second", channels - first));
    }
    return EAD_OK;
}

/* "student.2.norm1", number `index` of the batch norms. */
static void norm_name(int index, char name[EAD_NAME_SIZE]) {
    snprintf(name, EAD_NAME_SIZE, "student.%d.norm%d", index / 2, index % 2 + 1);
}

static EadStatus declare_student(EadAst *model) {
    EadParams *params = &model->student;
    int hidden = model->spec.student_hidden, channels = model->shape.c;
    char name[EAD_NAME_SIZE];
    EAD_TRY(ead_params_declare_conv(params, "student.conv1", hidden, 3, 3, channels + EAD_AST_POSITION));
    for (int i = 0; i < 2 * model->spec.student_blocks; i++) {
        snprintf(name, sizeof name, "student.%d.conv%d", i / 2, i % 2 + 1);
        EAD_TRY(ead_params_declare_conv(params, name, hidden, 3, 3, hidden));
        norm_name(i, name);
        EAD_TRY(ead_folded_norm_declare(params, name, hidden));
    }
    return ead_params_declare_conv(params, "student.conv2", channels, 3, 3, hidden);
}

static EadStatus allocate(EadAst *model) {
    const EadTensor *shape = &model->shape;
    EAD_TRY(ead_params_check_room(model->teacher.total + model->student.total));
    EAD_TRY(ead_params_allocate(&model->teacher));
    EAD_TRY(ead_params_allocate(&model->student));
    model->orders = ead_new((int64_t)2 * model->spec.blocks * shape->c, sizeof *model->orders, "a model");
    model->position = ead_new((int64_t)shape->h * shape->w * EAD_AST_POSITION, sizeof(real), "a model");
    model->running = ead_new(norm_numbers(model), sizeof(real), "a model");
    model->merged = ead_new(norm_numbers(model), sizeof(real), "a model");
    return model->orders && model->position && model->running && model->merged ? EAD_OK : EAD_NO_MEMORY;
}

/* Of [x1, x2] in numpy's order: x2 before x1 as the first network's, which changes what stands last, needs them; then, of
 * [x2, x1], x1 before x2 again. */
static void set_orders(EadAst *model) {
    int channels = model->shape.c, first = channels / 2, second = channels - first;
    for (int block = 0; block < model->spec.blocks; block++) {
        int64_t *turned = model->orders + (int64_t)2 * block * channels, *back = turned + channels;
        ead_ast_permutation((uint32_t)block, channels, back);
        memcpy(turned, back + first, (size_t)second * sizeof *turned);
        memcpy(turned + second, back, (size_t)first * sizeof *turned);
        for (int c = 0; c < channels; c++) back[c] = c < first ? second + c : c - first;
    }
}

EadStatus ead_ast_new(const EadAstSpec *spec, EadBackbone *backbone, EadAst **out) {
    EadAst *model = ead_new(1, sizeof *model, "a model");
    if (!model) {
        ead_backbone_free(backbone);
        return EAD_NO_MEMORY;
    }
    model->base = ead_model_new("ast", spec->height, spec->width);
    model->spec = *spec;
    ead_backbone_move(&model->backbone, backbone, spec->stored);
    EadStatus status =
        ead_backbone_shapes(&model->backbone, &spec->taps, spec->height, spec->width, &model->shape);
    if (status == EAD_OK) status = declare_teacher(model);
    if (status == EAD_OK) status = declare_student(model);
    if (status == EAD_OK) status = allocate(model);
    if (status != EAD_OK) {
        free_model(&model->base);
        return status;
    }
    set_orders(model);
    ead_ast_position(model->shape.h, model->shape.w, model->position);
    *out = model;
    return EAD_OK;
}

void ead_ast_initialize(EadAst *model, uint64_t seed) {
    int hidden = model->spec.student_hidden;
    char name[EAD_NAME_SIZE];
    ead_params_initialize(&model->teacher, seed);
    ead_params_initialize(&model->student, seed);
    for (int block = 0; block < model->spec.blocks; block++) {
        snprintf(name, sizeof name, "teacher.%d.first.gamma", block);
        ead_params_set(&model->teacher, name, 0);
        snprintf(name, sizeof name, "teacher.%d.second.gamma", block);
        ead_params_set(&model->teacher, name, 0);
    }
    for (int i = 0; i < 2 * model->spec.student_blocks; i++) {
        char part[EAD_NAME_SIZE];
        norm_name(i, name);
        snprintf(part, sizeof part, "%.32s.weight", name);
        ead_params_set(&model->student, part, 1);
        snprintf(part, sizeof part, "%.32s.bias", name);
        ead_params_set(&model->student, part, 0);
        for (int c = 0; c < 2 * hidden; c++) model->running[(int64_t)2 * i * hidden + c] = c >= hidden;
    }
}

void ead_ast_merge(EadAst *model) {
    int hidden = model->spec.student_hidden;
    char name[EAD_NAME_SIZE];
    for (int i = 0; i < 2 * model->spec.student_blocks; i++) {
        int64_t at = (int64_t)2 * i * hidden;
        norm_name(i, name);
        ead_running_merge(&model->student, name, model->running + at, EAD_AST_EPSILON, model->merged + at);
    }
}

bool ead_ast_copy(EadAst *to, const EadAst *from) {
    if (to->spec.student_blocks != from->spec.student_blocks ||
        to->spec.student_hidden != from->spec.student_hidden)
        return false;
    memcpy(to->running, from->running, (size_t)norm_numbers(to) * sizeof(real));
    if (!ead_params_copy(&to->teacher, &from->teacher) || !ead_params_copy(&to->student, &from->student))
        return false;
    ead_ast_merge(to);
    return true;
}

/* ---- the file ---- */

static EadStatus read_count(const EadSafetensors *file, const char *key, int most, int *out) {
    int64_t count;
    EAD_TRY(ead_metadata_count(file, key, 1, most, &count));
    *out = (int)count;
    return EAD_OK;
}

static EadStatus read_spec(const EadSafetensors *file, const EadBackbone *backbone, EadAstSpec *spec) {
    const char *layer = ead_safetensors_metadata(file, "layer");
    if (!layer || !layer[0] || ead_ast_find_tap(backbone, layer, &spec->taps) != EAD_OK)
        return ead_bad_metadata(file, "layer", layer, backbone->family->taps);
    EAD_TRY(read_count(file, "blocks", EAD_AST_MOST_BLOCKS, &spec->blocks));
    EAD_TRY(read_count(file, "teacher_hidden", EAD_AST_MOST_HIDDEN, &spec->teacher_hidden));
    EAD_TRY(read_count(file, "student_blocks", EAD_AST_MOST_BLOCKS, &spec->student_blocks));
    EAD_TRY(read_count(file, "student_hidden", EAD_AST_MOST_HIDDEN, &spec->student_hidden));
    EAD_TRY(ead_metadata_number(file, "clamp", 1e-3, 100, &spec->clamp));
    return ead_metadata_number(file, "slope", 0, 0.999, &spec->slope);
}

static EadStatus read_networks(const EadSafetensors *file, EadAst *model) {
    int hidden = model->spec.student_hidden;
    char name[EAD_NAME_SIZE];
    EAD_TRY(ead_params_read_all(file, &model->teacher));
    EAD_TRY(ead_params_read_all(file, &model->student));
    for (int i = 0; i < 2 * model->spec.student_blocks; i++) {
        norm_name(i, name);
        EAD_TRY(ead_running_read(file, name, hidden, model->running + (int64_t)2 * i * hidden));
    }
    ead_ast_merge(model);
    return EAD_OK;
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadAstSpec spec = {.height = height, .width = width, .stored = EAD_FILE_F32};
    EadBackbone backbone;
    EadAst *model;
    EAD_TRY(ead_backbone_read(file, "backbone", &backbone));
    EadStatus status = read_spec(file, &backbone, &spec);
    if (status != EAD_OK) {
        ead_backbone_free(&backbone);
        return status;
    }
    status = ead_ast_new(&spec, &backbone, &model);
    if (status != EAD_OK) return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
    status = read_networks(file, model);
    if (status == EAD_OK)
        *out = &model->base;
    else
        free_model(&model->base);
    return status;
}

static EadStatus write_numbers(const EadAstSpec *spec, EadSafetensorsWriter *writer) {
    EAD_TRY(ead_metadata_number_write(writer, "blocks", spec->blocks));
    EAD_TRY(ead_metadata_number_write(writer, "teacher_hidden", spec->teacher_hidden));
    EAD_TRY(ead_metadata_number_write(writer, "student_blocks", spec->student_blocks));
    EAD_TRY(ead_metadata_number_write(writer, "student_hidden", spec->student_hidden));
    EAD_TRY(ead_metadata_number_write(writer, "clamp", spec->clamp));
    return ead_metadata_number_write(writer, "slope", spec->slope);
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadAst *model = (const EadAst *)base;
    int hidden = model->spec.student_hidden;
    char text[EAD_BACKBONE_NAME];
    char name[EAD_NAME_SIZE];
    EAD_TRY(ead_backbone_write(&model->backbone, "backbone", model->spec.stored, writer));
    ead_backbone_taps_text(&model->backbone, &model->spec.taps, text, sizeof text);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "layer", text));
    EAD_TRY(write_numbers(&model->spec, writer));
    EAD_TRY(ead_params_write(writer, &model->teacher, EAD_FILE_F32));
    EAD_TRY(ead_params_write(writer, &model->student, EAD_FILE_F32));
    for (int i = 0; i < 2 * model->spec.student_blocks; i++) {
        norm_name(i, name);
        EAD_TRY(ead_running_write(writer, name, hidden, model->running + (int64_t)2 * i * hidden));
    }
    return EAD_OK;
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadAst *model = (const EadAst *)base;
    int64_t numbers = model->backbone.params.total + model->teacher.total + model->student.total;
    return (size_t)(numbers + norm_numbers(model)) * sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadAst *model = (const EadAst *)base;
    const EadAstSpec *spec = &model->spec;
    char tap[EAD_BACKBONE_NAME];
    ead_backbone_taps_text(&model->backbone, &spec->taps, tap, sizeof tap);
    snprintf(text, size, "AST at %dx%d on %s's %s, a flow of %d blocks (%d hidden), a student of %d (%d)",
             base->height, base->width, model->backbone.name, tap, spec->blocks, spec->teacher_hidden,
             spec->student_blocks, spec->student_hidden);
}

extern const EadMethodFunctions ead_ast_functions;
const EadMethodFunctions ead_ast_functions = {.read = read,
                                              .write = write,
                                              .build = ead_ast_build,
                                              .bytes = bytes,
                                              .describe = describe,
                                              .free = free_model};
