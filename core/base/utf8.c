/* UTF-8 decoding, strict. */
#include "core/base/utf8.h"

#include <stdio.h>
#include <string.h>

/* Length by the first byte; 0 where no sequence starts with it. */
static int sequence_length(uint8_t first) {
    if (first == 0) return 0;
    if (first < 0x80u) return 1;
    if (first >= 0xC2u && first < 0xE0u) return 2;
    if (first >= 0xE0u && first < 0xF0u) return 3;
    if (first >= 0xF0u && first < 0xF5u) return 4;
    return 0;
}

int ead_utf8_decode(const char *text, uint32_t *code) {
    static const uint8_t first_mask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t minimum[5] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text;
    int length = sequence_length(bytes[0]);
    uint32_t value = bytes[0] & (uint32_t)first_mask[length];
    for (int i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0u) != 0x80u) return 0;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    bool surrogate = value >= 0xD800u && value <= 0xDFFFu;
    if (length == 0 || value < minimum[length] || value > 0x10FFFFu || surrogate) return 0;
    *code = value;
    return length;
}

int ead_utf8_show(const char *text, char shown[EAD_UTF8_SHOWN]) {
    uint32_t code;
    int length = ead_utf8_decode(text, &code);
    if (length == 0)
        snprintf(shown, EAD_UTF8_SHOWN, "\\x%02x", (unsigned)(unsigned char)*text);
    else
        snprintf(shown, EAD_UTF8_SHOWN, "%.*s", length, text);
    return length ? length : 1;
}

void ead_utf8_escape(const char *text, char *out, size_t size) {
    size_t used = 0;
    while (*text && used + EAD_UTF8_SHOWN <= size) {
        text += ead_utf8_show(text, out + used);
        used += strlen(out + used);
    }
    out[used] = '\0';
}

bool ead_utf8_is_plain(const char *text) {
    while (*text) {
        uint32_t code;
        int length = ead_utf8_decode(text, &code);
        if (length == 0 || code < 0x20u || (code >= 0x7Fu && code < 0xA0u)) return false;
        text += length;
    }
    return true;
}
