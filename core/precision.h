/* In which number format convolutions multiply. Sums, and everything that is no convolution (losses, maps,
 * optimizer, the parameters themselves), stay in fp32 whatever is chosen; only a CUDA plan in bf16 or fp16
 * also stores values between layers in 16 bits. */
#ifndef EAD_CORE_PRECISION_H
#define EAD_CORE_PRECISION_H

#include "core/status.h"

typedef enum EadPrecision {
    EAD_PRECISION_FP32,
    EAD_PRECISION_TF32, /* CUDA */
    EAD_PRECISION_BF16, /* CUDA, or a CPU with AMX */
    EAD_PRECISION_FP16, /* CUDA, inference only: gradients would need loss scaling */
    EAD_PRECISION_AUTO, /* what suits backend and task */
} EadPrecision;

/* Whether the CPU backend of this machine can do it. name: what the user set ("train.precision",
 * "--precision"), for the message. Errors: EAD_UNSUPPORTED for bf16 without AMX. */
EadStatus ead_precision_check(EadPrecision precision, const char *name);

/* "fp32" or "bf16": what convolutions will be done in, with "auto" decided for this machine. */
const char *ead_precision_name(EadPrecision precision);

#endif
