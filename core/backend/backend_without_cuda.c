/* A build without nvcc, or with CUDA=0: the CPU only. */
#include "core/backend/backend.h"

EadStatus ead_backend_cuda(int index, const EadBackend **out) {
    (void)index, (void)out;
    return ead_fail(EAD_UNSUPPORTED, "this build has the backends: %s; use --device cpu",
                    ead_backend_names());
}

const char *ead_backend_names(void) {
    return "cpu";
}
