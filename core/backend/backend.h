/* The op table and the backends. A backend is a table of kernels, one for each op, and the memory they work
 * on. Built from core/ops/op_table.def: a missing kernel is a link error, never a silent default_text. */
#ifndef EAD_CORE_BACKEND_H
#define EAD_CORE_BACKEND_H

#include "core/backend/device.h"
#include "core/graph/op.h"

typedef struct EadBackend {
    const char *name;
    const EadKernel *const *kernels; /* by EadOpId; NULL for EAD_OP_LEAF */
    const EadDevice *device;         /* where its memory is; NULL: the host's */
    int index;                       /* which of the devices */
} EadBackend;

/* The descriptor of an op. */
const EadOp *ead_op(EadOpId id);

extern const EadBackend ead_backend_cpu;

/* Finds a backend by the text of --device ("cpu", "cuda", "cuda:1") and opens its device. Errors:
 * EAD_UNSUPPORTED, naming the backends that this build has, or what hinders the device. */
EadStatus ead_backend_find(const char *device, const EadBackend **out);

/* The backend of GPU `index`, opened. */
EadStatus ead_backend_cuda(int index, const EadBackend **out);

/* The names of all backends of this build, separated by commas: "cpu" or "cpu, cuda". */
const char *ead_backend_names(void);

#endif
