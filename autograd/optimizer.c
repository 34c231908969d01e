/* Puts backward pass and update together. */
#include "autograd/optimizer.h"

#include "autograd/backward.h"
#include "core/ops/increment/increment.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static real *new_buffer(int64_t count) {
    void *buffer = NULL;
    size_t bytes = (size_t)count * sizeof(real);
    return posix_memalign(&buffer, 64, bytes) == 0 ? memset(buffer, 0, bytes) : NULL;
}

EadStatus ead_optimizer_new(const EadParams *params, EadOptimizer *out) {
    *out = (EadOptimizer){.count = params->total};
    if (params->total < 1 || params->total > INT_MAX)
        return ead_fail(EAD_BAD_ARGUMENT, "cannot optimize %lld parameters", (long long)params->total);
    out->gradients = new_buffer(params->total);
    out->first = new_buffer(params->total);
    out->second = new_buffer(params->total);
    if (out->gradients && out->first && out->second) return EAD_OK;
    ead_optimizer_free(out);
    return ead_fail(EAD_NO_MEMORY, "no memory for the state of Adam (%.1f MB)",
                    3e-6 * (double)sizeof(real) * (double)params->total);
}

void ead_optimizer_free(EadOptimizer *optimizer) {
    free(optimizer->gradients);
    free(optimizer->first);
    free(optimizer->second);
    *optimizer = (EadOptimizer){0};
}

EadNode *ead_optimizer_step(EadGraph *graph, EadOptimizer *optimizer) {
    return ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &optimizer->step);
}

static EadNode *flat(EadGraph *graph, const char *name, int64_t count, real *data) {
    return ead_leaf(graph, name, EAD_REAL, 1, 1, 1, (int)count, data);
}

void ead_optimizer_append(EadGraph *graph, EadOptimizer *optimizer, const EadParams *params, EadNode *loss,
                          EadNode *step, EadNode *rate, EadAdam adam) {
    int64_t count = optimizer->count;
    ead_backward_to_flat(graph, loss, params->values, count, optimizer->gradients);
    ead_adam(graph, flat(graph, "parameters", count, params->values),
             flat(graph, "gradients", count, optimizer->gradients),
             flat(graph, "first", count, optimizer->first), flat(graph, "second", count, optimizer->second),
             step, rate, adam);
    ead_increment(graph, step);
}
