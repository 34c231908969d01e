/* Text as people's tools leave it: with a byte-order mark, with line ends of Windows or of old Macs, in
 * UTF-16 or UTF-32. One reader for all text files that are read: configs, sweeps, CSV, JSON, lists. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Makes text [size + 1] plain, in place: no byte-order mark, lines end with \n, no DOS end mark (0x1A) at the
 * end, a 0 behind the last byte. Errors: EAD_BAD_FILE for UTF-16 and UTF-32, with the cure, and for bytes of 0; label:
 * the file's name in them. */
EadStatus ead_text_clean(char *text, size_t *size, const char *label);

/* ead_read_file() and ead_text_clean(). */
EadStatus ead_read_text(const char *path, size_t max_size, char **text, size_t *size);

/* Whether a text begins like one of "a|b". */
bool ead_begins_like_one(const char *text, const char *beginnings);

/* Whether one of several words with blanks between them is `word`. */
bool ead_has_word(const char *words, const char *word);

enum { EAD_LIST_HEAD = 256 };

/* A list of names as it comes in, one a line or, as `find -print0` writes it, each with a byte of 0 behind
 * it. */
typedef struct EadNameList {
    FILE *stream;      /* borrowed; NULL: an empty list */
    const char *label; /* what messages call it */
    bool zeros;        /* bytes of 0 separate; set beforehand, or found out with the first name */
    bool told;         /* it was set beforehand */
    bool after_return;
    int count;                /* names so far, empty ones too */
    char head[EAD_LIST_HEAD]; /* the first bytes, to tell what the list is */
    int held, at;             /* how many of them are known, and taken */
    char *name;               /* the present one, owned */
    int capacity;
} EadNameList;

/* The next name that is not empty, valid until the next call; *name is NULL at the end. Reads no further, but where the
 * first name is no file's and ends in a byte of 0. Errors: EAD_IO;
 * EAD_BAD_FILE for UTF-16, UTF-32 and what is no text, for bytes of 0 among lines and lines among them, unless a
 * file's name has that line end or --null told so, and for lines where there must be such bytes;
 * EAD_NO_MEMORY. */
EadStatus ead_name_list_next(EadNameList *list, const char **name);

void ead_name_list_free(EadNameList *list);
