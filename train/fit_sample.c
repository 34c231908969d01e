/* A step of a fit without data, as the bench and --minutes time it. */
#include "train/fit.h"

#include "core/base/memory.h"

EadStatus ead_fit_sample(const EadFit *fit, const EadRunSpec *spec, int images, void **state) {
    *state = NULL;
    EAD_TRY(fit->sample(spec, images, state));
    return fit->phases ? EAD_OK : fit->fit(*state, 0);
}

EadStatus ead_fit_sample_step(const EadFit *fit, void *state, int phase, EadStep *step, uint8_t **slot) {
    EadLoaderSpec loader = {0};
    *slot = NULL;
    EAD_TRY(fit->plan(state, phase, step));
    EAD_TRY(fit->begin(state, phase, step, &loader));
    ead_step_upload(step);
    size_t bytes = ead_step_slot_bytes(step);
    *slot = ead_new((int64_t)bytes, 1, "images");
    if (!*slot) return EAD_NO_MEMORY;
    /* Images of any bytes; features of any bits would include infinite ones, so they are zero. */
    uint8_t *to = *slot;
    for (int i = 0; i < EAD_MAX_STEP_INPUTS && step->parts.inputs[i]; i++) {
        const EadTensor *input = &step->parts.inputs[i]->y;
        size_t size = ead_bytes(input);
        for (size_t k = 0; k < size && input->type == EAD_U8; k++) to[k] = (uint8_t)(k * 31 % 251);
        to += size;
    }
    return EAD_OK;
}
