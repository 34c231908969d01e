/* A PatchCore model in a file: the whole of it, or a part with a prefix of its own. */
#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "core/ops/reweighted_score/reweighted_score.h"
#include "core/system/machine.h"
#include "models/networks/params_file.h"
#include "models/networks/patch_map.h"
#include "models/patchcore/patchcore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LENGTH = 65536, NAME_SIZE = 64 };

/* The name of a tensor or metadata of the part. */
static const char *part_name(const char *prefix, const char *word, char name[NAME_SIZE]) {
    snprintf(name, NAME_SIZE, "%s%s", prefix, word);
    return name;
}

/* ---- reading ---- */

typedef struct ModelPart {
    const EadSafetensors *file;
    const char *prefix;
} ModelPart;

static const char *metadata_of(const ModelPart *part, const char *word, char name[NAME_SIZE]) {
    return ead_safetensors_metadata(part->file, part_name(part->prefix, word, name));
}

static const EadFileTensor *tensor_of(const ModelPart *part, const char *word, char name[NAME_SIZE]) {
    return ead_safetensors_find(part->file, part_name(part->prefix, word, name));
}

static EadStatus read_count(const ModelPart *part, const char *word, double least, double most,
                            int64_t *out) {
    char key[NAME_SIZE];
    return ead_metadata_count(part->file, part_name(part->prefix, word, key), least, most, out);
}

static EadStatus read_spec(const ModelPart *part, const EadBackbone *backbone, EadPatchcoreSpec *spec) {
    int64_t neighbours, reweight = 0;
    char name[NAME_SIZE];
    const char *layers = metadata_of(part, "layers", name);
    if (!layers || ead_backbone_find_taps(backbone, layers, &spec->taps) != EAD_OK)
        return ead_bad_metadata(part->file, name, layers, backbone->family->taps);
    EAD_TRY(read_count(part, "neighbours", 1, EAD_NEAREST_MAX, &neighbours));
    if (metadata_of(part, "reweight", name))
        EAD_TRY(read_count(part, "reweight", 2, EAD_REWEIGHT_MAX, &reweight));
    spec->neighbours = (int)neighbours;
    spec->reweight = (int)reweight;
    return ead_metadata_number(part->file, part_name(part->prefix, "sigma", name), 0, EAD_PATCH_MAP_SIGMA,
                               &spec->sigma);
}

/* A bank that was cut is told by the sizes that it had when it was written; older files do not have them. */
static EadStatus check_size(const ModelPart *part, const EadFileTensor *bank, const char *word, int dim) {
    char name[NAME_SIZE];
    int64_t size;
    if (!metadata_of(part, word, name)) return EAD_OK;
    EAD_TRY(read_count(part, word, 1, EAD_NEAREST_MAX_ROWS, &size));
    if (bank->shape[dim] == size) return EAD_OK;
    return ead_fail(EAD_BAD_FILE,
                    "%s: tensor '%s' is of %lld x %lld numbers, but metadata '%s%s' is %lld; %s",
                    ead_safetensors_path(part->file), bank->name, (long long)bank->shape[0],
                    (long long)bank->shape[1], part->prefix, word, (long long)size, EAD_MODEL_FILE_HINT);
}

static EadStatus find_bank(const ModelPart *part, const EadFileTensor **out, EadPatchcoreSpec *spec) {
    char name[NAME_SIZE];
    const EadFileTensor *bank = *out = tensor_of(part, "bank", name);
    bool valid = bank && bank->dims == 2 && bank->shape[0] >= 1 && bank->shape[0] <= EAD_NEAREST_MAX_ROWS &&
                 bank->shape[1] >= 1 && bank->shape[1] <= MAX_LENGTH;
    if (!valid)
        return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' is missing or is not a table of [rows, numbers]; %s",
                        ead_safetensors_path(part->file), name, EAD_MODEL_FILE_HINT);
    EAD_TRY(check_size(part, bank, "rows", 0));
    EAD_TRY(check_size(part, bank, "width", 1));
    size_t bytes = (size_t)bank->count * sizeof(real), there = ead_machine_available();
    if (bytes > there)
        return ead_fail(
            EAD_NO_MEMORY,
            "%s: the bank '%s' of %lld x %lld numbers takes %.1f MB, but only %.1f MB are free; train it "
            "again with a lower patchcore.coreset_ratio",
            ead_safetensors_path(part->file), name, (long long)bank->shape[0], (long long)bank->shape[1],
            1e-6 * (double)bytes, 1e-6 * (double)there);
    spec->length = (int)bank->shape[1];
    spec->stored = bank->type == EAD_FILE_F16 ? EAD_FILE_F16 : EAD_FILE_F32;
    return EAD_OK;
}

static EadStatus read_bank(const ModelPart *part, const EadFileTensor *bank, EadPatchcore *model) {
    size_t bytes = (size_t)bank->count * sizeof *model->bank;
    model->bank = malloc(bytes);
    if (!model->bank)
        return ead_fail(EAD_NO_MEMORY, "%s: no memory for its bank of %lld x %d numbers, %.0f MB",
                        ead_safetensors_path(part->file), (long long)bank->shape[0], model->spec.length,
                        (double)bytes * 1e-6);
    model->rows = (int)bank->shape[0];
    int most = ead_max(model->spec.neighbours, model->spec.reweight);
    if (model->rows < most)
        return ead_fail(EAD_BAD_FILE, "%s: a bank of %d rows has no %d neighbours; %s",
                        ead_safetensors_path(part->file), model->rows, most, EAD_MODEL_FILE_HINT);
    return ead_file_tensor_to_real(part->file, bank, model->bank);
}

static EadStatus read_images(const ModelPart *part, EadPatchcore *model) {
    int64_t grid = (int64_t)model->grid_height * model->grid_width;
    char name[NAME_SIZE];
    const EadFileTensor *images = tensor_of(part, "images", name);
    EAD_TRY(read_count(part, "positions", model->rows, 1e15, &model->positions));
    if (!images || images->type != EAD_FILE_U64 || images->dims != 1 || images->count > INT32_MAX)
        return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' is missing or is not a vector of U64; %s",
                        ead_safetensors_path(part->file), name, EAD_MODEL_FILE_HINT);
    if (images->count * grid != model->positions)
        return ead_fail(EAD_BAD_FILE,
                        "%s: tensor '%s' is of %lld images, which leave %lld patches, but metadata "
                        "'%spositions' is %lld; %s",
                        ead_safetensors_path(part->file), name, (long long)images->count,
                        (long long)(images->count * grid), part->prefix, (long long)model->positions,
                        EAD_MODEL_FILE_HINT);
    model->image_count = (int)images->count;
    model->images = ead_new(images->count, sizeof *model->images, "hashes");
    if (!model->images) return EAD_NO_MEMORY;
    memcpy(model->images, images->data, images->bytes);
    return EAD_OK;
}

/* The model without its bank. */
static EadStatus read_empty(const ModelPart *part, EadPatchcoreSpec *spec, EadPatchcore **out) {
    EadBackbone backbone;
    char name[NAME_SIZE];
    EAD_TRY(ead_backbone_read(part->file, part_name(part->prefix, "backbone", name), &backbone));
    EadStatus status = read_spec(part, &backbone, spec);
    if (status != EAD_OK) {
        ead_backbone_free(&backbone);
        return status;
    }
    status = ead_patchcore_new(spec, &backbone, out);
    if (status == EAD_OK) return EAD_OK;
    return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(part->file));
}

EadStatus ead_patchcore_read(const EadSafetensors *file, const char *prefix, int height, int width,
                             EadPatchcore **out) {
    ModelPart part = {file, prefix};
    EadPatchcoreSpec spec = {.height = height, .width = width};
    const EadFileTensor *bank;
    EAD_TRY(find_bank(&part, &bank, &spec));
    EAD_TRY(read_empty(&part, &spec, out));
    EadStatus status = read_bank(&part, bank, *out);
    if (status == EAD_OK) status = read_images(&part, *out);
    if (status == EAD_OK) return EAD_OK;
    ead_model_free(&(*out)->base);
    *out = NULL;
    return status;
}

/* ---- writing ---- */

static EadStatus write_bank(const EadPatchcore *model, const char *name, EadSafetensorsWriter *writer) {
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
    return ead_safetensors_writer_tensor(writer, name, model->spec.stored, 2, shape, data);
}

static EadStatus write_count(const char *prefix, const char *word, int64_t count,
                             EadSafetensorsWriter *writer) {
    char name[NAME_SIZE], text[32];
    snprintf(text, sizeof text, "%" PRId64, count);
    return ead_safetensors_writer_metadata(writer, part_name(prefix, word, name), text);
}

static EadStatus write_metadata(const EadPatchcore *model, const char *prefix, EadSafetensorsWriter *writer) {
    const EadPatchcoreSpec *spec = &model->spec;
    char name[NAME_SIZE], text[128];
    ead_backbone_taps_text(&model->backbone, &spec->taps, text, sizeof text);
    EAD_TRY(ead_safetensors_writer_metadata(writer, part_name(prefix, "layers", name), text));
    EAD_TRY(ead_metadata_number_write(writer, part_name(prefix, "sigma", name), spec->sigma));
    EAD_TRY(write_count(prefix, "neighbours", spec->neighbours, writer));
    if (spec->reweight) EAD_TRY(write_count(prefix, "reweight", spec->reweight, writer));
    EAD_TRY(write_count(prefix, "rows", model->rows, writer));
    EAD_TRY(write_count(prefix, "width", spec->length, writer));
    return write_count(prefix, "positions", model->positions, writer);
}

EadStatus ead_patchcore_write(const EadPatchcore *model, const char *prefix, EadSafetensorsWriter *writer) {
    const int64_t images = model->image_count;
    char name[NAME_SIZE];
    part_name(prefix, "backbone", name);
    EAD_TRY(ead_backbone_write(&model->backbone, name, model->spec.stored, writer));
    EAD_TRY(write_metadata(model, prefix, writer));
    EAD_TRY(write_bank(model, part_name(prefix, "bank", name), writer));
    part_name(prefix, "images", name);
    return ead_safetensors_writer_tensor(writer, name, EAD_FILE_U64, 1, &images, model->images);
}
