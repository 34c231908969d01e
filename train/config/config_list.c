/* Keys whose value is a list of mappings of other keys: each entry says in what it differs from the rest of the
 * config. Kept as a text, which is written the same however it was spelled. */
#include "train/config/config.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 256 };

/* What stands in a list for an entry that is wrong, so that more can be told of the others. */
static const char refused[] = "refused";

/* Whether a name is in "model.backbone, patchcore.*". */
static bool may_set(const char *allowed, const char *name) {
    while (*allowed) {
        size_t length = strcspn(allowed, ",");
        bool whole_section = length > 0 && allowed[length - 1] == '*';
        if (whole_section ? strncmp(allowed, name, length - 1) == 0
                          : strlen(name) == length && strncmp(allowed, name, length) == 0)
            return true;
        allowed += length;
        allowed += strspn(allowed, ", ");
    }
    return false;
}

/* Marks the keys that a mapping sets, which have been read. */
static EadStatus mark_keys(const EadYamlNode *mapping, const char *prefix, const EadValueRule *list,
                           bool given[EAD_CONFIG_KEYS]) {
    for (const EadYamlNode *node = mapping->first; node; node = node->next) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", node->key);
        int index = ead_config_find(name);
        if (index >= 0 && !may_set(list->constraint, ead_config_key(index)->rule.name))
            return ead_yaml_fail(node, "%s: an entry may set %s, but not %s", list->name, list->constraint,
                                 name);
        if (index >= 0)
            given[index] = true;
        else
            EAD_TRY(mark_keys(node, name, list, given));
    }
    return EAD_OK;
}

static void write_keys(FILE *stream, const EadConfig *config, const bool given[EAD_CONFIG_KEYS]) {
    const char *before = "{";
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const EadConfigKey *key = ead_config_key(i);
        if (!given[i]) continue;
        fprintf(stream, "%s%s: ", before, key->rule.name);
        ead_value_write(stream, &key->rule, ead_config_member(config, i));
        before = ", ";
    }
    fputs(before[0] == '{' ? "{}" : "}", stream);
}

/* Reads one entry and writes it. What is wrong with it goes to problems. */
static void take_entry(const EadYamlNode *node, const EadValueRule *list, FILE *stream,
                       EadProblems *problems) {
    EadConfig config = {0};
    bool given[EAD_CONFIG_KEYS] = {false};
    if (node->kind != EAD_YAML_MAPPING) {
        ead_problems_add(
            problems, ead_yaml_fail(node, "%s: an entry is a mapping of keys: {train.seed: 3}", list->name));
        fputs(refused, stream);
        return;
    }
    EadStatus status = ead_config_defaults(&config);
    if (status == EAD_OK) (void)ead_config_apply(node, &config);
    for (int i = 0; i < config.problems.lines.count; i++)
        ead_problems_add(problems, ead_fail(config.problems.status, "%s", config.problems.lines.items[i]));
    if (status == EAD_OK) status = mark_keys(node, "", list, given);
    ead_problems_add(problems, status);
    if (status == EAD_OK && config.problems.lines.count == 0)
        write_keys(stream, &config, given);
    else
        fputs(refused, stream);
    ead_config_free(&config);
}

EadStatus ead_config_take_list(const EadYamlNode *node, int index, EadConfig *config, EadProblems *problems) {
    const EadConfigKey *key = ead_config_key(index);
    char *text;
    size_t size;
    int known = problems->lines.count;
    if (node->kind != EAD_YAML_LIST) {
        ead_problems_add(problems, ead_yaml_fail(node, "%s: expected %s", key->rule.name,
                                                 ead_value_kind_name(key->rule.kind)));
        return ead_problems_since(problems, known);
    }
    FILE *stream = open_memstream(&text, &size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for a list");
    fputc('[', stream);
    for (const EadYamlNode *entry = node->first; entry; entry = entry->next) {
        if (entry != node->first) fputs(", ", stream);
        take_entry(entry, &key->rule, stream, problems);
    }
    fputc(']', stream);
    EAD_TRY(ead_memory_stream_close(stream, &text, "a list"));
    EadStatus status =
        ead_value_store(key->rule.kind, &(EadValue){.text = text}, ead_config_member(config, index));
    free(text);
    return status == EAD_OK ? ead_problems_since(problems, known) : status;
}

EadStatus ead_config_parse_list(EadConfig *config, int index, const char *text) {
    EadYamlNode *root;
    EadProblems problems = {0};
    EAD_TRY(ead_yaml_parse(text, strlen(text), ead_config_key(index)->rule.name, "config", &root));
    EadStatus status = ead_config_take_list(root, index, config, &problems);
    for (int i = 1; i < problems.lines.count; i++)
        ead_problems_add(&config->problems, ead_fail(problems.status, "%s", problems.lines.items[i]));
    if (problems.lines.count > 0) ead_fail(status, "%s", problems.lines.items[0]);
    ead_problems_free(&problems);
    ead_yaml_free(root);
    return status;
}

/* The list, as it was read before. */
static EadStatus open_list(const EadConfig *config, EadConfigKeyId key, EadYamlNode **root) {
    const EadConfigKey *row = ead_config_key((int)key);
    const char *text = *(char *const *)ead_config_member(config, (int)key);
    return ead_yaml_parse(text, strlen(text), row->rule.name, "config", root);
}

EadStatus ead_config_list_count(const EadConfig *config, EadConfigKeyId key, int *count) {
    EadYamlNode *root;
    *count = 0;
    EAD_TRY(open_list(config, key, &root));
    *count = root->count;
    ead_yaml_free(root);
    return EAD_OK;
}

EadStatus ead_config_list_sets(const EadConfig *config, EadConfigKeyId key, int index, bool *all) {
    EadYamlNode *root;
    *all = false;
    EAD_TRY(open_list(config, key, &root));
    EadStatus status = EAD_OK;
    *all = root->count > 0;
    for (const EadYamlNode *node = root->first; node && status == EAD_OK; node = node->next) {
        bool given[EAD_CONFIG_KEYS] = {false};
        status = mark_keys(node, "", &ead_config_key((int)key)->rule, given);
        *all = *all && given[index];
    }
    ead_yaml_free(root);
    return status;
}

EadStatus ead_config_list_entry(const EadConfig *config, EadConfigKeyId key, int entry, EadConfig *out) {
    EadYamlNode *root;
    *out = (EadConfig){0};
    EAD_TRY(open_list(config, key, &root));
    const EadYamlNode *node = root->first;
    for (int i = 0; i < entry; i++) node = node->next;
    bool whole = true;
    for (const EadYamlNode *at = root->first; at; at = at->next)
        whole = whole && at->kind == EAD_YAML_MAPPING;
    EadConfig base = *config; /* borrows all but a list that no config may have */
    static const char none[] = "[]";
    if (!whole) *(const char **)ead_config_member(&base, (int)key) = none;
    EadStatus status = ead_config_copy(&base, out);
    out->unread = node->kind != EAD_YAML_MAPPING;
    if (status == EAD_OK && !out->unread) status = ead_config_apply(node, out);
    ead_yaml_free(root);
    if (status != EAD_OK) ead_config_free(out);
    return status;
}

/* Whether two entries mean the same. */
static EadStatus same_entries(const EadConfig *config, EadConfigKeyId key, int first, int second,
                              bool *same) {
    EadConfig a, b;
    EAD_TRY(ead_config_list_entry(config, key, first, &a));
    EadStatus status = ead_config_list_entry(config, key, second, &b);
    *same = status == EAD_OK && !a.unread && !b.unread && ead_config_difference(&a, &b, EAD_SAME_RESULT) < 0;
    ead_config_free(&a);
    if (status == EAD_OK) ead_config_free(&b);
    return status;
}

EadStatus ead_config_list_check(EadConfig *config, EadConfigKeyId key, const char *what) {
    int count;
    EAD_TRY(ead_config_list_count(config, key, &count));
    for (int second = 1; second < count; second++)
        for (int first = 0; first < second; first++) {
            bool same;
            EAD_TRY(same_entries(config, key, first, second, &same));
            if (!same) continue;
            ead_config_wrong(config, key, "%s: %ss %d and %d are the same; leave one of them out",
                             ead_config_key((int)key)->rule.name, what, first + 1, second + 1);
            return EAD_OK;
        }
    return EAD_OK;
}
