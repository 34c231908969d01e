/* What jansson means by a failure. */
#include "core/file/json_text.h"

#include "core/base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_FILE = 1 << 28 };

typedef struct Source {
    const char *text;
    size_t size, at;
    bool no_memory; /* at some byte */
} Source;

/* malloc() leaves ENOMEM where memory ran out: jansson may give another reason then, or none, or leave out what it had no
 * room for; and numbers take errno back. So it is looked at before every byte, and the text ends there: of a string that
 * lacks a byte jansson would say what cannot be, and abort. */
static size_t next_byte(void *buffer, size_t size, void *context) {
    Source *source = context;
    source->no_memory |= errno == ENOMEM;
    if (source->no_memory || size == 0 || source->at == source->size) return 0;
    *(char *)buffer = source->text[source->at++];
    return 1;
}

EadStatus ead_json_parse(const char *label, const char *text, size_t size, size_t flags, json_t **root,
                         json_error_t *error) {
    json_error_t own, *said = error ? error : &own;
    Source source = {.text = text, .size = size};
    errno = 0;
    *root = json_load_callback(next_byte, &source, flags, said);
    bool no_memory = source.no_memory || errno == ENOMEM;
    if (*root && !no_memory) return EAD_OK;
    no_memory |= said->text[0] == '\0' || json_error_code(said) == json_error_out_of_memory;
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
