/* The .safetensors file: every model, teacher and checkpoint is one. Layout: a little-endian u64 header
 * length, a JSON header (name -> dtype, shape, data_offsets; "__metadata__" -> strings), then the tensors'
 * bytes back to back. A file comes from outside, so the reader checks the whole header before it gives out a
 * single pointer. Types, names and reading live in safetensors_read.c, conversion in
 * safetensors_numbers.c, writing in safetensors_write.c.
 *
 * A file may leave tensors to another beside it, EAD_SHARED_FILE, which is mostly one more name of a file elsewhere
 * (safetensors_shared.c): metadata EAD_SHARED_NAMES lists them, a line each, and EAD_SHARED_HASH is a hash of their bytes
 * in that order. Whoever opens such a file finds them in it as if they were its own. */
#pragma once

#include "core/base/atomic_file.h"
#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(dtype as the file spells it, bytes an element). Enumerators are EAD_FILE_<dtype>. */
#define EAD_FILE_TYPE_LIST(X)                                                                                \
    X(BOOL, 1)                                                                                               \
    X(U8, 1)                                                                                                 \
    X(I8, 1)                                                                                                 \
    X(F8_E4M3, 1)                                                                                            \
    X(F8_E5M2, 1)                                                                                            \
    X(F8_E8M0, 1)                                                                                            \
    X(I16, 2)                                                                                                \
    X(U16, 2)                                                                                                \
    X(F16, 2)                                                                                                \
    X(BF16, 2)                                                                                               \
    X(I32, 4)                                                                                                \
    X(U32, 4)                                                                                                \
    X(F32, 4)                                                                                                \
    X(I64, 8)                                                                                                \
    X(U64, 8)                                                                                                \
    X(F64, 8)                                                                                                \
    X(C64, 8)

typedef enum EadFileType {
#define X(name, size) EAD_FILE_##name,
    EAD_FILE_TYPE_LIST(X)
#undef X
        EAD_FILE_TYPE_COUNT
} EadFileType;

enum {
    EAD_FILE_MAX_DIMS = 8,
    EAD_FILE_MAX_HEADER = 100000000, /* bytes; the format's own limit */
};

/* One tensor of an open file. Everything belongs to the file and lives until it is closed. */
typedef struct EadFileTensor {
    const char *name; /* not empty, no control characters */
    EadFileType type;
    int dims;                         /* 0 (one element) .. EAD_FILE_MAX_DIMS */
    int64_t shape[EAD_FILE_MAX_DIMS]; /* each >= 0, as in the file: convolutions are OIHW */
    int64_t count;                    /* product of the shape */
    const void *data;                 /* little-endian, row-major; may be unaligned: memcpy out of it */
    size_t offset;                    /* of the data from the beginning of the file */
    size_t bytes;                     /* count * element size */
} EadFileTensor;

/* The dtype's spelling in the file, e.g. "BF16"; and the bytes one element takes. */
const char *ead_file_type_name(EadFileType type);
size_t ead_file_type_size(EadFileType type);

/* Elements and bytes of a shape. False if dims is out of range, a size is negative or a product overflows. */
bool ead_file_shape_size(EadFileType type, int dims, const int64_t *shape, int64_t *count, size_t *bytes);

/* Whether a tensor may be called that: 1 byte or more, no control characters, not "__metadata__". */
bool ead_file_name_valid(const char *name);

#define EAD_SHARED_FILE  "weights.safetensors"
#define EAD_SHARED_NAMES "shared_tensors"
#define EAD_SHARED_HASH  "shared_hash"

typedef struct EadSafetensors EadSafetensors;

/* Reads a file into memory and checks its whole header. What others do to the file afterwards does not
 * matter. On success *out belongs to the caller, else it is NULL. Errors: EAD_IO if it cannot be read, is no
 * regular file or is changed by others meanwhile, or the file beside it that it needs is not there; EAD_BAD_FILE, naming
 * file and tensor, for anything malformed (see safetensors_read.c), and where that file is not the one; EAD_NO_MEMORY. */
EadStatus ead_safetensors_open(const char *path, EadSafetensors **out);

/* The same without the tensors' data, which is NULL: for files of any size. */
EadStatus ead_safetensors_open_header(const char *path, EadSafetensors **out);

/* The same from memory; tensors that are left to another file are missing. `bytes` stay the caller's and must outlive *out; label stands in for the path. */
EadStatus ead_safetensors_parse(const void *bytes, size_t size, const char *label, EadSafetensors **out);

/* Frees the tensors' data, which is NULL from then on; names, shapes and metadata stay. */
void ead_safetensors_drop_data(EadSafetensors *file);

/* NULL is harmless. */
void ead_safetensors_close(EadSafetensors *file);

/* The path (or label) it was opened by. */
const char *ead_safetensors_path(const EadSafetensors *file);

/* Tensors in the order of their data; index 0..count-1. */
int ead_safetensors_count(const EadSafetensors *file);
const EadFileTensor *ead_safetensors_at(const EadSafetensors *file, int index);

/* The tensor of that name, or NULL; and whether number `index` was ever found so, or nobody wanted it. */
const EadFileTensor *ead_safetensors_find(const EadSafetensors *file, const char *name);
bool ead_safetensors_was_found(const EadSafetensors *file, int index);

/* The string under a key of "__metadata__" (UTF-8, owned by the file), or NULL. */
const char *ead_safetensors_metadata(const EadSafetensors *file, const char *key);

/* Its keys: index 0..count-1, in the file's order. NULL for another index. */
int ead_safetensors_metadata_count(const EadSafetensors *file);
const char *ead_safetensors_metadata_key(const EadSafetensors *file, int index);

/* A hash of the bytes of a tensor and of what came `before`: against mistakes, not against malice. */
uint64_t ead_file_tensor_hash(uint64_t before, const EadFileTensor *tensor);

/* Leaves the tensors of the file `path` that are the same in the file `other` to that one, by a further name of it
 * beside `path`: *bytes is what that saves on the disk. It is 0 where nothing is the same, or it is so already. Errors, after which
 * the file is as before: EAD_IO where the disk has no second names; EAD_BAD_FILE where something else has that name; those of
 * reading and writing. */
EadStatus ead_safetensors_share(const char *path, const char *other, uint64_t *bytes);

/* Copies a tensor of `file` to out[tensor->count], converting F16, BF16, F32 or F64 (which rounds to
 * nearest). Errors: EAD_BAD_FILE naming file, tensor and element index if a value is not finite (in float: or
 * too large for it); EAD_BAD_FILE if the type is none of the four. `out` is undefined after an error. */
EadStatus ead_file_tensor_to_float(const EadSafetensors *file, const EadFileTensor *tensor, float *out);
EadStatus ead_file_tensor_to_double(const EadSafetensors *file, const EadFileTensor *tensor, double *out);

/* Whether the type is one of the four, which the header tells. Errors: EAD_BAD_FILE. */
EadStatus ead_file_tensor_check_float(const EadSafetensors *file, const EadFileTensor *tensor);

/* Whichever of the two this build's `real` is. */
static inline EadStatus ead_file_tensor_to_real(const EadSafetensors *file, const EadFileTensor *tensor,
                                                real *out) {
#ifdef EAD_DOUBLE
    return ead_file_tensor_to_double(file, tensor, out);
#else
    return ead_file_tensor_to_float(file, tensor, out);
#endif
}

typedef struct EadSafetensorsWriter EadSafetensorsWriter;

/* An empty file to be; the caller frees it (NULL is harmless). Error: EAD_NO_MEMORY. */
EadStatus ead_safetensors_writer_new(EadSafetensorsWriter **out);
void ead_safetensors_writer_free(EadSafetensorsWriter *writer);

/* Memory for values that are made for the file; it is freed with the writer. NULL after an EAD_NO_MEMORY. */
void *ead_safetensors_writer_memory(EadSafetensorsWriter *writer, size_t bytes);

/* Adds a string to "__metadata__"; both are copied, the last value of a key counts.
 * Errors: EAD_BAD_ARGUMENT if they are not UTF-8. */
EadStatus ead_safetensors_writer_metadata(EadSafetensorsWriter *writer, const char *key, const char *value);

/* Adds a tensor. name and shape are copied; data (count elements, row-major) is borrowed until the last
 * write; NULL only for ead_safetensors_writer_begin(). Errors: EAD_BAD_ARGUMENT for a name that is invalid or
 * there already; EAD_BAD_SHAPE; EAD_NO_MEMORY. */
EadStatus ead_safetensors_writer_tensor(EadSafetensorsWriter *writer, const char *name, EadFileType type,
                                        int dims, const int64_t *shape, const void *data);

/* Writes the file: complete under `path` or not at all (core/base/atomic_file.h). The same calls give the
 * same bytes: header keys in order of addition, data sorted by element size so that every tensor is aligned.
 * May be called again. Errors: EAD_IO with path and reason; EAD_BAD_ARGUMENT if a name is not UTF-8 or the
 * header grows over EAD_FILE_MAX_HEADER; EAD_NO_MEMORY. */
EadStatus ead_safetensors_writer_write(EadSafetensorsWriter *writer, const char *path);

/* The same in two steps, for tensors added with data NULL, which the caller writes into the file himself:
 * begins the file, with room for those; the caller fills it and then commits or discards it. Errors: the
 * same. */
EadStatus ead_safetensors_writer_begin(EadSafetensorsWriter *writer, const char *path, EadAtomicFile *file);

/* Bytes of all tensors: the file will have these and a header. */
uint64_t ead_safetensors_writer_bytes(const EadSafetensorsWriter *writer);

/* Where the data of a tensor begins in a file that was begun. */
int64_t ead_safetensors_writer_offset(const EadSafetensorsWriter *writer, const char *name);
