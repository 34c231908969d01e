/* The model, its file, and its row among the methods. */
#include "models/dsr/dsr.h"

#include "core/base/memory.h"
#include "models/networks/params_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_model(EadModel *base) {
    EadDsr *model = (EadDsr *)base;
    ead_params_free(&model->vq);
    ead_params_free(&model->codes);
    ead_params_free(&model->restored);
    ead_params_free(&model->refining);
    free(model);
}

EadStatus ead_dsr_check_size(int height, int width) {
    if (height % EAD_DSR_STEP == 0 && width % EAD_DSR_STEP == 0 && height > EAD_DSR_STEP &&
        width > EAD_DSR_STEP)
        return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "images of %dx%d: height and width must be multiples of %d from %d on",
                    height, width, EAD_DSR_STEP, 2 * EAD_DSR_STEP);
}

/* ---- parameters ---- */

EadStatus ead_dsr_declare_codebooks(int channels, int codes, EadParams *vq, EadParams *books) {
    EadStatus status = EAD_OK;
    EadLayerWalk hi = ead_layers_declaring(vq, "vq.encoder_hi", &status),
                 lo = ead_layers_declaring(vq, "vq.encoder_lo", &status),
                 decoder = ead_layers_declaring(vq, "vq.decoder", &status),
                 rest = ead_layers_declaring(vq, "vq", &status);
    ead_dsr_encode_hi(&hi, NULL, channels);
    ead_dsr_encode_lo(&lo, NULL, channels);
    ead_layer_conv(&rest, "before_lo", NULL, channels, channels, 1, 1);
    ead_layer_conv(&rest, "before_hi", NULL, 2 * channels, channels, 1, 1);
    ead_layer_up(&rest, "upsample", NULL, channels, channels, 4);
    ead_dsr_decode(&decoder, NULL, channels);
    EAD_TRY(status);
    EAD_TRY(ead_params_declare(books, "codes.lo", codes, 1, 1, channels, channels));
    return ead_params_declare(books, "codes.hi", codes, 1, 1, channels, channels);
}

static EadStatus declare_trained(EadDsr *model) {
    int channels = model->spec.channels;
    EadStatus status = EAD_OK;
    EadLayerWalk lo = ead_layers_declaring(&model->restored, "restrict_lo", &status),
                 hi = ead_layers_declaring(&model->restored, "restrict_hi", &status),
                 object = ead_layers_declaring(&model->restored, "object", &status),
                 detect = ead_layers_declaring(&model->restored, "detect", &status),
                 refine = ead_layers_declaring(&model->refining, "refine", &status);
    ead_dsr_restrict(&lo, NULL, channels);
    ead_dsr_restrict(&hi, NULL, channels);
    ead_dsr_decode_object(&object, NULL, channels);
    ead_dsr_unet(&detect, NULL, 6, model->spec.unet);
    ead_dsr_unet(&refine, NULL, 8, model->spec.unet);
    return status;
}

static EadStatus allocate(EadDsr *model) {
    EAD_TRY(ead_params_check_room(model->vq.total + model->codes.total + model->restored.total +
                                  model->refining.total));
    EAD_TRY(ead_params_allocate(&model->vq));
    EAD_TRY(ead_params_allocate(&model->codes));
    EAD_TRY(ead_params_allocate(&model->restored));
    return ead_params_allocate(&model->refining);
}

EadStatus ead_dsr_new(const EadDsrSpec *spec, EadDsr **out) {
    EAD_TRY(ead_dsr_check_size(spec->height, spec->width));
    EadDsr *model = ead_new(1, sizeof *model, "a model");
    if (!model) return EAD_NO_MEMORY;
    model->base = ead_model_new("dsr", spec->height, spec->width);
    model->spec = *spec;
    EadStatus status = ead_dsr_declare_codebooks(spec->channels, spec->codes, &model->vq, &model->codes);
    if (status == EAD_OK) status = declare_trained(model);
    if (status == EAD_OK) status = allocate(model);
    if (status == EAD_OK)
        *out = model;
    else
        free_model(&model->base);
    return status;
}

static bool begins_with(const char *name, const char *what) {
    return strncmp(name, what, strlen(what)) == 0;
}

void ead_dsr_initialize(EadDsr *model, uint64_t seed) {
    ead_params_initialize(&model->vq, seed);
    ead_params_initialize(&model->restored, seed);
    ead_params_initialize(&model->refining, seed);
    ead_params_draw_normal(&model->codes, "codes.lo", 1, seed);
    ead_params_draw_normal(&model->codes, "codes.hi", 1, seed);
    for (int i = 0; i < model->restored.count; i++) {
        const char *name = model->restored.items[i].name, *part = strrchr(name, '.');
        bool small = begins_with(name, "object.") || begins_with(name, "detect.");
        if (small && strcmp(part, ".weight") == 0) ead_params_draw_normal(&model->restored, name, 0.02, seed);
    }
}

bool ead_dsr_copy(EadDsr *to, const EadDsr *from) {
    return memcmp(&to->spec, &from->spec, sizeof to->spec) == 0 && ead_params_copy(&to->vq, &from->vq) &&
           ead_params_copy(&to->codes, &from->codes) && ead_params_copy(&to->restored, &from->restored) &&
           ead_params_copy(&to->refining, &from->refining);
}

/* ---- the file ---- */

EadStatus ead_dsr_read_codebooks(EadDsr *model, const EadSafetensors *file) {
    EAD_TRY(ead_params_read_all(file, &model->vq));
    return ead_params_read_all(file, &model->codes);
}

static EadStatus read_count(const EadSafetensors *file, const char *key, int least, int most, int *out) {
    int64_t count;
    EAD_TRY(ead_metadata_count(file, key, least, most, &count));
    *out = (int)count;
    return EAD_OK;
}

EadStatus ead_dsr_codebook_sizes(const EadSafetensors *file, int *channels, int *codes) {
    EAD_TRY(read_count(file, "channels", 2, EAD_DSR_MOST_CHANNELS, channels));
    EAD_TRY(read_count(file, "codes", 2, EAD_DSR_MOST_CODES, codes));
    if (*channels % 2 == 0) return EAD_OK;
    return ead_bad_metadata(file, "channels", ead_safetensors_metadata(file, "channels"), "an even number");
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadDsrSpec spec = {.height = height, .width = width};
    EadDsr *model;
    EAD_TRY(ead_dsr_codebook_sizes(file, &spec.channels, &spec.codes));
    EAD_TRY(read_count(file, "unet", 1, EAD_DSR_MOST_CHANNELS, &spec.unet));
    EAD_TRY(ead_made_of_file(file, ead_dsr_new(&spec, &model)));
    EadStatus status = ead_dsr_read_codebooks(model, file);
    if (status == EAD_OK) status = ead_params_read_all(file, &model->restored);
    if (status == EAD_OK) status = ead_params_read_all(file, &model->refining);
    if (status == EAD_OK)
        *out = &model->base;
    else
        free_model(&model->base);
    return status;
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadDsr *model = (const EadDsr *)base;
    EAD_TRY(ead_metadata_number_write(writer, "channels", model->spec.channels));
    EAD_TRY(ead_metadata_number_write(writer, "codes", model->spec.codes));
    EAD_TRY(ead_metadata_number_write(writer, "unet", model->spec.unet));
    EAD_TRY(ead_params_write(writer, &model->vq, EAD_FILE_F32));
    EAD_TRY(ead_params_write(writer, &model->codes, EAD_FILE_F32));
    EAD_TRY(ead_params_write(writer, &model->restored, EAD_FILE_F32));
    return ead_params_write(writer, &model->refining, EAD_FILE_F32);
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadDsr *model = (const EadDsr *)base;
    return (size_t)(model->vq.total + model->codes.total + model->restored.total + model->refining.total) *
           sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadDsrSpec *spec = &((const EadDsr *)base)->spec;
    snprintf(text, size, "DSR at %dx%d, two books of %d codes of %d numbers, U-Nets of width %d",
             base->height, base->width, spec->codes, spec->channels, spec->unet);
}

extern const EadMethodFunctions ead_dsr_functions;
const EadMethodFunctions ead_dsr_functions = {.read = read,
                                              .write = write,
                                              .build = ead_dsr_build,
                                              .bytes = bytes,
                                              .describe = describe,
                                              .free = free_model};
