/* Rows, defaults and assignment of config keys. */
#include "train/config/config.h"

#include "train/support/suggest.h"
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

int ead_config_find(const char *name) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++)
        if (strcmp(keys[i].rule.name, name) == 0) return i;
    return -1;
}

bool ead_config_key_is_of_distillation(EadConfigKeyId key) {
    return strncmp(keys[key].rule.name, "distill.", strlen("distill.")) == 0;
}

static bool holds_text(int index) {
    EadValueKind kind = keys[index].rule.kind;
    return kind == EAD_KIND_STRING || kind == EAD_KIND_PATH;
}

static EadStatus store_text(void *member, const char *text) {
    char *copy = strdup(text);
    if (!copy) return ead_fail(EAD_NO_MEMORY, "no memory for a config value of %zu bytes", strlen(text));
    free(*(char **)member);
    *(char **)member = copy;
    return EAD_OK;
}

EadStatus ead_config_set_key(EadConfig *config, int index, const char *text) {
    EadValue value;
    EAD_TRY(ead_value_parse(&keys[index].rule, text, &value));
    void *member = (char *)config + keys[index].offset;
    switch (keys[index].rule.kind) {
    case EAD_KIND_STRING:
    case EAD_KIND_PATH:
        return store_text(member, text);
    case EAD_KIND_INT:
    case EAD_KIND_CHOICE:
        *(int *)member = (int)value.i64;
        break;
    case EAD_KIND_UINT64:
        *(uint64_t *)member = value.u64;
        break;
    case EAD_KIND_DOUBLE:
        *(double *)member = value.f64;
        break;
    case EAD_KIND_BOOL:
        *(bool *)member = value.flag;
        break;
    case EAD_KIND_SIZE:
        *(EadSize *)member = value.size;
        break;
    case EAD_KIND_SHARE:
    case EAD_KIND_FLAG:
        break;
    }
    return EAD_OK;
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
    for (int i = 0; i < EAD_CONFIG_KEYS; i++)
        if (holds_text(i)) free(*(char **)((char *)config + keys[i].offset));
    *config = (EadConfig){0};
}

/* Offers the full name, its part behind the last dot (people forget the section), or the section alone. */
static void offer_key(EadSuggestion *suggestion, const char *typed, const char *name, bool section) {
    char part[64];
    const char *dot = strrchr(name, '.');
    if (!section) {
        ead_suggestion_offer(suggestion, typed, name, name);
        if (dot) ead_suggestion_offer(suggestion, typed, dot + 1, name);
    } else if (dot) {
        snprintf(part, sizeof part, "%.*s", (int)(dot - name), name);
        ead_suggestion_offer(suggestion, typed, part, name);
    }
}

EadStatus ead_config_unknown(const char *name, bool section) {
    EadSuggestion suggestion = {0};
    if (!ead_utf8_is_plain(name)) name = "(unprintable)";
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) offer_key(&suggestion, name, keys[i].rule.name, section);
    const char *what = section ? "section" : "key";
    if (!suggestion.name)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "unknown %s '%.80s'; efficientad train --help-config lists all keys", what, name);
    const char *dot = strrchr(suggestion.name, '.');
    int length = section ? (int)(dot - suggestion.name) : (int)strlen(suggestion.name);
    return ead_fail(EAD_BAD_ARGUMENT, "unknown %s '%.80s'; did you mean '%.*s'?", what, name, length,
                    suggestion.name);
}

static EadStatus set_assignment(EadConfig *config, const char *assignment) {
    char name[64];
    const char *equals = strchr(assignment, '=');
    if (!equals) return ead_fail(EAD_BAD_ARGUMENT, "'%.80s' is not key=value", assignment);
    snprintf(name, sizeof name, "%.*s", (int)(equals - assignment), assignment);
    int index = ead_config_find(name);
    return index < 0 ? ead_config_unknown(name, false) : ead_config_set_key(config, index, equals + 1);
}

EadStatus ead_config_set(EadConfig *config, const char *assignment, const char *label) {
    EadStatus status = set_assignment(config, assignment);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", label);
}

const char *ead_config_choice(const EadConfig *config, EadConfigKeyId key, char buffer[EAD_CHOICE_SIZE]) {
    size_t length = 0;
    int index = *(const int *)((const char *)config + keys[key].offset);
    const char *choice = ead_value_choice(keys[key].rule.constraint, index, &length);
    snprintf(buffer, EAD_CHOICE_SIZE, "%.*s", (int)length, choice ? choice : "");
    return buffer;
}
