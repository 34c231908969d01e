/* A dense tensor: four sizes, NHWC order (channel fastest), contiguous, no strides.
 * Convolution weights use the same four sizes as O, KH, KW, I; vectors are [1,1,1,C]; scalars [1,1,1,1]. */
#pragma once

#include "core/base/real.h"

#include <stddef.h>
#include <stdint.h>

typedef enum EadType {
    EAD_REAL, /* float; double in the build that checks gradients */
    EAD_U8,   /* image bytes */
    EAD_I64,  /* counters */
    /* IEEE half and bfloat16: how a CUDA plan may store a value that the graph calls EAD_REAL. The type of a
     * leaf: EAD_F16 for features from a cache, which channel_affine widens. */
    EAD_F16,
    EAD_BF16,
} EadType;

typedef struct EadTensor {
    EadType type;
    int n, h, w, c;
    void *data; /* not owned */
} EadTensor;

static inline int64_t ead_count(const EadTensor *t) {
    return (int64_t)t->n * t->h * t->w * t->c;
}

static inline size_t ead_type_size(EadType type) {
    static const size_t sizes[] = {sizeof(real), 1, sizeof(int64_t), 2, 2}; /* in the order of EadType */
    return sizes[type];
}

static inline size_t ead_bytes(const EadTensor *t) {
    return (size_t)ead_count(t) * ead_type_size(t->type);
}

static inline int ead_same_shape(const EadTensor *a, const EadTensor *b) {
    return a->n == b->n && a->h == b->h && a->w == b->w && a->c == b->c;
}
