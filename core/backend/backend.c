/* The CPU backend, the search for a backend by name, what backends and this machine can do of precisions. */
#include "core/backend/backend.h"

#include "core/simd/amx.h"

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

const EadBackend ead_backend_cpu = {.name = "cpu", .kernels = kernels};

/* The number of "cuda" or "cuda:N", else -1. */
static int cuda_index(const char *device) {
    if (strcmp(device, "cuda") == 0) return 0;
    if (strncmp(device, "cuda:", 5) != 0) return -1;
    size_t digits = strspn(device + 5, "0123456789");
    return digits >= 1 && digits <= 3 && device[5 + digits] == '\0' ? atoi(device + 5) : -1;
}

EadStatus ead_backend_find(const char *device, const EadBackend **out) {
    int index = cuda_index(device);
    *out = &ead_backend_cpu;
    if (strcmp(device, "cpu") == 0) return EAD_OK;
    if (index < 0)
        return ead_fail(EAD_UNSUPPORTED, "device '%s': this build has the backends: %s; use --device cpu",
                        device, ead_backend_names());
    EadStatus status = ead_backend_cuda(index, out);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "device '%s': ", device);
}

EadStatus ead_precision_check(const EadBackend *backend, EadPrecision precision, bool training,
                              const char *name) {
    const EadDevice *device = backend->device;
    if (device && precision == EAD_PRECISION_FP32 && device->open_fp32) return device->open_fp32();
    if (device && training && precision == EAD_PRECISION_FP16)
        return ead_fail(
            EAD_UNSUPPORTED,
            "%s: fp16 is for inference only, small gradients vanish in it; use bf16, tf32 or fp32", name);
    if (!device && (precision == EAD_PRECISION_TF32 || precision == EAD_PRECISION_FP16))
        return ead_fail(EAD_UNSUPPORTED, "%s: %s needs --device cuda; on the CPU use fp32, bf16 or auto",
                        name, ead_precision_name(precision));
    if (device || precision != EAD_PRECISION_BF16 || ead_amx()) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED,
                    "%s: bf16 needs a CPU with AMX (amx_tile, amx_bf16), which this one lacks; use fp32, or "
                    "auto, which takes bf16 where it can",
                    name);
}

EadPrecision ead_precision_resolve(const EadBackend *backend, EadPrecision precision, bool training) {
    if (precision != EAD_PRECISION_AUTO) return precision;
    if (backend->device) return training ? EAD_PRECISION_TF32 : EAD_PRECISION_FP16;
    return ead_amx() ? EAD_PRECISION_BF16 : EAD_PRECISION_FP32;
}

const char *ead_precision_name(EadPrecision precision) {
    static const char *const names[] = {"fp32", "tf32", "bf16", "fp16", "auto"};
    return names[precision];
}

EadStatus ead_precision_find(const char *name, EadPrecision *out) {
    for (*out = EAD_PRECISION_FP32; *out <= EAD_PRECISION_AUTO; (*out)++)
        if (strcmp(name, ead_precision_name(*out)) == 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "precision '%s': there are fp32, tf32, bf16, fp16 and auto", name);
}
