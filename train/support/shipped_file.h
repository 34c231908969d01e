/* What comes with the program: teachers, configs. */
#pragma once

#include "core/base/paths.h"
#include "core/base/string_list.h"
#include "core/file/file_role.h"

#include <stdbool.h>

/* Looks for a file, or a folder, by where the program lies: FOLDER/FILE in the source tree, or share/efficientad/FILE of
 * an installation. */
bool ead_shipped_file(const char *folder, const char *file, EadPath path);

/* The file of that path, or else, of a name without a folder, with or without ".yaml", the one in `folder` ("configs") that
 * comes with the program: then in shipped. */
const char *ead_shipped_yaml(const char *path, const char *folder, EadPath shipped);

/* Adds the names, without ".yaml" and in order, of those files in such a folder that have a role. A folder that is not there
 * has none. Errors: those of ead_folder_names(). */
EadStatus ead_shipped_names(const char *folder, EadFileRole role, EadStringList *names);

/* Of a name that ead_shipped_yaml() gave back: fails where it has no folder, is no file, and files of that role do come with the
 * program, saying which of them it is near, or which there are; what: "config". Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_shipped_check(const char *name, const char *folder, EadFileRole role, const char *what);
