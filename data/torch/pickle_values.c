/* Looking at what a pickle made. */
#include "data/torch/pickle.h"

#include <string.h>

bool ead_pickle_is(const EadPickleValue *value, const char *text) {
    if (!value || (value->kind != EAD_PICKLE_TEXT && value->kind != EAD_PICKLE_GLOBAL)) return false;
    if (value->length != strlen(text)) return false;
    for (size_t i = 0; i < value->length; i++) {
        bool dot = value->kind == EAD_PICKLE_GLOBAL && value->text[i] == '\n';
        if (text[i] != (dot ? '.' : value->text[i])) return false;
    }
    return true;
}

bool ead_pickle_copy(const EadPickleValue *value, char *out, size_t size) {
    size_t length = value->length < size ? value->length : size - 1;
    for (size_t i = 0; i < length; i++)
        out[i] = value->kind == EAD_PICKLE_GLOBAL && value->text[i] == '\n' ? '.' : value->text[i];
    out[length] = '\0';
    return length == value->length && strlen(out) == length;
}

const EadPickleValue *ead_pickle_member(const EadPickleValue *dict, const char *key) {
    if (!dict || (dict->kind != EAD_PICKLE_DICT && dict->kind != EAD_PICKLE_CALL)) return NULL;
    for (int i = 0; i + 1 < dict->count; i += 2)
        if (dict->items[i]->kind == EAD_PICKLE_TEXT && ead_pickle_is(dict->items[i], key))
            return dict->items[i + 1];
    return NULL;
}
