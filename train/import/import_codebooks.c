/* DSR's network of codebooks: each parameter has a name of its authors, which follows from ours. */
#include "train/import/import.h"

#include "core/base/memory.h"
#include "models/networks/params_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 512 };

#define MARK "_encoder_b._conv_1.weight"

/* Parts of our names and of theirs, replaced in this order. */
static const char *const parts[][2] = {
    {"vq.encoder_hi.", "_encoder_b."},
    {"vq.encoder_lo.", "_encoder_t."},
    {"vq.decoder.", "_decoder_b."},
    {"vq.before_lo.", "_pre_vq_conv_top."},
    {"vq.before_hi.", "_pre_vq_conv_bot."},
    {"vq.upsample.", "upsample_t."},
    {"codes.lo", "_vq_vae_top._embedding.weight"},
    {"codes.hi", "_vq_vae_bot._embedding.weight"},
    {"stack0.conv1.", "_residual_stack._layers.0._block.1."},
    {"stack0.conv2.", "_residual_stack._layers.0._block.3."},
    {"stack1.conv1.", "_residual_stack._layers.1._block.1."},
    {"stack1.conv2.", "_residual_stack._layers.1._block.3."},
    {".conv1.", "._conv_1."},
    {".conv2.", "._conv_2."},
    {".conv3.", "._conv_3."},
    {".up1.", "._conv_trans_1."},
    {".up2.", "._conv_trans_2."},
};

static void name_there(const char *ours, char out[NAME_SIZE]) {
    char changed[NAME_SIZE];
    snprintf(out, NAME_SIZE, "%s", ours);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *at = strstr(out, parts[i][0]);
        if (!at) continue;
        snprintf(changed, sizeof changed, "%.*s%.100s%.200s", (int)(at - out), out, parts[i][1],
                 at + strlen(parts[i][0]));
        memcpy(out, changed, sizeof changed);
    }
}

/* Parameter number `index` of all. */
static const EadParam *param_at(const EadImportCodebooks *c, int index) {
    return index < c->vq.count ? &c->vq.items[index] : &c->books.items[index - c->vq.count];
}

static int param_count(const EadImportCodebooks *c) {
    return c->vq.count + c->books.count;
}

static bool is_vector(const EadParam *p) {
    return p->n == 1 && p->h == 1 && p->w == 1;
}

/* Whether the colours of pixels are a dimension of it. */
static bool has_colors(const EadParam *p) {
    return strcmp(p->name, "vq.encoder_hi.conv1.weight") == 0 || strncmp(p->name, "vq.decoder.up2.", 15) == 0;
}

/* Codes may come without the last two dimensions. */
static bool has_shape(const EadFileTensor *view, const EadParam *p) {
    if (view->dims == 2 && !is_vector(p) && p->h == 1 && p->w == 1)
        return view->shape[0] == p->n && view->shape[1] == p->c;
    return ead_import_fits(view, p);
}

static EadImportTensor *find(const EadImportSource *source, const EadImportTensor *mark, int prefix,
                             const char *theirs) {
    char name[2 * NAME_SIZE];
    snprintf(name, sizeof name, "%.*s%s", prefix, mark->view->name, theirs);
    return ead_import_find(source, mark->file, name);
}

static EadStatus collect(EadImportCodebooks *c, EadImportSource *source, EadImportTensor *mark, int prefix) {
    c->tensors = ead_new(param_count(c), sizeof(EadImportTensor *), "a list of tensors");
    if (!c->tensors) return EAD_NO_MEMORY;
    for (int i = 0; i < param_count(c); i++) {
        char theirs[NAME_SIZE], text[320];
        name_there(param_at(c, i)->name, theirs);
        EadImportTensor *tensor = c->tensors[i] = find(source, mark, prefix, theirs);
        if (!tensor)
            return ead_fail(EAD_BAD_FILE, "%s: DSR's network of codebooks lacks '%s'",
                            ead_import_path(source, mark), theirs);
        ead_import_describe(tensor->view, text, sizeof text);
        if (!has_shape(tensor->view, param_at(c, i)))
            return ead_fail(EAD_BAD_FILE, "%s: %s is not of DSR's network of %d codes of %d numbers",
                            ead_import_path(source, mark), text, c->codes, c->channels);
        tensor->used = true;
    }
    for (int i = 0; i < source->count; i++)
        if (source->tensors[i].file == mark->file && strstr(source->tensors[i].view->name, "._ema_"))
            source->tensors[i].used = true;
    return EAD_OK;
}

/* The sizes that the coarse book has. */
static EadStatus find_sizes(EadImportCodebooks *c, const EadImportSource *source, const EadImportTensor *mark,
                            int prefix) {
    const EadImportTensor *book = find(source, mark, prefix, "_vq_vae_top._embedding.weight");
    const EadFileTensor *view = book ? book->view : NULL;
    if (!view || view->dims != 2 || view->shape[0] < 2 || view->shape[0] > EAD_DSR_MOST_CODES ||
        view->shape[1] < 2 || view->shape[1] > EAD_DSR_MOST_CHANNELS || view->shape[1] % 2)
        return ead_fail(EAD_BAD_FILE, "%s: holds no codebook of 2 to %d codes of up to %d numbers",
                        ead_import_path(source, mark), EAD_DSR_MOST_CODES, EAD_DSR_MOST_CHANNELS);
    c->codes = (int)view->shape[0];
    c->channels = (int)view->shape[1];
    return ead_dsr_declare_codebooks(c->channels, c->codes, &c->vq, &c->books);
}

EadStatus ead_import_codebooks_find(EadImportCodebooks *codebooks, EadImportSource *source) {
    *codebooks = (EadImportCodebooks){0};
    for (int i = 0; i < source->count; i++) {
        EadImportTensor *tensor = &source->tensors[i];
        int prefix = ead_import_prefix(tensor->view->name, MARK);
        if (prefix < 0) continue;
        EAD_TRY(find_sizes(codebooks, source, tensor, prefix));
        return collect(codebooks, source, tensor, prefix);
    }
    return EAD_OK;
}

/* A copy with the first and the third of three colours exchanged: `count` times three parts of so many bytes. */
static const void *exchanged(EadSafetensorsWriter *writer, const unsigned char *data, int64_t count,
                             size_t bytes) {
    unsigned char *copy = ead_safetensors_writer_memory(writer, (size_t)count * 3 * bytes);
    for (int64_t i = 0; copy && i < 3 * count; i++)
        memcpy(copy + (size_t)i * bytes, data + (size_t)(i + 2 - 2 * (i % 3)) * bytes, bytes);
    return copy;
}

EadStatus ead_import_codebooks_write(const EadImportCodebooks *codebooks, EadImportSource *source,
                                     EadSafetensorsWriter *writer) {
    for (int i = 0; i < param_count(codebooks); i++) {
        const EadParam *p = param_at(codebooks, i);
        EAD_TRY(ead_import_load(source, codebooks->tensors[i]));
        const EadFileTensor *view = codebooks->tensors[i]->view;
        const int64_t weight[] = {p->n, p->c, p->h, p->w}, bias[] = {p->c};
        const void *data = view->data;
        size_t size = view->bytes / (size_t)view->count;
        if (has_colors(p)) data = exchanged(writer, view->data, p->n, size * (size_t)(p->h * p->w));
        if (!data) return EAD_NO_MEMORY;
        bool vector = is_vector(p);
        EAD_TRY(ead_safetensors_writer_tensor(writer, p->name, view->type, vector ? 1 : 4,
                                              vector ? bias : weight, data));
    }
    EAD_TRY(ead_metadata_number_write(writer, "channels", codebooks->channels));
    return ead_metadata_number_write(writer, "codes", codebooks->codes);
}

EadStatus ead_import_codebooks_check(EadImportCodebooks *codebooks, const char *path) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open(path, &file));
    EadStatus status = ead_params_allocate(&codebooks->vq);
    if (status == EAD_OK) status = ead_params_allocate(&codebooks->books);
    if (status == EAD_OK) status = ead_params_read_all(file, &codebooks->vq);
    if (status == EAD_OK) status = ead_params_read_all(file, &codebooks->books);
    ead_safetensors_close(file);
    return status;
}

void ead_import_codebooks_free(EadImportCodebooks *codebooks) {
    ead_params_free(&codebooks->vq);
    ead_params_free(&codebooks->books);
    free(codebooks->tensors);
    *codebooks = (EadImportCodebooks){0};
}
