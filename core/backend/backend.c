/* Op descriptors by id, and the search for a backend by name. */
#include "core/backend/backend.h"

#include <stdlib.h>
#include <string.h>

#define EAD_OP(name) extern const EadOp ead_op_##name;
#include "core/ops/op_table.def"
#undef EAD_OP

static const EadOp leaf = {.name = "leaf"};

const EadOp *ead_op(EadOpId id) {
    static const EadOp *const ops[EAD_OP_COUNT] = {
        [EAD_OP_LEAF] = &leaf,
#define EAD_OP(name) [EAD_OP_##name] = &ead_op_##name,
#include "core/ops/op_table.def"
#undef EAD_OP
    };
    return ops[id];
}

/* The number of "cuda" or "cuda:N", else -1. */
static int cuda_index(const char *device) {
    if (strcmp(device, "cuda") == 0) return 0;
    if (strncmp(device, "cuda:", 5) != 0) return -1;
    size_t digits = strspn(device + 5, "0123456789");
    return digits >= 1 && digits <= 3 && device[5 + digits] == '\0' ? atoi(device + 5) : -1;
}

EadStatus ead_backend_find(const char *device, const EadBackend **out) {
    int index = cuda_index(device);
    if (strcmp(device, "cpu") == 0) {
        *out = &ead_backend_cpu;
        return EAD_OK;
    }
    if (index >= 0) {
        EadStatus status = ead_backend_cuda(index, out);
        return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "device '%s': ", device);
    }
    return ead_fail(EAD_UNSUPPORTED, "device '%s': this build has the backends: %s; use --device cpu", device,
                    ead_backend_names());
}
