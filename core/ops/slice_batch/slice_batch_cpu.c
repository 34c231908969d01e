/* A slice is a view and runs nothing; its gradient is a copy between zeros. */
#include "core/graph/op.h"
#include "core/ops/slice_batch/slice_batch_range.h"

#include <string.h>

static void slice_batch_gradient(const EadCall *call) {
    const EadBatchRange *range = call->attributes;
    const EadTensor *dy = call->x[0];
    unsigned char *dx = call->y->data;
    size_t image = ead_bytes(dy) / (size_t)dy->n;
    size_t before = (size_t)range->begin * image, after = ead_bytes(call->y) - before - ead_bytes(dy);
    memset(dx, 0, before);
    memcpy(dx + before, dy->data, ead_bytes(dy));
    memset(dx + before + ead_bytes(dy), 0, after);
}

const EadKernel ead_slice_batch_cpu = {.run = NULL};
const EadKernel ead_slice_batch_gradient_cpu = {.run = slice_batch_gradient};
