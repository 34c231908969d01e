/* Gathered rows: shape, kernel for the CPU. */
#include "core/ops/gather_rows/gather_rows.h"

#include "core/graph/op.h"

#include <math.h>
#include <string.h>

EadNode *ead_gather_rows(EadGraph *graph, EadNode *table, EadNode *index) {
    return ead_graph_add(graph, EAD_OP_gather_rows, 2, (EadNode *[]){table, index}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *table = &node->x[0]->y, *index = &node->x[1]->y;
    if (table->type != EAD_REAL || index->type != EAD_REAL || table->h != 1 || table->w != 1 || index->c != 1)
        return ead_fail(EAD_BAD_SHAPE, "gather_rows: [%d,%d,%d,%d] are no rows for the numbers [%d,%d,%d,%d]",
                        table->n, table->h, table->w, table->c, index->n, index->h, index->w, index->c);
    *y = (EadTensor){EAD_REAL, index->n, index->h, index->w, table->c, NULL};
    return EAD_OK;
}

const EadOp ead_op_gather_rows = {.name = "gather_rows", .shape = shape};

static void gather_rows(const EadCall *call) {
    const real *table = call->x[0]->data, *index = call->x[1]->data;
    int64_t count = ead_count(call->x[1]), length = call->y->c;
    real rows = (real)call->x[0]->n;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real *y = (real *)call->y->data + i * length;
        if (index[i] >= 0 && index[i] < rows)
            memcpy(y, table + (int64_t)index[i] * length, (size_t)length * sizeof *y);
        else
            for (int64_t k = 0; k < length; k++) y[k] = (real)NAN;
    }
}

const EadKernel ead_gather_rows_cpu = {.run = gather_rows};
