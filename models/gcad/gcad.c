/* The model, its file, and its row among the methods. No file is believed before it is checked. */
#include "models/gcad/gcad.h"

#include "core/base/memory.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_model(EadModel *base) {
    EadGcad *model = (EadGcad *)base;
    for (int f = 0; f < EAD_DESCRIPTOR_FIELDS; f++) ead_params_free(&model->teacher[f]);
    ead_params_free(&model->first);
    ead_params_free(&model->later);
    free(model);
}

EadStatus ead_gcad_check_size(int height, int width) {
    if (height % EAD_GCAD_STEP == 0 && width % EAD_GCAD_STEP == 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "images of %dx%d: height and width must be multiples of %d", height,
                    width, EAD_GCAD_STEP);
}

/* ---- parameters ---- */

EadPatchDescriptor ead_gcad_teacher(const EadGcad *model, int field) {
    return (EadPatchDescriptor){model->spec.fields.size[field], "teacher", &model->teacher[field], false};
}

static EadStatus declare_field(EadGcad *model, int field) {
    const EadGcadSpec *spec = &model->spec;
    int size = spec->fields.size[field];
    EadPatchDescriptor teacher = ead_gcad_teacher(model, field);
    EadStatus status = ead_patch_descriptor_declare(&teacher, &model->teacher[field]);
    EadGcadName names[3];
    EadLayerWalk encoder =
                     ead_layers_declaring(&model->first, ead_gcad_name("encode", size, names[0]), &status),
                 local = ead_layers_declaring(&model->first, ead_gcad_name("local", size, names[1]), &status),
                 global =
                     ead_layers_declaring(&model->later, ead_gcad_name("global", size, names[2]), &status);
    ead_gcad_encode(&encoder, spec, NULL, NULL, NULL);
    ead_gcad_unet(&local, NULL, EAD_DESCRIPTOR_FEATURES, spec->unet);
    ead_gcad_unet(&global, NULL, EAD_GCAD_ENCODED, spec->unet);
    return status;
}

EadStatus ead_gcad_declare_helpers(const EadGcadSpec *spec, EadParams *helpers) {
    EadStatus status = EAD_OK;
    for (int f = 0; f < spec->fields.count; f++) {
        EadGcadName names[2];
        EadLayerWalk skips = ead_layers_declaring(
                         helpers, ead_gcad_name("step.skips", spec->fields.size[f], names[0]), &status),
                     widen = ead_layers_declaring(
                         helpers, ead_gcad_name("step.widen", spec->fields.size[f], names[1]), &status);
        for (int level = 1; level <= EAD_GCAD_LEVELS; level++) {
            EadGcadName layer;
            snprintf(layer, sizeof layer, "level%d", level);
            ead_layer_conv(&skips, layer, NULL, spec->channels, spec->channels, 1, 1);
        }
        ead_gcad_widen(&widen, NULL);
    }
    return status;
}

static EadStatus allocate(EadGcad *model) {
    int64_t total = model->first.total + model->later.total;
    for (int f = 0; f < model->spec.fields.count; f++) total += model->teacher[f].total;
    EAD_TRY(ead_params_check_room(total));
    for (int f = 0; f < model->spec.fields.count; f++) EAD_TRY(ead_params_allocate(&model->teacher[f]));
    EAD_TRY(ead_params_allocate(&model->first));
    return ead_params_allocate(&model->later);
}

EadStatus ead_gcad_new(const EadGcadSpec *spec, EadGcad **out) {
    EAD_TRY(ead_gcad_check_size(spec->height, spec->width));
    EadGcad *model = ead_new(1, sizeof *model, "a model");
    if (!model) return EAD_NO_MEMORY;
    model->base = ead_model_new("gcad", spec->height, spec->width);
    model->spec = *spec;
    EadStatus status = EAD_OK;
    for (int f = 0; f < spec->fields.count && status == EAD_OK; f++) {
        model->maps[f] = ead_field_maps();
        status = declare_field(model, f);
    }
    if (status == EAD_OK) status = allocate(model);
    if (status == EAD_OK)
        *out = model;
    else
        free_model(&model->base);
    return status;
}

void ead_gcad_initialize(EadGcad *model, uint64_t seed) {
    for (int f = 0; f < model->spec.fields.count; f++) ead_params_initialize(&model->teacher[f], seed);
    ead_params_initialize(&model->first, seed);
    ead_params_initialize(&model->later, seed);
}

bool ead_gcad_copy(EadGcad *to, const EadGcad *from) {
    bool same = memcmp(&to->spec, &from->spec, sizeof to->spec) == 0;
    for (int f = 0; f < to->spec.fields.count && same; f++)
        same = ead_params_copy(&to->teacher[f], &from->teacher[f]);
    return same && ead_params_copy(&to->first, &from->first) && ead_params_copy(&to->later, &from->later);
}

EadStatus ead_gcad_set_maps(EadGcad *model, int field, double statistics[EAD_FIELD_MAPS][2]) {
    static const char *const names[] = {"local map", "global map"};
    EAD_TRY(ead_field_maps_set(&model->maps[field], model->spec.fields.size[field], names, EAD_FIELD_MAPS,
                               statistics));
    model->base.color_high = (float)EAD_FIELD_MAPS * EAD_FIELD_MAP_HIGH;
    return EAD_OK;
}

/* ---- the file ---- */

static EadStatus read_count(const EadSafetensors *file, const char *key, int *out) {
    int64_t count;
    EAD_TRY(ead_metadata_count(file, key, 1, EAD_GCAD_MOST_WIDTH, &count));
    *out = (int)count;
    return EAD_OK;
}

static EadStatus read_spec(const EadSafetensors *file, EadGcadSpec *spec) {
    EAD_TRY(ead_descriptor_fields_read(file, &spec->fields));
    EAD_TRY(read_count(file, "unet", &spec->unet));
    EAD_TRY(read_count(file, "width", &spec->channels));
    return read_count(file, "bottleneck", &spec->bottleneck);
}

static EadStatus read_parts(const EadSafetensors *file, EadGcad *model) {
    for (int f = 0; f < model->spec.fields.count; f++) {
        EAD_TRY(ead_params_read_all(file, &model->teacher[f]));
        double statistics[EAD_FIELD_MAPS][2];
        EAD_TRY(ead_field_maps_read(file, model->spec.fields.size[f], statistics));
        EAD_TRY(ead_made_of_file(file, ead_gcad_set_maps(model, f, statistics)));
    }
    EAD_TRY(ead_params_read_all(file, &model->first));
    return ead_params_read_all(file, &model->later);
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadGcadSpec spec = {.height = height, .width = width};
    EadGcad *model;
    EAD_TRY(read_spec(file, &spec));
    EAD_TRY(ead_made_of_file(file, ead_gcad_new(&spec, &model)));
    EadStatus status = read_parts(file, model);
    if (status == EAD_OK)
        *out = &model->base;
    else
        free_model(&model->base);
    return status;
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadGcad *model = (const EadGcad *)base;
    EAD_TRY(ead_descriptor_fields_write(writer, &model->spec.fields));
    EAD_TRY(ead_metadata_number_write(writer, "unet", model->spec.unet));
    EAD_TRY(ead_metadata_number_write(writer, "width", model->spec.channels));
    EAD_TRY(ead_metadata_number_write(writer, "bottleneck", model->spec.bottleneck));
    for (int f = 0; f < model->spec.fields.count; f++) {
        EAD_TRY(ead_params_write(writer, &model->teacher[f], EAD_FILE_F32));
        EAD_TRY(ead_field_maps_write(writer, model->spec.fields.size[f], &model->maps[f]));
    }
    EAD_TRY(ead_params_write(writer, &model->first, EAD_FILE_F32));
    return ead_params_write(writer, &model->later, EAD_FILE_F32);
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadGcad *model = (const EadGcad *)base;
    int64_t numbers = model->first.total + model->later.total;
    for (int f = 0; f < model->spec.fields.count; f++) numbers += model->teacher[f].total;
    return (size_t)numbers * sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadGcadSpec *spec = &((const EadGcad *)base)->spec;
    char fields[EAD_FIELDS_TEXT];
    ead_descriptor_fields_text(&spec->fields, fields);
    snprintf(text, size,
             "GCAD at %dx%d, patches of %s pixels, U-Nets of width %d, %d numbers of a whole image",
             base->height, base->width, fields, spec->unet, spec->bottleneck);
}

extern const EadMethodFunctions ead_gcad_functions;
const EadMethodFunctions ead_gcad_functions = {.read = read,
                                               .write = write,
                                               .build = ead_gcad_build,
                                               .bytes = bytes,
                                               .describe = describe,
                                               .free = free_model,
                                               .scores_by_peak = true};
