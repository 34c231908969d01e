/* Trees from libyaml's events. */
#include "train/config/yaml.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

enum { MAX_FILE_SIZE = 1000000, MAX_DEPTH = 16, MAX_KEY = 100 };

typedef struct Reader {
    yaml_parser_t yaml;
    const char *label, *what, *bytes;
    size_t size;
} Reader;

static EadStatus fail_at(const char *label, size_t line, EadStatus status) {
    if (status == EAD_BAD_ARGUMENT) status = EAD_BAD_FILE;
    return ead_fail_prefix(status, "%s:%zu: ", label, line);
}

EadStatus ead_yaml_at(const EadYamlNode *node, EadStatus status) {
    return status == EAD_OK ? EAD_OK : fail_at(node->label, node->line, status);
}

EadStatus ead_yaml_fail(const EadYamlNode *node, const char *format, ...) {
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return ead_yaml_at(node, ead_fail(EAD_BAD_FILE, "%s", text));
}

/* Whether character number `index`, as libyaml counts them, is a tab; there may be none any more. */
static bool is_tab(const Reader *reader, size_t index) {
    size_t i = 0;
    for (; i < reader->size && index > 0; index--) do
            i++;
        while (i < reader->size && (reader->bytes[i] & 0xC0) == 0x80);
    return i < reader->size && reader->bytes[i] == '\t';
}

/* Of bytes that are no text libyaml knows the place, but not the line. */
static EadStatus invalid_yaml(const Reader *reader) {
    const yaml_parser_t *yaml = &reader->yaml;
    if (yaml->error == YAML_MEMORY_ERROR || errno == ENOMEM)
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to parse it", reader->label);
    size_t line = yaml->problem_mark.line + 1;
    if (yaml->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < yaml->problem_offset && i < reader->size; i++)
            line += reader->bytes[i] == '\n';
    }
    const char *problem = yaml->problem ? yaml->problem : "unknown problem";
    if (yaml->error == YAML_SCANNER_ERROR && is_tab(reader, yaml->problem_mark.index))
        problem = "a tab where the line begins or a value is expected; YAML wants spaces";
    return fail_at(reader->label, line, ead_fail(EAD_BAD_FILE, "not valid YAML: %s", problem));
}

/* ---- events to nodes ---- */

static bool is_decorated(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    default:
        return false;
    }
}

/* The next event, which the caller deletes if this succeeds. */
static EadStatus next_event(Reader *reader, yaml_event_t *event) {
    /* malloc() leaves ENOMEM where memory ran out: libyaml may call that a mistake in the text then, or leave out what it
     * had no room for. */
    errno = 0;
    bool parsed = yaml_parser_parse(&reader->yaml, event);
    if (parsed && errno == ENOMEM) yaml_event_delete(event);
    if (!parsed || errno == ENOMEM) return invalid_yaml(reader);
    const char *refused = NULL;
    if (event->type == YAML_ALIAS_EVENT) refused = "aliases (*name) are not allowed";
    if (is_decorated(event)) refused = "anchors (&name) and tags (!name) are not allowed";
    if (!refused) return EAD_OK;
    size_t line = event->start_mark.line + 1;
    yaml_event_delete(event);
    return fail_at(reader->label, line, ead_fail(EAD_BAD_FILE, "%s", refused));
}

static bool has_control_characters(const yaml_event_t *scalar) {
    const char *text = (const char *)scalar->data.scalar.value;
    return strlen(text) != scalar->data.scalar.length || !ead_utf8_is_plain(text);
}

static EadStatus copy_key(const yaml_event_t *event, char **key) {
    if (event->type != YAML_SCALAR_EVENT)
        return ead_fail(EAD_BAD_FILE, "a %s cannot be a key",
                        event->type == YAML_MAPPING_START_EVENT ? "mapping" : "list");
    const char *text = (const char *)event->data.scalar.value;
    if (has_control_characters(event) || strlen(text) >= MAX_KEY)
        return ead_fail(EAD_BAD_FILE, "a key that is too long or holds control characters");
    *key = ead_strdup(text);
    return *key ? EAD_OK : EAD_NO_MEMORY;
}

static EadStatus read_node(Reader *reader, const yaml_event_t *start, char *key, size_t line, int depth,
                           EadYamlNode **out);

/* The entries of a list or mapping behind its start. */
static EadStatus read_entries(Reader *reader, EadYamlNode *parent, int depth) {
    if (depth >= MAX_DEPTH) return ead_yaml_fail(parent, "nested more than %d deep", (int)MAX_DEPTH);
    for (;;) {
        yaml_event_t event;
        char *key = NULL;
        EAD_TRY(next_event(reader, &event));
        size_t line = event.start_mark.line + 1;
        bool end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        EadStatus status = EAD_OK;
        if (!end && parent->kind == EAD_YAML_MAPPING) {
            status = copy_key(&event, &key);
            yaml_event_delete(&event);
            if (status != EAD_OK) return fail_at(reader->label, line, status);
            status = next_event(reader, &event);
            if (status != EAD_OK) free(key);
            if (status != EAD_OK) return status;
        }
        EadYamlNode **place = parent->last ? &parent->last->next : &parent->first;
        if (!end) status = read_node(reader, &event, key, line, depth + 1, place);
        yaml_event_delete(&event);
        if (*place) {
            parent->last = *place;
            parent->count++;
        }
        if (end || status != EAD_OK) return status;
    }
}

/* The node that begins with an event; key, its own from now on, or NULL. What has been read of it before a
 * failure is in *out, too. */
static EadStatus read_node(Reader *reader, const yaml_event_t *start, char *key, size_t line, int depth,
                           EadYamlNode **out) {
    EadYamlNode *node = *out = ead_new(1, sizeof *node, "a YAML file");
    if (!node) free(key);
    if (!node) return EAD_NO_MEMORY;
    *node = (EadYamlNode){.line = line, .label = reader->label, .key = key};
    if (start->type != YAML_SCALAR_EVENT) {
        node->kind = start->type == YAML_MAPPING_START_EVENT ? EAD_YAML_MAPPING : EAD_YAML_LIST;
        return read_entries(reader, node, depth);
    }
    node->quoted = start->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->control = has_control_characters(start);
    node->text = ead_strdup((const char *)start->data.scalar.value);
    return node->text ? EAD_OK : EAD_NO_MEMORY;
}

/* A file with nothing in it, or with comments alone, is an empty scalar. */
static EadStatus read_stream(Reader *reader, EadYamlNode **root) {
    for (yaml_event_type_t type = YAML_NO_EVENT; type != YAML_STREAM_END_EVENT;) {
        yaml_event_t event;
        EAD_TRY(next_event(reader, &event));
        type = event.type;
        size_t line = event.start_mark.line + 1;
        bool starts = type == YAML_SCALAR_EVENT || type == YAML_MAPPING_START_EVENT ||
                      type == YAML_SEQUENCE_START_EVENT;
        EadStatus status = starts ? read_node(reader, &event, NULL, line, 0, root) : EAD_OK;
        yaml_event_delete(&event);
        if (type == YAML_DOCUMENT_START_EVENT && *root)
            status = fail_at(reader->label, line,
                             ead_fail(EAD_BAD_FILE, "a second document; a %s is one document", reader->what));
        if (status != EAD_OK) return status;
    }
    yaml_event_t nothing = {.type = YAML_SCALAR_EVENT};
    nothing.data.scalar.value = (yaml_char_t *)"";
    nothing.data.scalar.style = YAML_PLAIN_SCALAR_STYLE;
    return *root ? EAD_OK : read_node(reader, &nothing, NULL, 1, 0, root);
}

/* ---- files ---- */

EadStatus ead_yaml_parse(const void *bytes, size_t size, const char *label, const char *what,
                         EadYamlNode **root) {
    Reader reader = {.label = ead_strdup(label), .what = what, .bytes = bytes, .size = size};
    EadYamlNode *tree = NULL;
    *root = NULL;
    if (!reader.label) return EAD_NO_MEMORY;
    EadStatus status = EAD_OK;
    if (size > MAX_FILE_SIZE)
        status = ead_fail(EAD_BAD_FILE, "%s: larger than 1 MB; this is not a %s file", label, what);
    else if (!yaml_parser_initialize(&reader.yaml))
        status = ead_fail(EAD_NO_MEMORY, "%s: no memory to parse it", label);
    if (status == EAD_OK) {
        yaml_parser_set_input_string(&reader.yaml, bytes, size);
        status = read_stream(&reader, &tree);
        yaml_parser_delete(&reader.yaml);
    }
    if (status == EAD_OK)
        *root = tree;
    else if (tree)
        ead_yaml_free(tree);
    else
        free((char *)reader.label);
    return status;
}

EadStatus ead_yaml_load(const char *path, const char *what, EadYamlNode **root) {
    *root = NULL;
    char *bytes;
    size_t size;
    if (access(path, R_OK) != 0)
        return ead_fail(EAD_IO, "%s: cannot open this %s: %s", path, what, strerror(errno));
    EAD_TRY(ead_read_text(path, MAX_FILE_SIZE, &bytes, &size));
    EadStatus status = ead_yaml_parse(bytes, size, path, what, root);
    free(bytes);
    return status;
}

static void free_node(EadYamlNode *node) {
    for (EadYamlNode *entry = node->first, *next; entry; entry = next) {
        next = entry->next;
        free_node(entry);
    }
    free(node->key);
    free(node->text);
    free(node);
}

void ead_yaml_free(EadYamlNode *root) {
    if (!root) return;
    free((char *)root->label);
    free_node(root);
}

bool ead_yaml_is_empty(const EadYamlNode *node) {
    return node->kind == EAD_YAML_SCALAR && !node->quoted && node->text[0] == '\0' && !node->control;
}
