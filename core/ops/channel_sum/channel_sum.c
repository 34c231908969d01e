/* The sum of each channel. On the CPU a fixed number of row ranges is summed side by side in double, then
 * added in order, so that the result does not depend on the number of threads. */
#include "core/ops/channel_sum/channel_sum.h"

#include "core/graph/op.h"

#include <string.h>

EadNode *ead_channel_sum(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_channel_sum, 1, (EadNode *[]){x}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    *y = (EadTensor){EAD_REAL, 1, 1, 1, node->x[0]->y.c, NULL};
    return EAD_OK;
}

const EadOp ead_op_channel_sum = {.name = "channel_sum", .shape = shape};

enum { PARTS = 16 };

static void channel_sum(const EadCall *call) {
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    double *sums = call->workspace; /* [PARTS][C] */
    int c = call->y->c;
    int64_t rows = ead_count(call->x[0]) / c;
#pragma omp parallel for schedule(static)
    for (int part = 0; part < PARTS; part++) {
        double *sum = sums + (int64_t)part * c;
        memset(sum, 0, (size_t)c * sizeof *sum);
        for (int64_t r = rows * part / PARTS; r < rows * (part + 1) / PARTS; r++)
            for (int i = 0; i < c; i++) sum[i] += (double)x[r * c + i];
    }
    for (int i = 0; i < c; i++) {
        double sum = 0;
        for (int part = 0; part < PARTS; part++) sum += sums[(int64_t)part * c + i];
        y[i] = (real)sum;
    }
}

static void plan(EadCall *call) {
    call->workspace_bytes = PARTS * (size_t)call->y->c * sizeof(double);
}

const EadKernel ead_channel_sum_cpu = {.run = channel_sum, .plan = plan};
