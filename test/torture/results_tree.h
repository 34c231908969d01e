/* What lies in the folder of a try, held against the folder of the undisturbed run. */
#pragma once

#include <stdbool.h>

enum { TREE_WHY = 600 };

/* How much must be there. */
typedef enum TreeDemand {
    TREE_WHOLE,          /* the same files, with the same bytes */
    TREE_WHOLE_LITTERED, /* and others besides, left by a killed process; how many is told */
    TREE_PART,           /* no other names, and what is there is whole */
    TREE_PART_LITTERED,
} TreeDemand;

/* Whether it holds; else why tells the first file that does not. *litter: files of other names. */
bool tree_holds(const char *folder, const char *reference, TreeDemand demand, int *litter,
                char why[TREE_WHY]);

/* Whether two files are there and the same. */
bool tree_same_bytes(const char *a, const char *b);

/* Removes a folder with all in it. */
void tree_remove(const char *folder);

/* Bytes of all files in it. */
long long tree_bytes(const char *folder);
