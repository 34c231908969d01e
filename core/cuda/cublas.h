/* The library that fp32 convolutions on CUDA need. */
#ifndef EAD_CORE_CUBLAS_H
#define EAD_CORE_CUBLAS_H

#ifdef __cplusplus
extern "C" {
#endif

#include "core/base/status.h"

/* Loads cuBLAS for the life of the process, if that has not been done. Errors: EAD_UNSUPPORTED where it is
 * missing. */
EadStatus ead_cublas_open(void);

#ifdef __cplusplus
}
#endif

#endif
