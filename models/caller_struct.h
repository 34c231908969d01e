/* Structs of the public API that begin with their size, which a program was compiled with and the library perhaps
 * was not. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>

/* Copies such a struct: members that the caller does not know of are zero. Errors: EAD_BAD_ARGUMENT for a size that was
 * not set, and for members that are set and this library does not know of. */
#define EAD_COPY_CALLER_STRUCT(type, given, out) ead_copy_caller_struct(#type, given, out, sizeof(type))

/* out [known] */
EadStatus ead_copy_caller_struct(const char *type, const void *given, void *out, size_t known);
