/* Joined batches: shape, gradient (slices), kernel for the CPU. */
#include "core/ops/concat_batch/concat_batch.h"

#include "core/graph/op.h"
#include "core/ops/copy_bytes.h"
#include "core/ops/slice_batch/slice_batch.h"

EadNode *ead_concat_batch(EadGraph *graph, int count, EadNode *const parts[]) {
    return ead_graph_add(graph, EAD_OP_concat_batch, count, parts, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    for (int i = 1; i < EAD_MAX_INPUTS && node->x[i]; i++) {
        const EadTensor *x = &node->x[i]->y;
        if (x->type != y->type || x->h != y->h || x->w != y->w || x->c != y->c)
            return ead_fail(EAD_BAD_SHAPE, "concat_batch: images [%d,%d,%d] and [%d,%d,%d] differ", y->h,
                            y->w, y->c, x->h, x->w, x->c);
        y->n += x->n;
    }
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    int begin = 0;
    for (int i = 0; i < EAD_MAX_INPUTS && node->x[i]; i++) {
        int images = node->x[i]->y.n;
        if (node->x[i]->needs_gradient) dx[i] = ead_slice_batch(graph, dy, begin, images);
        begin += images;
    }
}

const EadOp ead_op_concat_batch = {.name = "concat_batch", .shape = shape, .gradient = gradient};

static void concat_batch(const EadCall *call) {
    unsigned char *y = call->y->data;
    for (int i = 0; i < EAD_MAX_INPUTS && call->x[i]; i++) {
        ead_copy_bytes(y, call->x[i]->data, ead_bytes(call->x[i]));
        y += ead_bytes(call->x[i]);
    }
}

const EadKernel ead_concat_batch_cpu = {.run = concat_batch};
