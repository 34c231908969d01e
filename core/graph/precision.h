/* In which number format convolutions multiply. Sums, and everything that is no convolution (losses, maps,
 * optimizer, the parameters themselves), stay in fp32 whatever is chosen; only a CUDA plan in bf16 or fp16
 * also stores values between layers in 16 bits. */
#ifndef EAD_CORE_PRECISION_H
#define EAD_CORE_PRECISION_H

#include "core/base/status.h"

#include <stdbool.h>

typedef enum EadPrecision {
    EAD_PRECISION_FP32,
    EAD_PRECISION_TF32, /* CUDA */
    EAD_PRECISION_BF16, /* CUDA, or a CPU with AMX */
    EAD_PRECISION_FP16, /* CUDA, inference only: gradients would need loss scaling */
    EAD_PRECISION_AUTO, /* what suits backend and task, see ead_precision_resolve() */
} EadPrecision;

struct EadBackend;

/* Whether the backend can do it on this machine, in training or in inference. name: what the user set
 * ("train.precision", "--precision"), for the message. Errors: EAD_UNSUPPORTED, naming the alternatives. */
EadStatus ead_precision_check(const struct EadBackend *backend, EadPrecision precision, bool training,
                              const char *name);

/* The precision itself, or what EAD_PRECISION_AUTO stands for: on the CPU bf16 where there is AMX, else fp32;
 * on CUDA tf32 for training, whose losses follow those of fp32, and fp16 for inference, whose maps do. */
EadPrecision ead_precision_resolve(const struct EadBackend *backend, EadPrecision precision, bool training);

/* "fp32", "tf32", "bf16", "fp16" or "auto". */
const char *ead_precision_name(EadPrecision precision);

/* The precision of that name. Errors: EAD_BAD_ARGUMENT, with all names. */
EadStatus ead_precision_find(const char *name, EadPrecision *out);

#endif
