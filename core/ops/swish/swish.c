/* Swish: shape, kernel for the CPU. */
#include "core/ops/swish/swish.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/simd/simd.h"

EadNode *ead_swish(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_swish, 1, (EadNode *[]){x}, NULL, 0);
}

const EadOp ead_op_swish = {.name = "swish", .shape = ead_shape_like_first, .in_place = 1};

enum { PIECE = 1024 }; /* numbers at a time, which stay in the first cache */

static void swish(const EadCall *call) {
    const EadSimd *simd = ead_simd();
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < count; begin += PIECE) {
        real e[PIECE];
        int64_t size = ead_min64(count - begin, PIECE);
        simd->exp_row(x + begin, -1, size, e);
#pragma omp simd
        for (int64_t i = 0; i < size; i++) y[begin + i] = x[begin + i] / (1 + e[i]);
    }
}

const EadKernel ead_swish_cpu = {.run = swish};
