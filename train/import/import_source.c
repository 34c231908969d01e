/* Opening of files and looking up of names. */
#include "train/import/import.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/file/file_role.h"
#include "data/source/image_list.h"
#include "data/torch/torch_archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted(const char *name) {
    const char *dot = strrchr(name, '.');
    bool temporary = dot && dot - name >= 4 && strncmp(dot - 4, "_tmp", 4) == 0;
    return !temporary && ead_path_has_extension(name, ".pth, .pt, .ckpt, .safetensors");
}

static int tensor_count(const EadImportFile *file) {
    return file->torch ? ead_torch_file_count(file->torch) : ead_safetensors_count(file->safetensors);
}

static int compare(const void *left, const void *right) {
    const EadImportTensor *a = *(EadImportTensor *const *)left, *b = *(EadImportTensor *const *)right;
    if (a->file != b->file) return a->file < b->file ? -1 : 1;
    return strcmp(a->view->name, b->view->name);
}

static EadStatus list_tensors(EadImportSource *source) {
    int count = 0;
    for (int f = 0; f < source->paths.count; f++) count += tensor_count(&source->files[f]);
    source->tensors = ead_new(count, sizeof *source->tensors, "a list of tensors");
    source->sorted = ead_new(count, sizeof *source->sorted, "a list of tensors");
    if (!source->tensors || !source->sorted) return EAD_NO_MEMORY;
    for (int f = 0; f < source->paths.count; f++)
        for (int i = 0; i < tensor_count(&source->files[f]); i++) {
            source->sorted[source->count] = &source->tensors[source->count];
            EadTorchFile *torch = source->files[f].torch;
            source->tensors[source->count++] =
                (EadImportTensor){.view = torch ? ead_torch_file_at(torch, i)
                                                : ead_safetensors_at(source->files[f].safetensors, i),
                                  .file = f,
                                  .index = i};
        }
    if (count > 0) qsort(source->sorted, (size_t)count, sizeof *source->sorted, compare);
    return EAD_OK;
}

static EadStatus list_paths(EadImportSource *source, const char *path) {
    int before = source->paths.count;
    EAD_TRY(ead_path_is_folder(path) ? ead_list_files(&source->paths, path, is_wanted, NULL)
                                     : ead_strings_add(&source->paths, path));
    if (source->paths.count > before) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: holds no .pth, .pt, .ckpt or .safetensors file", path);
}

static EadStatus open_file(const char *path, EadImportFile *file) {
    uint8_t head[16];
    EAD_TRY(ead_file_expect(path,
                            EAD_ROLES_TRAINED | EAD_ROLE(DISTILL_CHECKPOINT) | EAD_ROLE(TEACHER) |
                                EAD_ROLE(BACKBONE) | EAD_ROLE(WEIGHTS) | EAD_ROLE(ZIP),
                            "weights"));
    EAD_TRY(ead_check_regular(path));
    FILE *stream = fopen(path, "rb");
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    size_t size = fread(head, 1, sizeof head, stream);
    fclose(stream);
    return ead_torch_archive_begins(head, size) ? ead_torch_file_open(path, &file->torch)
                                                : ead_safetensors_open(path, &file->safetensors);
}

EadStatus ead_import_source_open(EadImportSource *source, const char *const *paths, int count,
                                 EadProblems *problems) {
    int known = problems->lines.count;
    *source = (EadImportSource){0};
    for (int i = 0; i < count; i++) ead_problems_add(problems, list_paths(source, paths[i]));
    source->files = ead_new(source->paths.count, sizeof *source->files, "a list of files");
    if (!source->files) return EAD_NO_MEMORY;
    for (int f = 0; f < source->paths.count; f++)
        ead_problems_add(problems, open_file(source->paths.items[f], &source->files[f]));
    EAD_TRY(ead_problems_since(problems, known));
    return list_tensors(source);
}

void ead_import_source_close(EadImportSource *source) {
    for (int f = 0; source->files && f < source->paths.count; f++) {
        ead_safetensors_close(source->files[f].safetensors);
        ead_torch_file_close(source->files[f].torch);
    }
    free(source->files);
    free(source->tensors);
    free(source->sorted);
    ead_strings_free(&source->paths);
    *source = (EadImportSource){0};
}

int ead_import_prefix(const char *name, const char *rest) {
    size_t length = strlen(name), end = strlen(rest);
    if (length < end || strcmp(name + length - end, rest) != 0) return -1;
    return length == end || name[length - end - 1] == '.' ? (int)(length - end) : -1;
}

EadImportTensor *ead_import_find(const EadImportSource *source, int file, const char *name) {
    EadImportTensor key = {.view = &(EadFileTensor){.name = name}, .file = file}, *wanted = &key;
    EadImportTensor **found =
        bsearch(&wanted, source->sorted, (size_t)source->count, sizeof *source->sorted, compare);
    return found ? *found : NULL;
}

const char *ead_import_path(const EadImportSource *source, const EadImportTensor *tensor) {
    return source->paths.items[tensor->file];
}

int ead_import_padding(const EadImportSource *source, const EadImportTensor *tensor) {
    const EadTorchFile *torch = source->files[tensor->file].torch;
    return torch ? ead_torch_file_padding(torch, tensor->index) : -1;
}

const char *ead_import_metadata(const EadImportSource *source, const EadImportTensor *tensor,
                                const char *key) {
    const EadSafetensors *file = source->files[tensor->file].safetensors;
    return file ? ead_safetensors_metadata(file, key) : NULL;
}

EadStatus ead_import_load(EadImportSource *source, EadImportTensor *tensor) {
    EadTorchFile *torch = source->files[tensor->file].torch;
    switch (tensor->view->type) {
    case EAD_FILE_F16:
    case EAD_FILE_BF16:
    case EAD_FILE_F32:
    case EAD_FILE_F64:
        return torch ? ead_torch_file_load(torch, tensor->index) : EAD_OK;
    default:
        return ead_fail(EAD_BAD_FILE, "%s: tensor '%.200s' is of type %s; convert it to float",
                        ead_import_path(source, tensor), tensor->view->name,
                        ead_file_type_name(tensor->view->type));
    }
}

void ead_import_describe(const EadFileTensor *tensor, char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "%.200s [", tensor->name);
    for (int d = 0; d < tensor->dims && used < size; d++)
        used += (size_t)snprintf(out + used, size - used, d ? ",%lld" : "%lld", (long long)tensor->shape[d]);
    if (used < size) snprintf(out + used, size - used, "] %s", ead_file_type_name(tensor->type));
}
