/* An ONNX file in the making, and one that was read: operators of version 17, all values in the file itself. No library of
 * protobuf's is needed; what is written is a part of ONNX's onnx.proto (core/file/onnx_fields.h). */
#pragma once

#include "core/base/atomic_file.h"
#include "core/base/string_list.h"
#include "core/file/wire.h"

/* TensorProto.DataType. */
typedef enum EadOnnxType {
    EAD_ONNX_FLOAT = 1,
    EAD_ONNX_UINT8 = 2,
    EAD_ONNX_INT64 = 7,
    EAD_ONNX_FLOAT16 = 10,
} EadOnnxType;

enum { EAD_ONNX_DIMS = 5, EAD_ONNX_ANY = -1 /* a size that is open: "N" */ };

/* Bytes of an element; 0: none of the types above. */
size_t ead_onnx_type_size(EadOnnxType type);

/* A constant; or, without data, what goes into the graph or comes out of it. */
typedef struct EadOnnxTensor {
    const char *name; /* owned */
    EadOnnxType type;
    int dims;
    int64_t shape[EAD_ONNX_DIMS];
    void *
        data; /* little-endian, row by row, owned; of a file that was read: borrowed from its bytes, unaligned */
    size_t bytes;
} EadOnnxTensor;

typedef struct EadOnnxTensors {
    EadOnnxTensor *items;
    int count, capacity;
} EadOnnxTensors;

/* The values of an attribute: whole numbers, one or several, or one number or text. */
enum { EAD_ONNX_INTS = 8, EAD_ONNX_INPUTS = 8, EAD_ONNX_OUTPUTS = 2, EAD_ONNX_ATTRIBUTES = 6 };

typedef enum EadOnnxKind {
    EAD_ONNX_IS_FLOAT = 1,
    EAD_ONNX_IS_INT = 2,
    EAD_ONNX_IS_TEXT = 3,
    EAD_ONNX_IS_INTS = 7
} EadOnnxKind;

typedef struct EadOnnxAttribute {
    const char *name; /* NULL behind the last */
    EadOnnxKind kind;
    int count; /* of ints */
    int64_t ints[EAD_ONNX_INTS];
    float number;
    const char *text;
} EadOnnxAttribute;

/* .attributes = {EAD_WITH_INT("axis", 1), EAD_WITH_INTS("pads", 0, 0, 1, 1)} */
#define EAD_WITH_INT(label, value)                                                                           \
    {                                                                                                        \
        .name = (label), .kind = EAD_ONNX_IS_INT, .count = 1, .ints = {(value) }                             \
    }
#define EAD_WITH_INTS(label, ...)                                                                            \
    {                                                                                                        \
        .name = (label), .kind = EAD_ONNX_IS_INTS,                                                           \
        .count = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .ints = {                        \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define EAD_WITH_FLOAT(label, value)                                                                         \
    { .name = (label), .kind = EAD_ONNX_IS_FLOAT, .number = (float)(value) }
#define EAD_WITH_TEXT(label, value)                                                                          \
    { .name = (label), .kind = EAD_ONNX_IS_TEXT, .text = (value) }

/* An operator at work. All texts are borrowed. */
typedef struct EadOnnxNode {
    const char *op;
    const char *inputs[EAD_ONNX_INPUTS]; /* NULL behind the last; "": an optional one that is absent */
    EadOnnxAttribute attributes[EAD_ONNX_ATTRIBUTES];
    const char *outputs[EAD_ONNX_OUTPUTS];
} EadOnnxNode;

/* ---- writing ---- */

typedef struct EadOnnxFile {
    EadWire nodes;
    int node_count;
    EadOnnxTensors constants, inputs, outputs;
    EadStringList keys, values; /* metadata_props, in order */
} EadOnnxFile;

/* Adds a tensor, whose name is copied and whose data becomes the list's own, also after an error. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_onnx_tensor_add(EadOnnxTensors *tensors, const EadOnnxTensor *tensor);

/* Errors: EAD_NO_MEMORY. */
EadStatus ead_onnx_node_add(EadOnnxFile *file, const EadOnnxNode *node);
EadStatus ead_onnx_metadata_add(EadOnnxFile *file, const char *key, const char *value);

/* Bytes that its constants take. */
uint64_t ead_onnx_bytes(const EadOnnxFile *file);

/* Writes it to the stream; whether that could be done shows where the stream is committed. name: of the graph. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_onnx_write(const EadOnnxFile *file, const char *name, FILE *stream);

void ead_onnx_file_free(EadOnnxFile *file);

/* ---- reading (train/export/onnx_read.c) ---- */

typedef struct EadOnnxReading EadOnnxReading;

/* Reads and checks a file of these operators: every field has a place; each name is given once, and before it is used; the
 * values of a constant are as many as its shape says; what comes out is computed. The bytes stay the caller's and must
 * outlive *out, which ead_onnx_reading_free() frees; on failure it is NULL. label: the file's name. Errors: EAD_BAD_FILE,
 * naming label and place; EAD_NO_MEMORY. */
EadStatus ead_onnx_read(const void *bytes, size_t size, const char *label, EadOnnxReading **out);
void ead_onnx_reading_free(EadOnnxReading *reading); /* harmless on NULL */

int ead_onnx_node_count(const EadOnnxReading *reading);
const EadOnnxNode *ead_onnx_node_at(const EadOnnxReading *reading, int index);
const EadOnnxTensors *ead_onnx_constants(const EadOnnxReading *reading);
const EadOnnxTensors *ead_onnx_inputs(const EadOnnxReading *reading);
const EadOnnxTensors *ead_onnx_outputs(const EadOnnxReading *reading);
const EadOnnxTensor *ead_onnx_constant(const EadOnnxReading *reading, const char *name); /* or NULL */
const char *ead_onnx_metadata(const EadOnnxReading *reading, const char *key);           /* or NULL */
