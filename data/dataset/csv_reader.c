/* The whole file in memory; fields are unquoted where they stand and end with a 0 for the comma. */
#include "data/dataset/csv_reader.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 64 << 20 };

void ead_csv_close(EadCsvReader *reader) {
    free(reader->text);
    *reader = (EadCsvReader){0};
}

/* Takes the text over: `size` bytes and a 0. */
static EadStatus start(char *text, size_t size, EadCsvReader *reader) {
    reader->text = text;
    reader->next = text;
    return ead_text_clean(text, &size, reader->label);
}

EadStatus ead_csv_open_text(const char *bytes, size_t size, const char *label, EadCsvReader *reader) {
    *reader = (EadCsvReader){.label = label};
    char *text = ead_new((int64_t)size + 1, 1, label);
    if (!text) return EAD_NO_MEMORY;
    memcpy(text, bytes, size);
    return start(text, size, reader);
}

EadStatus ead_csv_open(const char *path, EadCsvReader *reader) {
    char *text;
    size_t size;
    *reader = (EadCsvReader){.label = path};
    EAD_TRY(ead_read_file(path, MAX_FILE, &text, &size));
    return start(text, size, reader);
}

static bool starts_formula(const char *text) {
    static const char *const starts[] = {"=",  "+",      "-",      "@",      "\t",    "\r",
                                         "\n", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

/* Takes one field and what ended it. Quotes may begin and end anywhere in it; a quote itself is doubled. */
static EadStatus take_field(EadCsvReader *reader, char *delimiter) {
    char *from = reader->next, *to = from;
    bool quoted = false;
    if (reader->count == EAD_CSV_FIELDS)
        return ead_fail(EAD_BAD_FILE, "%s:%d: more than %d fields", reader->label, reader->line,
                        EAD_CSV_FIELDS);
    reader->fields[reader->count++] = to;
    for (; *from && (quoted || !strchr(",\r\n", *from)); from++) {
        if (*from == '\n') reader->lines_read++;
        if (*from != '"')
            *to++ = *from;
        else if (quoted && from[1] == '"')
            *to++ = *from++;
        else
            quoted = !quoted;
    }
    if (quoted)
        return ead_fail(EAD_BAD_FILE, "%s:%d: a quote that does not end", reader->label, reader->line);
    *delimiter = *from;
    reader->next = from + (*from != '\0');
    *to = '\0';
    char **field = &reader->fields[reader->count - 1];
    if (**field == '\'' && starts_formula(*field + strspn(*field, "'"))) ++*field;
    return EAD_OK;
}

EadStatus ead_csv_next(EadCsvReader *reader, bool *found) {
    char delimiter = ',';
    for (; *reader->next == '\r' || *reader->next == '\n'; reader->next++)
        reader->lines_read += *reader->next == '\n';
    *found = *reader->next != '\0';
    reader->line = reader->lines_read + 1;
    reader->count = 0;
    while (*found && delimiter == ',') EAD_TRY(take_field(reader, &delimiter));
    reader->lines_read += delimiter == '\n';
    return EAD_OK;
}

int ead_csv_find(const EadCsvReader *reader, const char *name) {
    for (int i = 0; i < reader->count; i++)
        if (strcmp(reader->fields[i], name) == 0) return i;
    return -1;
}

void ead_csv_write_text(FILE *stream, const char *text) {
    bool quoted = strpbrk(text, "\",\r\n") != NULL;
    if (quoted) putc('"', stream);
    if (starts_formula(text + strspn(text, "'"))) putc('\'', stream);
    for (; *text; text++) {
        if (*text == '"') putc('"', stream);
        putc(*text, stream);
    }
    if (quoted) putc('"', stream);
}
