/* What jansson means by a failure. */
#pragma once

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>

/* Whether a text could not be read because memory ran out. jansson's reason may be another one then, or none;
 * but malloc() leaves ENOMEM, so the caller sets errno to 0 before reading. */
static inline bool ead_json_no_memory(const json_error_t *error) {
    return errno == ENOMEM || error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory;
}
