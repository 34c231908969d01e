/* What comes with the program: teachers, configs. */
#pragma once

#include "core/base/paths.h"

#include <stdbool.h>

/* Looks for a file, or a folder, by where the program lies: FOLDER/FILE in the source tree, or share/efficientad/FILE of
 * an installation. */
bool ead_shipped_file(const char *folder, const char *file, EadPath path);

/* The file of that path, or else, of a name without a folder, with or without ".yaml", the one in `folder` ("configs") that
 * comes with the program: then in shipped. */
const char *ead_shipped_yaml(const char *path, const char *folder, EadPath shipped);
