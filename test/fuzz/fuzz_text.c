/* libFuzzer target: any bytes as a text file, as a list of names and as something to print. */
#include "core/base/printing.h"
#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

static void read_names(const char *text, size_t size) {
    FILE *stream = size ? fmemopen((char *)(uintptr_t)text, size, "r") : NULL;
    EadNameList list = {.stream = stream, .label = "fuzz", .zeros = size % 2 == 1};
    const char *name;
    while (ead_name_list_next(&list, &name) == EAD_OK && name)
        require(name[0] != '\0' && strlen(name) <= size);
    ead_name_list_free(&list);
    if (stream) fclose(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char *text = malloc(size + 1);
    size_t length = size;
    require(text != NULL);
    memcpy(text, bytes, size);
    text[size] = '\0';
    read_names(text, size);
    if (ead_text_clean(text, &length, "fuzz") == EAD_OK)
        require(length <= size && strlen(text) == length && !strchr(text, '\r'));
    else
        require(strncmp(ead_error_message(), "fuzz: ", 6) == 0);
    memcpy(text, bytes, size);
    text[size] = '\0';
    ead_make_printable(text);
    for (const char *c = text; *c; c++) require((unsigned char)*c >= ' ' && *c != 0x7F);
    require(!strstr(text, "\xC2\x9B") && !strstr(text, "\u202E"));
    free(text);
    return 0;
}
