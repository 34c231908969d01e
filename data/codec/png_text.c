/* Text may be compressed; what lies behind its first bytes is of no interest. */
#include "data/codec/png_text.h"

#include <ctype.h>
#include <string.h>
#include <zlib.h>

enum { MOST = 1 << 16 };

/* Unpacks up to MOST bytes; returns how many. */
static size_t inflate_some(const uint8_t *bytes, size_t size, uint8_t *text) {
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes,
                       .avail_in = size < MOST ? (uInt)size : MOST,
                       .next_out = text,
                       .avail_out = MOST};
    if (inflateInit(&stream) != Z_OK) return 0;
    inflate(&stream, Z_SYNC_FLUSH);
    inflateEnd(&stream);
    return MOST - stream.avail_out;
}

static int digit(int c) {
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* Three lines, of which the second is a name and the third a length, and lines of digits. */
static size_t read_digits(const uint8_t *text, size_t size, uint8_t *bytes) {
    size_t count = 0, digits = 0;
    int lines = 0;
    for (size_t i = 0; i < size; i++) {
        int value = digit(text[i]);
        if (text[i] == '\n') lines++;
        if (lines < 3 || value < 0) continue;
        bytes[count] = (uint8_t)(digits % 2 ? bytes[count] << 4 | value : value);
        count += digits++ % 2;
    }
    return count;
}

static void take(EadDecoding *decoding, bool xmp, const uint8_t *text, size_t size) {
    uint8_t exif[MOST / 2];
    if (xmp)
        ead_codec_take_xmp(decoding, text, size);
    else
        ead_codec_take_exif(decoding, exif, read_digits(text, size < MOST ? size : MOST, exif));
}

void ead_png_take_text(EadDecoding *decoding, char kind, const uint8_t *content, size_t size) {
    static const char xmp[] = "XML:com.adobe.xmp", exif[] = "Raw profile type exif";
    uint8_t text[MOST];
    bool packed = kind == 'z', is_xmp = kind == 'i';
    const char *name = is_xmp ? xmp : exif;
    size_t header = strlen(name) + 1;
    /* Behind the name: whether it is packed (iTXt), how (zTXt, iTXt), and two empty words (iTXt). */
    size_t rest = header + (is_xmp ? 4 : packed ? 1 : 0);
    if (size <= rest || memcmp(content, name, header) != 0) return;
    if (is_xmp) packed = content[header] == 1;
    content += rest, size -= rest;
    if (packed)
        take(decoding, is_xmp, text, inflate_some(content, size, text));
    else
        take(decoding, is_xmp, content, size);
}
