/* How much memory this machine has. */
#ifndef EAD_CORE_HOST_MEMORY_H
#define EAD_CORE_HOST_MEMORY_H

#include <stddef.h>

/* Bytes of the machine's memory, in use or not; 0 if it cannot be told. */
size_t ead_host_memory(void);

#endif
