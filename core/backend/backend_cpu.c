/* The CPU backend: its kernel table. */
#include "core/backend/backend.h"

#define EAD_OP(name) extern const EadKernel ead_##name##_cpu;
#include "core/ops/op_table.def"
#undef EAD_OP

static const EadKernel *const kernels[EAD_OP_COUNT] = {
#define EAD_OP(name) [EAD_OP_##name] = &ead_##name##_cpu,
#include "core/ops/op_table.def"
#undef EAD_OP
};

const EadBackend ead_backend_cpu = {.name = "cpu", .kernels = kernels};
