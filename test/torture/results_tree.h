/* What lies in the folder of a try, held against the folder of the undisturbed run. */
#pragma once

#include <stdbool.h>

enum { TREE_WHY = 600 };

/* Whether it holds; else why tells the first file that does not. whole: the same files with the same bytes; else what
 * is there is whole. littered: there may be files of other names, but when whole none for --resume; *litter: how many there
 * are. */
bool tree_holds(const char *folder, const char *reference, bool whole, bool littered, int *litter,
                char why[TREE_WHY]);

/* Whether two files are there and the same. */
bool tree_same_bytes(const char *a, const char *b);

/* Removes a folder with all in it. */
void tree_remove(const char *folder);

/* Bytes of all files in it. */
long long tree_bytes(const char *folder);
