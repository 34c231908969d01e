/* Strings for JSON that is written piece by piece, such as one line an image. */
#ifndef EAD_TRAIN_JSON_TEXT_H
#define EAD_TRAIN_JSON_TEXT_H

#include <stdio.h>

/* Writes text as a JSON string with its quotes. File names need not be UTF-8, JSON must be: a byte that is
 * not becomes the four characters \xNN (in JSON "\\xNN"), as in metrics.json. */
void ead_json_write_string(FILE *stream, const char *text);

#endif
