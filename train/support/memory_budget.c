/* The line about memory, and what there is of it. */
#include "train/support/memory_budget.h"

#include "core/base/printing.h"
#include "core/system/machine.h"

#include <stdio.h>
#include <sys/resource.h>

void ead_print_memory(const char *what, const EadBackend *backend, size_t planned, size_t later) {
    EadDeviceFacts facts;
    size_t now = ead_machine_resident(), peak = ead_machine_peak();
    char before[64] = ""; /* a bank is in memory twice while its file is read */
    if (!later && peak > now + now / 4)
        snprintf(before, sizeof before, " (%.0f MB while it read the model)", 1e-6 * (double)peak);
    if (!backend) backend = &ead_backend_cpu;
    if (!backend->device && now == 0)
        ead_print(stderr, "memory of %s: %.0f MB planned\n", what, 1e-6 * (double)planned);
    else if (!backend->device)
        ead_print(stderr, "memory of %s: %.0f MB planned; this process takes %s%.0f MB%s%s\n", what,
                  1e-6 * (double)planned, later ? "up to " : "", 1e-6 * (double)(now + later), before,
                  later ? " in all" : ", plus the images and their maps");
    else if (backend->device->facts(backend->index, &facts) == EAD_OK)
        ead_print(stderr, "memory of %s: %.0f MB on %s (%s), where %.0f of %.0f MB are still free\n", what,
                  1e-6 * (double)planned, backend->name, facts.name,
                  1e-6 * (double)backend->device->free_memory(), 1e-6 * (double)facts.memory);
}

size_t ead_available_memory(const EadBackend *backend) {
    if (backend->device) {
        backend->device->use(backend->index);
        return backend->device->free_memory();
    }
    return ead_machine_available();
}

EadStatus ead_name_memory_limit(EadStatus status) {
    EadCgroupLimits group = ead_cgroup_limits("");
    struct rlimit space;
    size_t left = ead_machine_address_space(), available = ead_machine_available();
    char limit[160];
    if (status != EAD_NO_MEMORY || (double)available >= EAD_TRAINING_MEMORY) return status;
    if (left <= group.available && (double)left < EAD_TRAINING_MEMORY && getrlimit(RLIMIT_AS, &space) == 0)
        snprintf(limit, sizeof limit,
                 "of %.0f MB of address space, which ulimit -v allows, %.0f MB are left; raise it",
                 1e-6 * (double)space.rlim_cur, 1e-6 * (double)left);
    else if (group.memory != UINT64_MAX)
        snprintf(limit, sizeof limit,
                 "of the container's %.0f MB of memory (cgroup) %.0f MB are left; raise its limit",
                 1e-6 * (double)group.memory, 1e-6 * (double)available);
    else
        snprintf(limit, sizeof limit, "%.0f MB of memory are free; end other programs",
                 1e-6 * (double)available);
    return ead_fail(status, "%s; %s: inference takes some %.0f MB at least, a training %.0f MB",
                    ead_error_message(), limit, 1e-6 * EAD_INFERENCE_MEMORY, 1e-6 * EAD_TRAINING_MEMORY);
}
