/* The whole file in memory; fields are unquoted where they stand and end with a 0 for the comma. */
#include "data/dataset/csv_reader.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 30 };

void ead_csv_close(EadCsvReader *reader) {
    free(reader->text);
    *reader = (EadCsvReader){0};
}

/* Spreadsheets write ; where numbers have a comma, or tabs, and may say so in a line "sep=;" before all
 * others. */
static void find_separator(EadCsvReader *reader) {
    const char *line = reader->next;
    bool said = strncmp(line, "sep=", 4) == 0 && line[4] && (line[5] == '\n' || line[5] == '\0');
    reader->separator = said ? line[4] : '\0';
    if (said) reader->next += 5;
    bool quoted = false;
    for (; !said && *line && *line != '\n'; line++) {
        quoted ^= *line == '"';
        bool known = !quoted && (*line == ',' || *line == ';' || *line == '\t');
        if (known && (*line == ',' || !reader->separator)) reader->separator = *line;
        if (known && *line == ',') break;
    }
    if (!reader->separator) reader->separator = ',';
}

/* Takes the text over: `size` bytes and a 0. */
static EadStatus start(char *text, size_t size, EadCsvReader *reader) {
    reader->text = text;
    reader->next = text;
    EAD_TRY(ead_text_clean(text, &size, reader->label));
    find_separator(reader);
    return EAD_OK;
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

/* Whether a spreadsheet would compute the cell but for apostrophes or spaces before it. */
static bool may_compute(const char *cell) {
    return starts_formula(cell + strspn(cell, "' "));
}

/* Whether a cell may begin behind the character: a spreadsheet of another language separates by ; and an
 * unquoting program by line ends. */
static bool begins_cell(char before) {
    return before == ';' || before == '\t' || before == '\r' || before == '\n';
}

/* The reverse of what ead_csv_write_text() puts before formulas. */
static void take_apostrophes_off(char *text) {
    char *to = text;
    bool begins = true;
    for (const char *from = text; *from; from++) {
        if (begins && *from == '\'' && may_compute(from + 1)) from++;
        begins = begins_cell(*from);
        *to++ = *from;
    }
    *to = '\0';
}

static bool is_blank(const EadCsvReader *reader, char c) {
    return (c == ' ' || c == '\t') && c != reader->separator;
}

/* Takes one field and what ended it. Quotes may begin and end anywhere in it; a quote itself is doubled.
 * Blanks around it do not count but in quotes. */
static EadStatus take_field(EadCsvReader *reader, char *delimiter) {
    char *from = reader->next;
    bool quoted = false;
    if (reader->count == EAD_CSV_FIELDS)
        return ead_fail(EAD_BAD_FILE, "%s:%d: more than %d fields", reader->label, reader->line,
                        EAD_CSV_FIELDS);
    while (is_blank(reader, *from)) from++;
    char *field = from, *to = from, *kept = from;
    reader->fields[reader->count++] = field;
    for (; *from && (quoted || (*from != reader->separator && !strchr("\r\n", *from))); from++) {
        if (*from == '\n') reader->lines_read++;
        if (*from != '"')
            *to++ = *from;
        else if (quoted && from[1] == '"')
            *to++ = *from++;
        else
            quoted = !quoted;
        if (*from == '"') kept = to;
    }
    if (quoted)
        return ead_fail(EAD_BAD_FILE, "%s:%d: a quote that does not end", reader->label, reader->line);
    *delimiter = *from;
    reader->next = from + (*from != '\0');
    while (to > kept && is_blank(reader, to[-1])) to--;
    *to = '\0';
    take_apostrophes_off(field);
    return EAD_OK;
}

EadStatus ead_csv_next(EadCsvReader *reader, bool *found) {
    char delimiter = reader->separator;
    for (; *reader->next == '\r' || *reader->next == '\n'; reader->next++)
        reader->lines_read += *reader->next == '\n';
    *found = *reader->next != '\0';
    reader->line = reader->lines_read + 1;
    reader->count = 0;
    while (*found && delimiter == reader->separator) EAD_TRY(take_field(reader, &delimiter));
    reader->lines_read += delimiter == '\n';
    return EAD_OK;
}

int ead_csv_find(const EadCsvReader *reader, const char *name) {
    for (int i = 0; i < reader->count; i++)
        if (strcmp(reader->fields[i], name) == 0) return i;
    return -1;
}

void ead_csv_write_text(FILE *stream, const char *text) {
    size_t size = strlen(text);
    bool quoted = strpbrk(text, "\",\r\n") || (size > 0 && (text[0] == ' ' || strchr(" \t", text[size - 1])));
    bool begins = true;
    if (quoted) putc('"', stream);
    while (*text) {
        char shown[EAD_UTF8_SHOWN];
        if (begins && may_compute(text)) putc('\'', stream);
        if (*text == '"') putc('"', stream);
        begins = begins_cell(*text);
        text += ead_utf8_show(text, shown);
        fputs(shown, stream);
    }
    if (quoted) putc('"', stream);
}
