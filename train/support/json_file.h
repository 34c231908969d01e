/* JSON files. */
#ifndef EAD_TRAIN_JSON_FILE_H
#define EAD_TRAIN_JSON_FILE_H

#include "core/base/status.h"

#include <jansson.h>

/* Writes root, indented, numbers with so many digits, to the final name at once or not at all; lets go of it.
 * root may be NULL: then there was no memory for it. Errors: EAD_NO_MEMORY, EAD_IO. */
EadStatus ead_write_json(const char *path, json_t *root, int digits);

#endif
