/* Config to YAML: the effective config of a run folder, and the commented reference of all keys. */
#include "train/config/config.h"

#include "train/support/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Code points that libyaml refuses to read raw or takes for line breaks. */
static bool needs_escape(uint32_t code) {
    return code == 0x2028u || code == 0x2029u || code == 0xFEFFu || (code >= 0xFFF0u && code <= 0xFFFFu);
}

static void write_text(FILE *stream, const char *text) {
    uint32_t code;
    fputc('"', stream);
    for (int length; (length = ead_utf8_decode(text, &code)) > 0; text += length) {
        if (code == '"' || code == '\\') fputc('\\', stream);
        if (needs_escape(code))
            fprintf(stream, "\\u%04" PRIX32, code);
        else
            fwrite(text, 1, (size_t)length, stream);
    }
    fputc('"', stream);
}

/* The shortest text that reads back as the same double. */
static void write_double(FILE *stream, double value) {
    char text[32];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    fputs(text, stream);
}

static void write_size(FILE *stream, EadSize size) {
    fprintf(stream, "%d", size.height);
    if (size.width != size.height) fprintf(stream, "x%d", size.width);
}

static void write_value(FILE *stream, const EadConfig *config, EadConfigKeyId id) {
    char choice[EAD_CHOICE_SIZE];
    const EadConfigKey *key = ead_config_key((int)id);
    const void *member = (const char *)config + key->offset;
    switch (key->rule.kind) {
    case EAD_KIND_STRING:
    case EAD_KIND_PATH:
        write_text(stream, *(char *const *)member);
        break;
    case EAD_KIND_INT:
        fprintf(stream, "%d", *(const int *)member);
        break;
    case EAD_KIND_UINT64:
        fprintf(stream, "%" PRIu64, *(const uint64_t *)member);
        break;
    case EAD_KIND_DOUBLE:
        write_double(stream, *(const double *)member);
        break;
    case EAD_KIND_BOOL:
        fputs(*(const bool *)member ? "true" : "false", stream);
        break;
    case EAD_KIND_CHOICE:
        fputs(ead_config_choice(config, id, choice), stream);
        break;
    case EAD_KIND_SIZE:
        write_size(stream, *(const EadSize *)member);
        break;
    case EAD_KIND_SHARE:
    case EAD_KIND_FLAG:
        break;
    }
}

static void write_comment(FILE *stream, const EadConfigKey *key, const char *indent) {
    fprintf(stream, "%s# %s", indent, key->help);
    if (key->rule.constraint[0]) fprintf(stream, "; %s", key->rule.constraint);
    fputc('\n', stream);
}

/* Writes all keys, nested one level by their section. */
static void write_config(FILE *stream, const EadConfig *config, bool comments) {
    const char *section = "";
    size_t section_length = 0;
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
        if (comments) write_comment(stream, key, indent);
        fprintf(stream, "%s%s: ", indent, dot ? dot + 1 : name);
        write_value(stream, config, (EadConfigKeyId)i);
        fputc('\n', stream);
    }
}

/* Ends a memory stream; on failure *text is NULL. */
static EadStatus close_text(FILE *stream, char **text) {
    bool bad = ferror(stream) != 0;
    if (fclose(stream) == 0 && !bad) return EAD_OK;
    free(*text);
    *text = NULL;
    return ead_fail(EAD_NO_MEMORY, "no memory for the config's text");
}

EadStatus ead_config_to_yaml(const EadConfig *config, char **text) {
    size_t size;
    *text = NULL;
    FILE *stream = open_memstream(text, &size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for the config's text");
    write_config(stream, config, false);
    return close_text(stream, text);
}

EadStatus ead_config_value_text(const EadConfig *config, EadConfigKeyId key, char **text) {
    size_t size;
    *text = NULL;
    FILE *stream = open_memstream(text, &size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for the config's text");
    write_value(stream, config, key);
    return close_text(stream, text);
}

void ead_config_print_reference(FILE *stream) {
    EadConfig config;
    if (ead_config_defaults(&config) != EAD_OK) return;
    fputs(
        "# All keys of a config with their defaults: the settings of the paper (arXiv 2303.14535).\n"
        "# Relative paths are relative to the current directory. The same keys in one line for the command\n"
        "# line: --set train.steps=1000\n",
        stream);
    write_config(stream, &config, true);
    ead_config_free(&config);
}
