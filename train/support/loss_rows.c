/* Cells to numbers. */
#include "train/support/loss_rows.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STEP_DIGITS = 15 }; /* so that a double holds every step */

/* The cells of the present row without empty ones at its end, which spreadsheets add. */
static int cells_of(const EadCsvReader *csv) {
    int count = csv->count;
    while (count > 0 && !*csv->fields[count - 1]) count--;
    return count;
}

EadStatus ead_loss_rows_open(const char *path, EadLossRows *rows) {
    bool found;
    *rows = (EadLossRows){0};
    EAD_TRY(ead_csv_open(path, &rows->csv));
    EAD_TRY(ead_csv_next(&rows->csv, &found));
    int count = cells_of(&rows->csv);
    char **names = rows->csv.fields;
    if (count < 3 || strcmp(names[0], "step") != 0 || strcmp(names[count - 1], "lr") != 0)
        return ead_fail(EAD_BAD_FILE, "%s:1: the header is not step,...,lr", path);
    for (int i = 1; i < count - 1; i++) EAD_TRY(ead_strings_add(&rows->names, names[i]));
    return EAD_OK;
}

/* A number with a point or a comma in it. Losses may be nan or inf: a run that went wrong is worth a look
 * too. */
static bool parse_value(char *cell, float *value) {
    char *comma = strchr(cell, ','), *end;
    if (comma && !strchr(cell, '.')) *comma = '.';
    *value = strtof(cell, &end);
    return end > cell && *end == '\0';
}

static bool parse_row(EadLossRows *rows, int64_t *step) {
    char **cells = rows->csv.fields, *end;
    if (cells_of(&rows->csv) != rows->names.count + 2) return false;
    *step = strtoll(cells[0], &end, 10);
    if (end == cells[0] || *end || end - cells[0] > MAX_STEP_DIGITS || *step <= 0) return false;
    for (int i = 0; i <= rows->names.count; i++)
        if (!parse_value(cells[1 + i], &rows->values[i])) return false;
    return true;
}

EadStatus ead_loss_rows_next(EadLossRows *rows, bool *found) {
    EadCsvReader *csv = &rows->csv;
    do EAD_TRY(ead_csv_next(csv, found));
    while (*found && cells_of(csv) == 0);
    if (!*found) return EAD_OK;
    bool whole = csv->lines_read >= csv->line; /* it ends with its line */
    if (!whole) *found = false;
    int64_t step, last = rows->step;
    if (!whole) return EAD_OK;
    if (!parse_row(rows, &step))
        return ead_fail(EAD_BAD_FILE, "%s:%d: not a row of losses after step %lld", csv->label, csv->line,
                        (long long)last);
    rows->step = step;
    if (step > last) return EAD_OK;
    return ead_fail(EAD_BAD_FILE,
                    "%s:%d: step %lld stands behind step %lld, but rows are sorted by step, each once",
                    csv->label, csv->line, (long long)step, (long long)last);
}

void ead_loss_rows_close(EadLossRows *rows) {
    ead_csv_close(&rows->csv);
    ead_strings_free(&rows->names);
}
