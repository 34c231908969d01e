/* Links from pages to files. */
#pragma once

#include "core/base/status.h"

/* A path as it stands in a link: whatever is not a letter, a digit or one of -_.~/ as %XX, so that nothing in it is taken
 * for a scheme, a host or markup. New memory; NULL when there is none (then ead_fail() has been called). */
char *ead_link_text(const char *path);

/* A link to a file from a page in `folder` ("": the current one): relative where both lie below one folder that is not the
 * root, so that they can be moved together, else absolute. New memory, or NULL where no such file can be reached. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_page_link(const char *folder, const char *path, char **link);
