/* Dropout with inverted scaling. Nothing about the mask is stored: forward and backward draw it anew from the
 * step counter, so a resumed run drops the same elements. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadDropout {
    double probability;
    uint64_t seed;
    uint64_t stream;
} EadDropout;

/* x [N,H,W,C], fewer than 2^34 elements -> the same shape: element i becomes x / (1 - probability) where
 * ead_uniform(its word) >= probability, else 0. Words are those of core/base/philox_rounds.h, of stream
 * EAD_STREAM_DROPOUT + layer.
 * step         EAD_I64 scalar: the number of finished steps, 0 <= step < 2^30
 * probability  of becoming 0, in [0,1); the paper's autoencoder uses 0.2
 * layer        index of the dropout layer, >= 0; each layer of a model has its own
 * Errors: EAD_BAD_ARGUMENT for a probability or layer out of range, EAD_BAD_SHAPE for a step that is no
 * counter. */
EadNode *ead_dropout(EadGraph *graph, EadNode *x, EadNode *step, double probability, uint64_t seed,
                     int layer);
