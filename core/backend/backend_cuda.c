/* The CUDA backends, one a GPU: the kernel table that they share, and the device each works on. Compiled
 * where nvcc is; core/backend/backend_without_cuda.c stands in elsewhere. */
#include "core/backend/backend.h"

#define EAD_OP(name) extern const EadKernel ead_##name##_cuda;
#include "core/ops/op_table.def"
#undef EAD_OP

static const EadKernel *const kernels[EAD_OP_COUNT] = {
#define EAD_OP(name) [EAD_OP_##name] = &ead_##name##_cuda,
#include "core/ops/op_table.def"
#undef EAD_OP
};

#define GPU(number)                                                                                          \
    { .name = "cuda:" #number, .kernels = kernels, .device = &ead_device_cuda, .index = number }

EadStatus ead_backend_cuda(int index, const EadBackend **out) {
    static const EadBackend backends[] = {GPU(0),  GPU(1),  GPU(2),  GPU(3), GPU(4),  GPU(5),
                                          GPU(6),  GPU(7),  GPU(8),  GPU(9), GPU(10), GPU(11),
                                          GPU(12), GPU(13), GPU(14), GPU(15)};
    enum { MAX_GPUS = sizeof backends / sizeof *backends };
    if (index < 0 || index >= MAX_GPUS)
        return ead_fail(EAD_UNSUPPORTED, "there is no GPU %d: only cuda:0 to cuda:%d can be named", index,
                        MAX_GPUS - 1);
    EAD_TRY(ead_device_cuda.open(index));
    *out = &backends[index];
    return EAD_OK;
}

const char *ead_backend_names(void) {
    return "cpu, cuda";
}
