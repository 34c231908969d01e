/* A growing list of owned strings: paths, names, messages. An empty one is zeroed. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>

typedef struct EadStringList {
    char **items; /* [count], owned */
    int count, capacity;
} EadStringList;

/* Appends a copy of text. Errors: EAD_NO_MEMORY. */
EadStatus ead_strings_add(EadStringList *list, const char *text);

/* Appends a formatted text of any length. Errors: EAD_NO_MEMORY. */
EadStatus ead_strings_print(EadStringList *list, const char *format, ...) EAD_PRINTF(2, 3);

/* Appends a copy of text, unless it is there already. */
EadStatus ead_strings_add_once(EadStringList *list, const char *text);

/* Sorts bytewise, all or from index `first` on, so that the order is the same on every machine. */
void ead_strings_sort(EadStringList *list);
void ead_strings_sort_from(EadStringList *list, int first);

/* The first index of text, or -1; the second one is for sorted lists, by bisection. */
int ead_strings_find(const EadStringList *list, const char *text);
int ead_strings_find_sorted(const EadStringList *list, const char *text);

/* The first index from `first` on, in a list that is sorted from there, whose text does not come before the first
 * `length` bytes of text; count where all do. */
int ead_strings_first_from(const EadStringList *list, int first, const char *text, size_t length);

/* Frees everything and leaves an empty list. */
void ead_strings_free(EadStringList *list);
