/* losses.csv read row by row, as it was written or as a spreadsheet saved it: with ; or tabs between its
 * cells, commas in its numbers, quotes, empty cells behind the last. */
#pragma once

#include "core/base/string_list.h"
#include "data/dataset/csv_reader.h"

#include <stdint.h>

typedef struct EadLossRows {
    EadCsvReader csv;
    EadStringList names;          /* of the losses: the columns between step and lr */
    int64_t step;                 /* of the present row, ascending; 0: before the first */
    float values[EAD_CSV_FIELDS]; /* [names.count + 1] of the present row: the losses and the learning rate */
} EadLossRows;

/* Opens a file and reads its header, step,...,lr; path is kept. Errors: EAD_IO; EAD_BAD_FILE; EAD_NO_MEMORY.
 * Close in every case. */
EadStatus ead_loss_rows_open(const char *path, EadLossRows *rows);

/* Takes the next row; *found is false at the end. What a run that was killed has left of its last row is
 * passed over. Errors: EAD_BAD_FILE, "FILE:LINE: ...". */
EadStatus ead_loss_rows_next(EadLossRows *rows, bool *found);

void ead_loss_rows_close(EadLossRows *rows);
