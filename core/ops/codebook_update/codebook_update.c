/* The moving codebook: shape, kernel for the CPU. */
#include "core/ops/codebook_update/codebook_update.h"

#include "core/base/minmax.h"
#include "core/base/philox.h"
#include "core/graph/op.h"

#include <string.h>

EadNode *ead_codebook_update(EadGraph *graph, EadNode *codes, EadNode *averages, EadNode *x, EadNode *index,
                             EadNode *step, EadCodebookUpdate attributes) {
    return ead_graph_add(graph, EAD_OP_codebook_update, 5, (EadNode *[]){codes, averages, x, index, step},
                         &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadCodebookUpdate *a = (const void *)node->attributes;
    const EadTensor *averages = &node->x[1]->y, *x = &node->x[2]->y, *index = &node->x[3]->y,
                    *step = &node->x[4]->y;
    if (!(a->decay >= 0 && a->decay < 1 && a->epsilon > 0 && a->least >= 0 && a->least < 1))
        return ead_fail(EAD_BAD_ARGUMENT, "codebook_update: decay %g, epsilon %g, least %g", a->decay,
                        a->epsilon, a->least);
    EAD_TRY(ead_shape_like_first(node, y));
    if (averages->n != y->n || averages->c != y->c + 1 || ead_count(averages) != (int64_t)y->n * (y->c + 1) ||
        x->type != EAD_REAL || x->c != y->c || index->c != 1 || ead_count(index) * x->c != ead_count(x) ||
        step->type != EAD_I64 || ead_count(step) != 1)
        return ead_fail(EAD_BAD_SHAPE, "codebook_update: codes [%d,%d,%d,%d] do not fit the rest", y->n, y->h,
                        y->w, y->c);
    return EAD_OK;
}

const EadOp ead_op_codebook_update = {
    .name = "codebook_update", .shape = shape, .alias = ead_alias_first, .has_effects = 1};

enum { COLUMNS = 32 }; /* that a thread adds up */

static void plan(EadCall *call) {
    call->workspace_bytes = (size_t)call->y->n * (size_t)(call->y->c + 1) * sizeof(double);
}

/* Adds up some columns of each code's vectors, in their order; the last column is their number. sums [M][C+1]. */
static void sum_columns(const EadCall *call, int first, int end, double *sums) {
    const real *x = call->x[2]->data, *index = call->x[3]->data;
    int c = call->y->c;
    for (int64_t i = 0; i < ead_count(call->x[3]); i++, x += c) {
        if (!(index[i] >= 0 && index[i] < (real)call->y->n)) continue;
        double *sum = sums + (int64_t)index[i] * (c + 1);
        for (int k = first; k < ead_min(end, c); k++) sum[k] += (double)x[k];
        if (end > c) sum[c] += 1;
    }
}

/* A code whose average [C+1] is up to date but for the smoothing; n: the sum of all numbers. */
static void move_code(const EadCall *call, int m, double n, real *average) {
    const EadCodebookUpdate *a = call->attributes;
    int64_t vectors = ead_count(call->x[3]), step = *(const int64_t *)call->x[4]->data;
    int c = call->y->c;
    double codes = call->y->n, size = ((double)average[c] + a->epsilon) / (n + codes * a->epsilon) * n;
    real *code = (real *)call->y->data + (int64_t)m * c;
    if (size < a->least * n / codes) {
        uint32_t words[4];
        ead_philox(a->seed, a->stream, ead_step_block(step, m), words);
        const real *x =
            (const real *)call->x[2]->data + ead_drawn_up_to(words[m % 4], (int)vectors - 1) * (int64_t)c;
        size = n / codes;
        for (int k = 0; k < c; k++) average[k] = (real)((double)x[k] * size);
    }
    average[c] = (real)size;
    for (int k = 0; k < c; k++) code[k] = average[k] / average[c];
}

static void codebook_update(const EadCall *call) {
    const EadCodebookUpdate *a = call->attributes;
    double *sums = call->workspace, n = 0;
    real *averages = call->x[1]->data;
    int m = call->y->n, c = call->y->c;
    memset(sums, 0, (size_t)m * (size_t)(c + 1) * sizeof *sums);
#pragma omp parallel for schedule(static)
    for (int first = 0; first <= c; first += COLUMNS) sum_columns(call, first, first + COLUMNS, sums);
    for (int64_t i = 0; i < (int64_t)m * (c + 1); i++)
        averages[i] = (real)(a->decay * (double)averages[i] + (1 - a->decay) * sums[i]);
    for (int i = 0; i < m; i++) n += (double)averages[(int64_t)i * (c + 1) + c];
#pragma omp parallel for schedule(static)
    for (int i = 0; i < m; i++) move_code(call, i, n, averages + (int64_t)i * (c + 1));
}

const EadKernel ead_codebook_update_cpu = {.run = codebook_update, .plan = plan};
