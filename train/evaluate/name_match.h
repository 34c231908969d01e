/* Which of the names that another program gave (files below a folder, rows of a list) belongs to which test image. */
#pragma once

#include "data/dataset/dataset.h"
#include "train/support/problems.h"

typedef struct EadNameMatch {
    int *of_sample;            /* [test_count] the number of its name; -1: it has none; owned */
    EadStringList missing;     /* paths of the images without a name */
    EadStringList superfluous; /* names without an image */
} EadNameMatch;

/* A name belongs to an image, with or without the image's extension,
 * - if it is the one that ead_output_names_take() gives its map, as in the folder maps/ of an evaluation (good/000),
 * - else if this image's path ends in it and no other's does (bottle/test/good/000, test/good/000, good/000; 000),
 * - else if it ends in the part of the image's path below `root`, the data set's folder.
 * names   without extensions where they are those of maps; shown: the same as messages call them
 * source  the folder or file that they are from, for messages
 * Adds to problems, in one line each, two names of one image and a name that may belong to two. Errors: EAD_NO_MEMORY.
 * Free *match in every case. */
EadStatus ead_names_match(const EadDataset *dataset, const char *root, const EadStringList *names,
                          const EadStringList *shown, const char *source, EadProblems *problems,
                          EadNameMatch *match);

/* Harmless on an empty (zeroed) one. */
void ead_name_match_free(EadNameMatch *match);
