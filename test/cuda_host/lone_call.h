/* One call of a plan, run by any kernel for its op in memory of its own: each tensor, workspace and state is
 * a block of exactly its size, so that the address sanitizer sees every step beyond it, and scratch memory is
 * full of garbage. Inputs can be stored in 16 bits on the way; results come back widened. */
#pragma once

#include "core/graph/op.h"

/* How a call is run. */
typedef struct LoneSetup {
    EadType in, out; /* storage of those real inputs, and of a real output, for which `half` allows it */
    EadPrecision precision;
    bool
        rounded_only; /* the CPU's way: values are rounded to the storage types, but stored as real numbers */
    bool shifted;     /* every tensor starts one element behind an aligned address */
    bool in_place;    /* the output overwrites input 0 */
    bool packed;      /* what the kernel makes of its weights is made before */
} LoneSetup;

typedef struct LoneCall {
    EadTensor x[EAD_MAX_INPUTS], y;    /* as they were for the kernel */
    void *blocks[EAD_MAX_INPUTS + 1];  /* their memory, the output's last */
    float *values[EAD_MAX_INPUTS + 1]; /* the same after the run, as floats; NULL where there is none */
    int64_t counts[EAD_MAX_INPUTS + 1];
    bool can_pack; /* the kernel has a use for `packed` */
} LoneCall;

/* Runs kernel once. half: the kernel that says which values may be stored in 16 bits. state: *state is made
 * at the first use and may be used for further runs of the same call and setup; free() it. */
void lone_call_run(const EadKernel *kernel, const EadKernel *half, const EadCall *call, LoneSetup setup,
                   void **state, LoneCall *out);
void lone_call_free(LoneCall *call);

/* The nearest value that can be stored as that type. */
float lone_rounded(float value, EadType type);
