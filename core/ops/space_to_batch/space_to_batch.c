/* Pixels dealt to four pictures: shapes, gradient, kernels for the CPU, which copy pixel by pixel. */
#include "core/ops/space_to_batch/space_to_batch.h"

#include "core/graph/op.h"

#include <limits.h>
#include <string.h>

EadNode *ead_space_to_batch(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_space_to_batch, 1, (EadNode *[]){x}, NULL, 0);
}

/* h x w: twice the size of x, or a row or column more, of zeros. */
static EadNode *gathered(EadGraph *graph, EadNode *x, int h, int w) {
    EadBatchToSpace attributes = {h, w};
    return ead_graph_add(graph, EAD_OP_batch_to_space, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

EadNode *ead_batch_to_space(EadGraph *graph, EadNode *x) {
    int h = x->y.h <= INT_MAX / 2 ? 2 * x->y.h : 0, w = x->y.w <= INT_MAX / 2 ? 2 * x->y.w : 0;
    return gathered(graph, x, h, w);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    if (y->h < 2 || y->w < 2 || y->n > INT_MAX / 4)
        return ead_fail(EAD_BAD_SHAPE, "%s: [%d,%d,%d,%d] cannot be dealt to four pictures", node->name, y->n,
                        y->h, y->w, y->c);
    y->n *= 4;
    y->h /= 2;
    y->w /= 2;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    const EadTensor *x = &node->x[0]->y;
    dx[0] = gathered(graph, dy, x->h, x->w);
}

static EadStatus gathered_shape(const EadNode *node, EadTensor *y) {
    const EadBatchToSpace *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (y->n % 4 || a->h / 2 != y->h || a->w / 2 != y->w)
        return ead_fail(EAD_BAD_SHAPE, "%s: [%d,%d,%d,%d] are not the four parts of pictures", node->name,
                        y->n, y->h, y->w, y->c);
    y->n /= 4;
    y->h = a->h;
    y->w = a->w;
    return EAD_OK;
}

const EadOp ead_op_space_to_batch = {.name = "space_to_batch", .shape = shape, .gradient = gradient};
const EadOp ead_op_batch_to_space = {.name = "batch_to_space", .shape = gathered_shape};

/* A thread takes whole rows of the four pictures. */
static void space_to_batch(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    size_t pixel = (size_t)x->c * sizeof(real);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        int64_t picture = row / y->h, n = picture % x->n, part = picture / x->n;
        int64_t from = (n * x->h + row % y->h * 2 + part / 2) * x->w + part % 2;
        for (int w = 0; w < y->w; w++)
            memcpy((real *)y->data + (row * y->w + w) * x->c, (const real *)x->data + (from + 2 * w) * x->c,
                   pixel);
    }
}

/* A thread takes whole rows of the picture. */
static void batch_to_space(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    size_t pixel = (size_t)x->c * sizeof(real);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)y->n * y->h; row++) {
        int64_t n = row / y->h, h = row % y->h;
        real *out = (real *)y->data + row * y->w * x->c;
        memset(out, 0, (size_t)y->w * pixel);
        for (int w = 0; w < 2 * x->w && h < 2 * x->h; w++) {
            int64_t picture = (2 * (h % 2) + w % 2) * y->n + n;
            memcpy(out + (int64_t)w * x->c,
                   (const real *)x->data + ((picture * x->h + h / 2) * x->w + w / 2) * x->c, pixel);
        }
    }
}

const EadKernel ead_space_to_batch_cpu = {.run = space_to_batch};
const EadKernel ead_batch_to_space_cpu = {.run = batch_to_space};
