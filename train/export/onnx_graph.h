/* From the nodes of an inference graph to those of an ONNX file. Values [N,H,W,C] are [N,C,H,W] there, weights
 * [O,KH,KW,I] are [O,I,KH,KW], vectors [1,1,1,C] are [1,C,1,1]. One row an op in train/export/onnx_rules.def, and a
 * function that writes it with plain operators. The graph is built for one image; N may be any number in the file, so no
 * rule writes it down. */
#pragma once

#include "core/graph/graph.h"
#include "train/export/onnx_file.h"

/* A value of the graph as the file has it. */
typedef struct EadOnnxValue {
    const char *name[2]; /* as float32, as float16; NULL: not (yet) in that type */
} EadOnnxValue;

typedef struct EadOnnxGraph {
    EadOnnxFile file;
    EadStringList names;  /* all that are given, owned */
    EadStatus status;     /* the first error, with the thread's message; all calls after it do nothing */
    EadOnnxValue *values; /* [nodes of the graph], owned */
    bool halves;          /* convolutions and what lies between them work in float16 */
    bool half;            /* so does the rule at work */
    bool scaled;          /* images come as 0 .. 1, not 0 .. 255 */
    bool *is_needed;      /* [nodes of the graph], owned */
} EadOnnxGraph;

/* Writes all nodes that `map` and `score` (NULL: none) need. images: the leaf that stands for the image, which the file
 * has as `name`, float32. Sets the names of the two. Errors: EAD_UNSUPPORTED, naming the op, where one has no rule;
 * EAD_NO_MEMORY. */
EadStatus ead_onnx_graph_walk(EadOnnxGraph *g, EadGraph *graph, const EadNode *images, const char *name,
                              const EadNode *map, const EadNode *score, const char *outputs[2]);

void ead_onnx_graph_free(EadOnnxGraph *g);

/* ---- for rules; names are the graph's, "" after an error ---- */

/* A name that no other value has: the label, or with a number behind it. */
const char *ead_onnx_new_name(EadOnnxGraph *g, const char *label);

/* Adds an operator with one output, which gets a name of its own unless `node` has one. Returns it. */
const char *ead_onnx_emit(EadOnnxGraph *g, EadOnnxNode node);

/* The same with several outputs, which it has then. */
EadOnnxNode ead_onnx_emit_all(EadOnnxGraph *g, EadOnnxNode node, int outputs);

/* Input k of a node in the type that the rule at work computes in; leaves become constants. */
const char *ead_onnx_input(EadOnnxGraph *g, const EadNode *node, int k);

/* The same of a leaf as a constant of another shape (of as many values). */
const char *ead_onnx_leaf(EadOnnxGraph *g, const EadNode *leaf, int dims, const int64_t *shape);

/* A constant of the rule's type, or of float32; the values are copied. */
const char *ead_onnx_numbers(EadOnnxGraph *g, int dims, const int64_t *shape, const float *values);
const char *ead_onnx_floats(EadOnnxGraph *g, const char *label, int dims, const int64_t *shape,
                            const float *values);

/* One number, of the rule's type, that goes with values of any shape; whole numbers, a vector. */
const char *ead_onnx_number(EadOnnxGraph *g, double value);
const char *ead_onnx_indices(EadOnnxGraph *g, int count, const int64_t *values);

/* A value in float32 or float16 (half), whatever it was. */
const char *ead_onnx_cast(EadOnnxGraph *g, const char *name, bool half);

/* x op y: "Add", "Mul", ...; f(x): "Relu", ... */
const char *ead_onnx_pair(EadOnnxGraph *g, const char *op, const char *x, const char *y);
const char *ead_onnx_of(EadOnnxGraph *g, const char *op, const char *x);

/* x in another shape of as many values; one of its sizes may be -1: what is left. */
const char *ead_onnx_reshape(EadOnnxGraph *g, const char *x, int dims, const int64_t *shape);

/* min(max(x, 0), 6); channels (dimension 1) begin .. end - 1; the resize of maps, where the size changes. */
const char *ead_onnx_clip6(EadOnnxGraph *g, const char *x);
const char *ead_onnx_slice(EadOnnxGraph *g, const char *x, int64_t begin, int64_t end);
const char *ead_onnx_resize(EadOnnxGraph *g, const char *x, int height, int width, int out_height,
                            int out_width);

/* x with a border of so many cells: "constant": of 0, "edge": of the nearest cell. */
const char *ead_onnx_pad(EadOnnxGraph *g, const char *x, int cells, const char *mode);

/* The mean over these dimensions, which stay with size 1. */
#define EAD_ONNX_MEAN(g, x, ...)                                                                             \
    ead_onnx_emit(                                                                                           \
        g, (EadOnnxNode){.op = "ReduceMean",                                                                 \
                         .inputs = {x},                                                                      \
                         .attributes = {EAD_WITH_INTS("axes", __VA_ARGS__), EAD_WITH_INT("keepdims", 1)}})

/* Remembers an error of a rule. */
void ead_onnx_fail(EadOnnxGraph *g, EadStatus status);

/* ---- the table ---- */

/* Writes a node and returns its output's name. */
typedef const char *EadOnnxRule(EadOnnxGraph *g, const EadNode *node);

/* In which type a rule computes where float16 is asked for. */
typedef enum EadOnnxPrecision {
    EAD_ONNX_SINGLE, /* float32: what is squared, added up or compared */
    EAD_ONNX_HALF,   /* float16 */
    EAD_ONNX_ALIKE,  /* as its first input */
} EadOnnxPrecision;

#define EAD_ONNX_RULE(op, precision) EadOnnxRule ead_onnx_##op;
#include "train/export/onnx_rules.def"
#undef EAD_ONNX_RULE
