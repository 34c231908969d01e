/* What jansson means by a failure. */
#include "core/file/json_text.h"

#include <errno.h>
#include <stdbool.h>

/* malloc() leaves ENOMEM where memory ran out: jansson may give another reason then, or none, or leave out what it had no
 * room for. */
EadStatus ead_json_parse(const char *label, const char *text, size_t size, size_t flags, json_t **root,
                         json_error_t *error) {
    errno = 0;
    *root = json_loadb(text, size, flags, error);
    if (*root && errno != ENOMEM) return EAD_OK;
    bool no_memory = *root || errno == ENOMEM || error->text[0] == '\0' ||
                     json_error_code(error) == json_error_out_of_memory;
    json_decref(*root);
    *root = NULL;
    return no_memory ? ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", label) : EAD_BAD_FILE;
}
