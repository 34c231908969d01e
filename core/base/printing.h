/* Text for people's eyes. Names and values come from files and folders of others; a terminal obeys some
 * characters in them (escape sequences), turns others around, and shows some not at all. */
#pragma once

#include "core/base/string_list.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Whether a code point must not reach a terminal: control characters (C0, DEL, C1), marks of direction, line
 * and paragraph separators, characters without width that join or order others. */
bool ead_is_hidden(uint32_t code);

/* Replaces each of them, and each byte that is not UTF-8, by '?', in place. */
void ead_make_printable(char *text);

/* fprintf() of a text that is made printable; a line break is kept at its end only. */
void ead_print(FILE *stream, const char *format, ...) EAD_PRINTF(2, 3);

/* Writes out what was printed to standard output. Errors: EAD_IO, also where an earlier write failed. */
EadStatus ead_print_flush(FILE *stream);

/* The shortest decimal number of 6 digits or more that is read as the same 32 bits, also by way of a double; in text,
 * which is returned: 0.1, 16777217, 1e-05. What is not finite: nan, inf. */
enum { EAD_NUMBER_TEXT = 32 };
const char *ead_float_text(float value, char text[EAD_NUMBER_TEXT]);

/* The same of 64 bits. */
const char *ead_double_text(double value, char text[EAD_NUMBER_TEXT]);

/* One line that names the paths, all of them or, with most > 0, the first ones: "a, b and 7 more". count: of
 * all, some of which may not be in the list. NULL without memory; the caller frees it. */
char *ead_name_paths(const EadStringList *paths, int64_t count, int most);
