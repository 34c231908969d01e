/* Files are the same by what they are, not by what they are called: an image that is in two sets, through
 * links or under two paths, spoils what is measured. */
#pragma once

#include "data/dataset/dataset.h"

/* Takes training images that are there already out of the list and tells them in left_out. Refuses an image
 * that is in two of the three sets. What is there with the same bytes under another name, in two sets or as a
 * good and as a defective test image, is told in doubts; files of the same size are read for that. Errors:
 * EAD_BAD_ARGUMENT with both names; EAD_NO_MEMORY. */
EadStatus ead_dataset_check_apart(EadDataset *dataset);

/* Refuses images of the data set among others, the value of the config key `key`, which takes `takes`. Adds a
 * line to doubts that names those with the same bytes as one of the data set's. Errors: as above. */
EadStatus ead_dataset_check_others(const EadDataset *dataset, const EadImageList *others, const char *key,
                                   const char *takes, EadStringList *doubts);

/* Refuses a folder to write to that is, or lies in, a folder searched for images: they would be mixed up.
 * Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_check_output_apart(const EadLeftOut *searched, const char *output);
