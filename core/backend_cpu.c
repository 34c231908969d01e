/* The CPU backend: its kernel table and its memory. */
#include "core/backend.h"

#include <stdlib.h>
#include <string.h>

#define EAD_OP(name) extern const EadKernel ead_##name##_cpu;
#include "core/ops/op_table.def"
#undef EAD_OP

static const EadKernel *const kernels[EAD_OP_COUNT] = {
#define EAD_OP(name) [EAD_OP_##name] = &ead_##name##_cpu,
#include "core/ops/op_table.def"
#undef EAD_OP
};

static void *allocate(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, bytes ? bytes : 1) != 0) return NULL;
    return memset(memory, 0, bytes);
}

const EadBackend ead_backend_cpu = {.name = "cpu", .kernels = kernels, .allocate = allocate, .release = free};
