/* NPY: "\x93NUMPY", version, length of the header, the header, the numbers. The header is a dictionary as Python
 * writes it, of exactly three keys: {'descr': '<f4', 'fortran_order': False, 'shape': (256, 256), }. */
#include "data/codec/codec_formats.h"

#include <ctype.h>
#include <stdio.h>

enum { MAX_AXES = 32 };

typedef struct NpyHeader {
    const EadDecoding *decoding;
    const char *next, *end; /* what of the header is not read yet */
    bool failed;
    char type[16]; /* "<f4" */
    bool fortran;
    uint64_t axes[MAX_AXES];
    int axis_count;
} NpyHeader;

static EadStatus malformed(const EadDecoding *decoding, const char *what) {
    return ead_fail(EAD_BAD_FILE, "%s: damaged NPY: %s; numpy.save() writes such files", decoding->label,
                    what);
}

/* ---- Python's literals ---- */

static void skip_blanks(NpyHeader *header) {
    while (header->next < header->end && (*header->next == ' ' || *header->next == '\n')) header->next++;
}

/* Whether the next character, behind blanks, is this one; it is taken then. */
static bool take(NpyHeader *header, char c) {
    skip_blanks(header);
    bool is_next = header->next < header->end && *header->next == c;
    header->next += is_next;
    return is_next;
}

static void need(NpyHeader *header, char c) {
    if (!take(header, c)) header->failed = true;
}

static void take_string(NpyHeader *header, char *text, size_t size) {
    char quote = take(header, '\'') ? '\'' : '"';
    size_t length = 0;
    if (quote == '"') need(header, quote);
    while (header->next < header->end && *header->next != quote && length + 1 < size)
        text[length++] = *header->next++;
    text[length] = '\0';
    need(header, quote);
}

static bool take_truth(NpyHeader *header) {
    static const char *const words[] = {"False", "True"};
    skip_blanks(header);
    for (int truth = 0; truth < 2; truth++) {
        size_t length = strlen(words[truth]);
        if ((size_t)(header->end - header->next) < length || memcmp(header->next, words[truth], length) != 0)
            continue;
        header->next += length;
        return truth;
    }
    header->failed = true;
    return false;
}

static uint64_t take_count(NpyHeader *header) {
    uint64_t count = 0;
    int digits = 0;
    skip_blanks(header);
    for (; header->next < header->end && isdigit((unsigned char)*header->next) && digits < 10; digits++)
        count = 10 * count + (uint64_t)(*header->next++ - '0');
    if (digits == 0) header->failed = true;
    return count;
}

static void take_shape(NpyHeader *header) {
    need(header, '(');
    while (!header->failed && !take(header, ')')) {
        if (header->axis_count == MAX_AXES) header->failed = true;
        if (header->failed) return;
        header->axes[header->axis_count++] = take_count(header);
        if (take(header, ',')) continue;
        need(header, ')');
        return;
    }
}

static void take_entry(NpyHeader *header, bool seen[3]) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char name[16];
    int key = 0;
    take_string(header, name, sizeof name);
    need(header, ':');
    while (key < 3 && strcmp(name, keys[key]) != 0) key++;
    header->failed = header->failed || key == 3 || seen[key];
    if (header->failed || key == 3) return;
    seen[key] = true;
    if (key == 0) take_string(header, header->type, sizeof header->type);
    if (key == 1) header->fortran = take_truth(header);
    if (key == 2) take_shape(header);
}

static EadStatus parse(NpyHeader *header) {
    bool seen[3] = {false};
    need(header, '{');
    while (!header->failed && !take(header, '}')) {
        take_entry(header, seen);
        if (header->failed || take(header, ',')) continue;
        need(header, '}');
        break;
    }
    skip_blanks(header);
    bool whole = !header->failed && header->next == header->end && seen[0] && seen[1] && seen[2];
    return whole ? EAD_OK
                 : malformed(header->decoding, "its header is not {'descr', 'fortran_order', 'shape'}");
}

/* ---- numbers ---- */

/* Rows and columns: what is left of the axes without those of length 1 in front and behind. */
static EadStatus find_size(const NpyHeader *header, uint64_t *height, uint64_t *width) {
    int first = 0, end = header->axis_count;
    while (end - first > 2 && header->axes[first] == 1) first++;
    while (end - first > 2 && header->axes[end - 1] == 1) end--;
    if (end - first != 2)
        return ead_fail(
            EAD_UNSUPPORTED,
            "%s: an array of %d axes is not one anomaly map; save H x W, or 1 x H x W, an image a file",
            header->decoding->label, header->axis_count);
    *height = header->axes[first];
    *width = header->axes[end - 1];
    return EAD_OK;
}

/* "<f4": order of bytes ('|': there is but one), kind, bytes. */
static EadStatus find_type(const NpyHeader *header, int *bits, bool *swapped) {
    static const char *const types[] = {"f2", "f4", "f8", "i1", "i2", "i4", "u1", "u2", "u4"};
    const uint16_t one = 1;
    const char *type = header->type;
    bool little = *(const uint8_t *)&one, ordered = type[0] && strchr("<>=|", type[0]);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!ordered || strcmp(type + 1, types[i]) != 0 || (type[0] == '|') != (type[2] == '1')) continue;
        *bits = 8 * (type[2] - '0');
        *swapped = type[0] == (little ? '>' : '<');
        return EAD_OK;
    }
    return ead_fail(
        EAD_UNSUPPORTED,
        "%s: an array of type '%s' is no anomaly map; save float32 (or float16, float64, or whole "
        "numbers of at most 32 bits)",
        header->decoding->label, type);
}

static void convert(const NpyHeader *header, const uint8_t *from, int bits, bool swapped) {
    const EadImage *size = header->decoding->out;
    double *to = header->decoding->numbers;
    size_t bytes = (size_t)bits / 8, width = (size_t)size->width, height = (size_t)size->height;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            const uint8_t *number = from + (header->fortran ? x * height + y : y * width + x) * bytes;
            uint8_t own[8];
            for (size_t i = 0; i < bytes; i++) own[i] = number[swapped ? bytes - 1 - i : i];
            *to++ = ead_codec_number(own, header->type[1], bits);
        }
}

EadStatus ead_npy_decode(EadDecoding *decoding) {
    static const char magic[] = "\x93NUMPY";
    const uint8_t *bytes = decoding->bytes;
    size_t size = decoding->size, start = size > 6 && bytes[6] == 1 ? 10 : 12;
    if (size < 6 || memcmp(bytes, magic, 6) != 0)
        return ead_fail(EAD_BAD_FILE, "%s: not an anomaly map: neither TIFF nor NPY nor PNG",
                        decoding->label);
    if (size < start || bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return malformed(decoding, "it is of no known version, or ends in its header");
    uint64_t length = (uint64_t)bytes[8] | (uint64_t)bytes[9] << 8;
    if (start == 12) length |= (uint64_t)bytes[10] << 16 | (uint64_t)bytes[11] << 24;
    if (length > size - start) return malformed(decoding, "it ends in its header");
    const char *text = (const char *)bytes + start;
    NpyHeader header = {.decoding = decoding, .next = text, .end = text + length};
    uint64_t height = 0, width = 0;
    int bits = 0;
    bool swapped = false;
    EAD_TRY(parse(&header));
    EAD_TRY(find_type(&header, &bits, &swapped));
    EAD_TRY(find_size(&header, &height, &width));
    uint64_t held = size - start - length;
    if (width <= 65535 && height <= 65535 && width * height * (uint64_t)bits / 8 != held)
        return ead_fail(EAD_BAD_FILE,
                        "%s: %llu x %llu numbers of %d bits are not the %llu bytes behind its header",
                        decoding->label, (unsigned long long)width, (unsigned long long)height, bits,
                        (unsigned long long)held);
    EAD_TRY(ead_codec_alloc(decoding, width, height, 1));
    convert(&header, (const uint8_t *)text + length, bits, swapped);
    return EAD_OK;
}
