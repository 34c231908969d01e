/* What jansson means by a failure. */
#include "core/file/json_text.h"

#include "core/base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_FILE = 1 << 28 };

/* malloc() leaves ENOMEM where memory ran out: jansson may give another reason then, or none, or leave out what it had no
 * room for. */
EadStatus ead_json_parse(const char *label, const char *text, size_t size, size_t flags, json_t **root,
                         json_error_t *error) {
    json_error_t own, *said = error ? error : &own;
    errno = 0;
    *root = json_loadb(text, size, flags, said);
    if (*root && errno != ENOMEM) return EAD_OK;
    bool no_memory = *root || errno == ENOMEM || said->text[0] == '\0' ||
                     json_error_code(said) == json_error_out_of_memory;
    json_decref(*root);
    *root = NULL;
    if (no_memory) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", label);
    return error ? EAD_BAD_FILE : ead_fail(EAD_BAD_FILE, "%s:%d: no JSON: %s", label, said->line, said->text);
}

EadStatus ead_json_load(const char *path, json_t **root) {
    char *text;
    size_t size;
    json_error_t error;
    *root = NULL;
    EAD_TRY(ead_read_text(path, MAX_FILE, &text, &size));
    EadStatus status = ead_json_parse(path, text, size, 0, root, &error);
    free(text);
    if (status == EAD_BAD_FILE) return ead_fail(status, "%s:%d: %s", path, error.line, error.text);
    if (status != EAD_OK || json_is_object(*root)) return status;
    json_decref(*root);
    *root = NULL;
    return ead_fail(EAD_BAD_FILE, "%s: is JSON, but not an object in braces", path);
}
