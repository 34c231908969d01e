/* Which characters are hidden; how many digits a number needs. */
#include "core/base/printing.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool ead_is_hidden(uint32_t code) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0, 0x1F},          {0x7F, 0x9F},     /* control characters */
        {0xAD, 0xAD},       {0x200B, 0x200B}, /* soft hyphen, space without width */
        {0x61C, 0x61C},     {0x200E, 0x200F}, /* marks of direction */
        {0x2028, 0x202E},                     /* line ends; embeddings and overrides of direction */
        {0x2060, 0x206F},                     /* invisible operators; isolates of direction */
        {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB}, /* byte-order mark; annotations */
        {0xE0000, 0xE007F},                   /* tags */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

void ead_make_printable(char *text) {
    char *to = text;
    for (const char *from = text; *from;) {
        uint32_t code;
        int length = ead_utf8_decode(from, &code);
        if (length == 0 || ead_is_hidden(code))
            *to++ = '?';
        else
            memmove(to, from, (size_t)length), to += length;
        from += length ? length : 1;
    }
    *to = '\0';
}

/* Of no memory for a long text its start must do. */
void ead_print(FILE *stream, const char *format, ...) {
    char start[1024], *text = start;
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    int length = vsnprintf(start, sizeof start, format, values);
    if (length >= (int)sizeof start && (text = malloc((size_t)length + 1)) != NULL)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(values);
    if (length < 0) return;
    if (!text) text = start;
    size_t formatted = strlen(format), size = strlen(text);
    bool ends = formatted > 0 && format[formatted - 1] == '\n';
    if (ends && size > 0 && text[size - 1] == '\n') text[size - 1] = '\0';
    ead_make_printable(text);
    fprintf(stream, "%s%s", text, ends ? "\n" : "");
    if (text != start) free(text);
}

EadStatus ead_print_flush(FILE *stream) {
    errno = 0;
    if (fflush(stream) == 0 && !ferror(stream)) return EAD_OK;
    return ead_fail(EAD_IO, "standard output: %s", strerror(errno ? errno : EIO));
}

const char *ead_float_text(float value, char text[EAD_NUMBER_TEXT]) {
    enum { LEAST = 6, MOST = 9 };
    for (int digits = LEAST; digits <= MOST; digits++) {
        snprintf(text, EAD_NUMBER_TEXT, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value && (float)strtod(text, NULL) == value) break;
    }
    return text;
}

const char *ead_double_text(double value, char text[EAD_NUMBER_TEXT]) {
    enum { LEAST = 6, MOST = 17 };
    for (int digits = LEAST; digits <= MOST; digits++) {
        snprintf(text, EAD_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return text;
}

char *ead_name_paths(const EadStringList *paths, int64_t count, int most) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    int named = most > 0 && most < paths->count ? most : paths->count;
    if (!stream) ead_fail(EAD_NO_MEMORY, "no memory for a list of files");
    if (!stream) return NULL;
    for (int i = 0; i < named; i++) fprintf(stream, "%s%s", i ? ", " : "", paths->items[i]);
    if (count > named) fprintf(stream, " and %lld more", (long long)(count - named));
    if (ead_memory_stream_close(stream, &text, "a list of files") == EAD_OK) ead_make_printable(text);
    return text;
}
