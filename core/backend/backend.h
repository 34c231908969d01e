/* A backend is a table of kernels, one for each op, and the memory they work on. Built from
 * core/ops/op_table.def: a missing kernel is a link error, never a silent fallback. */
#pragma once

#include "core/backend/device.h"
#include "core/graph/op.h"

#include <stdbool.h>

typedef struct EadBackend {
    const char *name;
    const EadKernel *const *kernels; /* by EadOpId; NULL for EAD_OP_LEAF */
    const EadDevice *device;         /* where its memory is; NULL: the host's */
    int index;                       /* which of the devices */
} EadBackend;

extern const EadBackend ead_backend_cpu;

/* Finds a backend by the text of --device ("cpu", "cuda", "cuda:1") and opens its device. Errors:
 * EAD_UNSUPPORTED, naming the backends that this build has, or what hinders the device. */
EadStatus ead_backend_find(const char *device, const EadBackend **out);

/* The backend of GPU `index`, opened. */
EadStatus ead_backend_cuda(int index, const EadBackend **out);

/* The names of all backends of this build, separated by commas: "cpu" or "cpu, cuda". */
const char *ead_backend_names(void);

/* Whether the backend can do it on this machine, in training or in inference. name: what the user set
 * ("train.precision", "--precision"), for the message. Errors: EAD_UNSUPPORTED, naming the alternatives. */
EadStatus ead_precision_check(const EadBackend *backend, EadPrecision precision, bool training,
                              const char *name);

/* The precision itself, or what EAD_PRECISION_AUTO stands for: on the CPU bf16 where there is AMX, else fp32;
 * on CUDA tf32 for training, whose losses follow those of fp32, and fp16 for inference, whose maps do. */
EadPrecision ead_precision_resolve(const EadBackend *backend, EadPrecision precision, bool training);

/* "fp32", "tf32", "bf16", "fp16" or "auto". */
const char *ead_precision_name(EadPrecision precision);

/* The precision of that name. Errors: EAD_BAD_ARGUMENT, with all names. */
EadStatus ead_precision_find(const char *name, EadPrecision *out);
