/* What the file of each data set type offers and what it may use; not for use outside data/dataset*.c. */
#ifndef EAD_DATA_DATASET_TYPES_H
#define EAD_DATA_DATASET_TYPES_H

#include "data/dataset.h"

/* Fills out->train, out->test and, if the type brings its own, out->validation. On failure ead_dataset_open()
 * frees what there is. */
EadStatus ead_dataset_open_mvtec_ad(const EadDatasetSpec *spec, EadDataset *out);
EadStatus ead_dataset_open_folder(const EadDatasetSpec *spec, EadDataset *out);

typedef enum EadLabel {
    EAD_LABEL_GOOD,      /* every image is normal */
    EAD_LABEL_BY_FOLDER, /* the first folder of the path is the defect's name; "good" is normal; none:
                            "defect" */
} EadLabel;

/* Appends all images below folder as test samples, sorted by path. With mask_folder (else NULL), each
 * anomalous one needs <stem>_mask.png or <stem>.png at the same place below it, and each image there its test
 * image. */
EadStatus ead_dataset_add_test(EadDataset *dataset, const char *folder, EadLabel label,
                               const char *mask_folder);

/* Appends the images below folder to train; having none is an error that names the folder. */
EadStatus ead_dataset_add_train(EadDataset *dataset, const char *folder);

#endif
