/* The mean over a map: shape, kernel for the CPU. */
#include "core/ops/global_avg_pool/global_avg_pool.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"

EadNode *ead_global_avg_pool(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_global_avg_pool, 1, (EadNode *[]){x}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    y->h = y->w = 1;
    return EAD_OK;
}

const EadOp ead_op_global_avg_pool = {.name = "global_avg_pool", .shape = shape};

enum { CHANNELS = 64 }; /* of a thread: a few lines of cache from each pixel */

/* Every channel of every image is summed by one thread, pixel after pixel. */
static void global_avg_pool(const EadCall *call) {
    const EadTensor *x = call->x[0];
    int64_t pixels = (int64_t)x->h * x->w;
    int parts = (x->c + CHANNELS - 1) / CHANNELS;
#pragma omp parallel for schedule(static)
    for (int64_t job = 0; job < (int64_t)x->n * parts; job++) {
        double sums[CHANNELS] = {0};
        int first = (int)(job % parts) * CHANNELS, count = ead_min(x->c - first, CHANNELS);
        const real *from = (const real *)x->data + job / parts * pixels * x->c + first;
        real *y = (real *)call->y->data + job / parts * x->c + first;
        for (int64_t p = 0; p < pixels; p++, from += x->c)
            for (int c = 0; c < count; c++) sums[c] += (double)from[c];
        for (int c = 0; c < count; c++) y[c] = (real)(sums[c] / (double)pixels);
    }
}

const EadKernel ead_global_avg_pool_cpu = {.run = global_avg_pool};
