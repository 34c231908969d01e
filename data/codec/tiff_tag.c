/* Two layouts, TIFF and BigTIFF, in two byte orders. */
#include "data/codec/tiff_tag.h"

#include <string.h>

typedef struct TagLayout {
    bool big_endian;
    size_t count_bytes, entry_bytes, offset_bytes; /* all 0: not a TIFF */
} TagLayout;

static uint64_t number(const uint8_t *bytes, size_t count, bool big_endian) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) value = value << 8 | bytes[big_endian ? i : count - 1 - i];
    return value;
}

static TagLayout layout_of(const uint8_t *bytes, size_t size) {
    bool big_endian = size > 0 && bytes[0] == 'M';
    if (size < 14 || (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0)) return (TagLayout){0};
    switch (number(bytes + 2, 2, big_endian)) {
    case 42:
        return (TagLayout){big_endian, 2, 12, 4};
    case 43:
        return size < 16 ? (TagLayout){0} : (TagLayout){big_endian, 8, 20, 8};
    default:
        return (TagLayout){0};
    }
}

size_t ead_tiff_first_directory(const uint8_t *bytes, size_t size) {
    TagLayout layout = layout_of(bytes, size);
    if (!layout.entry_bytes) return 0;
    return (size_t)number(bytes + layout.offset_bytes, layout.offset_bytes, layout.big_endian);
}

bool ead_tiff_find_tag(const uint8_t *bytes, size_t size, size_t directory, int tag, uint32_t *value) {
    /* Bytes of a number by its type; 7, bytes without a type, stand elsewhere. */
    static const uint8_t widths[] = {[3] = 2, [4] = 4, [6] = 1, [7] = 4, [8] = 2, [9] = 4, [13] = 4};
    TagLayout layout = layout_of(bytes, size);
    size_t at = directory;
    *value = 0;
    if (!layout.entry_bytes || size < layout.entry_bytes || at > size - layout.entry_bytes) return false;
    uint64_t entries = number(bytes + at, layout.count_bytes, layout.big_endian);
    for (at += layout.count_bytes; entries > 0 && at <= size - layout.entry_bytes;
         entries--, at += layout.entry_bytes) {
        if (number(bytes + at, 2, layout.big_endian) != (uint64_t)tag) continue;
        uint64_t type = number(bytes + at + 2, 2, layout.big_endian);
        size_t width = type < sizeof widths ? widths[type] : 0;
        *value = (uint32_t)number(bytes + at + 4 + layout.offset_bytes, width, layout.big_endian);
        return true;
    }
    return false;
}
