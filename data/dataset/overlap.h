/* Files are the same by what they are, not by what they are called: an image that is in two sets, through
 * links or under two paths, spoils what is measured. */
#pragma once

#include "data/dataset/dataset.h"

/* Takes training images that are there already out of the list and tells them in left_out. Refuses an image
 * that is in two of the three sets; one that is there with the same bytes under another name is told in
 * doubts, for which files of the same size are read. Errors: EAD_BAD_ARGUMENT with both names;
 * EAD_NO_MEMORY. */
EadStatus ead_dataset_check_apart(EadDataset *dataset);

/* Refuses images of the data set among others, the value of the config key `key`. Errors: as above. */
EadStatus ead_dataset_check_others(const EadDataset *dataset, const EadImageList *others, const char *key);

/* Refuses a folder to write to that is, or lies in, a folder searched for images: they would be mixed up.
 * Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_check_output_apart(const EadLeftOut *searched, const char *output);
