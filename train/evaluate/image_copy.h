/* Copies of image files, byte by byte. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>

/* Whether two paths lead to files of the same bytes; false where one cannot be read. */
bool ead_image_same_file(const char *a, const char *b);

/* Copies a file, complete or not at all, for nobody to read who could not read it; its folder must exist. Errors: EAD_IO, naming the file. */
EadStatus ead_image_copy(const char *from, const char *to);
