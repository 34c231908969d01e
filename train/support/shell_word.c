/* Words of a shell. */
#include "train/support/shell_word.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *called = "efficientad";

char *ead_shell_word(const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%=";
    size_t size;
    char *word = NULL;
    FILE *out = open_memstream(&word, &size);
    if (!out) return NULL;
    bool quoted = !*text || text[strspn(text, plain)];
    if (quoted) fputc('\'', out);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    if (quoted) fputc('\'', out);
    fclose(out);
    return word;
}

char *ead_program_word(void) {
    return ead_shell_word(called);
}

void ead_program_called(const char *name) {
    called = name && *name ? name : "efficientad";
}
