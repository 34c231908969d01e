/* Marks, line ends, lists. */
#include "core/base/text.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char utf8_mark[] = "\xEF\xBB\xBF";
enum { MARK = sizeof utf8_mark - 1, LOOK = EAD_LIST_HEAD, DOS_END = 0x1A };

/* Characters that no text has; zeros are none of them. */
static bool has_controls(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' && !strchr("\t\n\r", text[i])) return true; /* it finds the 0, too */
    return false;
}

static bool has_utf16_mark(const char *text, size_t size) {
    return size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
}

/* The character that `bytes` bytes are, the first one being the highest or the lowest. */
static uint32_t unit_at(const char *text, size_t bytes, bool high_first) {
    uint32_t code = 0;
    for (size_t k = 0; k < bytes; k++) code = code << 8 | (uint8_t)text[high_first ? k : bytes - 1 - k];
    return code;
}

static bool is_control(uint32_t code) {
    return code < ' ' && code != '\t' && code != '\n' && code != '\r';
}

/* Whether each 4 bytes are a character of text, and one of them ASCII. */
static bool is_utf32(const char *text, size_t size, bool high_first) {
    bool ascii = false;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t code = unit_at(text + i, 4, high_first);
        if (is_control(code) || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
        ascii = ascii || code < 128;
    }
    return ascii;
}

/* How many characters are ASCII, if each 2 bytes are a character of text or half of one, and two in sequence, or half of
 * them, are ASCII; else 0. Names that zero bytes part may look like two letters a character, but hardly so. */
static size_t count_utf16(const char *text, size_t size, bool high_first) {
    size_t ascii = 0, units = size / 2;
    bool high = false, before = false,
         pair = false; /* the half before; whether that is ASCII; two in sequence */
    for (size_t i = 0; i < units; i++) {
        uint32_t code = unit_at(text + 2 * i, 2, high_first);
        bool low = code >= 0xDC00 && code < 0xE000;
        if (is_control(code) || code >= 0xFFFE || low != high) return 0;
        high = code >= 0xD800 && code < 0xDC00;
        ascii += code < 128;
        pair = pair || (before && code < 128);
        before = code < 128;
    }
    return pair || (ascii >= 2 && 2 * ascii >= units) ? ascii : 0;
}

/* The name, as iconv knows it, of an encoding in 16 or 32 bits a character that the text begins like; NULL: of none. */
static const char *wide_encoding(const char *text, size_t size) {
    size_t looked = size < LOOK ? size : LOOK;
    if (size >= 4 && (memcmp(text, "\xFF\xFE\0\0", 4) == 0 || memcmp(text, "\0\0\xFE\xFF", 4) == 0))
        return "UTF-32";
    if (has_utf16_mark(text, size)) return "UTF-16";
    if (!memchr(text, 0, looked)) return NULL;
    size_t low_first = count_utf16(text, looked, false), high_first = count_utf16(text, looked, true);
    if (low_first || high_first) return low_first >= high_first ? "UTF-16LE" : "UTF-16BE";
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

bool ead_has_word(const char *words, const char *word) {
    for (size_t length; *words; words += length + (words[length] == ' ')) {
        length = strcspn(words, " ");
        if (length == strlen(word) && strncmp(words, word, length) == 0) return true;
    }
    return false;
}

/* ---- lists ---- */

/* Whether the byte ends a name; the first one that can decides what separates. */
static bool ends_name(EadNameList *list, int byte) {
    if (list->count == 0 && byte == '\0') list->zeros = true;
    return list->zeros ? byte == '\0' : byte == '\n' || byte == '\r';
}

static int next_byte(EadNameList *list) {
    if (list->at < list->held) return (unsigned char)list->head[list->at++];
    int byte = getc(list->stream);
    if (byte == EOF || list->held == EAD_LIST_HEAD) return byte;
    list->head[list->held++] = (char)byte;
    list->at = list->held;
    return byte;
}

/* The list's encoding, if a wide one. More of it is read to tell, and kept. */
static const char *list_encoding(EadNameList *list) {
    for (int byte; list->held < EAD_LIST_HEAD && (byte = getc(list->stream)) != EOF;)
        list->head[list->held++] = (char)byte;
    return wide_encoding(list->head, (size_t)list->held);
}

/* Whether the head has what no list has. */
static bool is_binary(const EadNameList *list) {
    bool zeros = list->head[0] == '\0';
    for (int i = 1; i < list->held && !zeros; i++) zeros = !list->head[i - 1] && !list->head[i];
    return zeros || has_controls(list->head, (size_t)list->held);
}

/* What is wrong with a zero byte that separates no names. */
static EadStatus refuse_zero(EadNameList *list) {
    const char *wide = list_encoding(list);
    if (wide) return refuse_wide(list->label, wide);
    if (is_binary(list)) return ead_fail(EAD_BAD_FILE, "%s: is not text (binary)", list->label);
    if (list->zeros)
        return ead_fail(EAD_BAD_FILE,
                        "%s: holds zero bytes; if the zero bytes separate the names, say --null",
                        list->label);
    return ead_fail(
        EAD_BAD_FILE,
        "%s: entry %d ends in a zero byte, others in line ends; separate all names in one way, and "
        "if by zero bytes, say --null",
        list->label, list->count + 1);
}

/* Bytes up to the end of a name or of the list. */
static EadStatus read_name(EadNameList *list, int *length, int *byte) {
    *length = 0;
    while ((*byte = next_byte(list)) != EOF) {
        bool second = list->after_return && *byte == '\n'; /* of \r\n */
        list->after_return = false;
        if (second) continue;
        if (ends_name(list, *byte)) break;
        if (*byte == '\0') return refuse_zero(list);
        EAD_TRY(ead_grow(&list->name, &list->capacity, *length + 1, 1, list->label));
        list->name[(*length)++] = (char)*byte;
    }
    list->after_return = *byte == '\r' && !list->zeros;
    if (*byte == EOF && ferror(list->stream))
        return ead_fail(EAD_IO, "%s: cannot read: %s", list->label, strerror(errno));
    EAD_TRY(ead_grow(&list->name, &list->capacity, *length + 1, 1, list->label));
    list->name[*length] = '\0';
    list->count++;
    return EAD_OK;
}

/* The first name, behind which comes `byte`: wide text has a mark, or a zero byte in the midst of its first name, which
 * no file has then; what is no text has several of them together. */
static EadStatus check_first(EadNameList *list, int length, int byte) {
    const char *wide = has_utf16_mark(list->name, (size_t)length) ? list_encoding(list) : NULL;
    if (wide) return refuse_wide(list->label, wide);
    if (list->told && byte == EOF && strchr(list->name, '\n'))
        return ead_fail(EAD_BAD_FILE, "%s: has lines and no zero bytes; leave --null out", list->label);
    if (list->told || byte != '\0') return EAD_OK;
    if (length <= 1) return refuse_zero(list);
    if (access(list->name, F_OK) == 0) return EAD_OK;
    wide = list_encoding(list);
    if (wide) return refuse_wide(list->label, wide);
    bool more = list->at < list->held && list->head[list->at] != '\0';
    return has_controls(list->name, (size_t)length) && !more ? refuse_zero(list) : EAD_OK;
}

EadStatus ead_name_list_next(EadNameList *list, const char **name) {
    int length, byte = 0;
    *name = NULL;
    while (list->stream && byte != EOF) {
        bool first = list->count == 0;
        if (first) list->told = list->zeros;
        EAD_TRY(read_name(list, &length, &byte));
        if (first) EAD_TRY(check_first(list, length, byte));
        int skip = first && length >= MARK && memcmp(list->name, utf8_mark, MARK) == 0 ? MARK : 0;
        if (length <= skip) continue;
        *name = list->name + skip;
        if (!list->zeros || list->told || !strpbrk(*name, "\r\n") || access(*name, F_OK) == 0) return EAD_OK;
        *name = NULL;
        return ead_fail(
            EAD_BAD_FILE,
            "%s: entry %d holds a line end, and others end in zero bytes; separate all names in one "
            "way, and if the line end is part of the name, say --null",
            list->label, list->count);
    }
    return EAD_OK;
}

void ead_name_list_free(EadNameList *list) {
    free(list->name);
    *list = (EadNameList){0};
}
