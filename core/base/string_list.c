/* A growing list of owned strings. */
#include "core/base/string_list.h"

#include "core/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EadStatus ead_strings_add(EadStringList *list, const char *text) {
    EAD_TRY(ead_grow(&list->items, &list->capacity, list->count, sizeof *list->items, "a list of names"));
    char *copy = ead_strdup(text);
    if (!copy) return EAD_NO_MEMORY;
    list->items[list->count++] = copy;
    return EAD_OK;
}

EadStatus ead_strings_print(EadStringList *list, const char *format, ...) {
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, values);
    char *text = ead_new((int64_t)length + 1, 1, "a list of texts");
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(values);
    EadStatus status = text ? ead_strings_add(list, text) : EAD_NO_MEMORY;
    free(text);
    return status;
}

EadStatus ead_strings_add_once(EadStringList *list, const char *text) {
    return ead_strings_find(list, text) >= 0 ? EAD_OK : ead_strings_add(list, text);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ead_strings_sort_from(EadStringList *list, int first) {
    if (list->count - first > 1)
        qsort(list->items + first, (size_t)(list->count - first), sizeof(char *), compare);
}

void ead_strings_sort(EadStringList *list) {
    ead_strings_sort_from(list, 0);
}

int ead_strings_find(const EadStringList *list, const char *text) {
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0) return i;
    return -1;
}

int ead_strings_find_sorted(const EadStringList *list, const char *text) {
    if (list->count == 0) return -1;
    char **found = bsearch(&text, list->items, (size_t)list->count, sizeof(char *), compare);
    return found ? (int)(found - list->items) : -1;
}

int ead_strings_first_from(const EadStringList *list, int first, const char *text, size_t length) {
    int end = list->count;
    while (first < end) {
        int middle = first + (end - first) / 2;
        if (strncmp(list->items[middle], text, length) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

void ead_strings_free(EadStringList *list) {
    for (int i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    *list = (EadStringList){0};
}
