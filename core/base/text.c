/* Marks, line ends, lists. */
#include "core/base/text.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char utf8_mark[] = "\xEF\xBB\xBF";
enum { MARK = sizeof utf8_mark - 1, LOOK = 64, DOS_END = 0x1A };

static bool has_utf16_mark(const char *text, size_t size) {
    return size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
}

/* Characters that no text has; zeros are none of them. */
static bool has_controls(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' && !strchr("\t\n\r", text[i])) return true; /* it finds the 0, too */
    return false;
}

/* A quarter of zeros is more than any text has that is not in 16 or 32 bits a character. They stand at every
 * second place, or all but every fourth is one; what is no text has them anywhere, or control characters. */
static bool looks_wide(const char *text, size_t size) {
    size_t looked = size < LOOK ? size : LOOK, zeros[4] = {0}, others[4] = {0};
    if (has_utf16_mark(text, size)) return true;
    for (size_t i = 0; i < looked; i++) ++*(text[i] ? &others[i % 4] : &zeros[i % 4]);
    size_t even = zeros[0] + zeros[2], odd = zeros[1] + zeros[3], between = others[1] + others[2];
    if (even + odd < 2 || 4 * (even + odd) < looked || even + odd == looked) return false;
    bool wide = even == 0 || odd == 0 || (between == 0 && (others[0] == 0 || others[3] == 0));
    return wide && !has_controls(text, looked);
}

static EadStatus refuse_utf16(const char *label) {
    return ead_fail(EAD_BAD_FILE, "%s: is UTF-16 text; save it as UTF-8, or: iconv -f UTF-16 -t UTF-8",
                    label);
}

static EadStatus refuse_binary(const char *label) {
    return ead_fail(EAD_BAD_FILE, "%s: is not text (binary)", label);
}

EadStatus ead_text_clean(char *text, size_t *size, const char *label) {
    if (looks_wide(text, *size)) return refuse_utf16(label);
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

/* What is wrong with a zero byte among lines, behind `length` bytes of a name. */
static EadStatus refuse_zero(const EadNameList *list, int length) {
    if (length > 0 ? has_controls(list->name, (size_t)length) : peek(list->stream) <= 0)
        return refuse_binary(list->label);
    if (length == 0) return refuse_utf16(list->label); /* \n 0 */
    return ead_fail(EAD_BAD_FILE,
                    "%s: holds zero bytes and line ends; if the zero bytes separate the names, say --null",
                    list->label);
}

/* Bytes up to the end of a name or of the list. */
static EadStatus read_name(EadNameList *list, int *length, int *byte) {
    *length = 0;
    while ((*byte = getc(list->stream)) != EOF) {
        bool second = list->after_return && *byte == '\n'; /* of \r\n */
        list->after_return = false;
        if (second) continue;
        if (ends_name(list, *byte)) break;
        if (*byte == '\0') return refuse_zero(list, *length);
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

/* A first name that ends in a zero byte, by which its list would be one of such names. Every other byte of Latin
 * text in UTF-16 is 0, with or without a mark; what is no text has several zeros together. */
static EadStatus check_zeros(const EadNameList *list, int length) {
    bool controls = has_controls(list->name, (size_t)length);
    int next = peek(list->stream);
    if (length == 0 ? next <= 0 : controls && (length == 1 || next == '\0'))
        return refuse_binary(list->label);
    return length <= 1 ? refuse_utf16(list->label) : EAD_OK;
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
        if (first && has_utf16_mark(list->name, (size_t)length)) return refuse_utf16(list->label);
        if (first && !told && list->zeros && byte != EOF) EAD_TRY(check_zeros(list, length));
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
