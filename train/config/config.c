/* Rows, defaults and names of config keys; what they must fulfil together. */
#include "train/config/config.h"

#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "data/dataset/overlap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const EadConfigKey keys[EAD_CONFIG_KEYS] = {
#define EAD_KEY_OF(readers, name, kind, member, default_text, constraint, help)                              \
    {{name, EAD_KIND_##kind, constraint}, offsetof(EadConfig, member), default_text, help, readers},
#include "train/config/config_keys.def"
#undef EAD_KEY_OF
};

const EadConfigKey *ead_config_key(int index) {
    return &keys[index];
}

bool ead_config_is_read_by(int key, const char *fit) {
    return !*keys[key].readers || ead_has_word(keys[key].readers, fit);
}

bool ead_config_reads(const EadConfig *config, int key) {
    return ead_config_is_read_by(key, config->model_method);
}

const char *ead_config_readers(int key, char buffer[EAD_READERS_SIZE]) {
    const char *readers = keys[key].readers, *name = keys[key].rule.name;
    size_t first = strcspn(readers, " "), used = 0;
    buffer[0] = '\0';
    if (!*readers || (strncmp(name, readers, first) == 0 && name[first] == '.')) return buffer;
    for (const char *word = readers; *word && used < EAD_READERS_SIZE; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        const char *behind = word[length] ? ", " : ": ";
        used += (size_t)snprintf(buffer + used, EAD_READERS_SIZE - used, "%.*s%s", (int)length, word, behind);
        word += length;
    }
    return buffer;
}

/* Keys that have a new name; the old one stays accepted wherever a key can be named. */
static const struct {
    const char *before, *now;
} renamed[] = {
    {"dataset.normal", "dataset.train_good"},     {"maps.use", "maps.select"},
    {"eval.pro_limit", "eval.pro_max_fpr"},       {"distill.variant", "distill.backbone_variant"},
    {"distill.gray", "distill.gray_probability"}, {"distill.held_out", "distill.validation_images"},
};

int ead_config_find(const char *name) {
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(renamed[i].before, name) == 0) name = renamed[i].now;
    for (int i = 0; i < EAD_CONFIG_KEYS; i++)
        if (strcmp(keys[i].rule.name, name) == 0) return i;
    return -1;
}

EadStatus ead_config_note_renamed(EadConfig *config, int index, const char *name, const char *where) {
    char notice[512];
    const char *now = keys[index].rule.name;
    if (strcmp(name, now) == 0) return EAD_OK;
    snprintf(notice, sizeof notice, "%.300s: %s is now %s; the old name still works", where, name, now);
    return ead_strings_add(&config->renamed, notice);
}

void *ead_config_member(const EadConfig *config, int index) {
    return (char *)config + keys[index].offset;
}

/* A size between two steps becomes the nearest possible one, which is told where renamed keys are. */
static EadStatus move_to_step(EadConfig *config, const EadValueRule *rule, const char *text,
                              char nearest[EAD_SIZE_TEXT]) {
    char notice[256];
    if (!ead_value_nearest_size(rule, text, nearest)) return EAD_OK;
    snprintf(notice, sizeof notice,
             "%s: %.40s lies between the possible sizes (%s); %s is taken, the nearest one", rule->name, text,
             rule->constraint, nearest);
    return ead_strings_add(&config->renamed, notice);
}

EadStatus ead_config_set_key(EadConfig *config, int index, const char *text) {
    char nearest[EAD_SIZE_TEXT] = "";
    EadValue value;
    const EadValueRule *rule = &keys[index].rule;
    if (rule->kind == EAD_KIND_LIST) return ead_config_parse_list(config, index, text);
    EAD_TRY(move_to_step(config, rule, text, nearest));
    EAD_TRY(ead_value_parse(rule, *nearest ? nearest : text, &value));
    return ead_value_store(rule->kind, &value, ead_config_member(config, index));
}

EadStatus ead_config_defaults(EadConfig *config) {
    *config = (EadConfig){0};
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        /* A list is checked with a config of defaults, so its own default is not. */
        EadValue list = {.text = keys[i].default_text};
        EadStatus status = keys[i].rule.kind == EAD_KIND_LIST
                               ? ead_value_store(EAD_KIND_LIST, &list, ead_config_member(config, i))
                               : ead_config_set_key(config, i, keys[i].default_text);
        if (status == EAD_OK) continue;
        ead_config_free(config);
        return status;
    }
    return EAD_OK;
}

void ead_config_free(EadConfig *config) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) ead_value_free(keys[i].rule.kind, ead_config_member(config, i));
    ead_strings_free(&config->renamed);
    ead_problems_free(&config->problems);
    *config = (EadConfig){0};
}

EadStatus ead_config_unknown(const char *name, bool section) {
    const char *what = section ? "section" : "key";
    EadSuggestion suggestion = {0};
    if (!ead_utf8_is_plain(name)) name = "(unprintable)";
    /* Offered are sections, or full names and their parts behind the last dot (people forget the section). */
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        char part[64];
        const char *full = keys[i].rule.name, *dot = strrchr(full, '.');
        snprintf(part, sizeof part, "%.*s", dot ? (int)(dot - full) : 0, full);
        if (!section) ead_suggestion_offer(&suggestion, name, full, full);
        if (dot) ead_suggestion_offer(&suggestion, name, section ? part : dot + 1, full);
    }
    if (!suggestion.name)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "unknown %s '%.80s'; efficientad train --help-config lists all keys", what, name);
    const char *dot = strrchr(suggestion.name, '.');
    int length = section ? (int)(dot - suggestion.name) : (int)strlen(suggestion.name);
    return ead_fail(EAD_BAD_ARGUMENT, "unknown %s '%.80s'; did you mean '%.*s'?", what, name, length,
                    suggestion.name);
}

static EadStatus set_assignment(EadConfig *config, const char *assignment, const char *label) {
    char name[64];
    const char *equals = strchr(assignment, '=');
    if (!equals) return ead_fail(EAD_BAD_ARGUMENT, "'%.80s' is not key=value", assignment);
    snprintf(name, sizeof name, "%.*s", (int)(equals - assignment), assignment);
    int index = ead_config_find(name);
    if (index < 0) return ead_config_unknown(name, false);
    EAD_TRY(ead_config_note_renamed(config, index, name, label));
    return ead_config_set_key(config, index, equals + 1);
}

EadStatus ead_config_set(EadConfig *config, const char *assignment, const char *label) {
    EadStatus status = set_assignment(config, assignment, label);
    if (status != EAD_OK) ead_fail_prefix(status, "%s: ", label);
    ead_problems_add(&config->problems, status);
    return status;
}

const char *ead_config_choice(const EadConfig *config, EadConfigKeyId key, char buffer[EAD_CHOICE_SIZE]) {
    size_t length = 0;
    const char *choice = ead_value_choice(keys[key].rule.constraint,
                                          *(const int *)ead_config_member(config, (int)key), &length);
    snprintf(buffer, EAD_CHOICE_SIZE, "%.*s", (int)length, choice ? choice : "");
    return buffer;
}

/* ---- what the values must fulfil together, and the data set that they name ---- */

static bool empty(const char *text) {
    return text[0] == '\0';
}

/* Whether the data set that dataset.type names is one of several categories. */
static bool has_categories(const EadConfig *config) {
    char type[EAD_CHOICE_SIZE];
    return *ead_dataset_categories(ead_config_choice(config, EAD_KEY_dataset_type, type)) != NULL;
}

/* Messages about a value start with the name of its key, behind its place, or with the option that means it; those
 * about a name that is no key or takes no value quote the key or section that was meant. */
bool ead_config_was_refused(const EadConfig *config, EadConfigKeyId key) {
    char start[80], option[80], quoted[80], section[80];
    const char *name = keys[key].rule.name, *dot = strchr(name, '.');
    snprintf(start, sizeof start, " %s: ", name);
    snprintf(option, sizeof option, "--%s", name);
    snprintf(quoted, sizeof quoted, "'%s'", name);
    snprintf(section, sizeof section, "'%.*s'", dot ? (int)(dot - name) : 0, name);
    for (int i = 0; i < config->problems.lines.count; i++) {
        const char *line = config->problems.lines.items[i];
        if (strstr(line, start) || strstr(line, quoted) || (dot && strstr(line, section))) return true;
        size_t length = strlen(option);
        if (strncmp(line, option, length) == 0 && strchr(": ", line[length])) return true;
    }
    return false;
}

void ead_config_wrong(EadConfig *config, EadConfigKeyId key, const char *format, ...) {
    char text[1024];
    if (config->unread || ead_config_was_refused(config, key)) return;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    ead_problems_add(&config->problems, ead_fail(EAD_BAD_ARGUMENT, "%s", text));
}

bool ead_config_is_there(EadConfig *config, EadConfigKeyId key) {
    const char *path = *(char *const *)ead_config_member(config, (int)key);
    if (empty(path) || access(path, R_OK) == 0) return !empty(path);
    ead_config_judge(config, key, ead_fail(EAD_BAD_ARGUMENT, "cannot read %s: %s", path, strerror(errno)));
    return false;
}

void ead_config_judge(EadConfig *config, EadConfigKeyId key, EadStatus status) {
    if (status == EAD_OK || ead_config_was_refused(config, key)) return;
    ead_problems_add(&config->problems, ead_fail_prefix(EAD_BAD_ARGUMENT, "%s: ", keys[key].rule.name));
}

static void check_category(EadConfig *config) {
    if (ead_config_was_refused(config, EAD_KEY_dataset_category)) return;
    char type[EAD_CHOICE_SIZE];
    if (empty(config->dataset_category)) {
        (void)ead_dataset_no_category(ead_config_choice(config, EAD_KEY_dataset_type, type),
                                      config->dataset_path ? config->dataset_path : "");
        ead_config_wrong(config, EAD_KEY_dataset_type, "%s", ead_error_message());
    }
    if (strcmp(config->dataset_category, "all") == 0)
        ead_config_wrong(config, EAD_KEY_dataset_type,
                         "dataset.category is all, but a run has one category; efficientad sweep "
                         "runs over several");
}

EadStatus ead_config_check(EadConfig *config) {
    bool folder = config->dataset_type == EAD_DATASET_folder;
    int known = config->problems.lines.count;
    if (empty(config->output))
        ead_config_wrong(config, EAD_KEY_output, "output is not set; set it to the run folder");
    if (folder && empty(config->dataset_path) && empty(config->dataset_train_good))
        ead_config_wrong(config, EAD_KEY_dataset_path,
                         "dataset.path is not set; set it to the folder of the images, or set "
                         "dataset.train_good to a folder of flawless ones");
    if (!folder && empty(config->dataset_path))
        ead_config_wrong(
            config, EAD_KEY_dataset_path,
            "dataset.path is not set; set it to the folder of the data set, that of all categories");
    if (folder && !empty(config->dataset_masks) && empty(config->dataset_defects))
        ead_config_wrong(config, EAD_KEY_dataset_defects,
                         "dataset.masks is set, but dataset.defects is not; set both or neither");
    if (config->dataset_bits && config->dataset_white)
        ead_config_wrong(config, EAD_KEY_dataset_white,
                         "dataset.white and dataset.bits both say what is white; set one of them to 0");
    if (has_categories(config)) check_category(config);
    return ead_problems_since(&config->problems, known);
}

/* The folders of one's own images, of which the data set tells only the first that is missing. */
static void check_folders(EadConfig *config, bool test_only) {
    static const EadConfigKeyId parts[] = {EAD_KEY_dataset_train_good, EAD_KEY_dataset_test_good,
                                           EAD_KEY_dataset_defects, EAD_KEY_dataset_masks};
    bool based = empty(config->dataset_path) || ead_path_is_folder(config->dataset_path);
    for (size_t i = test_only ? 1 : 0; i < sizeof parts / sizeof *parts; i++) {
        const char *part = *(char *const *)ead_config_member(config, (int)parts[i]);
        EadPath path;
        if (empty(part) || (!based && part[0] != '/')) continue;
        if (ead_path_in(path, config->dataset_path, part) != EAD_OK)
            ead_config_judge(config, parts[i], EAD_BAD_ARGUMENT);
        else if (!ead_path_is_folder(path))
            ead_config_judge(config, parts[i], ead_fail(EAD_BAD_ARGUMENT, "%s: no such folder", path));
    }
}

static void check_added(EadConfig *config) {
    EadStringList added = {0};
    ead_config_judge(config, EAD_KEY_dataset_add, ead_config_added(config, &added));
    for (int i = 0; i < added.count; i++)
        if (!ead_path_is_folder(added.items[i]))
            ead_config_judge(config, EAD_KEY_dataset_add,
                             ead_fail(EAD_BAD_ARGUMENT, "%s: no such folder", added.items[i]));
    ead_strings_free(&added);
}

bool ead_config_names_dataset(EadConfig *config, bool test_only) {
    bool named = ead_config_check(config) == EAD_OK;
    for (int key = EAD_KEY_dataset_type; key <= EAD_KEY_dataset_masks; key++)
        named = named && !ead_config_was_refused(config, (EadConfigKeyId)key);
    int known = config->problems.lines.count;
    bool there = empty(config->dataset_path) || ead_path_is_folder(config->dataset_path);
    bool may_be_folder =
        config->dataset_type == EAD_DATASET_folder || ead_config_was_refused(config, EAD_KEY_dataset_type);
    named = named && !config->unread;
    /* What there is of it, where the data set itself will not be opened, which would tell that. */
    if (!named && !there && !ead_config_was_refused(config, EAD_KEY_dataset_path))
        ead_problems_add(&config->problems, ead_dataset_check_path(config->dataset_path));
    if (!config->unread && may_be_folder) check_folders(config, test_only);
    if (!config->unread && !test_only) check_added(config);
    return named && (config->problems.lines.count == known || !there);
}

EadStatus ead_config_added(const EadConfig *config, EadStringList *list) {
    for (const char *next = config->dataset_add; *next;) {
        size_t length = strcspn(next, ":");
        char *text = strndup(next, length), *folder = NULL;
        EadStatus status = text ? ead_path_expand(text, &folder) : EAD_NO_MEMORY;
        if (status == EAD_OK && length > 0) status = ead_strings_add(list, folder);
        free(text);
        free(folder);
        EAD_TRY(status);
        next += length + (next[length] == ':');
    }
    return EAD_OK;
}

static EadStatus open_dataset(const EadConfig *config, bool test_only, EadDataset *dataset) {
    char type[EAD_CHOICE_SIZE];
    EadStringList added = {0};
    EAD_TRY(ead_config_added(config, &added));
    EadDatasetSpec spec = {.type = ead_config_choice(config, EAD_KEY_dataset_type, type),
                           /* Folders of a folder data set may stand alone; then they start from here. */
                           .path = config->dataset_path[0] ? config->dataset_path : ".",
                           .category = config->dataset_category,
                           .validation_fraction = config->dataset_validation_fraction,
                           .seed = config->train_seed,
                           .test_only = test_only,
                           .normal_folder = config->dataset_train_good,
                           .good_folder = config->dataset_test_good,
                           .defect_folder = config->dataset_defects,
                           .mask_folder = config->dataset_masks,
                           .added = &added};
    EadStatus status = ead_dataset_open(&spec, dataset);
    ead_strings_free(&added);
    return status;
}

EadStatus ead_config_open_dataset(const EadConfig *config, bool test_only, EadDataset *dataset) {
    EAD_TRY(open_dataset(config, test_only, dataset));
    for (int i = 0; i < dataset->notes.count; i++) ead_print(stderr, "%s\n", dataset->notes.items[i]);
    EadStatus status = ead_left_out_print(&dataset->left_out, "data set", stderr);
    if (status == EAD_OK) status = ead_check_output_apart(&dataset->left_out, config->output);
    if (status != EAD_OK) ead_dataset_free(dataset);
    return status;
}

EadStatus ead_config_list_dataset(const EadConfig *config, EadDataset *dataset) {
    return open_dataset(config, false, dataset);
}

EadStatus ead_config_try_dataset(const EadConfig *config) {
    EadDataset dataset;
    EAD_TRY(ead_config_list_dataset(config, &dataset));
    ead_dataset_free(&dataset);
    return EAD_OK;
}

EadStatus ead_config_tell_doubts(const EadConfig *config, const EadStringList *doubts, int64_t missed) {
    for (int i = 0; i < doubts->count && !config->dataset_strict; i++)
        ead_print(stderr, "warning: %s\n", doubts->items[i]);
    if (!config->dataset_strict) return EAD_OK;
    EadProblems problems = {0};
    if (missed > 0)
        ead_problems_add(&problems, ead_fail(EAD_BAD_FILE, "dataset.strict: %lld %s left out, see above",
                                             (long long)missed, missed == 1 ? "picture is" : "pictures are"));
    for (int i = 0; i < doubts->count; i++)
        ead_problems_add(&problems, ead_fail(EAD_BAD_FILE, "dataset.strict: %s", doubts->items[i]));
    EadStatus status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

bool ead_config_distils(const EadConfig *config) {
    return !empty(config->distill_images) && empty(config->dataset_path) && empty(config->dataset_train_good);
}

bool ead_config_draws_penalty(const EadConfig *config) {
    return strcmp(config->penalty_path, "drawn") == 0;
}

EadStatus ead_config_check_tests(const EadConfig *config, EadDataset *dataset) {
    EadImageRules rules = ead_config_image_rules(config);
    EAD_TRY(ead_dataset_check_tests(dataset, &rules, config->dataset_strict));
    return ead_config_tell_doubts(config, &dataset->doubts, ead_left_out_missed(&dataset->left_out));
}

EadImageRules ead_config_image_rules(const EadConfig *config) {
    return (EadImageRules){.bits = config->dataset_bits,
                           .white = config->dataset_white,
                           .max_pixels = config->dataset_max_pixels};
}

const char *ead_config_dataset_name(const EadConfig *config) {
    if (has_categories(config)) return config->dataset_category;
    const char *path = config->dataset_path[0] ? config->dataset_path : config->dataset_train_good;
    const char *base = ead_path_base(path);
    return *base ? base : path;
}

const char *ead_config_backbone_name(const EadConfig *config) {
    if (!ead_config_reads(config, EAD_KEY_model_backbone)) return "";
    if (strcmp(config->model_method, "patchcore_ensemble") == 0) return config->patchcore_ensemble_members;
    return config->model_backbone[0] ? ead_path_base(config->model_backbone) : EAD_DEFAULT_BACKBONE;
}
