/* What a plan takes of memory, said before its first run. */
#pragma once

#include "core/backend/backend.h"

/* One line on stderr: "memory of WHAT: 189 MB planned; this process takes up to 301 MB in all"; on a device what is
 * planned there and what is still free beside it. On the CPU the plan has its memory already.
 *   what     "inference", "the training step"
 *   backend  NULL: CPU
 *   planned  bytes of the plan
 *   later    bytes of the host that will be taken beside what is taken now, at most; 0: not known but for the images'
 *            sizes, which the line says instead of "up to" */
void ead_print_memory(const char *what, const EadBackend *backend, size_t planned, size_t later);

/* Bytes that a plan on the backend may hope for: free on the device or the host; SIZE_MAX where unknown. */
size_t ead_available_memory(const EadBackend *backend);

/* Bytes that inference takes with the smaller networks, and a training step of the larger ones. */
#define EAD_INFERENCE_MEMORY 250e6
#define EAD_TRAINING_MEMORY  2e9

/* Where the present message is of a failure for want of memory, and less is left than a training takes: adds what limits this
 * process, what the program takes, and the cure. Returns status. */
EadStatus ead_name_memory_limit(EadStatus status);
