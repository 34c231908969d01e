/* Reading of sweep files. Mappings of config keys are only kept here, and applied when the runs are made. */
#include "train/sweep/sweep.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/file/file_role.h"

#include <stdlib.h>
#include <string.h>

/* ---- nodes of the kind that is needed, called `what` in errors ---- */

static EadStatus check_plain(const EadYamlNode *node, const char *what) {
    if (node->kind != EAD_YAML_SCALAR) return ead_yaml_fail(node, "%s takes a text", what);
    if (node->control) return ead_yaml_fail(node, "%s holds line breaks or control characters", what);
    return EAD_OK;
}

static EadStatus check_list(const EadYamlNode *node, const char *what) {
    if (node->kind != EAD_YAML_LIST) return ead_yaml_fail(node, "%s takes a list: [one, two]", what);
    return node->count > 0 ? EAD_OK : ead_yaml_fail(node, "%s is empty; leave it out, or name one", what);
}

static EadStatus check_mapping(const EadYamlNode *node, const char *what) {
    if (node->kind == EAD_YAML_MAPPING) return EAD_OK;
    return ead_yaml_fail(node, "%s takes a mapping: lines of the form name: ...", what);
}

static EadStatus check_config_keys(const EadYamlNode *node) {
    if (node->kind == EAD_YAML_MAPPING || ead_yaml_is_empty(node)) return EAD_OK;
    return ead_yaml_fail(node, "expected config keys, such as {train.steps: 1000}");
}

static EadStatus unknown_field(const EadYamlNode *node, const char *what, const char *const *names) {
    EadSuggestion suggestion = {0};
    for (int i = 0; names[i]; i++) ead_suggestion_offer(&suggestion, node->key, names[i], names[i]);
    if (suggestion.name)
        return ead_yaml_fail(node, "%s has no field '%.80s'; did you mean '%s'?", what, node->key,
                             suggestion.name);
    return ead_yaml_fail(node, "%s has no field '%.80s'; config keys belong under config:", what, node->key);
}

/* The values of a mapping that may hold the fields `names` (NULL ends them), each once; NULL: not there. */
static EadStatus read_fields(const EadYamlNode *mapping, const char *what, const char *const *names,
                             const EadYamlNode **values) {
    EAD_TRY(check_mapping(mapping, what));
    for (int i = 0; names[i]; i++) values[i] = NULL;
    for (const EadYamlNode *node = mapping->first; node; node = node->next) {
        int found = 0;
        while (names[found] && strcmp(names[found], node->key) != 0) found++;
        if (!names[found]) return unknown_field(node, what, names);
        if (values[found]) return ead_yaml_fail(node, "'%s' is given twice", node->key);
        values[found] = node;
    }
    return EAD_OK;
}

/* Names become folders. */
static EadStatus check_name(const EadYamlNode *node, const char *text) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+";
    if (text[0] && text[0] != '.' && text[strspn(text, allowed)] == '\0' && strlen(text) < 100) return EAD_OK;
    return ead_yaml_fail(
        node, "'%.80s' is not a valid name: it becomes a folder; use letters, digits and _ - + .", text);
}

static EadStatus read_collection(const EadYamlNode *node, EadSweepGroup *group) {
    static const char *const names[] = {"categories", "config", NULL};
    const EadYamlNode *values[2];
    EAD_TRY(read_fields(node, group->name, names, values));
    if (values[0]) EAD_TRY(check_list(values[0], "categories"));
    for (const EadYamlNode *name = values[0] ? values[0]->first : NULL; name; name = name->next) {
        EAD_TRY(check_plain(name, "a category"));
        EAD_TRY(check_name(name, name->text));
        if (ead_strings_find(&group->categories, name->text) >= 0)
            return ead_yaml_fail(name, "category %s is given twice", name->text);
        EAD_TRY(ead_strings_add(&group->categories, name->text));
    }
    group->keys = values[1];
    return group->keys ? check_config_keys(group->keys) : EAD_OK;
}

/* Collections, which have fields, or variants, which are config keys. */
static EadStatus read_groups(const EadYamlNode *mapping, const char *what, bool variants,
                             EadSweepGroup **groups, int *count) {
    EAD_TRY(check_mapping(mapping, what));
    if (mapping->count == 0) return ead_yaml_fail(mapping, "%s is empty; one is needed", what);
    *groups = ead_new(mapping->count, sizeof **groups, "a sweep");
    if (!*groups) return EAD_NO_MEMORY;
    for (const EadYamlNode *node = mapping->first; node; node = node->next) {
        EAD_TRY(check_name(node, node->key));
        for (int j = 0; j < *count; j++)
            if (strcmp((*groups)[j].name, node->key) == 0)
                return ead_yaml_fail(node, "'%s' is given twice", node->key);
        EadSweepGroup *group = &(*groups)[(*count)++];
        *group = (EadSweepGroup){.name = node->key, .keys = node};
        EAD_TRY(variants ? check_config_keys(node) : read_collection(node, group));
    }
    return EAD_OK;
}

/* ---- the whole file ---- */

static EadStatus read_seeds(const EadYamlNode *list, EadSweep *sweep) {
    static const EadValueRule rule = {"seeds", EAD_KIND_UINT64, ""};
    EAD_TRY(check_list(list, "seeds"));
    sweep->seeds = ead_new(list->count, sizeof *sweep->seeds, "the seeds of a sweep");
    if (!sweep->seeds) return EAD_NO_MEMORY;
    for (const EadYamlNode *node = list->first; node; node = node->next) {
        EadValue value;
        EAD_TRY(check_plain(node, "a seed"));
        if (ead_value_parse(&rule, node->text, &value) != EAD_OK)
            return ead_yaml_fail(node, "'%.40s' is not a seed; use a whole number from 0", node->text);
        for (int j = 0; j < sweep->seed_count; j++)
            if (sweep->seeds[j] == value.u64)
                return ead_yaml_fail(node, "seed %s is given twice", node->text);
        sweep->seeds[sweep->seed_count++] = value.u64;
    }
    return EAD_OK;
}

/* Files named in a sweep file lie beside it. */
static EadStatus path_beside(const EadSweep *sweep, const EadYamlNode *node, const char *what, EadPath path) {
    EadPath folder;
    char *name;
    EAD_TRY(check_plain(node, what));
    if (!node->text[0]) return ead_yaml_fail(node, "%s is empty", what);
    EAD_TRY(ead_path_folder(folder, sweep->path));
    EAD_TRY(ead_yaml_at(node, ead_path_expand(node->text, &name)));
    EadStatus status = ead_path_in(path, folder, name);
    free(name);
    return status;
}

static EadStatus copy_text(const EadYamlNode *node, const char *what, char **out) {
    if (!node) return EAD_OK;
    EAD_TRY(check_plain(node, what));
    if (!node->text[0]) return ead_yaml_fail(node, "%s is empty", what);
    *out = ead_strdup(node->text);
    return *out ? EAD_OK : EAD_NO_MEMORY;
}

static EadStatus copy_path(const EadYamlNode *node, const char *what, char **out) {
    char *text = NULL;
    EadStatus status = copy_text(node, what, &text);
    if (status == EAD_OK && text) status = ead_yaml_at(node, ead_path_expand(text, out));
    free(text);
    return status;
}

enum { TITLE, OUTPUT, PAPER, BASE, CONFIG, COLLECTIONS, VARIANTS, SEEDS, FIELDS };

static EadStatus read_sweep(EadSweep *sweep) {
    static const char *const names[] = {"title",       "output",   "paper", "base", "config",
                                        "collections", "variants", "seeds", NULL};
    const EadYamlNode *values[FIELDS], *root = sweep->file;
    EadPath path;
    if (ead_yaml_is_empty(root))
        return ead_yaml_fail(root, "is empty; a sweep has collections, variants and seeds");
    EAD_TRY(read_fields(root, "a sweep", names, values));
    for (int i = COLLECTIONS; i < FIELDS; i++)
        if (!values[i]) return ead_yaml_fail(root, "%s is missing", names[i]);
    EAD_TRY(copy_text(values[TITLE], "title", &sweep->title));
    EAD_TRY(copy_path(values[OUTPUT], "output", &sweep->output));
    EAD_TRY(copy_text(values[PAPER], "paper", &sweep->paper));
    if (values[BASE]) {
        EAD_TRY(path_beside(sweep, values[BASE], "base", path));
        sweep->base = ead_strdup(path);
        if (!sweep->base) return EAD_NO_MEMORY;
    }
    sweep->keys = values[CONFIG];
    if (sweep->keys) EAD_TRY(check_config_keys(sweep->keys));
    const EadYamlNode *collections = values[COLLECTIONS];
    if (collections->kind == EAD_YAML_SCALAR) {
        EAD_TRY(path_beside(sweep, collections, "collections", path));
        EAD_TRY(ead_file_expect(path, EAD_ROLE(CONFIG) | EAD_ROLE(SWEEP) | EAD_ROLES_TEXT,
                                "a file of collections"));
        EAD_TRY(ead_yaml_load(path, "sweep", &sweep->collections_file));
        collections = sweep->collections_file;
    }
    EAD_TRY(read_groups(collections, "collections", false, &sweep->collections, &sweep->collection_count));
    EAD_TRY(read_groups(values[VARIANTS], "variants", true, &sweep->variants, &sweep->variant_count));
    return read_seeds(values[SEEDS], sweep);
}

EadStatus ead_sweep_load(const char *path, EadSweep *sweep) {
    const char *start = ead_path_base(path), *dot = strrchr(start, '.');
    *sweep = (EadSweep){.path = ead_strdup(path), .name = ead_strdup(start)};
    if (!sweep->path || !sweep->name) return EAD_NO_MEMORY;
    if (dot && dot > start) sweep->name[dot - start] = '\0';
    EAD_TRY(ead_file_expect(path, EAD_ROLE(SWEEP) | EAD_ROLES_TEXT, "a sweep file"));
    EAD_TRY(ead_yaml_load(path, "sweep", &sweep->file));
    return read_sweep(sweep);
}

static void free_groups(EadSweepGroup *groups, int count) {
    for (int i = 0; i < count; i++) ead_strings_free(&groups[i].categories);
    free(groups);
}

void ead_sweep_free(EadSweep *sweep) {
    free_groups(sweep->collections, sweep->collection_count);
    free_groups(sweep->variants, sweep->variant_count);
    for (int i = 0; i < sweep->run_count; i++) {
        free(sweep->runs[i].name);
        ead_config_free(&sweep->runs[i].config);
    }
    ead_yaml_free(sweep->file);
    ead_yaml_free(sweep->collections_file);
    char *const owned[] = {sweep->path,  sweep->name, sweep->title,         sweep->output,
                           sweep->paper, sweep->base, (char *)sweep->seeds, (char *)sweep->runs};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    *sweep = (EadSweep){0};
}
