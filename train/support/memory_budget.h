/* What a plan takes of memory, said before its first run. */
#ifndef EAD_TRAIN_MEMORY_BUDGET_H
#define EAD_TRAIN_MEMORY_BUDGET_H

#include "core/backend/backend.h"
#include "models/efficientad/model.h"

/* One line on stderr: "memory of WHAT: 189 MB planned, 221 MB with parameters ..."; on a device what it takes
 * there and what is still free beside it. what     "inference", "the training step" planned  bytes of the
 * plan total    bytes with everything else that the host keeps for it; others: what that is, such as
 * "parameters" */
void ead_print_memory(const char *what, const EadBackend *backend, size_t planned, size_t total,
                      const char *others);

/* The same for the inference of a model whose plan takes `planned` bytes on a backend (NULL: CPU). */
void ead_print_inference_memory(const EadModel *model, const EadBackend *backend, size_t planned);

/* Bytes that a plan on the backend may hope for: free on the device, or available on the host; SIZE_MAX where
 * that cannot be told. */
size_t ead_available_memory(const EadBackend *backend);

#endif
