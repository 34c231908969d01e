/* Reading scores of images: CSV, or the lines of JSON that predict prints. */
#pragma once

#include "core/base/string_list.h"

typedef struct EadScoreFile {
    EadStringList paths; /* as they stand there */
    EadStringList
        rows; /* the same as messages call them: "line 3 (good/000.png)", or "line 3 (good/000.png, 'high')" */
    double *
        scores; /* [paths.count]; not finite, or not as 32-bit numbers, where the file has no such number; owned */
    int capacity;
} EadScoreFile;

/* CSV: a header with the columns path and score, others are ignored, in any order. JSON: an object a line with "path"
 * and "score"; one without score is that of an image that could not be scored, and text in its place is no score.
 * Errors: EAD_IO; EAD_BAD_FILE, "FILE:LINE: ..."; EAD_NO_MEMORY. Free *out in every case. */
EadStatus ead_score_file_read(const char *path, EadScoreFile *out);

/* Harmless on an empty (zeroed) one. */
void ead_score_file_free(EadScoreFile *file);
