/* Escaping for JSON. */
#include "train/support/json_text.h"

#include "train/support/utf8.h"

void ead_json_write_string(FILE *stream, const char *text) {
    putc('"', stream);
    while (*text) {
        uint32_t code;
        int length = ead_utf8_decode(text, &code);
        if (length == 0)
            fprintf(stream, "\\\\x%02x", (unsigned)(unsigned char)*text);
        else if (code == '"' || code == '\\')
            fprintf(stream, "\\%c", *text);
        else if (code < 0x20)
            fprintf(stream, "\\u%04x", (unsigned)code);
        else
            fwrite(text, 1, (size_t)length, stream);
        text += length ? length : 1;
    }
    putc('"', stream);
}
