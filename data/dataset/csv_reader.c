/* The whole file in memory; a field is unquoted where it stands and ended by a 0 in the place of its comma.
 */
#include "data/dataset/csv_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 64 << 20 };

void ead_csv_close(EadCsvReader *reader) {
    free(reader->text);
    *reader = (EadCsvReader){0};
}

EadStatus ead_csv_open_text(const char *bytes, size_t size, const char *label, EadCsvReader *reader) {
    *reader = (EadCsvReader){.label = label};
    if (memchr(bytes, 0, size))
        return ead_fail(EAD_BAD_FILE, "%s: holds bytes of 0, so it is no CSV file", label);
    reader->text = malloc(size + 1);
    if (!reader->text) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", label);
    memcpy(reader->text, bytes, size);
    reader->text[size] = '\0';
    bool marked = strncmp(reader->text, "\xEF\xBB\xBF", 3) == 0; /* spreadsheets begin UTF-8 with it */
    reader->next = reader->text + (marked ? 3 : 0);
    return EAD_OK;
}

static EadStatus read_stream(FILE *stream, const char *path, EadCsvReader *reader) {
    if (fseek(stream, 0, SEEK_END) != 0)
        return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    long size = ftell(stream);
    if (size < 0 || size > MAX_FILE)
        return ead_fail(EAD_BAD_FILE, "%s: must be a file of at most 64 MiB", path);
    rewind(stream);
    char *bytes = malloc((size_t)size + 1);
    if (!bytes) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", path);
    EadStatus status = EAD_OK;
    if (fread(bytes, 1, (size_t)size, stream) != (size_t)size)
        status = ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    else
        status = ead_csv_open_text(bytes, (size_t)size, path, reader);
    free(bytes);
    return status;
}

EadStatus ead_csv_open(const char *path, EadCsvReader *reader) {
    *reader = (EadCsvReader){.label = path};
    FILE *stream = fopen(path, "rb");
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    EadStatus status = read_stream(stream, path, reader);
    fclose(stream);
    return status;
}

/* Takes one field and what ended it. Quotes may begin and end anywhere in it; one that is meant is doubled.
 */
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
