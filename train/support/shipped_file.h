/* What comes with the program: teachers, configs. */
#pragma once

#include "core/base/paths.h"

#include <stdbool.h>

/* Looks for a file, or a folder, by where the program lies: FOLDER/FILE in the source tree, or share/efficientad/FILE of
 * an installation. */
bool ead_shipped_file(const char *folder, const char *file, EadPath path);
