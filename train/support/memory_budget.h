/* What a plan takes of memory, said before its first run. */
#pragma once

#include "core/backend/backend.h"

/* One line on stderr: "memory of WHAT: 189 MB planned, 221 MB with parameters ..."; on a device what it takes
 * there and what is still free beside it.
 *   what     "inference", "the training step"
 *   backend  NULL: CPU
 *   planned  bytes of the plan
 *   total    bytes with everything else that the host keeps for it; others: what that is, such as
 *            "parameters" */
void ead_print_memory(const char *what, const EadBackend *backend, size_t planned, size_t total,
                      const char *others);

/* Bytes that a plan on the backend may hope for: free on the device or the host; SIZE_MAX where unknown. */
size_t ead_available_memory(const EadBackend *backend);
