/* What tests in C ask of the host runner. */
#ifndef EAD_TEST_HOST_RUNNER_C_H
#define EAD_TEST_HOST_RUNNER_C_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads and blocks from the last to the first, from the next launch on. */
void ead_host_descend(bool descending);

#ifdef __cplusplus
}
#endif

#endif
