/* What another program found on a test set, in files: anomaly maps and, perhaps, scores. */
#pragma once

#include "data/codec/map_file.h"
#include "train/evaluate/name_match.h"
#include "train/evaluate/score_file.h"
#include "train/evaluate/scoring.h"

typedef struct EadGivenResults {
    const EadDataset *dataset; /* borrowed */
    const char *folder;        /* of the maps, borrowed */
    EadStringList maps;        /* their paths below it */
    EadNameMatch of_maps;
    const char *score_path; /* borrowed; NULL: none are given, a score is the maximum of its map */
    EadScoreFile scores;
    EadNameMatch of_scores;
    EadStringList
        faults; /* a line each for images without map or score, and for those that belong to no image */
} EadGivenResults;

/* What is given for one image. */
typedef struct EadGivenResult {
    EadMapFile map; /* as it stands in its file */
    double score;   /* likewise; or the maximum there */
    bool told;      /* there is none, as ead_given_find() knows */
} EadGivenResult;

/* Finds the files for each test image of a data set whose folder is `root`: maps below `folder` (EAD_MAP_EXTENSIONS), by
 * their names (name_match.h), and scores in the file `scores`, or NULL. Adds to problems what cannot be meant, and why
 * there are none at all; scores that cannot be read are none. What stands in maps is read later. Errors: EAD_NO_MEMORY.
 * Free *given in every case. */
EadStatus ead_given_find(const EadDataset *dataset, const char *root, const char *folder, const char *scores,
                         EadProblems *problems, EadGivenResults *given);
void ead_given_free(EadGivenResults *given);

/* Reads test image number `index` and what is given for it; its seconds stay 0. In *out score and map are rounded to 32
 * bits, and a map of another size is resized to its image by ead_map_resize(), as a model's is. Free result->map in
 * every case. Errors: those of reading either; EAD_BAD_FILE where there is none, or no score: result->told. Several
 * threads may call it at once. */
EadStatus ead_given_read(const EadGivenResults *given, int index, const EadImageRules *rules, EadScored *out,
                         EadGivenResult *result);
