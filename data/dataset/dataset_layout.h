/* What the files of the data set types share: folders of categories, lists of images, pairing of test images
 * with their masks. Not for use outside data/dataset. */
#pragma once

#include "core/base/paths.h"
#include "data/dataset/dataset.h"

/* Fills out->train, out->test and, if the type brings its own, out->validation. On failure ead_dataset_open()
 * frees what there is. */
typedef EadStatus EadDatasetOpen(const EadDatasetSpec *spec, EadDataset *out);
#define X(name, ...) EadDatasetOpen ead_dataset_open_##name;
EAD_DATASET_LIST(X)
#undef X

/* The folder <path>/<category>. Errors: EAD_BAD_ARGUMENT if it is not there, listing which are. */
EadStatus ead_dataset_category_folder(const EadDatasetSpec *spec, EadPath root);

/* The error for a category that `where` does not have; `there` are those it has, by name or by folder. */
EadStatus ead_dataset_unknown_category(const EadDatasetSpec *spec, const char *where,
                                       const EadStringList *there);

typedef enum EadLabel {
    EAD_LABEL_GOOD,      /* every image is normal */
    EAD_LABEL_BY_FOLDER, /* the path's first folder names the defect; "good" is normal; none: "defect" */
} EadLabel;

typedef enum EadMaskLayout {
    EAD_MASK_FILES,   /* <stem>_mask.png or <stem>.png */
    EAD_MASK_FOLDERS, /* a folder <stem> for each image, in one for each kind of defect */
} EadMaskLayout;

/* Appends all images below folder as test samples, sorted by path. With mask_folder (else NULL), each
 * anomalous one needs its mask at the same place below it, and each mask there its test image. */
EadStatus ead_dataset_add_test(EadDataset *dataset, const char *folder, EadLabel label,
                               const char *mask_folder, EadMaskLayout layout);

/* Appends one test sample; mask_path may be NULL. */
EadStatus ead_dataset_add_sample(EadDataset *dataset, const char *path, const char *defect,
                                 const char *mask_path);

/* Appends the images below folder to train; having none is an error that names the folder. */
EadStatus ead_dataset_add_train(EadDataset *dataset, const char *folder);
