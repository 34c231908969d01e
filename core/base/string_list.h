/* A growing list of owned strings: paths, names, messages. An empty one is zeroed. */
#pragma once

#include "core/base/status.h"

#include <stdarg.h>

typedef struct EadStringList {
    char **items; /* [count], owned */
    int count, capacity;
} EadStringList;

/* Appends a copy of text. Errors: EAD_NO_MEMORY. */
EadStatus ead_strings_add(EadStringList *list, const char *text);

/* Appends a formatted text of any length. Errors: EAD_NO_MEMORY. */
EadStatus ead_strings_print(EadStringList *list, const char *format, ...) EAD_PRINTF(2, 3);
EadStatus ead_strings_print_values(EadStringList *list, const char *format, va_list values);

/* Appends a copy of text, unless it is there already. */
EadStatus ead_strings_add_once(EadStringList *list, const char *text);

/* Sorts bytewise, all or from index `first` on, so that the order is the same on every machine. */
void ead_strings_sort(EadStringList *list);
void ead_strings_sort_from(EadStringList *list, int first);

/* The first index of text, or -1; the second one is for sorted lists, by bisection. */
int ead_strings_find(const EadStringList *list, const char *text);
int ead_strings_find_sorted(const EadStringList *list, const char *text);

/* Frees everything and leaves an empty list. */
void ead_strings_free(EadStringList *list);
