/* YAML to config, by libyaml's events. Only what a config needs is understood: nested mappings of plain or
 * quoted scalars. All else is refused with its line, so that a slip never passes as a default. */
#include "train/config/config.h"

#include "train/support/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAXIMUM_FILE_SIZE = 1000000, NAME_SIZE = 128 };

typedef struct Reader {
    yaml_parser_t yaml;
    const char *label;
    const char *bytes;
    EadConfig *config;
    size_t key_line[EAD_CONFIG_KEYS];     /* where the key was given; 0: not yet */
    size_t section_line[EAD_CONFIG_KEYS]; /* by the section's first key */
} Reader;

static size_t line_of(const yaml_event_t *event) {
    return event->start_mark.line + 1;
}

/* Any failure in a YAML text: "LABEL:LINE: " before the present message. */
static EadStatus at_line(const Reader *reader, size_t line, EadStatus status) {
    if (status == EAD_BAD_ARGUMENT) status = EAD_BAD_FILE;
    return ead_fail_prefix(status, "%s:%zu: ", reader->label, line);
}

static size_t line_at_offset(const Reader *reader, size_t offset) {
    size_t line = 1;
    for (size_t i = 0; i < offset; i++) line += reader->bytes[i] == '\n';
    return line;
}

static EadStatus invalid_yaml(const Reader *reader) {
    const yaml_parser_t *yaml = &reader->yaml;
    if (yaml->error == YAML_MEMORY_ERROR)
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to parse it", reader->label);
    const char *problem = yaml->problem ? yaml->problem : "unknown problem";
    bool in_bytes = yaml->error == YAML_READER_ERROR;
    size_t line = in_bytes ? line_at_offset(reader, yaml->problem_offset) : yaml->problem_mark.line + 1;
    return at_line(reader, line, ead_fail(EAD_BAD_FILE, "not valid YAML: %s", problem));
}

static bool is_decorated(const yaml_event_t *event) {
    if (event->type == YAML_SCALAR_EVENT) return event->data.scalar.anchor || event->data.scalar.tag;
    if (event->type == YAML_MAPPING_START_EVENT)
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    return false;
}

/* The next event, which the caller deletes if this succeeds. Refuses what no config contains. */
static EadStatus next_event(Reader *reader, yaml_event_t *event) {
    if (!yaml_parser_parse(&reader->yaml, event)) return invalid_yaml(reader);
    const char *refused = NULL;
    if (event->type == YAML_SEQUENCE_START_EVENT) refused = "a list is not allowed here; no key takes one";
    if (event->type == YAML_ALIAS_EVENT) refused = "aliases (*name) are not allowed";
    if (is_decorated(event)) refused = "anchors (&name) and tags (!name) are not allowed";
    if (!refused) return EAD_OK;
    size_t line = line_of(event);
    yaml_event_delete(event);
    return at_line(reader, line, ead_fail(EAD_BAD_FILE, "%s", refused));
}

/* The number of a section's first key, or -1: "train" is a section because "train.steps" is a key. */
static int find_section(const char *name) {
    size_t length = strlen(name);
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const char *key = ead_config_key(i)->rule.name;
        if (strncmp(key, name, length) == 0 && key[length] == '.') return i;
    }
    return -1;
}

static EadStatus mark_once(size_t *seen, size_t line, const char *name) {
    if (*seen) return ead_fail(EAD_BAD_FILE, "'%s' is given twice, first in line %zu", name, *seen);
    *seen = line;
    return EAD_OK;
}

static bool is_plain(const yaml_event_t *event) {
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null(const char *text) {
    return strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

/* A quoted value is a text, whatever it looks like; null is no value at all. */
static EadStatus check_style(const yaml_event_t *value, const EadValueRule *rule) {
    const char *text = (const char *)value->data.scalar.value;
    bool takes_text = rule->kind == EAD_KIND_STRING || rule->kind == EAD_KIND_PATH;
    bool quotable = takes_text || rule->kind == EAD_KIND_CHOICE || rule->kind == EAD_KIND_SIZE;
    if (strlen(text) != value->data.scalar.length || !ead_utf8_is_plain(text))
        return ead_fail(EAD_BAD_FILE, "%s: the text holds line breaks or control characters", rule->name);
    if (!is_plain(value) && !quotable)
        return ead_fail(EAD_BAD_FILE, "%s: expected %s, got the quoted text '%.80s'", rule->name,
                        ead_value_kind_name(rule->kind), text);
    if (is_plain(value) && takes_text && is_null(text))
        return ead_fail(EAD_BAD_FILE, "%s: %s is not a text; write \"\" for none", rule->name, text);
    return EAD_OK;
}

static EadStatus take_scalar(Reader *reader, const char *name, const yaml_event_t *value) {
    int index = ead_config_find(name), section = find_section(name);
    if (index < 0 && section >= 0) {
        /* A section whose keys are all commented out is fine. */
        if (is_plain(value) && value->data.scalar.length == 0)
            return mark_once(&reader->section_line[section], line_of(value), name);
        return ead_fail(EAD_BAD_FILE, "'%s' is a section of keys, such as %s, and takes no value", name,
                        ead_config_key(section)->rule.name);
    }
    if (index < 0) return ead_config_unknown(name, false);
    EAD_TRY(mark_once(&reader->key_line[index], line_of(value), name));
    EAD_TRY(check_style(value, &ead_config_key(index)->rule));
    return ead_config_set_key(reader->config, index, (const char *)value->data.scalar.value);
}

/* "prefix.key" into name; the depth of nesting is limited because every prefix is a known section. */
static EadStatus make_name(char name[NAME_SIZE], const char *prefix, const yaml_event_t *key) {
    const char *text = (const char *)key->data.scalar.value;
    bool plain = strlen(text) == key->data.scalar.length && ead_utf8_is_plain(text);
    if (!plain || strlen(text) >= NAME_SIZE / 2)
        return ead_fail(EAD_BAD_FILE, "a key that is too long or holds control characters");
    snprintf(name, NAME_SIZE, "%s%s%s", prefix, prefix[0] ? "." : "", text);
    return EAD_OK;
}

static EadStatus take_mapping(Reader *reader, const char *prefix);

static EadStatus take_section(Reader *reader, const char *name, size_t line) {
    int section = find_section(name);
    if (ead_config_find(name) >= 0)
        return at_line(reader, line, ead_fail(EAD_BAD_FILE, "'%s' takes a value, not a mapping", name));
    EadStatus status =
        section < 0 ? ead_config_unknown(name, true) : mark_once(&reader->section_line[section], line, name);
    if (status != EAD_OK) return at_line(reader, line, status);
    return take_mapping(reader, name);
}

/* The value that belongs to a key given in line `line`. */
static EadStatus take_value(Reader *reader, const char *name, size_t line) {
    yaml_event_t value;
    EAD_TRY(next_event(reader, &value));
    EadStatus status = EAD_OK;
    if (value.type == YAML_SCALAR_EVENT) {
        status = take_scalar(reader, name, &value);
        if (status != EAD_OK) at_line(reader, line, status);
    }
    bool mapping = value.type == YAML_MAPPING_START_EVENT;
    yaml_event_delete(&value);
    if (mapping) return take_section(reader, name, line);
    return status == EAD_BAD_ARGUMENT ? EAD_BAD_FILE : status;
}

/* The rest of a mapping after its start. */
static EadStatus take_mapping(Reader *reader, const char *prefix) {
    for (;;) {
        yaml_event_t key;
        char name[NAME_SIZE];
        EAD_TRY(next_event(reader, &key));
        yaml_event_type_t type = key.type;
        size_t line = line_of(&key);
        EadStatus status = EAD_OK;
        if (type == YAML_SCALAR_EVENT) status = make_name(name, prefix, &key);
        if (type == YAML_MAPPING_START_EVENT) status = ead_fail(EAD_BAD_FILE, "a mapping cannot be a key");
        yaml_event_delete(&key);
        if (status != EAD_OK) return at_line(reader, line, status);
        if (type == YAML_MAPPING_END_EVENT) return EAD_OK;
        EAD_TRY(take_value(reader, name, line));
    }
}

/* Reads an event and returns its type, 0 on failure; content that is not empty is left to the caller by
 * *empty. */
static EadStatus event_type(Reader *reader, yaml_event_type_t *type, size_t *line, bool *empty) {
    yaml_event_t event;
    EAD_TRY(next_event(reader, &event));
    *type = event.type;
    *line = line_of(&event);
    *empty = event.type == YAML_SCALAR_EVENT && event.data.scalar.length == 0;
    yaml_event_delete(&event);
    return EAD_OK;
}

static EadStatus take_stream(Reader *reader) {
    yaml_event_type_t type;
    size_t line;
    bool empty;
    EAD_TRY(event_type(reader, &type, &line, &empty));
    EAD_TRY(event_type(reader, &type, &line, &empty));
    if (type == YAML_STREAM_END_EVENT) return EAD_OK;
    EAD_TRY(event_type(reader, &type, &line, &empty));
    if (type == YAML_MAPPING_START_EVENT)
        EAD_TRY(take_mapping(reader, ""));
    else if (!empty)
        return at_line(reader, line, ead_fail(EAD_BAD_FILE, "expected lines of the form key: value"));
    EAD_TRY(event_type(reader, &type, &line, &empty));
    EAD_TRY(event_type(reader, &type, &line, &empty));
    if (type == YAML_STREAM_END_EVENT) return EAD_OK;
    return at_line(reader, line, ead_fail(EAD_BAD_FILE, "a second document; a config is one document"));
}

EadStatus ead_config_parse(const void *bytes, size_t size, const char *label, EadConfig *config) {
    Reader reader = {.label = label, .bytes = bytes, .config = config};
    if (size > MAXIMUM_FILE_SIZE)
        return ead_fail(EAD_BAD_FILE, "%s: larger than 1 MB; this is no config file", label);
    if (!yaml_parser_initialize(&reader.yaml))
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to parse it", label);
    yaml_parser_set_input_string(&reader.yaml, bytes, size);
    EadStatus status = take_stream(&reader);
    yaml_parser_delete(&reader.yaml);
    return status;
}

EadStatus ead_config_load(const char *path, EadConfig *config) {
    FILE *file = fopen(path, "rb");
    if (!file) return ead_fail(EAD_IO, "%s: cannot open this config: %s", path, strerror(errno));
    char *bytes = malloc(MAXIMUM_FILE_SIZE + 1);
    if (!bytes) {
        fclose(file);
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", path);
    }
    size_t size = fread(bytes, 1, MAXIMUM_FILE_SIZE + 1, file);
    EadStatus status =
        ferror(file) ? ead_fail(EAD_IO, "%s: cannot be read: %s", path, strerror(errno)) : EAD_OK;
    if (status == EAD_OK) status = ead_config_parse(bytes, size, path, config);
    free(bytes);
    fclose(file);
    return status;
}
