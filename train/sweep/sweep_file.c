/* Reading of sweep files. Mappings of config keys are only kept here, and applied when the runs are made. What is wrong
 * with one thing keeps no other from being read. */
#include "train/sweep/sweep.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/file/file_role.h"
#include "train/support/shipped_file.h"

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

/* Keeps what is wrong. */
static bool fine(EadSweep *sweep, EadStatus status) {
    ead_problems_add(&sweep->problems, status);
    return status == EAD_OK;
}

bool ead_sweep_mentions(const EadSweep *sweep, const char *field) {
    char quoted[80], start[80];
    snprintf(quoted, sizeof quoted, "'%.70s'", field);
    snprintf(start, sizeof start, ": %.70s ", field);
    for (int i = 0; i < sweep->problems.lines.count; i++)
        if (strstr(sweep->problems.lines.items[i], quoted) || strstr(sweep->problems.lines.items[i], start))
            return true;
    return false;
}

static EadStatus unknown_field(const EadYamlNode *node, const char *what, const char *const *names) {
    EadSuggestion suggestion = {0};
    for (int i = 0; names[i]; i++) ead_suggestion_offer(&suggestion, node->key, names[i], names[i]);
    if (suggestion.name)
        return ead_yaml_fail(node, "%s has no field '%.80s'; did you mean '%s'?", what, node->key,
                             suggestion.name);
    return ead_yaml_fail(node, "%s has no field '%.80s'; config keys belong under config:", what, node->key);
}

/* The values of a mapping that may hold the fields `names` (NULL ends them), each once; NULL: not there. Whether all
 * that is in it is known. */
static bool read_fields(EadSweep *sweep, const EadYamlNode *mapping, const char *what,
                        const char *const *names, const EadYamlNode **values) {
    bool known = fine(sweep, check_mapping(mapping, what));
    for (int i = 0; names[i]; i++) values[i] = NULL;
    for (const EadYamlNode *node = known ? mapping->first : NULL; node; node = node->next) {
        int found = 0;
        while (names[found] && strcmp(names[found], node->key) != 0) found++;
        if (!names[found])
            known = fine(sweep, unknown_field(node, what, names));
        else if (values[found])
            (void)fine(sweep, ead_yaml_fail(node, "'%s' is given twice", node->key));
        else
            values[found] = node;
    }
    return known;
}

/* Names become folders. */
static EadStatus check_name(const EadYamlNode *node, const char *text) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+";
    if (text[0] && text[0] != '.' && text[strspn(text, allowed)] == '\0' && strlen(text) < 100) return EAD_OK;
    return ead_yaml_fail(
        node, "'%.80s' is not a valid name: it becomes a folder; use letters, digits and _ - + .", text);
}

/* Config keys, if they are some; *unread: there may be others. */
static const EadYamlNode *take_keys(EadSweep *sweep, const EadYamlNode *node, bool *unread) {
    if (!node || fine(sweep, check_config_keys(node))) return node;
    *unread = true;
    return NULL;
}

static EadStatus read_categories(EadSweep *sweep, const EadYamlNode *list, EadSweepGroup *group) {
    if (!list) return EAD_OK;
    bool listed = fine(sweep, check_list(list, "categories"));
    for (const EadYamlNode *name = listed ? list->first : NULL; name; name = name->next) {
        EadStatus status = check_plain(name, "a category");
        if (status == EAD_OK) status = check_name(name, name->text);
        if (status == EAD_OK && ead_strings_find(&group->categories, name->text) >= 0)
            status = ead_yaml_fail(name, "category %s is given twice", name->text);
        if (fine(sweep, status)) EAD_TRY(ead_strings_add(&group->categories, name->text));
    }
    group->unread = group->unread || group->categories.count == 0;
    return EAD_OK;
}

static EadStatus read_collection(EadSweep *sweep, const EadYamlNode *node, EadSweepGroup *group) {
    static const char *const names[] = {"categories", "config", NULL};
    const EadYamlNode *values[2];
    group->unread = !read_fields(sweep, node, group->name, names, values);
    group->keys = take_keys(sweep, values[1], &group->unread);
    return read_categories(sweep, values[0], group);
}

/* Collections, which have fields, or variants, which are config keys; at least one. */
static EadStatus read_groups(EadSweep *sweep, const EadYamlNode *mapping, const char *what, bool variants,
                             EadSweepGroup **groups, int *count) {
    bool read = mapping && fine(sweep, check_mapping(mapping, what));
    if (read && mapping->count == 0)
        (void)fine(sweep, ead_yaml_fail(mapping, "%s is empty; one is needed", what));
    *groups = ead_new(read ? mapping->count + 1 : 1, sizeof **groups, "a sweep");
    if (!*groups) return EAD_NO_MEMORY;
    for (const EadYamlNode *node = read ? mapping->first : NULL; node; node = node->next) {
        EadStatus status = check_name(node, node->key);
        for (int j = 0; j < *count && status == EAD_OK; j++)
            if (strcmp((*groups)[j].name, node->key) == 0)
                status = ead_yaml_fail(node, "'%s' is given twice", node->key);
        (void)fine(sweep, status);
        EadSweepGroup *group = &(*groups)[(*count)++];
        *group = (EadSweepGroup){.name = node->key};
        if (variants)
            group->keys = take_keys(sweep, node, &group->unread);
        else
            EAD_TRY(read_collection(sweep, node, group));
    }
    if (*count == 0) (*groups)[(*count)++] = (EadSweepGroup){.name = what, .unread = true};
    return EAD_OK;
}

/* ---- the whole file ---- */

static EadStatus read_seed(const EadYamlNode *node, const EadSweep *sweep, uint64_t *seed) {
    static const EadValueRule rule = {"seeds", EAD_KIND_UINT64, ""};
    EadValue value;
    EAD_TRY(check_plain(node, "a seed"));
    if (ead_value_parse(&rule, node->text, &value) != EAD_OK)
        return ead_yaml_fail(node, "'%.40s' is not a seed; use a whole number from 0", node->text);
    for (int j = 0; j < sweep->seed_count; j++)
        if (sweep->seeds[j] == value.u64) return ead_yaml_fail(node, "seed %s is given twice", node->text);
    *seed = value.u64;
    return EAD_OK;
}

/* At least one. */
static EadStatus read_seeds(EadSweep *sweep, const EadYamlNode *list) {
    bool read = list && fine(sweep, check_list(list, "seeds"));
    sweep->seeds = ead_new(read ? list->count : 1, sizeof *sweep->seeds, "the seeds of a sweep");
    if (!sweep->seeds) return EAD_NO_MEMORY;
    for (const EadYamlNode *node = read ? list->first : NULL; node; node = node->next)
        sweep->seed_count += fine(sweep, read_seed(node, sweep, &sweep->seeds[sweep->seed_count]));
    if (sweep->seed_count == 0) sweep->seeds[sweep->seed_count++] = 1;
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

static EadStatus read_base(EadSweep *sweep, const EadYamlNode *node) {
    EadPath path;
    bool named = fine(sweep, path_beside(sweep, node, "base", path));
    sweep->unread = sweep->unread || !named;
    return !named || (sweep->base = ead_strdup(path)) ? EAD_OK : EAD_NO_MEMORY;
}

/* Collections that stand in a file of their own. NULL: there are none. */
static const EadYamlNode *load_collections(EadSweep *sweep, const EadYamlNode *node) {
    EadPath path;
    if (!node || node->kind != EAD_YAML_SCALAR) return node;
    EadStatus status = path_beside(sweep, node, "collections", path);
    if (status == EAD_OK)
        status = ead_file_expect(path, EAD_ROLE(CONFIG) | EAD_ROLE(SWEEP) | EAD_ROLES_TEXT,
                                 "a file of collections");
    if (status == EAD_OK) status = ead_yaml_load(path, "sweep", &sweep->collections_file);
    return fine(sweep, status) ? sweep->collections_file : NULL;
}

static EadStatus read_sweep(EadSweep *sweep) {
    static const char *const names[] = {"title",       "output",   "paper", "base", "config",
                                        "collections", "variants", "seeds", NULL};
    const EadYamlNode *values[FIELDS], *root = sweep->file;
    EadStatus status = ead_yaml_is_empty(root)
                           ? ead_yaml_fail(root, "is empty; a sweep has collections, variants and seeds")
                           : check_mapping(root, "a sweep");
    if (!fine(sweep, status)) return EAD_OK;
    sweep->unread = !read_fields(sweep, root, "a sweep", names, values);
    for (int i = COLLECTIONS; i < FIELDS; i++)
        if (!values[i] && !ead_sweep_mentions(sweep, names[i]))
            (void)fine(sweep, ead_yaml_fail(root, "%s is missing", names[i]));
    (void)fine(sweep, copy_text(values[TITLE], "title", &sweep->title));
    (void)fine(sweep, copy_path(values[OUTPUT], "output", &sweep->output));
    (void)fine(sweep, copy_text(values[PAPER], "paper", &sweep->paper));
    if (values[BASE]) EAD_TRY(read_base(sweep, values[BASE]));
    sweep->keys = take_keys(sweep, values[CONFIG], &sweep->unread);
    EAD_TRY(read_groups(sweep, load_collections(sweep, values[COLLECTIONS]), "collections", false,
                        &sweep->collections, &sweep->collection_count));
    EAD_TRY(read_groups(sweep, values[VARIANTS], "variants", true, &sweep->variants, &sweep->variant_count));
    return read_seeds(sweep, values[SEEDS]);
}

EadStatus ead_sweep_load(const char *named, EadSweep *sweep) {
    EadPath shipped;
    const char *path = ead_shipped_yaml(named, "configs/paper", shipped), *start = ead_path_base(path),
               *dot = strrchr(start, '.');
    *sweep = (EadSweep){.path = ead_strdup(path), .name = ead_strdup(start)};
    if (!sweep->path || !sweep->name) return EAD_NO_MEMORY;
    if (dot && dot > start) sweep->name[dot - start] = '\0';
    EadStatus status =
        path == named ? ead_shipped_check(named, "configs/paper", EAD_ROLE_SWEEP, "sweep") : EAD_OK;
    if (status == EAD_OK) status = ead_file_expect(path, EAD_ROLE(SWEEP) | EAD_ROLES_TEXT, "a sweep file");
    if (status == EAD_OK) status = ead_yaml_load(path, "sweep", &sweep->file);
    if (fine(sweep, status)) EAD_TRY(read_sweep(sweep));
    return ead_problems_since(&sweep->problems, 0);
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
    ead_problems_free(&sweep->problems);
    char *const owned[] = {sweep->path,  sweep->name, sweep->title,         sweep->output,
                           sweep->paper, sweep->base, (char *)sweep->seeds, (char *)sweep->runs};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    *sweep = (EadSweep){0};
}
