/* The op table and the backends. A backend is a table of kernels, one for each op, and the memory they work
 * on. Built from core/ops/op_table.def: a missing kernel is a link error, never a silent fallback. */
#ifndef EAD_CORE_BACKEND_H
#define EAD_CORE_BACKEND_H

#include "core/op.h"

typedef struct EadBackend {
    const char *name;
    const EadKernel *const *kernels; /* by EadOpId; NULL for EAD_OP_LEAF */
    void *(*allocate)(size_t bytes); /* zeroed, aligned to 64 bytes; NULL when there is none */
    void (*release)(void *memory);
} EadBackend;

/* The descriptor of an op. */
const EadOp *ead_op(EadOpId id);

extern const EadBackend ead_backend_cpu;

/* Finds a backend by the text of --device ("cpu", "cuda", "cuda:1"). Errors: EAD_UNSUPPORTED, naming the
 * backends that this build has. */
EadStatus ead_backend_find(const char *device, const EadBackend **out);

/* The names of all backends of this build, separated by commas. */
const char *ead_backend_names(void);

#endif
