/* libyaml's document API behind checks. */
#include "train/sweep/sweep_yaml.h"

#include "train/support/suggest.h"
#include "train/support/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAXIMUM_FILE_SIZE = 1000000 };

struct EadSweepYaml {
    char *path, *bytes; /* bytes [size], owned */
    size_t size;
    yaml_document_t document;
    bool loaded;
};

static yaml_node_t *node_at(const EadSweepYaml *yaml, int node) {
    return &yaml->document.nodes.start[node - 1];
}

EadStatus ead_sweep_yaml_fail(const EadSweepYaml *yaml, int node, const char *format, ...) {
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return ead_fail(EAD_BAD_FILE, "%s:%zu: %s", yaml->path, node_at(yaml, node)->start_mark.line + 1, text);
}

/* ---- opening ---- */

static EadStatus read_file(EadSweepYaml *yaml) {
    FILE *file = fopen(yaml->path, "rb");
    if (!file) return ead_fail(EAD_IO, "%s: cannot open this sweep: %s", yaml->path, strerror(errno));
    yaml->bytes = malloc(MAXIMUM_FILE_SIZE + 1);
    yaml->size = yaml->bytes ? fread(yaml->bytes, 1, MAXIMUM_FILE_SIZE + 1, file) : 0;
    bool failed = ferror(file) != 0;
    EadStatus status = EAD_OK;
    if (failed) status = ead_fail(EAD_IO, "%s: cannot be read: %s", yaml->path, strerror(errno));
    if (!yaml->bytes) status = ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", yaml->path);
    if (yaml->size > MAXIMUM_FILE_SIZE)
        status = ead_fail(EAD_BAD_FILE, "%s: larger than 1 MB; this is no sweep file", yaml->path);
    fclose(file);
    return status;
}

static EadStatus load_failed(const EadSweepYaml *yaml, const yaml_parser_t *parser) {
    if (parser->error == YAML_MEMORY_ERROR)
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to parse it", yaml->path);
    return ead_fail(EAD_BAD_FILE, "%s:%zu: not valid YAML: %s", yaml->path, parser->problem_mark.line + 1,
                    parser->problem ? parser->problem : "unknown problem");
}

/* libyaml resolves aliases by itself: what they name would stand in two places, so the text of a layer would
 * not be where its node says. Its document keeps no anchors; scanning for one is enough. */
static EadStatus refuse_aliases(const EadSweepYaml *yaml) {
    yaml_parser_t parser;
    yaml_token_t token;
    EadStatus status = EAD_OK;
    bool done = false;
    if (!yaml_parser_initialize(&parser))
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to parse it", yaml->path);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml->bytes, yaml->size);
    while (!done && status == EAD_OK) {
        if (!yaml_parser_scan(&parser, &token)) {
            status = load_failed(yaml, &parser);
            break;
        }
        bool refused =
            token.type == YAML_ALIAS_TOKEN || token.type == YAML_ANCHOR_TOKEN || token.type == YAML_TAG_TOKEN;
        if (refused)
            status = ead_fail(EAD_BAD_FILE,
                              "%s:%zu: aliases (*name), anchors (&name) and tags (!name) are not allowed",
                              yaml->path, token.start_mark.line + 1);
        done = token.type == YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    return status;
}

static EadStatus load_document(EadSweepYaml *yaml) {
    yaml_parser_t parser;
    EAD_TRY(refuse_aliases(yaml));
    if (!yaml_parser_initialize(&parser))
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to parse it", yaml->path);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml->bytes, yaml->size);
    EadStatus status = EAD_OK;
    if (yaml_parser_load(&parser, &yaml->document))
        yaml->loaded = true;
    else
        status = load_failed(yaml, &parser);
    yaml_parser_delete(&parser);
    if (status == EAD_OK && yaml->document.nodes.start == yaml->document.nodes.top)
        return ead_fail(EAD_BAD_FILE, "%s: is empty; a sweep has collections, variants and seeds",
                        yaml->path);
    return status;
}

EadStatus ead_sweep_yaml_open(const char *path, EadSweepYaml **out) {
    EadSweepYaml *yaml = calloc(1, sizeof *yaml);
    *out = NULL;
    if (yaml) yaml->path = strdup(path);
    if (!yaml || !yaml->path) {
        free(yaml);
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", path);
    }
    EadStatus status = read_file(yaml);
    if (status == EAD_OK) status = load_document(yaml);
    if (status == EAD_OK)
        *out = yaml;
    else
        ead_sweep_yaml_close(yaml);
    return status;
}

void ead_sweep_yaml_close(EadSweepYaml *yaml) {
    if (!yaml) return;
    if (yaml->loaded) yaml_document_delete(&yaml->document);
    free(yaml->path);
    free(yaml->bytes);
    free(yaml);
}

/* ---- nodes ---- */

bool ead_sweep_yaml_is_text(const EadSweepYaml *yaml, int node) {
    return node_at(yaml, node)->type == YAML_SCALAR_NODE;
}

EadStatus ead_sweep_yaml_text(const EadSweepYaml *yaml, int node, const char *what, const char **text) {
    const yaml_node_t *value = node_at(yaml, node);
    if (value->type != YAML_SCALAR_NODE) return ead_sweep_yaml_fail(yaml, node, "%s takes a text", what);
    *text = (const char *)value->data.scalar.value;
    if (strlen(*text) != value->data.scalar.length || !ead_utf8_is_plain(*text))
        return ead_sweep_yaml_fail(yaml, node, "%s holds line breaks or control characters", what);
    return EAD_OK;
}

EadStatus ead_sweep_yaml_list(const EadSweepYaml *yaml, int node, const char *what, int *count) {
    const yaml_node_t *value = node_at(yaml, node);
    if (value->type != YAML_SEQUENCE_NODE)
        return ead_sweep_yaml_fail(yaml, node, "%s takes a list: [one, two]", what);
    *count = (int)(value->data.sequence.items.top - value->data.sequence.items.start);
    return EAD_OK;
}

EadStatus ead_sweep_yaml_mapping(const EadSweepYaml *yaml, int node, const char *what, int *count) {
    const yaml_node_t *value = node_at(yaml, node);
    if (value->type != YAML_MAPPING_NODE)
        return ead_sweep_yaml_fail(yaml, node, "%s takes a mapping: lines of the form name: ...", what);
    *count = (int)(value->data.mapping.pairs.top - value->data.mapping.pairs.start);
    return EAD_OK;
}

int ead_sweep_yaml_item(const EadSweepYaml *yaml, int node, int index) {
    return node_at(yaml, node)->data.sequence.items.start[index];
}

void ead_sweep_yaml_pair(const EadSweepYaml *yaml, int node, int index, int *key, int *value) {
    yaml_node_pair_t pair = node_at(yaml, node)->data.mapping.pairs.start[index];
    *key = pair.key;
    *value = pair.value;
}

static EadStatus unknown_field(const EadSweepYaml *yaml, int key, const char *what, const char *text,
                               const char *const *names) {
    EadSuggestion suggestion = {0};
    for (int i = 0; names[i]; i++) ead_suggestion_offer(&suggestion, text, names[i], names[i]);
    if (suggestion.name)
        return ead_sweep_yaml_fail(yaml, key, "%s has no field '%.80s'; did you mean '%s'?", what, text,
                                   suggestion.name);
    return ead_sweep_yaml_fail(yaml, key, "%s has no field '%.80s'; config keys belong under config:", what,
                               text);
}

EadStatus ead_sweep_yaml_fields(const EadSweepYaml *yaml, int node, const char *what,
                                const char *const *names, int *values) {
    int count;
    for (int i = 0; names[i]; i++) values[i] = 0;
    EAD_TRY(ead_sweep_yaml_mapping(yaml, node, what, &count));
    for (int i = 0; i < count; i++) {
        int key, value, field = 0;
        const char *text;
        ead_sweep_yaml_pair(yaml, node, i, &key, &value);
        EAD_TRY(ead_sweep_yaml_text(yaml, key, what, &text));
        while (names[field] && strcmp(names[field], text) != 0) field++;
        if (!names[field]) return unknown_field(yaml, key, what, text, names);
        if (values[field]) return ead_sweep_yaml_fail(yaml, key, "'%s' is given twice", text);
        values[field] = value;
    }
    return EAD_OK;
}

/* ---- layers ---- */

/* libyaml counts characters, not bytes. */
static size_t byte_at(const EadSweepYaml *yaml, size_t character) {
    size_t byte = 0;
    for (size_t i = 0; byte < yaml->size; byte++) {
        bool starts = ((unsigned char)yaml->bytes[byte] & 0xC0u) != 0x80u;
        if (starts && i++ == character) break;
    }
    return byte;
}

/* In a block every line counts with its indentation, so blanks replace what stands before it, byte by byte;
 * line breaks stay. */
EadStatus ead_sweep_yaml_layer(const EadSweepYaml *yaml, int node, EadSweepLayer *layer) {
    const yaml_node_t *value = node_at(yaml, node);
    bool empty = value->type == YAML_SCALAR_NODE && value->data.scalar.length == 0;
    if (value->type != YAML_MAPPING_NODE && !empty)
        return ead_sweep_yaml_fail(yaml, node, "expected config keys, such as {train.steps: 1000}");
    size_t start = byte_at(yaml, value->start_mark.index), end = byte_at(yaml, value->end_mark.index);
    layer->label = strdup(yaml->path);
    layer->text = calloc(end + 1, 1);
    if (!layer->label || !layer->text) return ead_fail(EAD_NO_MEMORY, "%s: no memory", yaml->path);
    for (size_t i = 0; i < end; i++) {
        bool keep = i >= start || yaml->bytes[i] == '\n' || yaml->bytes[i] == '\r';
        layer->text[i] = keep ? yaml->bytes[i] : ' ';
    }
    return EAD_OK;
}
