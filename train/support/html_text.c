/* Escaping and base64. */
#include "train/support/html_text.h"

#include "train/support/utf8.h"

static const char *entity_of(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void ead_html_text(FILE *stream, const char *text) {
    while (*text) {
        uint32_t code;
        int length = ead_utf8_decode(text, &code);
        int control =
            length > 0 && ((code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0));
        const char *entity = entity_of(*text);
        if (length == 0 || control)
            fputs("&#xFFFD;", stream);
        else if (entity)
            fputs(entity, stream);
        else
            fwrite(text, 1, (size_t)length, stream);
        text += length > 0 ? length : 1;
    }
}

void ead_html_base64(FILE *stream, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t word = (uint32_t)bytes[i] << 16;
        if (left > 1) word |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2) word |= bytes[i + 2];
        putc(digits[word >> 18], stream);
        putc(digits[word >> 12 & 63], stream);
        putc(left > 1 ? digits[word >> 6 & 63] : '=', stream);
        putc(left > 2 ? digits[word & 63] : '=', stream);
    }
}
