/* Re-weighted scores: shape, and the kernel for the CPU, which measures the bank once for each image. */
#include "core/ops/reweighted_score/reweighted_score.h"

#include "core/graph/op.h"
#include "core/ops/reduction.h"

#include <math.h>

EadNode *ead_reweighted_score(EadGraph *graph, EadNode *queries, EadNode *found, EadNode *bank,
                              int neighbours) {
    return ead_graph_add(graph, EAD_OP_reweighted_score, 3, (EadNode *[]){queries, found, bank}, &neighbours,
                         sizeof neighbours);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    int neighbours = *(const int *)(const void *)node->attributes;
    const EadTensor *found = &node->x[1]->y, *bank = &node->x[2]->y;
    EAD_TRY(ead_shape_like_first(node, y));
    bool fit = found->type == EAD_REAL && found->n == y->n && found->h == y->h && found->w == y->w &&
               found->c >= 2 && found->c % 2 == 0 && bank->type == EAD_REAL && bank->h == 1 && bank->w == 1 &&
               bank->c == y->c;
    if (!fit)
        return ead_fail(EAD_BAD_SHAPE,
                        "%s: queries of %d numbers, their %d x %d x %d x %d neighbours and a bank "
                        "[%d,%d,%d,%d] do not fit",
                        node->name, y->c, found->n, found->h, found->w, found->c, bank->n, bank->h, bank->w,
                        bank->c);
    if (neighbours < 2 || neighbours > EAD_REWEIGHT_MAX || neighbours > bank->n)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: %d neighbours of %d rows; possible are 2 to %d, and not more than rows",
                        node->name, neighbours, bank->n, EAD_REWEIGHT_MAX);
    y->h = y->w = y->c = 1;
    return EAD_OK;
}

const EadOp ead_op_reweighted_score = {.name = "reweighted_score", .shape = shape};

/* ---- on the CPU ---- */

/* The position of the query that is farthest from its nearest row. found [positions][columns]. */
static int64_t farthest(const real *found, int64_t positions, int columns) {
    int64_t best = 0;
    for (int64_t i = 1; i < positions; i++)
        if (found[i * columns] > found[best * columns]) best = i;
    return best;
}

/* The numbers of the rows with the least values, least first. */
static void least_rows(const real *values, int rows, int count, int *out) {
    int listed = 0;
    for (int r = 0; r < rows; r++) {
        if (listed == count && !(values[r] < values[out[count - 1]])) continue;
        int i = listed < count ? listed++ : count - 1;
        for (; i > 0 && values[r] < values[out[i - 1]]; i--) out[i] = out[i - 1];
        out[i] = r;
    }
}

static real weighted(const real *query, const EadTensor *bank, const int *rows, int count, double nearest) {
    double distance[EAD_REWEIGHT_MAX], most = 0, sum = 0;
    for (int i = 0; i < count; i++) {
        const real *row = (const real *)bank->data + (int64_t)rows[i] * bank->c;
        distance[i] = sqrt(ead_squared_distance(query, row, bank->c));
        most = distance[i] > most ? distance[i] : most;
    }
    for (int i = 0; i < count; i++) sum += exp(distance[i] - most);
    return (real)(sqrt(nearest) * (1 - exp(distance[0] - most) / sum));
}

static void reweighted_score(const EadCall *call) {
    const EadTensor *q = call->x[0], *found = call->x[1], *bank = call->x[2];
    int neighbours = *(const int *)call->attributes, near[EAD_REWEIGHT_MAX];
    int64_t positions = (int64_t)q->h * q->w;
    real *distance = call->workspace;
    for (int n = 0; n < q->n; n++) {
        const real *its = (const real *)found->data + n * positions * found->c;
        int64_t at = farthest(its, positions, found->c);
        int match = (int)its[at * found->c + found->c / 2];
        real *score = (real *)call->y->data + n;
        *score = (real)INFINITY;
        if (match >= bank->n) continue;
        const real *row = (const real *)bank->data + (int64_t)match * bank->c;
#pragma omp parallel for schedule(static)
        for (int r = 0; r < bank->n; r++)
            distance[r] =
                (real)ead_squared_distance(row, (const real *)bank->data + (int64_t)r * bank->c, bank->c);
        least_rows(distance, bank->n, neighbours, near);
        const real *query = (const real *)q->data + (n * positions + at) * q->c;
        *score = weighted(query, bank, near, neighbours, (double)its[at * found->c]);
    }
}

static void plan(EadCall *call) {
    call->workspace_bytes = (size_t)call->x[2]->n * sizeof(real);
    call->multiply_adds = (double)ead_count(call->x[2]) * call->x[0]->n;
}

const EadKernel ead_reweighted_score_cpu = {.run = reweighted_score, .plan = plan};
