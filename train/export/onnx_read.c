/* The small r: what was written is looked at before it gets its name. It knows the messages of onnx_fields.h and
 * refuses all others, so that no slip of the writer passes as something that a runtime may ignore. */
#include "train/export/onnx_file.h"

#include "core/base/memory.h"
#include "core/file/onnx_fields.h"

#include <stdlib.h>
#include <string.h>

struct EadOnnxReading {
    EadOnnxNode *nodes;
    int node_count, node_capacity;
    EadOnnxTensors constants, inputs, outputs;
    EadStringList keys, values;
    EadStringList texts; /* names, operators and attributes: what the others point to */
    uint64_t ir_version, opset;
    bool has_graph;
};

/* One kind of message: takes a field, or refuses it. */
typedef EadStatus Take(EadOnnxReading *r, const EadWireField *field, void *into);

static EadStatus read_message(EadOnnxReading *r, const uint8_t *bytes, size_t size, Take *take, void *into) {
    EadWireCursor cursor = {bytes, bytes + size};
    EadWireField field;
    bool found;
    for (;;) {
        EAD_TRY(ead_wire_next(&cursor, &field, &found));
        if (!found) return EAD_OK;
        EAD_TRY(take(r, &field, into));
    }
}

static EadStatus read_inner(EadOnnxReading *r, const EadWireField *field, Take *take, void *into) {
    if (field->kind != EAD_WIRE_BYTES) return ead_fail(EAD_BAD_FILE, "field %d is no message", field->number);
    return read_message(r, field->bytes, field->size, take, into);
}

static EadStatus unknown(const EadWireField *field, const char *message) {
    return ead_fail(EAD_BAD_FILE, "field %d of kind %d has no place in %s", field->number, (int)field->kind,
                    message);
}

static bool is(const EadWireField *field, int number, EadWireKind kind) {
    return field->number == number && field->kind == kind;
}

/* A text of the file as a string of its own, which the list owns. */
static EadStatus keep_text(EadStringList *list, const EadWireField *field) {
    if (field->size > 1 << 24 || memchr(field->bytes, 0, field->size))
        return ead_fail(EAD_BAD_FILE, "a text holds a byte of 0 or is longer than 16 MB");
    return ead_strings_print(list, "%.*s", (int)field->size, (const char *)field->bytes);
}

static EadStatus take_text(EadOnnxReading *r, const EadWireField *field, const char **text) {
    EadStringList *texts = &r->texts;
    EAD_TRY(keep_text(texts, field));
    *text = texts->items[texts->count - 1];
    return EAD_OK;
}

/* ---- tensors ---- */

static EadStatus add_dim(EadOnnxTensor *tensor, int64_t size) {
    if (tensor->dims == EAD_ONNX_DIMS)
        return ead_fail(EAD_BAD_FILE, "a tensor has more than %d dimensions", EAD_ONNX_DIMS);
    tensor->shape[tensor->dims++] = size;
    return EAD_OK;
}

static EadStatus take_constant(EadOnnxReading *r, const EadWireField *field, void *into) {
    EadOnnxTensor *tensor = into;
    if (is(field, EAD_TENSOR_DIM, EAD_WIRE_NUMBER)) return add_dim(tensor, (int64_t)field->value);
    if (is(field, EAD_TENSOR_TYPE, EAD_WIRE_NUMBER)) {
        tensor->type = (EadOnnxType)field->value;
        return EAD_OK;
    }
    if (is(field, EAD_TENSOR_NAME, EAD_WIRE_BYTES)) return take_text(r, field, &tensor->name);
    if (!is(field, EAD_TENSOR_DATA, EAD_WIRE_BYTES)) return unknown(field, "a constant");
    tensor->data = (void *)field->bytes;
    tensor->bytes = field->size;
    return EAD_OK;
}

static EadStatus take_dim(EadOnnxReading *r, const EadWireField *field, void *into) {
    const char *name;
    if (is(field, EAD_DIM_VALUE, EAD_WIRE_NUMBER)) return add_dim(into, (int64_t)field->value);
    if (!is(field, EAD_DIM_NAME, EAD_WIRE_BYTES)) return unknown(field, "a size");
    EAD_TRY(take_text(r, field, &name));
    return strcmp(name, "N") == 0 ? add_dim(into, EAD_ONNX_ANY)
                                  : ead_fail(EAD_BAD_FILE, "a size is called '%.40s', not N", name);
}

static EadStatus take_shape(EadOnnxReading *r, const EadWireField *field, void *into) {
    if (field->number != EAD_SHAPE_DIM) return unknown(field, "a shape");
    return read_inner(r, field, take_dim, into);
}

static EadStatus take_tensor_type(EadOnnxReading *r, const EadWireField *field, void *into) {
    EadOnnxTensor *tensor = into;
    if (field->number == EAD_TENSOR_TYPE_SHAPE) return read_inner(r, field, take_shape, into);
    if (!is(field, EAD_TENSOR_TYPE_ELEMENT, EAD_WIRE_NUMBER)) return unknown(field, "a tensor's type");
    tensor->type = (EadOnnxType)field->value;
    return EAD_OK;
}

static EadStatus take_type(EadOnnxReading *r, const EadWireField *field, void *into) {
    if (field->number != EAD_TYPE_TENSOR) return unknown(field, "a type");
    return read_inner(r, field, take_tensor_type, into);
}

static EadStatus take_value(EadOnnxReading *r, const EadWireField *field, void *into) {
    EadOnnxTensor *tensor = into;
    if (field->number == EAD_VALUE_TYPE) return read_inner(r, field, take_type, into);
    if (!is(field, EAD_VALUE_NAME, EAD_WIRE_BYTES)) return unknown(field, "an input or output");
    return take_text(r, field, &tensor->name);
}

/* Reads a tensor of the graph into a list; what has no name gets "". */
static EadStatus add_tensor(EadOnnxReading *r, const EadWireField *field, Take *take, EadOnnxTensors *list) {
    EadOnnxTensor tensor = {.name = ""};
    EAD_TRY(read_inner(r, field, take, &tensor));
    EAD_TRY(ead_grow(&list->items, &list->capacity, list->count, sizeof *list->items, "an ONNX file"));
    list->items[list->count++] = tensor;
    return EAD_OK;
}

/* ---- nodes ---- */

static EadStatus take_attribute(EadOnnxReading *r, const EadWireField *field, void *into) {
    EadOnnxAttribute *attribute = into;
    bool number = field->kind == EAD_WIRE_NUMBER;
    uint32_t bits = (uint32_t)field->value;
    if (is(field, EAD_ATTRIBUTE_NAME, EAD_WIRE_BYTES)) return take_text(r, field, &attribute->name);
    if (is(field, EAD_ATTRIBUTE_TEXT, EAD_WIRE_BYTES)) return take_text(r, field, &attribute->text);
    if (number && (field->number == EAD_ATTRIBUTE_INT || field->number == EAD_ATTRIBUTE_INTS)) {
        if (attribute->count == EAD_ONNX_INTS)
            return ead_fail(EAD_BAD_FILE, "an attribute has more than %d numbers", EAD_ONNX_INTS);
        attribute->ints[attribute->count++] = (int64_t)field->value;
        return EAD_OK;
    }
    if (is(field, EAD_ATTRIBUTE_FLOAT, EAD_WIRE_FLOAT))
        memcpy(&attribute->number, &bits, sizeof bits);
    else if (number && field->number == EAD_ATTRIBUTE_KIND)
        attribute->kind = (EadOnnxKind)field->value;
    else
        return unknown(field, "an attribute");
    return EAD_OK;
}

static EadStatus add_attribute(EadOnnxReading *r, const EadWireField *field, EadOnnxNode *node) {
    int i = 0;
    while (i < EAD_ONNX_ATTRIBUTES && node->attributes[i].name) i++;
    if (i == EAD_ONNX_ATTRIBUTES)
        return ead_fail(EAD_BAD_FILE, "a node has more than %d attributes", EAD_ONNX_ATTRIBUTES);
    EAD_TRY(read_inner(r, field, take_attribute, &node->attributes[i]));
    return node->attributes[i].name ? EAD_OK : ead_fail(EAD_BAD_FILE, "an attribute has no name");
}

static EadStatus add_name(EadOnnxReading *r, const EadWireField *field, const char **names, int most) {
    int i = 0;
    while (i < most && names[i]) i++;
    if (i == most) return ead_fail(EAD_BAD_FILE, "a node has more than %d inputs or outputs", most);
    return take_text(r, field, &names[i]);
}

static EadStatus take_node(EadOnnxReading *r, const EadWireField *field, void *into) {
    EadOnnxNode *node = into;
    const char *name;
    if (field->number == EAD_NODE_ATTRIBUTE) return add_attribute(r, field, node);
    if (field->kind != EAD_WIRE_BYTES) return unknown(field, "a node");
    switch (field->number) {
    case EAD_NODE_INPUT:
        return add_name(r, field, node->inputs, EAD_ONNX_INPUTS);
    case EAD_NODE_OUTPUT:
        return add_name(r, field, node->outputs, EAD_ONNX_OUTPUTS);
    case EAD_NODE_OP:
        return take_text(r, field, &node->op);
    case EAD_NODE_NAME:
        return take_text(r, field, &name);
    }
    return unknown(field, "a node");
}

static EadStatus add_node(EadOnnxReading *r, const EadWireField *field) {
    EAD_TRY(ead_grow(&r->nodes, &r->node_capacity, r->node_count, sizeof *r->nodes, "an ONNX file"));
    r->nodes[r->node_count] = (EadOnnxNode){0};
    EadOnnxNode *node = &r->nodes[r->node_count++];
    EAD_TRY(read_inner(r, field, take_node, node));
    if (node->op && node->outputs[0]) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "node %d has no operator or no output", r->node_count - 1);
}

/* ---- graph and model ---- */

static EadStatus take_graph(EadOnnxReading *r, const EadWireField *field, void *into) {
    const char *name;
    (void)into;
    switch (field->number) {
    case EAD_GRAPH_NODE:
        return add_node(r, field);
    case EAD_GRAPH_CONSTANT:
        return add_tensor(r, field, take_constant, &r->constants);
    case EAD_GRAPH_INPUT:
        return add_tensor(r, field, take_value, &r->inputs);
    case EAD_GRAPH_OUTPUT:
        return add_tensor(r, field, take_value, &r->outputs);
    case EAD_GRAPH_NAME:
        if (field->kind == EAD_WIRE_BYTES) return take_text(r, field, &name);
    }
    return unknown(field, "the graph");
}

static EadStatus take_opset(EadOnnxReading *r, const EadWireField *field, void *into) {
    (void)into;
    if (is(field, EAD_OPSET_VERSION, EAD_WIRE_NUMBER)) {
        r->opset = field->value;
        return EAD_OK;
    }
    bool plain = is(field, EAD_OPSET_DOMAIN, EAD_WIRE_BYTES) && field->size == 0;
    return plain ? EAD_OK : unknown(field, "the set of operators");
}

static EadStatus take_entry(EadOnnxReading *r, const EadWireField *field, void *into) {
    (void)into;
    if (is(field, EAD_ENTRY_KEY, EAD_WIRE_BYTES)) return keep_text(&r->keys, field);
    if (is(field, EAD_ENTRY_VALUE, EAD_WIRE_BYTES)) return keep_text(&r->values, field);
    return unknown(field, "metadata");
}

static EadStatus take_metadata(EadOnnxReading *r, const EadWireField *field) {
    EAD_TRY(read_inner(r, field, take_entry, NULL));
    if (r->keys.count == r->values.count) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "metadata without a key or a value");
}

static EadStatus take_model(EadOnnxReading *r, const EadWireField *field, void *into) {
    const char *text;
    switch (field->number) {
    case EAD_MODEL_GRAPH:
        r->has_graph = true;
        return read_inner(r, field, take_graph, into);
    case EAD_MODEL_OPSET:
        return read_inner(r, field, take_opset, into);
    case EAD_MODEL_METADATA:
        return take_metadata(r, field);
    case EAD_MODEL_IR_VERSION:
        r->ir_version = field->value;
        if (field->kind == EAD_WIRE_NUMBER) return EAD_OK;
        break;
    case EAD_MODEL_PRODUCER:
    case EAD_MODEL_PRODUCER_VERSION:
        if (field->kind == EAD_WIRE_BYTES) return take_text(r, field, &text);
    }
    return unknown(field, "the model");
}

/* ---- what must hold ---- */

static EadStatus check_constant(const EadOnnxTensor *tensor) {
    uint64_t bytes = ead_onnx_type_size(tensor->type);
    for (int d = 0; d < tensor->dims; d++) {
        bool fits = tensor->shape[d] >= 1 && (uint64_t)tensor->shape[d] <= INT32_MAX && bytes <= INT32_MAX;
        if (!fits) return ead_fail(EAD_BAD_FILE, "constant '%.80s' has an impossible shape", tensor->name);
        bytes *= (uint64_t)tensor->shape[d];
    }
    if (bytes > 0 && bytes == tensor->bytes) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "constant '%.80s' has %zu bytes, not the %llu of its type and shape",
                    tensor->name, tensor->bytes, (unsigned long long)bytes);
}

/* known: the names of values so far. */
static EadStatus define(EadStringList *known, const char *name) {
    if (!*name) return ead_fail(EAD_BAD_FILE, "a value has no name");
    if (ead_strings_find(known, name) >= 0)
        return ead_fail(EAD_BAD_FILE, "the name '%.80s' is given twice", name);
    return ead_strings_add(known, name);
}

static EadStatus check_node(const EadOnnxNode *node, EadStringList *known) {
    for (int i = 0; i < EAD_ONNX_INPUTS && node->inputs[i]; i++)
        if (*node->inputs[i] && ead_strings_find(known, node->inputs[i]) < 0)
            return ead_fail(EAD_BAD_FILE, "%.40s reads '%.80s', which is not computed before it", node->op,
                            node->inputs[i]);
    for (int i = 0; i < EAD_ONNX_OUTPUTS && node->outputs[i]; i++) EAD_TRY(define(known, node->outputs[i]));
    return EAD_OK;
}

static EadStatus check_names(const EadOnnxReading *r, EadStringList *known) {
    for (int i = 0; i < r->inputs.count; i++) EAD_TRY(define(known, r->inputs.items[i].name));
    for (int i = 0; i < r->constants.count; i++) EAD_TRY(define(known, r->constants.items[i].name));
    for (int i = 0; i < r->node_count; i++) EAD_TRY(check_node(&r->nodes[i], known));
    for (int i = 0; i < r->outputs.count; i++)
        if (ead_strings_find(known, r->outputs.items[i].name) < 0)
            return ead_fail(EAD_BAD_FILE, "the output '%.80s' is not computed", r->outputs.items[i].name);
    return EAD_OK;
}

static EadStatus check_all(const EadOnnxReading *r) {
    EadStringList known = {0};
    if (r->ir_version != EAD_ONNX_IR_VERSION || r->opset != EAD_ONNX_OPSET || !r->has_graph)
        return ead_fail(EAD_BAD_FILE, "no graph of version %d with operators of version %d",
                        EAD_ONNX_IR_VERSION, EAD_ONNX_OPSET);
    if (r->inputs.count == 0 || r->outputs.count == 0)
        return ead_fail(EAD_BAD_FILE, "the graph has no input or no output");
    for (int i = 0; i < r->constants.count; i++) EAD_TRY(check_constant(&r->constants.items[i]));
    EadStatus status = check_names(r, &known);
    ead_strings_free(&known);
    return status;
}

EadStatus ead_onnx_read(const void *bytes, size_t size, const char *label, EadOnnxReading **out) {
    EadOnnxReading *reading = *out = ead_new(1, sizeof *reading, "an ONNX file");
    if (!reading) return EAD_NO_MEMORY;
    EadStatus status = read_message(reading, bytes, size, take_model, NULL);
    if (status == EAD_OK) status = check_all(reading);
    if (status == EAD_OK) return EAD_OK;
    ead_onnx_reading_free(reading);
    *out = NULL;
    return ead_fail_prefix(status, "%s: ", label);
}

void ead_onnx_reading_free(EadOnnxReading *reading) {
    if (!reading) return;
    EadOnnxTensors *lists[] = {&reading->constants, &reading->inputs, &reading->outputs};
    for (int l = 0; l < 3; l++) free(lists[l]->items);
    free(reading->nodes);
    ead_strings_free(&reading->keys);
    ead_strings_free(&reading->values);
    ead_strings_free(&reading->texts);
    free(reading);
}

/* ---- looking at it ---- */

int ead_onnx_node_count(const EadOnnxReading *reading) {
    return reading->node_count;
}
const EadOnnxNode *ead_onnx_node_at(const EadOnnxReading *reading, int index) {
    return &reading->nodes[index];
}
const EadOnnxTensors *ead_onnx_constants(const EadOnnxReading *reading) {
    return &reading->constants;
}
const EadOnnxTensors *ead_onnx_inputs(const EadOnnxReading *reading) {
    return &reading->inputs;
}
const EadOnnxTensors *ead_onnx_outputs(const EadOnnxReading *reading) {
    return &reading->outputs;
}

const EadOnnxTensor *ead_onnx_constant(const EadOnnxReading *reading, const char *name) {
    for (int i = 0; i < reading->constants.count; i++)
        if (strcmp(reading->constants.items[i].name, name) == 0) return &reading->constants.items[i];
    return NULL;
}

const char *ead_onnx_metadata(const EadOnnxReading *reading, const char *key) {
    int i = ead_strings_find(&reading->keys, key);
    return i >= 0 ? reading->values.items[i] : NULL;
}
