/* What tests in C ask of the host runner. */
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads and blocks from the last to the first, from the next launch on. */
void ead_host_descend(bool descending);

#ifdef __cplusplus
}
#endif
