/* Asks the system. */
#include "core/base/host_memory.h"

#include <unistd.h>

size_t ead_host_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : 0;
}
