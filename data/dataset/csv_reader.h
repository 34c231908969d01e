/* Rows of a CSV file (RFC 4180: fields between commas, in quotes where they hold commas, quotes or line
 * ends), and the texts of those that are written. As spreadsheets of some languages save it, it may have ; or
 * tabs between its fields: the first line tells. Blanks around a field count only in quotes. A text that a
 * spreadsheet would take for a formula (it begins with = + - @ or their wide forms, a tab or a line end,
 * perhaps after spaces) has an apostrophe before it in the file, and so has what follows on a ; a tab or a
 * line end in a text, for some programs begin a cell there; what begins with apostrophes and goes on like
 * that has one more; reading takes one off. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { EAD_CSV_FIELDS = 16 };

typedef struct EadCsvReader {
    char *text; /* the file, cut into fields as rows are read; owned */
    char *next;
    const char *label;            /* of the file, borrowed */
    char separator;               /* of fields: , or ; or a tab */
    int line;                     /* where the present row begins, from 1 */
    int lines_read;               /* up to the end of the present row */
    char *fields[EAD_CSV_FIELDS]; /* [count] of the present row, within text */
    int count;
} EadCsvReader;

/* Reads a file of at most 1 GiB, or a copy of `size` bytes; path or label is kept. Errors: EAD_IO,
 * EAD_BAD_FILE (for bytes of 0, too), EAD_NO_MEMORY. Close in every case. */
EadStatus ead_csv_open(const char *path, EadCsvReader *reader);
EadStatus ead_csv_open_text(const char *bytes, size_t size, const char *label, EadCsvReader *reader);

/* Takes the next row that is not empty; *found is false at the end. Errors: EAD_BAD_FILE with label and line
 * for an unfinished quote and more than EAD_CSV_FIELDS fields. */
EadStatus ead_csv_next(EadCsvReader *reader, bool *found);

/* The place of a name in the present row (the header), or -1. */
int ead_csv_find(const EadCsvReader *reader, const char *name);

/* Writes a text as a field; bytes that are not UTF-8 as JSON has them, \xff. */
void ead_csv_write_text(FILE *stream, const char *text);

void ead_csv_close(EadCsvReader *reader);
