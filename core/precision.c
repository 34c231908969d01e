/* What this machine can do of the precisions. */
#include "core/precision.h"

#include "core/simd/amx.h"

EadStatus ead_precision_check(EadPrecision precision, const char *name) {
    if (precision == EAD_PRECISION_TF32 || precision == EAD_PRECISION_FP16)
        return ead_fail(EAD_UNSUPPORTED, "%s: tf32 and fp16 are formats of CUDA; the CPU has fp32 and bf16", name);
    if (precision != EAD_PRECISION_BF16 || ead_amx()) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED,
                    "%s: bf16 needs a CPU with AMX (amx_tile, amx_bf16), which this one lacks; use fp32, or "
                    "auto, which takes bf16 where it can",
                    name);
}

const char *ead_precision_name(EadPrecision precision) {
    return precision != EAD_PRECISION_FP32 && ead_amx() ? "bf16" : "fp32";
}
