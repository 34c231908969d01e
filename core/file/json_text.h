/* JSON out of texts from outside, by jansson. */
#pragma once

#include "core/base/status.h"

#include <jansson.h>

/* Reads size bytes of JSON; the caller frees *root by json_decref(). label: what the text is, for messages. flags:
 * jansson's. Errors: EAD_NO_MEMORY; EAD_BAD_FILE, for which *error tells place and reason, or where error is NULL the
 * message does. *root is NULL then. */
EadStatus ead_json_parse(const char *label, const char *text, size_t size, size_t flags, json_t **root,
                         json_error_t *error);

/* Reads a file that holds an object; the caller frees *root by json_decref(). Errors: EAD_IO; EAD_BAD_FILE,
 * "FILE:LINE: ..." where it is no JSON; EAD_NO_MEMORY. *root is NULL then. */
EadStatus ead_json_load(const char *path, json_t **root);
