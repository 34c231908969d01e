/* The SHA-256 of a file: by which what was made of it names it. */
#pragma once

#include "core/base/status.h"

enum { EAD_SHA256_TEXT = 65 };

/* As hexadecimal digits with a 0 behind them. Errors: EAD_IO. */
EadStatus ead_file_sha256(const char *path, char text[EAD_SHA256_TEXT]);
