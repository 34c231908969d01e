/* Searching a bank of rows, which is a constant of the file, held once. The ranking of its rows by a matrix product,
 * |row|² - 2 query·row, is rounded where |row|² is large beside the distances; so a few rows more than are asked for are
 * taken, and measured by their differences. */
#include "train/export/onnx_graph.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/ops/nearest_rows/nearest_rows.h"

#include <stdlib.h>

enum { SPARE_ROWS = 4 };

static EadOnnxNode smallest(EadOnnxGraph *g, const char *x, int64_t count) {
    return (EadOnnxNode){
        .op = "TopK",
        .inputs = {x, ead_onnx_indices(g, 1, &count)},
        .attributes = {EAD_WITH_INT("axis", 1), EAD_WITH_INT("largest", 0), EAD_WITH_INT("sorted", 1)}};
}

static const char *gather(EadOnnxGraph *g, const char *table, const char *indices) {
    return ead_onnx_emit(
        g,
        (EadOnnxNode){.op = "Gather", .inputs = {table, indices}, .attributes = {EAD_WITH_INT("axis", 0)}});
}

/* table[i][indices[i][k]] */
static const char *elements(EadOnnxGraph *g, const char *table, const char *indices) {
    return ead_onnx_emit(g, (EadOnnxNode){.op = "GatherElements",
                                          .inputs = {table, indices},
                                          .attributes = {EAD_WITH_INT("axis", 1)}});
}

static const char *transpose(EadOnnxGraph *g, const char *x, int a, int b, int c, int d) {
    return ead_onnx_emit(
        g,
        (EadOnnxNode){.op = "Transpose", .inputs = {x}, .attributes = {EAD_WITH_INTS("perm", a, b, c, d)}});
}

/* |row|² of each row, [rows]. */
static const char *squared_lengths(EadOnnxGraph *g, const EadTensor *bank) {
    const float *row = bank->data;
    float *lengths = ead_new(bank->n, sizeof *lengths, "an ONNX file");
    if (!lengths) {
        ead_onnx_fail(g, EAD_NO_MEMORY);
        return "";
    }
    for (int r = 0; r < bank->n; r++, row += bank->c) {
        double sum = 0;
        for (int c = 0; c < bank->c; c++) sum += (double)row[c] * (double)row[c];
        lengths[r] = (float)sum;
    }
    const char *name = ead_onnx_floats(g, "squared_lengths", 1, (int64_t[]){bank->n}, lengths);
    free(lengths);
    return name;
}

/* The bank as [rows,length]; stored in 16 bits where the file is, but computed with in 32. */
static const char *bank_of(EadOnnxGraph *g, const EadNode *bank) {
    g->half = g->halves;
    ead_onnx_leaf(g, bank, 2, (int64_t[]){bank->y.n, bank->y.c});
    g->half = false;
    return ead_onnx_leaf(g, bank, 2, (int64_t[]){bank->y.n, bank->y.c});
}

/* The squared distances of queries [queries,length] to rows found [queries,count] of the bank. */
static const char *measure(EadOnnxGraph *g, const char *queries, const char *rows, const char *found,
                           int length) {
    const char *d = ead_onnx_pair(g, "Sub", gather(g, rows, found),
                                  ead_onnx_reshape(g, queries, 3, (int64_t[]){-1, 1, length}));
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = "ReduceSumSquare",
                         .inputs = {d},
                         .attributes = {EAD_WITH_INTS("axes", 2), EAD_WITH_INT("keepdims", 0)}});
}

/* What lies nearest to each query, nearest first: [queries,count]. */
typedef struct Neighbours {
    const char *distances; /* squared */
    const char *rows;      /* their numbers, int64; NULL where they are not wanted */
} Neighbours;

/* queries [queries,length] */
static Neighbours search(EadOnnxGraph *g, const char *queries, const EadNode *bank, int count,
                         bool wants_rows) {
    const char *rows = bank_of(g, bank);
    const char *ranking = ead_onnx_emit(
        g, (EadOnnxNode){.op = "Gemm",
                         .inputs = {queries, rows, squared_lengths(g, &bank->y)},
                         .attributes = {EAD_WITH_FLOAT("alpha", -2), EAD_WITH_INT("transB", 1)}});
    EadOnnxNode ranked =
        ead_onnx_emit_all(g, smallest(g, ranking, ead_min(count + SPARE_ROWS, bank->y.n)), 2);
    const char *measured = measure(g, queries, rows, ranked.outputs[1], bank->y.c);
    EadOnnxNode best = ead_onnx_emit_all(g, smallest(g, measured, count), 2);
    Neighbours found = {.distances = best.outputs[0]};
    if (wants_rows) found.rows = elements(g, ranked.outputs[1], best.outputs[1]);
    return found;
}

/* [N,length,h,w] -> [N h w,length] */
static const char *rows_of(EadOnnxGraph *g, const char *x, int length) {
    return ead_onnx_reshape(g, transpose(g, x, 0, 2, 3, 1), 2, (int64_t[]){-1, length});
}

const char *ead_onnx_nearest_rows(EadOnnxGraph *g, const EadNode *node) {
    const EadNearestRows *a = (const void *)node->attributes;
    const EadTensor *y = &node->y;
    const char *queries = rows_of(g, ead_onnx_input(g, node, 0), node->x[0]->y.c);
    Neighbours found = search(g, queries, node->x[1], a->count, a->indices);
    const char *values = found.distances;
    if (a->indices)
        values = ead_onnx_emit(g, (EadOnnxNode){.op = "Concat",
                                                .inputs = {values, ead_onnx_cast(g, found.rows, false)},
                                                .attributes = {EAD_WITH_INT("axis", 1)}});
    return transpose(g, ead_onnx_reshape(g, values, 4, (int64_t[]){-1, y->h, y->w, y->c}), 0, 3, 1, 2);
}

/* The nearest row alone; a graph that asks for others is no detector's. */
const char *ead_onnx_ranked_rows(EadOnnxGraph *g, const EadNode *node) {
    const EadNode *table = node->x[1];
    const char *queries = rows_of(g, ead_onnx_input(g, node, 0), node->x[0]->y.c);
    const char *ranking = ead_onnx_emit(
        g, (EadOnnxNode){.op = "Gemm",
                         .inputs = {queries, bank_of(g, table), squared_lengths(g, &table->y)},
                         .attributes = {EAD_WITH_FLOAT("alpha", -2), EAD_WITH_INT("transB", 1)}});
    const char *rows =
        ead_onnx_emit(g, (EadOnnxNode){.op = "ArgMin",
                                       .inputs = {ranking},
                                       .attributes = {EAD_WITH_INT("axis", 1), EAD_WITH_INT("keepdims", 1)}});
    return ead_onnx_reshape(g, ead_onnx_cast(g, rows, false), 4, (int64_t[]){-1, 1, node->y.h, node->y.w});
}

const char *ead_onnx_gather_rows(EadOnnxGraph *g, const EadNode *node) {
    const char *index = ead_onnx_emit(g, (EadOnnxNode){.op = "Cast",
                                                       .inputs = {ead_onnx_input(g, node, 1)},
                                                       .attributes = {EAD_WITH_INT("to", EAD_ONNX_INT64)}});
    index = ead_onnx_reshape(g, index, 3, (int64_t[]){-1, node->y.h, node->y.w});
    return transpose(g, gather(g, bank_of(g, node->x[0]), index), 0, 3, 1, 2);
}

/* One channel of [N,C,h,w] as [N,positions]. */
static const char *plane(EadOnnxGraph *g, const char *x, int channel, int64_t positions) {
    return ead_onnx_reshape(g, ead_onnx_slice(g, x, channel, channel + 1), 2, (int64_t[]){-1, positions});
}

/* d_1 (1 - softmax(d_1 ... d_k)_1), as reweighted_score.h says. Rows of a matrix are images here. */
const char *ead_onnx_reweighted_score(EadOnnxGraph *g, const EadNode *node) {
    int neighbours = *(const int *)(const void *)node->attributes, length = node->x[0]->y.c;
    const EadTensor *grid = &node->x[1]->y;
    int64_t positions = (int64_t)grid->h * grid->w;
    const EadNode *bank = node->x[2];
    const char *found = ead_onnx_input(g, node, 1), *distances = plane(g, found, 0, positions);
    const char *farthest =
        ead_onnx_emit(g, (EadOnnxNode){.op = "ArgMax",
                                       .inputs = {distances},
                                       .attributes = {EAD_WITH_INT("axis", 1), EAD_WITH_INT("keepdims", 1)}});
    const char *queries = ead_onnx_reshape(g, rows_of(g, ead_onnx_input(g, node, 0), length), 3,
                                           (int64_t[]){-1, positions, length});
    const char *query = ead_onnx_emit(g, (EadOnnxNode){.op = "GatherND",
                                                       .inputs = {queries, farthest},
                                                       .attributes = {EAD_WITH_INT("batch_dims", 1)}});
    const char *match = elements(g, plane(g, found, grid->c / 2, positions), farthest);
    match = ead_onnx_emit(
        g,
        (EadOnnxNode){.op = "Cast", .inputs = {match}, .attributes = {EAD_WITH_INT("to", EAD_ONNX_INT64)}});
    const char *rows = bank_of(g, bank),
               *row = ead_onnx_reshape(g, gather(g, rows, match), 2, (int64_t[]){-1, length});
    Neighbours around = search(g, row, bank, neighbours, true);
    const char *d = ead_onnx_of(g, "Sqrt", measure(g, query, rows, around.rows, length));
    const char *share = ead_onnx_emit(
        g, (EadOnnxNode){.op = "Softmax", .inputs = {d}, .attributes = {EAD_WITH_INT("axis", 1)}});
    const char *weight = ead_onnx_pair(g, "Sub", ead_onnx_number(g, 1), ead_onnx_slice(g, share, 0, 1));
    const char *nearest = ead_onnx_of(g, "Sqrt", elements(g, distances, farthest));
    return ead_onnx_reshape(g, ead_onnx_pair(g, "Mul", nearest, weight), 4, (int64_t[]){-1, 1, 1, 1});
}
