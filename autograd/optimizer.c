/* Puts backward pass and update together. */
#include "autograd/optimizer.h"

#include "autograd/backward.h"
#include "core/base/memory.h"
#include "core/ops/allreduce/allreduce.h"
#include "core/ops/increment/increment.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

EadStatus ead_optimizer_new(const EadParams *params, EadOptimizer *out) {
    *out = (EadOptimizer){.count = params->total};
    if (params->total < 1 || params->total > INT_MAX)
        return ead_fail(EAD_BAD_SHAPE, "%lld weights cannot be trained at once; at most %d can",
                        (long long)params->total, INT_MAX);
    size_t bytes = (size_t)params->total * sizeof(real);
    out->gradients = ead_new_large(bytes);
    out->first = ead_new_large(bytes);
    out->second = ead_new_large(bytes);
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

EadAdam ead_adam_usual(double weight_decay) {
    return (EadAdam){.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = weight_decay};
}

static EadNode *flat(EadGraph *graph, const char *name, int64_t count, real *data) {
    return ead_leaf(graph, name, EAD_REAL, 1, 1, 1, (int)count, data);
}

void ead_optimizer_append(EadGraph *graph, int count, const EadParamGroup groups[], EadNode *loss,
                          EadNode *step, EadShare share) {
    EadFlatGradients flats[EAD_MAX_FLATS] = {{0}};
    assert(count <= EAD_MAX_FLATS);
    for (int g = 0; g < count; g++)
        flats[g] = (EadFlatGradients){groups[g].params->values, groups[g].params->total,
                                      groups[g].optimizer->gradients};
    ead_backward_to_flat(graph, loss, count, flats);
    for (int g = 0; g < count; g++) {
        const EadOptimizer *o = groups[g].optimizer;
        EadNode *gradients = flat(graph, "gradients", o->count, o->gradients);
        if (share.ranks)
            gradients =
                ead_allreduce(graph, gradients, (double)share.count / (double)share.total, share.ranks);
        ead_adam(graph, flat(graph, "parameters", o->count, groups[g].params->values), gradients,
                 flat(graph, "first", o->count, o->first), flat(graph, "second", o->count, o->second), step,
                 groups[g].rate, groups[g].adam);
    }
    ead_increment(graph, step);
}
