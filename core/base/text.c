/* Marks, line ends, lists. */
#include "core/base/text.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char utf8_mark[] = "\xEF\xBB\xBF";
enum { MARK = sizeof utf8_mark - 1, LOOK = 64, DOS_END = 0x1A };

/* Characters that no text has; zeros are none of them. */
static bool has_controls(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' && !strchr("\t\n\r", text[i])) return true; /* it finds the 0, too */
    return false;
}

static bool has_utf16_mark(const char *text, size_t size) {
    return size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
}

/* Whether each 4 bytes, the first one being the highest or the lowest, are a character of text, and one of them ASCII. */
static bool is_utf32(const char *text, size_t size, bool high_first) {
    bool ascii = false;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t code = 0;
        for (size_t k = 0; k < 4; k++) code = code << 8 | (uint8_t)text[i + (high_first ? k : 3 - k)];
        bool control = code < ' ' && code != '\t' && code != '\n' && code != '\r';
        if (control || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
        ascii = ascii || code < 128;
    }
    return ascii;
}

/* The name, as iconv knows it, of an encoding in 16 or 32 bits a character that the text begins like; NULL: of none. A
 * quarter of zeros, all at every second place, is more than any other text has; what is no text has them anywhere, or
 * control characters. */
static const char *wide_encoding(const char *text, size_t size) {
    size_t looked = size < LOOK ? size : LOOK, zeros[2] = {0};
    if (size >= 4 && (memcmp(text, "\xFF\xFE\0\0", 4) == 0 || memcmp(text, "\0\0\xFE\xFF", 4) == 0))
        return "UTF-32";
    if (has_utf16_mark(text, size)) return "UTF-16";
    for (size_t i = 0; i < looked; i++) zeros[i % 2] += text[i] == '\0';
    size_t all = zeros[0] + zeros[1];
    bool apart = all >= 2 && 4 * all >= looked && (zeros[0] == 0 || zeros[1] == 0);
    if (apart && !has_controls(text, looked)) return zeros[0] ? "UTF-16BE" : "UTF-16LE";
    if (size % 4 != 0) return NULL;
    return is_utf32(text, looked, false) ? "UTF-32LE" : is_utf32(text, looked, true) ? "UTF-32BE" : NULL;
}

static EadStatus refuse_wide(const char *label, const char *encoding) {
    return ead_fail(EAD_BAD_FILE, "%s: is %.6s text; save it as UTF-8, or: iconv -f %s -t UTF-8", label,
                    encoding, encoding);
}

EadStatus ead_text_clean(char *text, size_t *size, const char *label) {
    const char *wide = wide_encoding(text, *size);
    if (wide) return refuse_wide(label, wide);
    if (memchr(text, 0, *size))
        return ead_fail(EAD_BAD_FILE, "%s: holds zero bytes, so it is not a text file", label);
    if (*size > 0 && text[*size - 1] == DOS_END) --*size;
    const char *from = text, *end = text + *size;
    if (*size >= MARK && memcmp(from, utf8_mark, MARK) == 0) from += MARK;
    char *to = text;
    for (; from < end; from++) {
        bool ends_twice = from[0] == '\r' && from + 1 < end && from[1] == '\n';
        if (!ends_twice) *to++ = *from == '\r' ? '\n' : *from;
    }
    *to = '\0';
    *size = (size_t)(to - text);
    return EAD_OK;
}

EadStatus ead_read_text(const char *path, size_t max_size, char **text, size_t *size) {
    EAD_TRY(ead_read_file(path, max_size, text, size));
    EadStatus status = ead_text_clean(*text, size, path);
    if (status == EAD_OK) return EAD_OK;
    free(*text);
    *text = NULL;
    return status;
}

bool ead_begins_like_one(const char *text, const char *beginnings) {
    for (size_t length; (length = strcspn(beginnings, "|")) > 0;
         beginnings += length + (beginnings[length] == '|'))
        if (strncmp(text, beginnings, length) == 0) return true;
    return false;
}

/* ---- lists ---- */

/* Whether the byte ends a name; the first one that can decides what separates. */
static bool ends_name(EadNameList *list, int byte) {
    if (!list->begun && byte == '\0') list->zeros = true;
    return list->zeros ? byte == '\0' : byte == '\n' || byte == '\r';
}

/* The byte that comes next; it stays there. */
static int peek(FILE *stream) {
    int byte = getc(stream);
    return byte == EOF ? EOF : ungetc(byte, stream);
}

/* The encoding of a list, if a wide one, that goes on with these bytes and the present one. More of it is read to tell:
 * it is refused anyway. */
static const char *list_encoding(const EadNameList *list, const char *bytes, int length, int byte) {
    char look[8];
    size_t size = (size_t)length < sizeof look - 1 ? (size_t)length : sizeof look - 1;
    memcpy(look, bytes, size);
    for (; size < sizeof look && byte != EOF; byte = getc(list->stream)) look[size++] = (char)byte;
    return wide_encoding(look, size);
}

/* What is wrong with a zero byte behind a name that is no name. */
static EadStatus refuse_zero(const EadNameList *list, const char *name, int length) {
    const char *wide = length <= 1 ? list_encoding(list, name, length, '\0') : NULL;
    if (wide) return refuse_wide(list->label, wide);
    if (length == 0 || has_controls(name, (size_t)length) || strchr("\r\n", *name))
        return ead_fail(EAD_BAD_FILE, "%s: is not text (binary)", list->label);
    return ead_fail(EAD_BAD_FILE, "%s: holds zero bytes%s; if the zero bytes separate the names, say --null",
                    list->label, list->zeros ? "" : " and line ends");
}

/* Bytes up to the end of a name or of the list. */
static EadStatus read_name(EadNameList *list, int *length, int *byte) {
    *length = 0;
    while ((*byte = getc(list->stream)) != EOF) {
        bool second = list->after_return && *byte == '\n'; /* of \r\n */
        list->after_return = false;
        if (second) continue;
        if (ends_name(list, *byte)) break;
        if (*byte == '\0')
            return *length ? refuse_zero(list, list->name, *length) : refuse_zero(list, "\n", 1);
        EAD_TRY(ead_grow(&list->name, &list->capacity, *length + 1, 1, list->label));
        list->name[(*length)++] = (char)*byte;
    }
    list->after_return = *byte == '\r' && !list->zeros;
    if (*byte == EOF && ferror(list->stream))
        return ead_fail(EAD_IO, "%s: cannot read: %s", list->label, strerror(errno));
    EAD_TRY(ead_grow(&list->name, &list->capacity, *length + 1, 1, list->label));
    list->name[*length] = '\0';
    return EAD_OK;
}

/* The first name, behind which comes `byte`: wide text has a mark, or a zero byte behind its first character; what is no
 * text has several of them together. */
static EadStatus check_first(const EadNameList *list, int length, int byte, bool told) {
    const char *wide =
        has_utf16_mark(list->name, (size_t)length) ? list_encoding(list, list->name, length, byte) : NULL;
    if (wide) return refuse_wide(list->label, wide);
    if (told || byte != '\0') return EAD_OK;
    bool binary = has_controls(list->name, (size_t)length) && peek(list->stream) <= 0;
    return length <= 1 || binary ? refuse_zero(list, list->name, length) : EAD_OK;
}

EadStatus ead_name_list_next(EadNameList *list, const char **name) {
    int length, byte = 0;
    *name = NULL;
    while (list->stream && byte != EOF) {
        bool first = !list->begun, told = list->zeros;
        EAD_TRY(read_name(list, &length, &byte));
        list->begun = true;
        if (first && told && byte == EOF && strchr(list->name, '\n'))
            return ead_fail(EAD_BAD_FILE, "%s: has lines and no zero bytes; leave --null out", list->label);
        if (first) EAD_TRY(check_first(list, length, byte, told));
        int skip = first && length >= MARK && memcmp(list->name, utf8_mark, MARK) == 0 ? MARK : 0;
        *name = length > skip ? list->name + skip : NULL;
        if (*name) return EAD_OK;
    }
    return EAD_OK;
}

void ead_name_list_free(EadNameList *list) {
    free(list->name);
    *list = (EadNameList){0};
}
