/* What a kernel gets to see: one execution of one node. Apart from core/graph/op.h because CUDA kernels read
 * it too: nothing here, nor in what it includes, is foreign to C++. */
#pragma once

#include "core/graph/graph.h"
#include "core/graph/tensor.h"

/* In which number format convolutions multiply. Sums, and everything that is no convolution (losses, maps,
 * optimizer, the parameters themselves), stay in fp32 whatever is chosen; only a CUDA plan in bf16 or fp16
 * also stores values between layers in 16 bits. */
typedef enum EadPrecision {
    EAD_PRECISION_FP32,
    EAD_PRECISION_TF32, /* CUDA */
    EAD_PRECISION_BF16, /* CUDA, or a CPU with AMX */
    EAD_PRECISION_FP16, /* CUDA, inference only: gradients would need loss scaling */
    EAD_PRECISION_AUTO, /* what suits backend and task: ead_precision_resolve() of backend.h */
} EadPrecision;

typedef struct EadCall EadCall;
struct EadCall {
    void (*run)(const EadCall *call);   /* NULL: nothing to do (pure views) */
    const EadTensor *x[EAD_MAX_INPUTS]; /* NULL where an optional input is absent */
    const EadTensor *y;
    const void *attributes; /* the op's own struct */
    void *stream;           /* CUDA: the cudaStream_t that everything is launched on; NULL on the CPU */
    void *workspace;        /* workspace_bytes of scratch, shared with other nodes, content undefined */
    size_t workspace_bytes;
    void *state; /* CUDA: state_bytes of the call's own: zeros when planned, kept from run to run */
    size_t state_bytes;

    /* The rest is for convolutions only. */
    EadPrecision precision;   /* CUDA: in what they multiply, never AUTO */
    const struct EadAmx *amx; /* CPU: they may multiply in bf16, with these kernels; NULL: fp32 only */
    /* Optional: input 1 in the form that the kernel wants (transformed weights), made by pack_weights. If
     * input 1 is constant, this is done once when the graph is planned; otherwise run must do it each
     * time. */
    void (*pack_weights)(const EadCall *call);
    void *packed; /* packed_bytes of memory for it */
    size_t packed_bytes;
    int packed_at_plan; /* set by the planner: packed is filled already when run is called */
    /* Set by the planner (EadKernel.can_save): the cached transform of input 0, written by the forward call,
     * read by the weight gradient. 0 bytes: not saved, each makes its own. */
    void *saved_input;
    size_t saved_bytes;
    int choice[4]; /* from plan to run: the kernel's own */

    /* Optional, set by plan, for people. */
    const char *algorithm; /* which of several it chose: a string that lasts */
    double multiply_adds;  /* that the algorithm really does; 0: not counted */
};

typedef struct EadKernel {
    void (*run)(const EadCall *call);
    /* Optional: called once at plan time with shapes but no data; sets workspace_bytes and may replace run by
     * the algorithm that fits shape and machine. */
    void (*plan)(EadCall *call);
    /* Optional: the bytes of a transform of input 0 that the `earlier` call makes and this call, whose input
     * 1 is the same value, could read instead of making its own; 0: none. If there is memory for it, both are
     * planned anew with saved_bytes set. The bits must be the same either way. */
    size_t (*can_save)(const EadCall *earlier, const EadCall *call);
    /* The inputs (bit k: x[k]) that may be stored in 16 bits, and whether the output may. The planner decides
     * by value: x[k]->type and y->type then say EAD_F16 or EAD_BF16. All inputs of the mask have one type;
     * the output's may differ from theirs. */
    unsigned half_in;
    bool half_out;
} EadKernel;
