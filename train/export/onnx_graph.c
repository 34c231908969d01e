/* The walk over the graph, and what the rules of its ops are made of. */
#include "train/export/onnx_graph.h"

#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/graph/op.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    EadOnnxRule *write; /* NULL: the op has no rule */
    EadOnnxPrecision precision;
} rules[EAD_OP_COUNT] = {
#define EAD_ONNX_RULE(op, precision) [EAD_OP_##op] = {ead_onnx_##op, precision},
#include "train/export/onnx_rules.def"
#undef EAD_ONNX_RULE
};

void ead_onnx_fail(EadOnnxGraph *g, EadStatus status) {
    if (g->status == EAD_OK) g->status = status;
}

/* ---- names and constants ---- */

const char *ead_onnx_new_name(EadOnnxGraph *g, const char *label) {
    EadStringList *names = &g->names;
    EadStatus status = ead_strings_add(names, label);
    for (int i = 2;
         status == EAD_OK && ead_strings_find(names, names->items[names->count - 1]) < names->count - 1;
         i++) {
        free(names->items[--names->count]);
        status = ead_strings_print(names, "%s_%d", label, i);
    }
    if (status == EAD_OK) return names->items[names->count - 1];
    ead_onnx_fail(g, status);
    return "";
}

/* data becomes the file's; NULL: there was no memory for it. */
static const char *add_constant(EadOnnxGraph *g, const char *label, EadOnnxType type, int dims,
                                const int64_t *shape, void *data, int64_t count) {
    if (!data) ead_onnx_fail(g, EAD_NO_MEMORY);
    if (g->status != EAD_OK) {
        free(data);
        return "";
    }
    EadOnnxTensor tensor = {.name = ead_onnx_new_name(g, label),
                            .type = type,
                            .dims = dims,
                            .data = data,
                            .bytes = (size_t)count * ead_onnx_type_size(type)};
    for (int d = 0; d < dims; d++) tensor.shape[d] = shape[d];
    ead_onnx_fail(g, ead_onnx_tensor_add(&g->file.constants, &tensor));
    return tensor.name;
}

static int64_t count_of(int dims, const int64_t *shape) {
    int64_t count = 1;
    for (int d = 0; d < dims; d++) count *= shape[d];
    return count;
}

static const char *add_floats(EadOnnxGraph *g, const char *label, bool half, int dims, const int64_t *shape,
                              const float *values) {
    EadOnnxType type = half ? EAD_ONNX_FLOAT16 : EAD_ONNX_FLOAT;
    int64_t count = count_of(dims, shape);
    void *data = ead_new(count, ead_onnx_type_size(type), "an ONNX file");
    if (data && !half) memcpy(data, values, (size_t)count * sizeof *values);
    for (int64_t i = 0; data && half && i < count; i++)
        ((uint16_t *)data)[i] = ead_half_from_float(values[i]);
    return add_constant(g, label, type, dims, shape, data, count);
}

const char *ead_onnx_floats(EadOnnxGraph *g, const char *label, int dims, const int64_t *shape,
                            const float *values) {
    return add_floats(g, label, false, dims, shape, values);
}

const char *ead_onnx_numbers(EadOnnxGraph *g, int dims, const int64_t *shape, const float *values) {
    return add_floats(g, "constant", g->half, dims, shape, values);
}

const char *ead_onnx_number(EadOnnxGraph *g, double value) {
    float number = (float)value;
    return ead_onnx_numbers(g, 0, NULL, &number);
}

const char *ead_onnx_indices(EadOnnxGraph *g, int count, const int64_t *values) {
    int64_t *data = ead_new(count, sizeof *data, "an ONNX file");
    if (data) memcpy(data, values, (size_t)count * sizeof *values);
    return add_constant(g, "indices", EAD_ONNX_INT64, 1, (int64_t[]){count}, data, count);
}

/* ---- operators ---- */

/* The name of an operator's output, after the op: "conv", "conv_2". */
static const char *output_name(EadOnnxGraph *g, const char *op) {
    char label[32];
    size_t i = 0;
    for (; op[i] && i < sizeof label - 1; i++)
        label[i] = op[i] >= 'A' && op[i] <= 'Z' ? (char)(op[i] - 'A' + 'a') : op[i];
    label[i] = '\0';
    return ead_onnx_new_name(g, label);
}

EadOnnxNode ead_onnx_emit_all(EadOnnxGraph *g, EadOnnxNode node, int outputs) {
    for (int i = 0; i < outputs; i++)
        if (!node.outputs[i]) node.outputs[i] = g->status == EAD_OK ? output_name(g, node.op) : "";
    if (g->status == EAD_OK) ead_onnx_fail(g, ead_onnx_node_add(&g->file, &node));
    return node;
}

const char *ead_onnx_emit(EadOnnxGraph *g, EadOnnxNode node) {
    return ead_onnx_emit_all(g, node, 1).outputs[0];
}

const char *ead_onnx_cast(EadOnnxGraph *g, const char *name, bool half) {
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = "Cast",
                         .inputs = {name},
                         .attributes = {EAD_WITH_INT("to", half ? EAD_ONNX_FLOAT16 : EAD_ONNX_FLOAT)}});
}

const char *ead_onnx_pair(EadOnnxGraph *g, const char *op, const char *x, const char *y) {
    return ead_onnx_emit(g, (EadOnnxNode){.op = op, .inputs = {x, y}});
}

const char *ead_onnx_of(EadOnnxGraph *g, const char *op, const char *x) {
    return ead_onnx_emit(g, (EadOnnxNode){.op = op, .inputs = {x}});
}

const char *ead_onnx_reshape(EadOnnxGraph *g, const char *x, int dims, const int64_t *shape) {
    return ead_onnx_pair(g, "Reshape", x, ead_onnx_indices(g, dims, shape));
}

/* ---- values of the graph ---- */

/* [N,H,W,C] -> [N,C,H,W] in new memory, or NULL. */
static float *channels_first(const EadTensor *t) {
    const float *from = t->data;
    int64_t positions = (int64_t)t->h * t->w;
    float *values = ead_new(ead_count(t), sizeof *values, "an ONNX file");
    for (int64_t n = 0; values && n < t->n; n++)
        for (int64_t p = 0; p < positions; p++)
            for (int64_t c = 0; c < t->c; c++)
                values[(n * t->c + c) * positions + p] = from[(n * positions + p) * t->c + c];
    return values;
}

const char *ead_onnx_leaf(EadOnnxGraph *g, const EadNode *leaf, int dims, const int64_t *shape) {
    EadOnnxValue *value = &g->values[leaf->index];
    if (g->status != EAD_OK) return "";
    if (value->name[g->half]) return value->name[g->half];
    if (value->name[!g->half]) return value->name[g->half] = ead_onnx_cast(g, value->name[!g->half], g->half);
    float *values = channels_first(&leaf->y);
    if (!values) {
        ead_onnx_fail(g, EAD_NO_MEMORY);
        return "";
    }
    value->name[g->half] = add_floats(g, leaf->name, g->half, dims, shape, values);
    free(values);
    return value->name[g->half];
}

const char *ead_onnx_input(EadOnnxGraph *g, const EadNode *node, int k) {
    const EadNode *x = node->x[k];
    EadOnnxValue *value = &g->values[x->index];
    bool is_constant = x->op == EAD_OP_LEAF && !value->name[0] && !value->name[1];
    if (is_constant) return ead_onnx_leaf(g, x, 4, (int64_t[]){x->y.n, x->y.c, x->y.h, x->y.w});
    if (!value->name[g->half]) value->name[g->half] = ead_onnx_cast(g, value->name[!g->half], g->half);
    return value->name[g->half];
}

/* ---- the walk ---- */

/* Marks what a node needs; inputs stand before it. */
static void mark_needed(EadOnnxGraph *g, EadGraph *graph) {
    for (int i = ead_graph_count(graph) - 1; i >= 0; i--) {
        const EadNode *node = ead_graph_at(graph, i);
        for (int k = 0; g->is_needed[i] && k < EAD_MAX_INPUTS; k++)
            if (node->x[k]) g->is_needed[node->x[k]->index] = true;
    }
}

static bool works_in_halves(const EadOnnxGraph *g, const EadNode *node) {
    EadOnnxPrecision precision = rules[node->op].precision;
    if (!g->halves || precision == EAD_ONNX_SINGLE) return false;
    return precision == EAD_ONNX_HALF || g->values[node->x[0]->index].name[true];
}

static void write_node(EadOnnxGraph *g, const EadNode *node) {
    if (node->op == EAD_OP_LEAF || !g->is_needed[node->index]) return; /* leaves: where they are used */
    if (!rules[node->op].write) {
        ead_onnx_fail(g, ead_fail(EAD_UNSUPPORTED,
                                  "its graph has the op '%s', which the ONNX export cannot write",
                                  ead_op(node->op)->name));
        return;
    }
    g->half = works_in_halves(g, node);
    g->values[node->index].name[g->half] = rules[node->op].write(g, node);
}

EadStatus ead_onnx_graph_walk(EadOnnxGraph *g, EadGraph *graph, const EadNode *images, const char *name,
                              const EadNode *map, const EadNode *score, const char *outputs[2]) {
    const EadNode *wanted[2] = {map, score};
    int count = ead_graph_count(graph);
    EAD_TRY(ead_graph_status(graph));
    g->values = ead_new(count, sizeof *g->values, "an ONNX file");
    g->is_needed = ead_new(count, sizeof *g->is_needed, "an ONNX file");
    if (!g->values || !g->is_needed) return EAD_NO_MEMORY;
    g->values[images->index].name[false] = name;
    for (int i = 0; i < 2; i++)
        if (wanted[i]) g->is_needed[wanted[i]->index] = true;
    mark_needed(g, graph);
    for (int i = 0; i < count && g->status == EAD_OK; i++) write_node(g, ead_graph_at(graph, i));
    g->half = false;
    for (int i = 0; i < 2 && g->status == EAD_OK; i++)
        outputs[i] = wanted[i] ? ead_onnx_input(g, &(EadNode){.x = {(EadNode *)wanted[i]}}, 0) : NULL;
    return g->status;
}

void ead_onnx_graph_free(EadOnnxGraph *g) {
    ead_onnx_file_free(&g->file);
    ead_strings_free(&g->names);
    free(g->values);
    free(g->is_needed);
    *g = (EadOnnxGraph){0};
}
