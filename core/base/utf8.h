/* UTF-8 decoding: what comes from a command line or a config ends up in YAML, JSON and HTML files, whose
 * readers refuse bytes that are not UTF-8. So such bytes are refused where they come in. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at text (NUL-terminated) and returns its length in bytes, 1..4; 0 for bytes that are
 * not UTF-8 (overlong forms, surrogates and values above U+10FFFF included) and at the end of the text. */
int ead_utf8_decode(const char *text, uint32_t *code);

/* The first character of a text as files of ours have it: itself, or of a byte that is not UTF-8 four characters, \xff.
 * Returns how many bytes of the text it is, at least 1; the text is not empty. */
enum { EAD_UTF8_SHOWN = 5 };
int ead_utf8_show(const char *text, char shown[EAD_UTF8_SHOWN]);

/* Copies a text by such characters; cut where `size` bytes are too few. What is so already stays. */
void ead_utf8_escape(const char *text, char *out, size_t size);

/* Whether the whole text is UTF-8 without control characters (no line breaks either). */
bool ead_utf8_is_plain(const char *text);
