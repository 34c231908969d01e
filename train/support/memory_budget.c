/* The line about memory, and what there is of it. */
#include "train/support/memory_budget.h"

#include "core/base/printing.h"
#include "core/system/machine.h"

#include <stdio.h>

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
                  later ? " in all" : ", and images and maps of their size besides");
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
