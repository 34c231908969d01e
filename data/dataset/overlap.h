/* Files are the same by what they are, not by what they are called: an image that is in two sets, through
 * links or under two paths, spoils what is measured. */
#pragma once

#include "core/base/philox.h"
#include "data/dataset/dataset.h"

/* Takes images that are in their set already, as the same file, out of it and tells them in left_out. Refuses an image
 * that is in two of the three sets. What is there with the same bytes under another name, in two sets or as a
 * good and as a defective test image, is told in doubts; files of the same size are read for that. Errors:
 * EAD_BAD_ARGUMENT with both names; EAD_NO_MEMORY. */
EadStatus ead_dataset_check_apart(EadDataset *dataset);

/* Takes images that the data set has already, in the same file or with the same bytes, out of a list, the value of the
 * config key `key`. Files of the same size are read for that. Errors: EAD_BAD_ARGUMENT if one is a test image. */
EadStatus ead_dataset_leave_known(const EadDataset *dataset, EadStringList *images, const char *key);

/* The order in which images are drawn: ead_shuffled_index(seed, stream, 0 ..). */
typedef struct EadDrawOrder {
    uint64_t seed;
    EadStream stream;
} EadDrawOrder;

/* Refuses images of the data set among others, the value of the config key `key`, which takes `takes`. Adds a
 * line to doubts that names those with the same bytes as one of the data set's. order: NULL, or that in which they are
 * drawn: of more than 100,000 those are looked at that come first, since a look at each of a million files takes long.
 * Errors: as above. */
EadStatus ead_dataset_check_others(const EadDataset *dataset, const EadImageList *others,
                                   const EadDrawOrder *order, const char *key, const char *takes,
                                   EadStringList *doubts);

/* The same for a list whose first `held_out` images are the value of held_out_key, for validation, and the
 * others that of `key`. */
EadStatus ead_image_list_check_apart(const EadImageList *list, int held_out, const char *key,
                                     const char *held_out_key, EadStringList *doubts);

/* Refuses a folder to write to that is, or lies in, a folder searched for images: they would be mixed up.
 * Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_check_output_apart(const EadLeftOut *searched, const char *output);
