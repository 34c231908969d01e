/* Op descriptors by id, and the search for a backend by name. */
#include "core/backend.h"

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

EadStatus ead_backend_find(const char *device, const EadBackend **out) {
    if (strcmp(device, "cpu") == 0) {
        *out = &ead_backend_cpu;
        return EAD_OK;
    }
    return ead_fail(EAD_UNSUPPORTED, "device '%s': this build has the backends: %s; use --device cpu", device,
                    ead_backend_names());
}

const char *ead_backend_names(void) {
    return "cpu";
}
