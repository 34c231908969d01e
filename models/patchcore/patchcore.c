/* The model, its graph, and its row among the methods. */
#include "models/patchcore/patchcore.h"

#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "core/ops/reweighted_score/reweighted_score.h"
#include "core/ops/slice_channels/slice_channels.h"
#include "core/system/machine.h"
#include "models/networks/params_file.h"
#include "models/networks/patch_embedding.h"
#include "models/networks/patch_map.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LENGTH = 65536 };

static void free_model(EadModel *base) {
    EadPatchcore *model = (EadPatchcore *)base;
    ead_backbone_free(&model->backbone);
    free(model->bank);
    free(model->images);
    free(model);
}

/* Finds how many patches images of the model's size leave. */
static EadStatus find_grid(EadPatchcore *model) {
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, model->base.height, model->base.width, 3, NULL);
    EadNode *patches = ead_patchcore_patches(graph, model, images);
    model->grid_height = patches->y.h;
    model->grid_width = patches->y.w;
    EadStatus status = ead_graph_status(graph);
    ead_graph_free(graph);
    if (status == EAD_OK) return status;
    return ead_fail_prefix(EAD_BAD_ARGUMENT, "images of %dx%d do not go through %s: ", model->base.height,
                           model->base.width, model->backbone.name);
}

EadStatus ead_patchcore_new(const EadPatchcoreSpec *spec, EadBackbone *backbone, EadPatchcore **out) {
    EadPatchcore *model = ead_new(1, sizeof *model, "a model");
    if (!model) {
        ead_backbone_free(backbone);
        return EAD_NO_MEMORY;
    }
    model->base = (EadModel){.method = ead_method_find("patchcore"),
                             .height = spec->height,
                             .width = spec->width,
                             .threshold = (float)NAN,
                             .color_high = (float)NAN};
    model->spec = *spec;
    model->backbone = *backbone;
    *backbone = (EadBackbone){0};
    ead_backbone_round(&model->backbone, spec->stored);
    EadStatus status = find_grid(model);
    if (status == EAD_OK)
        *out = model;
    else
        free_model(&model->base);
    return status;
}

EadStatus ead_patchcore_add(EadPatchcore *model, const real *rows, const int64_t *chosen, int64_t count) {
    size_t length = (size_t)model->spec.length, total = (size_t)model->rows + (size_t)count;
    real *bank = realloc(model->bank, (total ? total : 1) * length * sizeof *bank);
    if (!bank)
        return ead_fail(EAD_NO_MEMORY, "no memory for a bank of %zu x %zu numbers, %.0f MB", total, length,
                        (double)(total * length * sizeof *bank) * 1e-6);
    model->bank = bank;
    for (int64_t i = 0; i < count; i++) {
        real *out = bank + (size_t)model->rows++ * length;
        memcpy(out, rows + (size_t)chosen[i] * length, length * sizeof *out);
        for (size_t k = 0; k < length && model->spec.stored == EAD_FILE_F16; k++)
            out[k] = (real)ead_half_to_float(ead_half_from_float((float)out[k]));
    }
    return EAD_OK;
}

/* ---- the graph ---- */

EadNode *ead_patchcore_patches(EadGraph *graph, const EadPatchcore *model, EadNode *images) {
    EadNode *features[EAD_TAPS_CHOSEN];
    ead_backbone_build(graph, &model->backbone, images, &model->spec.taps, features);
    return ead_patch_embedding(graph, model->spec.taps.count, features, EAD_PATCHCORE_PER_LAYER,
                               model->spec.length);
}

static EadDetection build(EadGraph *graph, const EadModel *base, EadNode *images) {
    const EadPatchcore *model = (const EadPatchcore *)base;
    const EadPatchcoreSpec *spec = &model->spec;
    EadNode *bank = ead_leaf(graph, "bank", EAD_REAL, model->rows, 1, 1, spec->length, model->bank);
    EadNode *patches = ead_patchcore_patches(graph, model, images);
    EadNode *found =
        ead_nearest_rows(graph, patches, bank, (EadNearestRows){spec->neighbours, spec->reweight > 0});
    EadNode *distance = spec->reweight > 0 ? ead_slice_channels(graph, found, 0, spec->neighbours) : found;
    if (spec->neighbours > 1) distance = ead_channel_mean(graph, distance);
    EadDetection detection;
    ead_patch_map(graph, distance, base->height, base->width, spec->sigma, &detection.map, &detection.score);
    if (spec->reweight > 0)
        detection.score = ead_keep(ead_reweighted_score(graph, patches, found, bank, spec->reweight));
    return detection;
}

/* ---- the file ---- */

static EadStatus read_spec(const EadSafetensors *file, const EadBackbone *backbone, EadPatchcoreSpec *spec) {
    double neighbours, sigma, reweight = 0;
    const char *layers = ead_safetensors_metadata(file, "layers");
    if (!layers || ead_backbone_find_taps(backbone, layers, &spec->taps) != EAD_OK)
        return ead_bad_metadata(file, "layers", layers, backbone->family->taps);
    EAD_TRY(ead_metadata_number(file, "neighbours", 1, EAD_NEAREST_MAX, &neighbours));
    EAD_TRY(ead_metadata_number(file, "sigma", 0, EAD_PATCH_MAP_SIGMA, &sigma));
    if (ead_safetensors_metadata(file, "reweight"))
        EAD_TRY(ead_metadata_number(file, "reweight", 2, EAD_REWEIGHT_MAX, &reweight));
    spec->neighbours = (int)neighbours;
    spec->reweight = (int)reweight;
    spec->sigma = sigma;
    return EAD_OK;
}

static EadStatus find_bank(const EadSafetensors *file, const EadFileTensor **out, EadPatchcoreSpec *spec) {
    const EadFileTensor *bank = *out = ead_safetensors_find(file, "bank");
    bool valid = bank && bank->dims == 2 && bank->shape[0] >= 1 && bank->shape[0] <= EAD_NEAREST_MAX_ROWS &&
                 bank->shape[1] >= 1 && bank->shape[1] <= MAX_LENGTH;
    if (!valid)
        return ead_fail(EAD_BAD_FILE, "%s: tensor 'bank' is missing or is not a table of [rows, numbers]; %s",
                        ead_safetensors_path(file), EAD_MODEL_FILE_HINT);
    size_t bytes = (size_t)bank->count * sizeof(real), there = ead_machine_available();
    if (bytes > there)
        return ead_fail(
            EAD_NO_MEMORY,
            "%s: its bank of %lld x %lld numbers takes %.0f MB, but only %.0f MB are free; train it "
            "again with a lower patchcore.coreset_ratio",
            ead_safetensors_path(file), (long long)bank->shape[0], (long long)bank->shape[1],
            1e-6 * (double)bytes, 1e-6 * (double)there);
    spec->length = (int)bank->shape[1];
    spec->stored = bank->type == EAD_FILE_F16 ? EAD_FILE_F16 : EAD_FILE_F32;
    return EAD_OK;
}

static EadStatus read_bank(const EadSafetensors *file, const EadFileTensor *bank, EadPatchcore *model) {
    size_t bytes = (size_t)bank->count * sizeof *model->bank;
    model->bank = malloc(bytes);
    if (!model->bank)
        return ead_fail(EAD_NO_MEMORY, "%s: no memory for its bank of %lld x %d numbers, %.0f MB",
                        ead_safetensors_path(file), (long long)bank->shape[0], model->spec.length,
                        (double)bytes * 1e-6);
    model->rows = (int)bank->shape[0];
    int most = ead_max(model->spec.neighbours, model->spec.reweight);
    if (model->rows < most)
        return ead_fail(EAD_BAD_FILE, "%s: a bank of %d rows has no %d neighbours; %s",
                        ead_safetensors_path(file), model->rows, most, EAD_MODEL_FILE_HINT);
    return ead_file_tensor_to_real(file, bank, model->bank);
}

static EadStatus read_images(const EadSafetensors *file, EadPatchcore *model) {
    double positions;
    const EadFileTensor *images = ead_safetensors_find(file, "images");
    EAD_TRY(ead_metadata_number(file, "positions", model->rows, 1e15, &positions));
    if (!images || images->type != EAD_FILE_U64 || images->dims != 1 || images->count > INT32_MAX)
        return ead_fail(EAD_BAD_FILE, "%s: tensor 'images' is missing or is not a vector of U64; %s",
                        ead_safetensors_path(file), EAD_MODEL_FILE_HINT);
    model->positions = (int64_t)positions;
    model->image_count = (int)images->count;
    model->images = ead_new(images->count, sizeof *model->images, "hashes");
    if (!model->images) return EAD_NO_MEMORY;
    memcpy(model->images, images->data, images->bytes);
    return EAD_OK;
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadPatchcoreSpec spec = {.height = height, .width = width};
    const EadFileTensor *bank;
    EadBackbone backbone;
    EadPatchcore *model;
    EAD_TRY(find_bank(file, &bank, &spec));
    EAD_TRY(ead_backbone_read(file, "backbone", &backbone));
    EadStatus status = read_spec(file, &backbone, &spec);
    if (status != EAD_OK) {
        ead_backbone_free(&backbone);
        return status;
    }
    status = ead_patchcore_new(&spec, &backbone, &model);
    if (status != EAD_OK) return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
    status = read_bank(file, bank, model);
    if (status == EAD_OK) status = read_images(file, model);
    if (status == EAD_OK)
        *out = &model->base;
    else
        free_model(&model->base);
    return status;
}

static EadStatus write_bank(const EadPatchcore *model, EadSafetensorsWriter *writer) {
    const int64_t shape[2] = {model->rows, model->spec.length};
    int64_t count = shape[0] * shape[1];
    bool half = model->spec.stored == EAD_FILE_F16;
    const void *data = model->bank;
    if (half || sizeof(real) != sizeof(float)) {
        size_t size = half ? sizeof(uint16_t) : sizeof(float);
        void *copy = ead_safetensors_writer_memory(writer, (size_t)count * size);
        if (!copy) return EAD_NO_MEMORY;
        for (int64_t i = 0; i < count; i++)
            if (half)
                ((uint16_t *)copy)[i] = ead_half_from_float((float)model->bank[i]);
            else
                ((float *)copy)[i] = (float)model->bank[i];
        data = copy;
    }
    return ead_safetensors_writer_tensor(writer, "bank", model->spec.stored, 2, shape, data);
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadPatchcore *model = (const EadPatchcore *)base;
    const int64_t images = model->image_count;
    char text[128];
    EAD_TRY(ead_backbone_write(&model->backbone, "backbone", model->spec.stored, writer));
    ead_backbone_taps_text(&model->backbone, &model->spec.taps, text, sizeof text);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "layers", text));
    snprintf(text, sizeof text, "%d", model->spec.neighbours);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "neighbours", text));
    snprintf(text, sizeof text, "%d", model->spec.reweight);
    if (model->spec.reweight) EAD_TRY(ead_safetensors_writer_metadata(writer, "reweight", text));
    snprintf(text, sizeof text, "%.17g", model->spec.sigma);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "sigma", text));
    snprintf(text, sizeof text, "%" PRId64, model->positions);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "positions", text));
    EAD_TRY(write_bank(model, writer));
    return ead_safetensors_writer_tensor(writer, "images", EAD_FILE_U64, 1, &images, model->images);
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadPatchcore *model = (const EadPatchcore *)base;
    return ((size_t)model->backbone.params.total + (size_t)model->rows * (size_t)model->spec.length) *
           sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadPatchcore *model = (const EadPatchcore *)base;
    char taps[128];
    ead_backbone_taps_text(&model->backbone, &model->spec.taps, taps, sizeof taps);
    snprintf(text, size, "PatchCore at %dx%d, %d x %d numbers of %s's %s", base->height, base->width,
             model->rows, model->spec.length, model->backbone.name, taps);
}

extern const EadMethodFunctions ead_patchcore_functions;
const EadMethodFunctions ead_patchcore_functions = {
    .read = read, .write = write, .build = build, .bytes = bytes, .describe = describe, .free = free_model};
