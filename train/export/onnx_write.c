/* The messages of a file, from the inside out; the values of its constants go from their memory to the stream. */
#include "train/export/onnx_file.h"

#include "core/base/memory.h"
#include "core/file/onnx_fields.h"
#include "train/support/version.h"

#include <stdlib.h>
#include <string.h>

size_t ead_onnx_type_size(EadOnnxType type) {
    switch (type) {
    case EAD_ONNX_FLOAT:
        return 4;
    case EAD_ONNX_UINT8:
        return 1;
    case EAD_ONNX_INT64:
        return 8;
    case EAD_ONNX_FLOAT16:
        return 2;
    }
    return 0;
}

EadStatus ead_onnx_tensor_add(EadOnnxTensors *tensors, const EadOnnxTensor *tensor) {
    char *name = ead_strdup(tensor->name);
    EadStatus status = name ? ead_grow(&tensors->items, &tensors->capacity, tensors->count,
                                       sizeof *tensors->items, "an ONNX file")
                            : EAD_NO_MEMORY;
    if (status != EAD_OK) {
        free(name);
        free(tensor->data);
        return status;
    }
    EadOnnxTensor *added = &tensors->items[tensors->count++];
    *added = *tensor;
    added->name = name;
    return EAD_OK;
}

static void write_attribute(EadWire *wire, const EadOnnxAttribute *attribute) {
    EadWire a = {0};
    ead_wire_text(&a, EAD_ATTRIBUTE_NAME, attribute->name);
    switch (attribute->kind) {
    case EAD_ONNX_IS_FLOAT:
        ead_wire_float(&a, EAD_ATTRIBUTE_FLOAT, attribute->number);
        break;
    case EAD_ONNX_IS_INT:
        ead_wire_number(&a, EAD_ATTRIBUTE_INT, (uint64_t)attribute->ints[0]);
        break;
    case EAD_ONNX_IS_TEXT:
        ead_wire_text(&a, EAD_ATTRIBUTE_TEXT, attribute->text);
        break;
    case EAD_ONNX_IS_INTS:
        for (int i = 0; i < attribute->count; i++)
            ead_wire_number(&a, EAD_ATTRIBUTE_INTS, (uint64_t)attribute->ints[i]);
        break;
    }
    ead_wire_number(&a, EAD_ATTRIBUTE_KIND, (uint64_t)attribute->kind);
    ead_wire_message(wire, EAD_NODE_ATTRIBUTE, &a);
}

EadStatus ead_onnx_node_add(EadOnnxFile *file, const EadOnnxNode *node) {
    EadWire wire = {0};
    for (int i = 0; i < EAD_ONNX_INPUTS && node->inputs[i]; i++)
        ead_wire_text(&wire, EAD_NODE_INPUT, node->inputs[i]);
    for (int i = 0; i < EAD_ONNX_OUTPUTS && node->outputs[i]; i++)
        ead_wire_text(&wire, EAD_NODE_OUTPUT, node->outputs[i]);
    ead_wire_text(&wire, EAD_NODE_NAME, node->outputs[0]);
    ead_wire_text(&wire, EAD_NODE_OP, node->op);
    for (int i = 0; i < EAD_ONNX_ATTRIBUTES && node->attributes[i].name; i++)
        write_attribute(&wire, &node->attributes[i]);
    ead_wire_message(&file->nodes, EAD_GRAPH_NODE, &wire);
    file->node_count++;
    return ead_wire_status(&file->nodes);
}

EadStatus ead_onnx_metadata_add(EadOnnxFile *file, const char *key, const char *value) {
    EAD_TRY(ead_strings_add(&file->keys, key));
    return ead_strings_add(&file->values, value);
}

uint64_t ead_onnx_bytes(const EadOnnxFile *file) {
    uint64_t bytes = 0;
    for (int i = 0; i < file->constants.count; i++) bytes += file->constants.items[i].bytes;
    return bytes;
}

void ead_onnx_file_free(EadOnnxFile *file) {
    EadOnnxTensors *lists[] = {&file->constants, &file->inputs, &file->outputs};
    for (int l = 0; l < 3; l++) {
        for (int i = 0; i < lists[l]->count; i++) {
            free((void *)lists[l]->items[i].name);
            free(lists[l]->items[i].data);
        }
        free(lists[l]->items);
    }
    ead_wire_free(&file->nodes);
    ead_strings_free(&file->keys);
    ead_strings_free(&file->values);
    *file = (EadOnnxFile){0};
}

/* ---- to the stream ---- */

/* All of a constant but the bytes of its values. */
static void constant_head(EadWire *wire, const EadOnnxTensor *tensor) {
    for (int d = 0; d < tensor->dims; d++) ead_wire_number(wire, EAD_TENSOR_DIM, (uint64_t)tensor->shape[d]);
    ead_wire_number(wire, EAD_TENSOR_TYPE, (uint64_t)tensor->type);
    ead_wire_text(wire, EAD_TENSOR_NAME, tensor->name);
    ead_wire_head(wire, EAD_TENSOR_DATA, tensor->bytes);
}

/* What goes in or comes out. */
static void write_value(EadWire *wire, int field, const EadOnnxTensor *tensor) {
    EadWire value = {0}, type = {0}, tensor_type = {0}, shape = {0};
    for (int d = 0; d < tensor->dims; d++) {
        EadWire dim = {0};
        if (tensor->shape[d] == EAD_ONNX_ANY)
            ead_wire_text(&dim, EAD_DIM_NAME, "N");
        else
            ead_wire_number(&dim, EAD_DIM_VALUE, (uint64_t)tensor->shape[d]);
        ead_wire_message(&shape, EAD_SHAPE_DIM, &dim);
    }
    ead_wire_number(&tensor_type, EAD_TENSOR_TYPE_ELEMENT, (uint64_t)tensor->type);
    ead_wire_message(&tensor_type, EAD_TENSOR_TYPE_SHAPE, &shape);
    ead_wire_message(&type, EAD_TYPE_TENSOR, &tensor_type);
    ead_wire_text(&value, EAD_VALUE_NAME, tensor->name);
    ead_wire_message(&value, EAD_VALUE_TYPE, &type);
    ead_wire_message(wire, field, &value);
}

/* The model without its graph. */
static void write_model(EadWire *wire, const EadOnnxFile *file) {
    EadWire opset = {0};
    ead_wire_number(wire, EAD_MODEL_IR_VERSION, EAD_ONNX_IR_VERSION);
    ead_wire_text(wire, EAD_MODEL_PRODUCER, "efficientad");
    ead_wire_text(wire, EAD_MODEL_PRODUCER_VERSION, ead_version());
    ead_wire_text(&opset, EAD_OPSET_DOMAIN, "");
    ead_wire_number(&opset, EAD_OPSET_VERSION, EAD_ONNX_OPSET);
    ead_wire_message(wire, EAD_MODEL_OPSET, &opset);
    for (int i = 0; i < file->keys.count; i++) {
        EadWire entry = {0};
        ead_wire_text(&entry, EAD_ENTRY_KEY, file->keys.items[i]);
        ead_wire_text(&entry, EAD_ENTRY_VALUE, file->values.items[i]);
        ead_wire_message(wire, EAD_MODEL_METADATA, &entry);
    }
}

/* Each constant as a field of the graph, written or, with stream NULL, only counted. Returns their bytes. */
static uint64_t write_constants(const EadOnnxFile *file, bool *failed, FILE *stream) {
    uint64_t total = 0;
    for (int i = 0; i < file->constants.count; i++) {
        const EadOnnxTensor *tensor = &file->constants.items[i];
        EadWire head = {0}, field = {0};
        constant_head(&head, tensor);
        ead_wire_head(&field, EAD_GRAPH_CONSTANT, head.size + tensor->bytes);
        total += field.size + head.size + tensor->bytes;
        *failed = *failed || head.failed || field.failed;
        if (stream && !*failed) {
            fwrite(field.bytes, 1, field.size, stream);
            fwrite(head.bytes, 1, head.size, stream);
            fwrite(tensor->data, 1, tensor->bytes, stream);
        }
        ead_wire_free(&head);
        ead_wire_free(&field);
    }
    return total;
}

EadStatus ead_onnx_write(const EadOnnxFile *file, const char *name, FILE *stream) {
    EadWire model = {0}, rest = {0};
    bool failed = false;
    uint64_t constants = write_constants(file, &failed, NULL);
    write_model(&model, file);
    ead_wire_text(&rest, EAD_GRAPH_NAME, name);
    for (int i = 0; i < file->inputs.count; i++) write_value(&rest, EAD_GRAPH_INPUT, &file->inputs.items[i]);
    for (int i = 0; i < file->outputs.count; i++)
        write_value(&rest, EAD_GRAPH_OUTPUT, &file->outputs.items[i]);
    ead_wire_head(&model, EAD_MODEL_GRAPH, file->nodes.size + (size_t)constants + rest.size);
    failed = failed || model.failed || rest.failed;
    if (!failed) {
        fwrite(model.bytes, 1, model.size, stream);
        fwrite(file->nodes.bytes, 1, file->nodes.size, stream);
        write_constants(file, &failed, stream);
        fwrite(rest.bytes, 1, rest.size, stream);
    }
    ead_wire_free(&model);
    ead_wire_free(&rest);
    return failed ? ead_fail(EAD_NO_MEMORY, "no memory for an ONNX file") : EAD_OK;
}
