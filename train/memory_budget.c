/* The line about memory. */
#include "train/memory_budget.h"

#include <stdio.h>

void ead_print_memory(const char *what, const EadBackend *backend, size_t planned, size_t total,
                      const char *others) {
    EadDeviceFacts facts;
    if (!backend->device)
        fprintf(stderr, "memory of %s: %.0f MB planned, %.0f MB with %s\n", what, 1e-6 * (double)planned,
                1e-6 * (double)total, others);
    else if (backend->device->facts(backend->index, &facts) == EAD_OK)
        fprintf(stderr, "memory of %s: %.0f MB on %s (%s), where %.0f of %.0f MB are still free\n", what,
                1e-6 * (double)planned, backend->name, facts.name,
                1e-6 * (double)backend->device->free_memory(), 1e-6 * (double)facts.memory);
}

void ead_print_inference_memory(const EadModel *model, const EadBackend *backend, size_t planned) {
    size_t parameters = (size_t)(model->teacher.total + model->trained.total) * sizeof(real);
    ead_print_memory("inference", backend ? backend : &ead_backend_cpu, planned, planned + parameters,
                     "parameters");
}
