/* Calls in memory of their own. */
#include "test/cuda_host/lone_call.h"

#include "core/base/half.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 256, GARBAGE = 0xA5, GARBAGE_BYTES = 1 << 18 };

/* Garbage at both ends is enough for a block as large as matrix libraries want it, and much quicker. */
static void *new_block(size_t bytes) {
    void *block = NULL;
    size_t filled = bytes < GARBAGE_BYTES ? bytes : GARBAGE_BYTES;
    if (posix_memalign(&block, ALIGNMENT, bytes ? bytes : 1) != 0) ck_abort_msg("no memory");
    memset((unsigned char *)block + bytes - filled, GARBAGE, filled);
    return memset(block, GARBAGE, filled);
}

float lone_rounded(float value, EadType type) {
    if (type == EAD_F16) return ead_half_to_float(ead_half_from_float(value));
    if (type == EAD_BF16) return ead_bfloat16_to_float(ead_bfloat16_from_float(value));
    return value;
}

static void narrow(const float *from, int64_t count, EadType type, void *to) {
    uint16_t *bits = to;
    for (int64_t i = 0; i < count; i++)
        bits[i] = type == EAD_F16 ? ead_half_from_float(from[i]) : ead_bfloat16_from_float(from[i]);
}

/* Copies a tensor of the call into a block of its own, stored as `type` if it is a real one. */
static void isolate(const EadTensor *from, EadType type, LoneSetup setup, EadTensor *to, void **block) {
    *to = *from;
    if (from->type == EAD_REAL && !setup.rounded_only) to->type = type;
    size_t shift = setup.shifted ? ead_type_size(to->type) : 0;
    *block = new_block(shift + ead_bytes(to));
    to->data = (unsigned char *)*block + shift;
    if (!from->data) return;
    if (to->type != from->type) {
        narrow(from->data, ead_count(from), type, to->data);
        return;
    }
    memcpy(to->data, from->data, ead_bytes(from));
    float *values = to->data;
    for (int64_t i = 0; from->type == EAD_REAL && i < ead_count(from); i++)
        values[i] = lone_rounded(values[i], type);
}

/* Inputs that are one tensor stay so. */
static void isolate_input(const EadCall *call, int k, EadType type, LoneSetup setup, LoneCall *out) {
    for (int other = 0; other < k; other++) {
        if (!call->x[other] || call->x[other]->data != call->x[k]->data || out->x[other].type != type)
            continue;
        out->x[k] = out->x[other];
        return;
    }
    isolate(call->x[k], type, setup, &out->x[k], &out->blocks[k]);
}

static void isolate_all(const EadKernel *half, const EadCall *call, LoneSetup setup, LoneCall *out) {
    for (int k = 0; k < EAD_MAX_INPUTS; k++)
        if (call->x[k]) isolate_input(call, k, half->half_in >> k & 1 ? setup.in : EAD_REAL, setup, out);
    EadTensor y = *call->y;
    y.data = NULL;
    if (setup.in_place || (call->x[0] && call->y->data == call->x[0]->data)) {
        out->y = out->x[0];
        return;
    }
    isolate(&y, half->half_out ? setup.out : EAD_REAL, setup, &out->y, &out->blocks[EAD_MAX_INPUTS]);
}

/* Element i, rounded to `type` if it is a real number; counters are small enough to be exact. */
static float element(const EadTensor *tensor, EadType type, int64_t i) {
    switch (tensor->type) {
    case EAD_U8:
        return ((const uint8_t *)tensor->data)[i];
    case EAD_I64:
        return (float)((const int64_t *)tensor->data)[i];
    case EAD_F16:
        return ead_half_to_float(((const uint16_t *)tensor->data)[i]);
    case EAD_BF16:
        return ead_bfloat16_to_float(((const uint16_t *)tensor->data)[i]);
    case EAD_REAL:
        break;
    }
    return lone_rounded(((const float *)tensor->data)[i], type);
}

static void widen(const EadTensor *tensor, EadType type, float **values, int64_t *count) {
    if (!tensor->data) return;
    *count = ead_count(tensor);
    *values = malloc((size_t)*count * sizeof **values);
    for (int64_t i = 0; i < *count; i++) (*values)[i] = element(tensor, type, i);
}

/* Plans the call anew for this kernel and these types, and gives it scratch memory. */
static EadCall replan(const EadKernel *kernel, const EadCall *call, LoneSetup setup, void **state,
                      LoneCall *out) {
    EadCall lone = {
        .run = kernel->run, .y = &out->y, .attributes = call->attributes, .precision = setup.precision};
    for (int k = 0; k < EAD_MAX_INPUTS; k++) lone.x[k] = call->x[k] ? &out->x[k] : NULL;
    if (kernel->plan) kernel->plan(&lone);
    out->can_pack = lone.pack_weights != NULL;
    lone.workspace = new_block(lone.workspace_bytes);
    lone.packed = new_block(lone.packed_bytes);
    if (!*state) *state = memset(new_block(lone.state_bytes), 0, lone.state_bytes);
    lone.state = *state;
    return lone;
}

void lone_call_run(const EadKernel *kernel, const EadKernel *half, const EadCall *call, LoneSetup setup,
                   void **state, LoneCall *out) {
    *out = (LoneCall){0};
    isolate_all(half, call, setup, out);
    EadCall lone = replan(kernel, call, setup, state, out);
    if (setup.packed && lone.pack_weights) {
        lone.pack_weights(&lone);
        lone.packed_at_plan = 1;
    }
    lone.run(&lone);
    free(lone.workspace);
    free(lone.packed);
    for (int k = 0; k < EAD_MAX_INPUTS; k++) widen(&out->x[k], EAD_REAL, &out->values[k], &out->counts[k]);
    widen(&out->y, half->half_out ? setup.out : EAD_REAL, &out->values[EAD_MAX_INPUTS],
          &out->counts[EAD_MAX_INPUTS]);
}

void lone_call_free(LoneCall *call) {
    for (int k = 0; k <= EAD_MAX_INPUTS; k++) free(call->blocks[k]), free(call->values[k]);
    *call = (LoneCall){0};
}
