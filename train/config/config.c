/* Rows, defaults, names and assignment of config keys. */
#include "train/config/config.h"

#include "train/support/utf8.h"

#include <stdlib.h>
#include <string.h>

static const EadConfigKey keys[EAD_CONFIG_KEYS] = {
#define EAD_KEY(name, kind, member, default_text, constraint, help)                                          \
    {{name, EAD_KIND_##kind, constraint}, offsetof(EadConfig, member), default_text, help},
#include "train/config/config_keys.def"
#undef EAD_KEY
};

const EadConfigKey *ead_config_key(int index) {
    return &keys[index];
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

bool ead_config_key_is_of_distillation(EadConfigKeyId key) {
    return strncmp(keys[key].rule.name, "distill.", strlen("distill.")) == 0;
}

static void *member_of(const EadConfig *config, int index) {
    return (char *)config + keys[index].offset;
}

EadStatus ead_config_set_key(EadConfig *config, int index, const char *text) {
    EadValue value;
    const EadValueRule *rule = &keys[index].rule;
    EAD_TRY(ead_value_parse(rule, text, &value));
    return ead_value_store(rule->kind, &value, member_of(config, index));
}

EadStatus ead_config_defaults(EadConfig *config) {
    *config = (EadConfig){0};
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        EadStatus status = ead_config_set_key(config, i, keys[i].default_text);
        if (status == EAD_OK) continue;
        ead_config_free(config);
        return status;
    }
    return EAD_OK;
}

void ead_config_free(EadConfig *config) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) ead_value_free(keys[i].rule.kind, member_of(config, i));
    ead_strings_free(&config->renamed);
    *config = (EadConfig){0};
}

EadStatus ead_config_unknown(const char *name, bool section) {
    const char *what = section ? "section" : "key";
    EadSuggestion suggestion = {0};
    if (!ead_utf8_is_plain(name)) name = "(unprintable)";
    /* Offered are sections alone, or full names and their parts behind the last dot (people forget the section). */
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
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", label);
}

const char *ead_config_choice(const EadConfig *config, EadConfigKeyId key, char buffer[EAD_CHOICE_SIZE]) {
    size_t length = 0;
    const char *choice =
        ead_value_choice(keys[key].rule.constraint, *(const int *)member_of(config, (int)key), &length);
    snprintf(buffer, EAD_CHOICE_SIZE, "%.*s", (int)length, choice ? choice : "");
    return buffer;
}
