/* Config files: from a tree of YAML to the config, and back. Nested mappings and dotted names are the same
 * thing. What is no known key or section is refused with its line. */
#include "train/config/config.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/file_role.h"
#include "train/support/shipped_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where keys and sections were given, so that each is given once. */
typedef struct Seen {
    const EadYamlNode *key[EAD_CONFIG_KEYS];
    const EadYamlNode *section[EAD_CONFIG_KEYS]; /* by the section's first key */
} Seen;

enum { NAME_SIZE = 256 };

/* The folder of those that come with the program. */
static const char CONFIGS[] = "configs";

/* The number of a section's first key, or -1: "train" is a section because "train.steps" is a key. */
static int find_section(const char *name) {
    size_t length = strlen(name);
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const char *key = ead_config_key(i)->rule.name;
        if (strncmp(key, name, length) == 0 && key[length] == '.') return i;
    }
    return -1;
}

/* A key under its old and its new name is one key. */
static EadStatus mark_once(const EadYamlNode **seen, const EadYamlNode *node, const char *name) {
    const EadYamlNode *first = *seen;
    *seen = node;
    if (!first) return EAD_OK;
    const char *dot = strrchr(first->key, '.'), *name_dot = strrchr(name, '.');
    if (strcmp(dot ? dot + 1 : first->key, name_dot ? name_dot + 1 : name) == 0)
        return ead_fail(EAD_BAD_FILE, "'%s' is given twice, first in line %zu", name, first->line);
    return ead_fail(EAD_BAD_FILE, "'%s' is given twice, first in line %zu as '%s'", name, first->line,
                    first->key);
}

/* A quoted value is a text, whatever it looks like; null is no value at all. */
static EadStatus check_style(const EadYamlNode *value, const EadValueRule *rule) {
    bool takes_text = rule->kind == EAD_KIND_STRING || rule->kind == EAD_KIND_PATH;
    bool quotable = takes_text || rule->kind == EAD_KIND_CHOICE || rule->kind == EAD_KIND_SIZE;
    if (value->control)
        return ead_fail(EAD_BAD_FILE, "%s: the text holds line breaks or control characters", rule->name);
    if (value->quoted && !quotable)
        return ead_fail(EAD_BAD_FILE, "%s: expected %s, got the quoted text '%.80s'", rule->name,
                        ead_value_kind_name(rule->kind), value->text);
    bool is_null = strcmp(value->text, "~") == 0 || strcmp(value->text, "null") == 0;
    if (!value->quoted && takes_text && is_null)
        return ead_fail(EAD_BAD_FILE, "%s: %s is not a text; write \"\" for none", rule->name, value->text);
    return EAD_OK;
}

static EadStatus take_value(const EadYamlNode *node, int index, const char *name, Seen *seen,
                            EadConfig *config) {
    char where[NAME_SIZE];
    const EadValueRule *rule = &ead_config_key(index)->rule;
    if (node->kind == EAD_YAML_LIST)
        return ead_fail(EAD_BAD_FILE, "%s: a list is not allowed here; it takes one value", rule->name);
    if (node->kind == EAD_YAML_MAPPING)
        return ead_fail(EAD_BAD_FILE, "'%s' takes a value, not a mapping", name);
    EAD_TRY(mark_once(&seen->key[index], node, name));
    EAD_TRY(check_style(node, rule));
    snprintf(where, sizeof where, "%.200s: line %zu", node->label, node->line);
    EAD_TRY(ead_config_note_renamed(config, index, name, where));
    return ead_config_set_key(config, index, node->text);
}

/* A list tells what is wrong in it itself, with its lines. */
static EadStatus take_list(const EadYamlNode *node, int index, const char *name, Seen *seen,
                           EadConfig *config) {
    EAD_TRY(mark_once(&seen->key[index], node, name));
    (void)ead_config_take_list(node, index, config, &config->problems);
    return EAD_OK;
}

/* The entries of a mapping, whose names stand behind `prefix`. Sections nest as deep as names have dots. What is
 * wrong with one keeps no other from being read. */
static void take_mapping(const EadYamlNode *mapping, const char *prefix, Seen *seen, EadConfig *config) {
    for (const EadYamlNode *node = mapping->first; node; node = node->next) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", node->key);
        int index = ead_config_find(name), section = find_section(name);
        bool is_mapping = node->kind == EAD_YAML_MAPPING;
        EadStatus status = EAD_OK;
        if (index >= 0 && ead_config_key(index)->rule.kind == EAD_KIND_LIST)
            status = take_list(node, index, name, seen, config);
        else if (index >= 0)
            status = take_value(node, index, name, seen, config);
        else if (section < 0)
            status = ead_config_unknown(name, is_mapping);
        else if (!is_mapping && !ead_yaml_is_empty(node)) /* but its keys may all be commented out */
            status = ead_fail(EAD_BAD_FILE, "'%s' is a section of keys, such as %s, and takes no value", name,
                              ead_config_key(section)->rule.name);
        else
            status = mark_once(&seen->section[section], node, name);
        ead_problems_add(&config->problems, ead_yaml_at(node, status));
        if (index < 0 && status == EAD_OK) take_mapping(node, name, seen, config);
    }
}

EadStatus ead_config_apply(const EadYamlNode *node, EadConfig *config) {
    Seen seen = {0};
    int known = config->problems.lines.count;
    EadStatus status = EAD_OK;
    if (node->kind == EAD_YAML_LIST)
        status = ead_yaml_fail(node, "a list is not allowed here; a config is lines of the form key: value");
    else if (node->kind == EAD_YAML_SCALAR && !ead_yaml_is_empty(node))
        status = ead_yaml_fail(node, "expected lines of the form key: value");
    else
        take_mapping(node, "", &seen, config);
    config->unread = config->unread || status != EAD_OK;
    ead_problems_add(&config->problems, status);
    return ead_problems_since(&config->problems, known);
}

/* Applies a file that was read (or not), and frees it. */
static EadStatus apply_file(EadStatus status, EadYamlNode *root, EadConfig *config) {
    if (status == EAD_OK)
        status = ead_config_apply(root, config);
    else
        ead_problems_add(&config->problems, status);
    config->unread = config->unread || !root;
    ead_yaml_free(root);
    return status;
}

EadStatus ead_config_parse(const void *bytes, size_t size, const char *label, EadConfig *config) {
    EadYamlNode *root;
    EadStatus status = ead_yaml_parse(bytes, size, label, "config", &root);
    return apply_file(status, root, config);
}

bool ead_config_is_shipped(const char *path) {
    EadPath shipped;
    const char *file = ead_shipped_yaml(path, CONFIGS, shipped);
    return file == shipped || (ead_shipped_yaml(ead_path_base(path), CONFIGS, shipped) == shipped &&
                               ead_path_same(path, shipped));
}

EadStatus ead_config_load(const char *path, EadConfig *config) {
    EadPath shipped;
    EadYamlNode *root = NULL;
    const char *named = path;
    path = ead_shipped_yaml(path, CONFIGS, shipped);
    EadStatus status = path == named ? ead_shipped_check(named, CONFIGS, EAD_ROLE_CONFIG, "config") : EAD_OK;
    if (status == EAD_OK) status = ead_file_expect(path, EAD_ROLE(CONFIG) | EAD_ROLES_TEXT, "a config");
    if (status == EAD_OK) status = ead_yaml_load(path, "config", &root);
    return apply_file(status, root, config);
}

static void write_value(FILE *stream, const EadConfig *config, int index) {
    ead_value_write(stream, &ead_config_key(index)->rule, ead_config_member(config, index));
}

/* Writes all keys, nested one level by their section. */
static void write_config(FILE *stream, const EadConfig *config, bool comments) {
    const char *section = "";
    size_t section_length = 0;
    char readers[EAD_READERS_SIZE];
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const EadConfigKey *key = ead_config_key(i);
        const char *name = key->rule.name, *dot = strchr(name, '.');
        size_t length = dot ? (size_t)(dot - name) : 0;
        bool same = length == section_length && strncmp(section, name, length) == 0;
        if (!same && comments) fputc('\n', stream);
        if (!same && dot) fprintf(stream, "%.*s:\n", (int)length, name);
        section = name;
        section_length = length;
        const char *indent = dot ? "  " : "";
        if (comments)
            fprintf(stream, "%s# %s%s%s%s\n", indent, ead_config_readers(i, readers), key->help,
                    key->rule.constraint[0] ? "; " : "", key->rule.constraint);
        fprintf(stream, "%s%s: ", indent, dot ? dot + 1 : name);
        write_value(stream, config, i);
        fputc('\n', stream);
    }
}

/* The whole config (index -1) or the value of one key. */
static EadStatus to_text(const EadConfig *config, int index, char **text) {
    size_t size;
    *text = NULL;
    FILE *stream = open_memstream(text, &size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for the config's text");
    if (index < 0)
        write_config(stream, config, false);
    else
        write_value(stream, config, index);
    return ead_memory_stream_close(stream, text, "the config's text");
}

EadStatus ead_config_to_yaml(const EadConfig *config, char **text) {
    return to_text(config, -1, text);
}

EadStatus ead_config_copy(const EadConfig *config, EadConfig *out) {
    char *text;
    *out = (EadConfig){0};
    EAD_TRY(ead_config_to_yaml(config, &text));
    EadStatus status = ead_config_defaults(out);
    if (status == EAD_OK) status = ead_config_parse(text, strlen(text), "config", out);
    if (status != EAD_OK) ead_config_free(out);
    free(text);
    return status;
}

EadStatus ead_config_value_text(const EadConfig *config, EadConfigKeyId key, char **text) {
    return to_text(config, (int)key, text);
}

void ead_config_print_reference(FILE *stream) {
    EadConfig config;
    if (ead_config_defaults(&config) != EAD_OK) return;
    fputs("# All keys of a config with their defaults: the settings of the paper (arXiv 2303.14535).\n"
          "# " EAD_PATH_RULE "\n# The same keys in one line for the command line: --set train.steps=1000\n",
          stream);
    write_config(stream, &config, true);
    ead_config_free(&config);
}
