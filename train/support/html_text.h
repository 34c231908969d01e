/* The two encodings that keep foreign text and bytes harmless inside an HTML page. */
#ifndef EAD_TRAIN_HTML_TEXT_H
#define EAD_TRAIN_HTML_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes text for element content or a quoted attribute: & < > " ' become entities; bytes that are not UTF-8
 * and control characters other than line breaks and tabs become U+FFFD. Write errors show in ferror(). */
void ead_html_text(FILE *stream, const char *text);

/* Writes bytes as base64, without line breaks. */
void ead_html_base64(FILE *stream, const uint8_t *bytes, size_t size);

#endif
