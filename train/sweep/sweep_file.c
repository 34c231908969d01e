/* Reading of sweep files. Config keys inside are not understood here: their piece of the text goes to the
 * config parser as it stands, with all else blanked, so that keys, values and errors are those of a config
 * file. */
#include "train/sweep/sweep.h"

#include "core/base/paths.h"
#include "train/sweep/sweep_yaml.h"

#include <stdlib.h>
#include <string.h>

/* Names become folders. */
static EadStatus check_name(const EadSweepYaml *yaml, int node, const char *text) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+";
    if (text[0] && text[0] != '.' && text[strspn(text, allowed)] == '\0' && strlen(text) < 100) return EAD_OK;
    return ead_sweep_yaml_fail(yaml, node,
                               "'%.80s' is no name: it becomes a folder; letters, digits and _ - + . are "
                               "possible",
                               text);
}

/* ---- collections, variants ---- */

static EadStatus read_categories(const EadSweepYaml *yaml, int node, EadStringList *out) {
    int count;
    EAD_TRY(ead_sweep_yaml_list(yaml, node, "categories", &count));
    if (count == 0) return ead_sweep_yaml_fail(yaml, node, "categories is empty; leave it out for none");
    for (int i = 0; i < count; i++) {
        const char *text;
        int item = ead_sweep_yaml_item(yaml, node, i);
        EAD_TRY(ead_sweep_yaml_text(yaml, item, "a category", &text));
        EAD_TRY(check_name(yaml, item, text));
        for (int j = 0; j < out->count; j++)
            if (strcmp(out->items[j], text) == 0)
                return ead_sweep_yaml_fail(yaml, item, "category %s is given twice", text);
        EAD_TRY(ead_strings_add(out, text));
    }
    return EAD_OK;
}

static EadStatus read_collection(const EadSweepYaml *yaml, int node, EadSweepGroup *group) {
    static const char *const names[] = {"categories", "config", NULL};
    int values[2];
    EAD_TRY(ead_sweep_yaml_fields(yaml, node, group->name, names, values));
    if (values[0]) EAD_TRY(read_categories(yaml, values[0], &group->categories));
    return values[1] ? ead_sweep_yaml_layer(yaml, values[1], &group->layer) : EAD_OK;
}

static EadStatus read_variant(const EadSweepYaml *yaml, int node, EadSweepGroup *group) {
    return ead_sweep_yaml_layer(yaml, node, &group->layer);
}

typedef EadStatus ReadGroup(const EadSweepYaml *yaml, int node, EadSweepGroup *group);

static EadStatus read_groups(const EadSweepYaml *yaml, int node, const char *what, ReadGroup *read,
                             EadSweepGroup **groups, int *count) {
    int pairs;
    EAD_TRY(ead_sweep_yaml_mapping(yaml, node, what, &pairs));
    if (pairs == 0) return ead_sweep_yaml_fail(yaml, node, "%s is empty; one is needed", what);
    *groups = calloc((size_t)pairs, sizeof **groups);
    if (!*groups) return ead_fail(EAD_NO_MEMORY, "no memory for a sweep");
    for (int i = 0; i < pairs; i++) {
        int key, value;
        const char *name;
        ead_sweep_yaml_pair(yaml, node, i, &key, &value);
        EAD_TRY(ead_sweep_yaml_text(yaml, key, what, &name));
        EAD_TRY(check_name(yaml, key, name));
        for (int j = 0; j < *count; j++)
            if (strcmp((*groups)[j].name, name) == 0)
                return ead_sweep_yaml_fail(yaml, key, "'%s' is given twice", name);
        EadSweepGroup *group = &(*groups)[*count];
        group->name = strdup(name);
        if (!group->name) return ead_fail(EAD_NO_MEMORY, "no memory for a sweep");
        (*count)++;
        EAD_TRY(read(yaml, value, group));
    }
    return EAD_OK;
}

/* ---- the whole file ---- */

static EadStatus read_seeds(const EadSweepYaml *yaml, int node, EadSweep *sweep) {
    static const EadValueRule rule = {"seeds", EAD_KIND_UINT64, ""};
    int count;
    EAD_TRY(ead_sweep_yaml_list(yaml, node, "seeds", &count));
    if (count == 0) return ead_sweep_yaml_fail(yaml, node, "seeds is empty; one is needed");
    sweep->seeds = calloc((size_t)count, sizeof *sweep->seeds);
    if (!sweep->seeds) return ead_fail(EAD_NO_MEMORY, "no memory for a sweep");
    for (int i = 0; i < count; i++) {
        const char *text;
        EadValue value;
        int item = ead_sweep_yaml_item(yaml, node, i);
        EAD_TRY(ead_sweep_yaml_text(yaml, item, "a seed", &text));
        if (ead_value_parse(&rule, text, &value) != EAD_OK)
            return ead_sweep_yaml_fail(yaml, item, "'%.40s' is no seed; it takes a whole number from 0",
                                       text);
        for (int j = 0; j < i; j++)
            if (sweep->seeds[j] == value.u64)
                return ead_sweep_yaml_fail(yaml, item, "seed %s is given twice", text);
        sweep->seeds[sweep->seed_count++] = value.u64;
    }
    return EAD_OK;
}

/* Files named in a sweep file lie beside it. */
static char *beside(const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup("");
    char *joined = folder ? ead_path_join(folder, name) : NULL;
    if (!folder) ead_fail(EAD_NO_MEMORY, "no memory for a sweep");
    free(folder);
    return joined;
}

static EadStatus read_collections_file(const char *path, EadSweep *sweep) {
    EadSweepYaml *yaml;
    EAD_TRY(ead_sweep_yaml_open(path, &yaml));
    EadStatus status = read_groups(yaml, EAD_SWEEP_YAML_ROOT, "collections", read_collection,
                                   &sweep->collections, &sweep->collection_count);
    ead_sweep_yaml_close(yaml);
    return status;
}

static EadStatus read_collections(const EadSweepYaml *yaml, int node, EadSweep *sweep) {
    const char *name;
    if (!ead_sweep_yaml_is_text(yaml, node))
        return read_groups(yaml, node, "collections", read_collection, &sweep->collections,
                           &sweep->collection_count);
    EAD_TRY(ead_sweep_yaml_text(yaml, node, "collections", &name));
    char *path = beside(sweep->path, name);
    EadStatus status = path ? read_collections_file(path, sweep) : EAD_NO_MEMORY;
    free(path);
    return status;
}

static EadStatus copy_text(const EadSweepYaml *yaml, int node, const char *what, char **out) {
    const char *text;
    if (!node) return EAD_OK;
    EAD_TRY(ead_sweep_yaml_text(yaml, node, what, &text));
    if (!text[0]) return ead_sweep_yaml_fail(yaml, node, "%s is empty", what);
    *out = strdup(text);
    return *out ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for a sweep");
}

enum { TITLE, OUTPUT, PAPER, BASE, CONFIG, COLLECTIONS, VARIANTS, SEEDS, FIELDS };

static EadStatus read_fields(const EadSweepYaml *yaml, EadSweep *sweep) {
    static const char *const names[] = {"title",       "output",   "paper", "base", "config",
                                        "collections", "variants", "seeds", NULL};
    int values[FIELDS], root = EAD_SWEEP_YAML_ROOT;
    EAD_TRY(ead_sweep_yaml_fields(yaml, root, "a sweep", names, values));
    for (int i = COLLECTIONS; i < FIELDS; i++)
        if (!values[i]) return ead_sweep_yaml_fail(yaml, root, "%s is missing", names[i]);
    EAD_TRY(copy_text(yaml, values[TITLE], "title", &sweep->title));
    EAD_TRY(copy_text(yaml, values[OUTPUT], "output", &sweep->output));
    EAD_TRY(copy_text(yaml, values[PAPER], "paper", &sweep->paper));
    char *base = NULL;
    EAD_TRY(copy_text(yaml, values[BASE], "base", &base));
    if (base) sweep->base = beside(sweep->path, base);
    bool lost = base && !sweep->base;
    free(base);
    if (lost) return EAD_NO_MEMORY;
    if (values[CONFIG]) EAD_TRY(ead_sweep_yaml_layer(yaml, values[CONFIG], &sweep->config));
    EAD_TRY(read_collections(yaml, values[COLLECTIONS], sweep));
    EAD_TRY(read_groups(yaml, values[VARIANTS], "variants", read_variant, &sweep->variants,
                        &sweep->variant_count));
    return read_seeds(yaml, values[SEEDS], sweep);
}

static EadStatus name_sweep(const char *path, EadSweep *sweep) {
    const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path, *dot = strrchr(start, '.');
    sweep->path = strdup(path);
    sweep->name = strndup(start, dot && dot > start ? (size_t)(dot - start) : strlen(start));
    return sweep->path && sweep->name ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for a sweep");
}

EadStatus ead_sweep_load(const char *path, EadSweep *sweep) {
    EadSweepYaml *yaml;
    *sweep = (EadSweep){0};
    EAD_TRY(name_sweep(path, sweep));
    EAD_TRY(ead_sweep_yaml_open(path, &yaml));
    EadStatus status = read_fields(yaml, sweep);
    ead_sweep_yaml_close(yaml);
    return status;
}

/* ---- the end ---- */

static void free_groups(EadSweepGroup *groups, int count) {
    for (int i = 0; i < count; i++) {
        free(groups[i].name);
        free(groups[i].layer.label);
        free(groups[i].layer.text);
        ead_strings_free(&groups[i].categories);
    }
    free(groups);
}

void ead_sweep_free(EadSweep *sweep) {
    free_groups(sweep->collections, sweep->collection_count);
    free_groups(sweep->variants, sweep->variant_count);
    for (int i = 0; i < sweep->run_count; i++) {
        free(sweep->runs[i].name);
        ead_config_free(&sweep->runs[i].config);
    }
    free(sweep->runs);
    free(sweep->seeds);
    free(sweep->config.label);
    free(sweep->config.text);
    char *const texts[] = {sweep->path, sweep->name, sweep->title, sweep->output, sweep->paper, sweep->base};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free(texts[i]);
    *sweep = (EadSweep){0};
}
