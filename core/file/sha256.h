/* SHA-256: of a file, by which what was made of it names it, and of bytes. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { EAD_SHA256_TEXT = 65, EAD_SHA256_BYTES = 32 };

/* As hexadecimal digits with a 0 behind them. Errors: EAD_IO, also for what is no regular file; EAD_NO_MEMORY. */
EadStatus ead_file_sha256(const char *path, char text[EAD_SHA256_TEXT]);

/* Of bytes [size]. */
void ead_sha256(const void *bytes, size_t size, uint8_t digest[EAD_SHA256_BYTES]);
