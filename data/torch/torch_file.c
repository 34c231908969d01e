/* From pickled values to tensors. */
#include "data/torch/torch_file.h"

#include "core/base/memory.h"
#include "data/torch/torch_archive.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_STEPS = 1 << 22, MAX_TENSORS = 100000, MAX_NAME = 512 };

typedef struct Tensor {
    EadFileTensor view; /* its name is owned */
    void *copy;         /* owned; NULL unless its elements had to be gathered */
    EadTorchRecord record;
    int64_t offset, strides[EAD_FILE_MAX_DIMS]; /* elements */
    int padding;
} Tensor;

typedef struct Storage {
    EadTorchRecord record;
    char *bytes;
} Storage;

struct EadTorchFile {
    EadTorchArchive *archive;
    Tensor *tensors;
    int count, capacity;
    Storage *storages; /* those that were read */
    int storage_count, storage_capacity;
};

/* All that may be called, which is: made a node of. The last few are what checkpoints, those of anomalib
 * above all, hold beside tensors; they are passed over. */
#define REBUILD_TENSOR    "torch._utils._rebuild_tensor" /* before 0.4, and with "_v2" since */
#define REBUILD_PARAMETER "torch._utils._rebuild_parameter"
#define PARAMETER         "torch.nn.parameter.Parameter" /* an instance of it, before 0.4 */
static const char *const calls[] = {REBUILD_TENSOR,
                                    REBUILD_TENSOR "_v2",
                                    REBUILD_PARAMETER,
                                    REBUILD_PARAMETER "_with_state",
                                    "collections.OrderedDict",
                                    "collections.defaultdict",
                                    "__builtin__.set",
                                    "torch.Size",
                                    "torch.device",
                                    "pathlib.PosixPath",
                                    "anomalib.models.image.efficient_ad.torch_model.EfficientAdModelSize",
                                    "anomalib.models.efficient_ad.torch_model.EfficientAdModelSize",
                                    "torchvision.transforms.functional.InterpolationMode",
                                    NULL};

/* ---- one tensor ---- */

/* Finds the storage that a reference names. */
static EadStatus read_storage(const EadTorchFile *file, const EadPickleValue *reference, Tensor *tensor,
                              int64_t *elements) {
    EadTorchStorage storage;
    EAD_TRY(ead_torch_storage_read(reference, &storage));
    EAD_TRY(ead_torch_archive_find(file->archive, storage.key, &tensor->record));
    *elements = storage.elements;
    tensor->view.type = storage.type;
    size_t size = ead_file_type_size(storage.type);
    if (tensor->record.size % size != 0 || tensor->record.size / size != (uint64_t)storage.elements)
        return ead_torch_malformed("a storage's size does not agree with its record");
    return EAD_OK;
}

static bool read_sizes(const EadPickleValue *tuple, int dims, int64_t *out) {
    if (tuple->kind != EAD_PICKLE_TUPLE || tuple->count != dims) return false;
    for (int i = 0; i < dims; i++) {
        out[i] = tuple->items[i]->integer;
        if (tuple->items[i]->kind != EAD_PICKLE_INT || out[i] < 0) return false;
    }
    return true;
}

/* Whether all elements lie in a storage of that many. Those of expanded tensors (stride 0) would be more than
 * the file holds, which no network's weights are. */
static bool lies_within(Tensor *tensor, int64_t elements) {
    const EadFileTensor *view = &tensor->view;
    int64_t last = tensor->offset;
    if (view->count > elements || last > elements) return false;
    if (view->count == 0) return true;
    for (int i = 0; i < view->dims; i++) {
        int64_t steps = view->shape[i] - 1;
        if (steps == 0) tensor->strides[i] = 0; /* of no account, so it may be anything */
        if (steps > 0 && tensor->strides[i] > (elements - 1 - last) / steps) return false;
        last += steps * tensor->strides[i];
    }
    return last < elements;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, ...) */
static EadStatus read_tensor(const EadTorchFile *file, const EadPickleValue *call, Tensor *tensor) {
    const EadPickleValue *parts = call->argument;
    EadFileTensor *view = &tensor->view;
    int64_t elements = 0;
    if (parts->count < 4 || parts->items[1]->kind != EAD_PICKLE_INT || parts->items[1]->integer < 0)
        return ead_torch_malformed("a malformed tensor");
    EAD_TRY(read_storage(file, parts->items[0], tensor, &elements));
    tensor->offset = parts->items[1]->integer;
    view->dims = parts->items[2]->count;
    if (view->dims > EAD_FILE_MAX_DIMS) return ead_torch_malformed("more than 8 dimensions");
    if (!read_sizes(parts->items[2], view->dims, view->shape) ||
        !read_sizes(parts->items[3], view->dims, tensor->strides) ||
        !ead_file_shape_size(view->type, view->dims, view->shape, &view->count, &view->bytes))
        return ead_torch_malformed("an impossible shape or stride");
    return lies_within(tensor, elements) ? EAD_OK : ead_torch_malformed("lies outside its storage");
}

/* ---- all tensors: a walk over values, which may hold each other in circles ---- */

typedef struct ObjectWalk {
    EadTorchFile *file;
    char name[MAX_NAME];
    size_t length;
    int depth, steps;
    int padding; /* of the module in hand; -1: not a convolution */
} ObjectWalk;

static EadStatus visit(ObjectWalk *walk, const EadPickleValue *value);

static EadStatus add_tensor(ObjectWalk *walk, const EadPickleValue *call) {
    EadTorchFile *file = walk->file;
    const char *name = walk->length > 0 ? walk->name : "tensor";
    if (!ead_file_name_valid(name))
        return ead_torch_malformed("a tensor's name is empty or holds control characters");
    if (file->count == MAX_TENSORS) return ead_torch_malformed("more than 100,000 tensors");
    EAD_TRY(
        ead_grow(&file->tensors, &file->capacity, file->count, sizeof *file->tensors, "a list of tensors"));
    Tensor *tensor = &file->tensors[file->count];
    *tensor = (Tensor){.padding = walk->padding};
    EadStatus status = read_tensor(file, call, tensor);
    if (status != EAD_OK) return ead_fail_prefix(status, "tensor '%.200s': ", name);
    if (!(tensor->view.name = ead_strdup(name))) return EAD_NO_MEMORY;
    file->count++;
    return EAD_OK;
}

/* Visits a value under one more part of the name: a key's text or number. */
static EadStatus descend(ObjectWalk *walk, const EadPickleValue *key, int number,
                         const EadPickleValue *value) {
    char part[MAX_NAME];
    size_t length = walk->length;
    if (key && key->kind == EAD_PICKLE_TEXT) {
        if (!ead_pickle_copy(key, part, sizeof part))
            return ead_torch_malformed("a name of more than 500 bytes");
    } else
        snprintf(part, sizeof part, "%d", number);
    int used = snprintf(walk->name + length, sizeof walk->name - length, "%s%s", length ? "." : "", part);
    if (used < 0 || (size_t)used >= sizeof walk->name - length)
        return ead_torch_malformed("a name of more than 500 bytes");
    walk->length += (size_t)used;
    EadStatus status = visit(walk, value);
    walk->length = length;
    walk->name[length] = '\0';
    return status;
}

/* Keys may be texts or whole numbers; what stands under others is no tensor of a network. */
static EadStatus visit_dict(ObjectWalk *walk, const EadPickleValue *dict) {
    for (int i = 0; dict && i + 1 < dict->count; i += 2) {
        const EadPickleValue *key = dict->items[i];
        bool number = key->kind == EAD_PICKLE_INT && key->integer >= 0 && key->integer <= INT_MAX;
        if (key->kind == EAD_PICKLE_TEXT || number)
            EAD_TRY(descend(walk, key, number ? (int)key->integer : 0, dict->items[i + 1]));
    }
    return EAD_OK;
}

/* A module keeps its tensors in three dicts of its state, an instance of a class derived from dict in its
 * items; all else is no concern of ours. */
static EadStatus visit_object(ObjectWalk *walk, const EadPickleValue *module) {
    const EadPickleValue *padding = ead_pickle_member(module->state, "padding");
    bool pair = padding && padding->kind == EAD_PICKLE_TUPLE && padding->count == 2 &&
                padding->items[0]->kind == EAD_PICKLE_INT;
    int outer = walk->padding;
    walk->padding = pair && padding->items[0]->integer >= 0 && padding->items[0]->integer <= INT_MAX
                        ? (int)padding->items[0]->integer
                        : -1;
    EadStatus status = visit_dict(walk, ead_pickle_member(module->state, "_parameters"));
    if (status == EAD_OK) status = visit_dict(walk, ead_pickle_member(module->state, "_buffers"));
    if (status == EAD_OK) status = visit_dict(walk, ead_pickle_member(module->state, "_modules"));
    walk->padding = outer;
    return status == EAD_OK ? visit_dict(walk, module) : status;
}

/* Made of a tensor and more. */
static EadStatus visit_parameter(ObjectWalk *walk, const EadPickleValue *parameter) {
    if (parameter->argument->count == 0) return ead_torch_malformed("a malformed parameter");
    return visit(walk, parameter->argument->items[0]);
}

static EadStatus visit_inside(ObjectWalk *walk, const EadPickleValue *value) {
    switch (value->kind) {
    case EAD_PICKLE_CALL:
        if (ead_pickle_is(value->callee, REBUILD_TENSOR) ||
            ead_pickle_is(value->callee, REBUILD_TENSOR "_v2"))
            return add_tensor(walk, value);
        if (!ead_pickle_is(value->callee, REBUILD_PARAMETER) &&
            !ead_pickle_is(value->callee, REBUILD_PARAMETER "_with_state"))
            return visit_dict(walk, value);
        return visit_parameter(walk, value);
    case EAD_PICKLE_DICT:
        return visit_dict(walk, value);
    case EAD_PICKLE_OBJECT:
        return ead_pickle_is(value->callee, PARAMETER) ? visit_parameter(walk, value)
                                                       : visit_object(walk, value);
    case EAD_PICKLE_LIST:
    case EAD_PICKLE_TUPLE:
        for (int i = 0; i < value->count; i++) EAD_TRY(descend(walk, NULL, i, value->items[i]));
        return EAD_OK;
    default:
        return EAD_OK;
    }
}

/* Items count as steps too, also those that are only looked through. */
static EadStatus visit(ObjectWalk *walk, const EadPickleValue *value) {
    walk->steps += 1 + value->count + (value->state ? value->state->count : 0);
    if (walk->steps > MAX_STEPS)
        return ead_torch_malformed("its values hold each other more than 2^22 times");
    if (walk->depth == MAX_DEPTH) return ead_torch_malformed("values within values more than 64 deep");
    walk->depth++;
    EadStatus status = visit_inside(walk, value);
    walk->depth--;
    return status;
}

/* ---- the file ---- */

static EadStatus list_tensors(EadTorchFile *file) {
    const EadPickleValue *root;
    EAD_TRY(ead_torch_archive_objects(file->archive, calls, &root));
    return visit(&(ObjectWalk){.file = file, .padding = -1}, root);
}

/* Takes the archive over. */
static EadStatus open_archive(EadTorchArchive *archive, EadTorchFile **out) {
    EadTorchFile *file = ead_new(1, sizeof *file, "a list of tensors");
    if (!file) {
        ead_torch_archive_close(archive);
        return EAD_NO_MEMORY;
    }
    file->archive = archive;
    EadStatus status = list_tensors(file);
    if (status == EAD_OK)
        *out = file;
    else {
        ead_fail_prefix(status, "%s: ", ead_torch_archive_path(archive));
        ead_torch_file_close(file);
    }
    return status;
}

EadStatus ead_torch_file_open(const char *path, EadTorchFile **out) {
    EadTorchArchive *archive;
    *out = NULL;
    EAD_TRY(ead_torch_archive_open(path, &archive));
    return open_archive(archive, out);
}

EadStatus ead_torch_file_parse(const void *bytes, size_t size, const char *label, EadTorchFile **out) {
    EadTorchArchive *archive;
    *out = NULL;
    EAD_TRY(ead_torch_archive_parse(bytes, size, label, &archive));
    return open_archive(archive, out);
}

int ead_torch_file_count(const EadTorchFile *file) {
    return file->count;
}

const EadFileTensor *ead_torch_file_at(const EadTorchFile *file, int index) {
    return &file->tensors[index].view;
}

int ead_torch_file_padding(const EadTorchFile *file, int index) {
    return file->tensors[index].padding;
}

/* ---- numbers ---- */

/* A storage is read once, however many tensors lie in it. */
static EadStatus load_storage(EadTorchFile *file, EadTorchRecord record, const char **out) {
    for (int i = 0; i < file->storage_count; i++) {
        *out = file->storages[i].bytes;
        if (file->storages[i].record.index == record.index) return EAD_OK;
    }
    EAD_TRY(ead_grow(&file->storages, &file->storage_capacity, file->storage_count, sizeof *file->storages,
                     "a list of storages"));
    char *bytes = malloc(record.size + 1);
    if (!bytes) return ead_fail(EAD_NO_MEMORY, "no memory for a storage of %zu bytes", record.size);
    file->storages[file->storage_count] = (Storage){record, bytes};
    *out = bytes;
    EadStatus status = ead_torch_archive_read(file->archive, record, bytes);
    if (status == EAD_OK)
        file->storage_count++;
    else
        free(bytes);
    return status;
}

/* Copies element by element, counting the index up like an odometer. */
static void gather(const Tensor *tensor, const char *storage, char *out) {
    const EadFileTensor *view = &tensor->view;
    size_t size = ead_file_type_size(view->type);
    int64_t index[EAD_FILE_MAX_DIMS] = {0}, at = tensor->offset;
    for (int64_t k = 0; k < view->count; k++, out += size) {
        memcpy(out, storage + (size_t)at * size, size);
        for (int d = view->dims - 1; d >= 0; d--) {
            at += tensor->strides[d];
            if (++index[d] < view->shape[d]) break;
            at -= index[d] * tensor->strides[d];
            index[d] = 0;
        }
    }
}

static EadStatus load(EadTorchFile *file, Tensor *tensor) {
    const EadFileTensor *view = &tensor->view;
    const char *storage = NULL;
    int64_t step = 1;
    bool row_major = true;
    EAD_TRY(load_storage(file, tensor->record, &storage));
    for (int i = view->dims - 1; i >= 0; step *= view->shape[i--])
        row_major = row_major && (view->shape[i] == 1 || tensor->strides[i] == step);
    if (row_major) {
        tensor->view.data = storage + (size_t)tensor->offset * ead_file_type_size(view->type);
        return EAD_OK;
    }
    if (!(tensor->copy = malloc(view->bytes + 1)))
        return ead_fail(EAD_NO_MEMORY, "no memory for %zu bytes", view->bytes);
    gather(tensor, storage, tensor->copy);
    tensor->view.data = tensor->copy;
    return EAD_OK;
}

EadStatus ead_torch_file_load(EadTorchFile *file, int index) {
    Tensor *tensor = &file->tensors[index];
    EadStatus status = tensor->view.data ? EAD_OK : load(file, tensor);
    if (status == EAD_OK) return EAD_OK;
    return ead_fail_prefix(status, "%s: tensor '%.200s': ", ead_torch_archive_path(file->archive),
                           tensor->view.name);
}

void ead_torch_file_close(EadTorchFile *file) {
    if (!file) return;
    for (int i = 0; i < file->count; i++) {
        free((char *)file->tensors[i].view.name);
        free(file->tensors[i].copy);
    }
    for (int i = 0; i < file->storage_count; i++) free(file->storages[i].bytes);
    ead_torch_archive_close(file->archive);
    free(file->tensors);
    free(file->storages);
    free(file);
}
