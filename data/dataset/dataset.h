/* A data set for anomaly detection: normal images to train on, normal images held back for validation, and
 * test images with their kind of defect and masks. */
#pragma once

#include "data/dataset/defect_types.h"
#include "data/source/image_list.h"
#include "data/dataset/ground_truth.h"

#include <stdbool.h>
#include <stdint.h>

/* The types. A new one is one row here, with its function ead_dataset_open_<name>() in a file of its own, and
 * a row of the README's table.
 * X(name in the config, what the help says of it, the categories that its authors name or NULL) */
#define EAD_DATASET_LIST(X)                                                                                  \
    X(mvtec_ad, "MVTec AD's layout", "bottle", "cable", "capsule", "carpet", "grid", "hazelnut", "leather",  \
      "metal_nut", "pill", "screw", "tile", "toothbrush", "transistor", "wood", "zipper")                    \
    X(mvtec_loco, "MVTec LOCO AD's", "breakfast_box", "juice_bottle", "pushpins", "screw_bag",               \
      "splicing_connectors")                                                                                 \
    X(visa, "with split_csv/1cls.csv or converted to MVTec AD's layout", "candle", "capsules", "cashew",     \
      "chewinggum", "fryum", "macaroni1", "macaroni2", "pcb1", "pcb2", "pcb3", "pcb4", "pipe_fryum")         \
    X(folder, "any folders, named by the next keys", NULL)

typedef enum EadDatasetType {
#define X(name, ...) EAD_DATASET_##name,
    EAD_DATASET_LIST(X)
#undef X
} EadDatasetType;

/* "mvtec_ad|mvtec_loco|...", for the config's table of keys; and a line of help. */
#define EAD_DATASET_CHOICE(name, ...)        "|" #name
#define EAD_DATASET_CHOICES                  (&(EAD_DATASET_LIST(EAD_DATASET_CHOICE))[1])
#define EAD_DATASET_HELP_OF(name, help, ...) "; " #name ": " help
#define EAD_DATASET_HELP                     (&(EAD_DATASET_LIST(EAD_DATASET_HELP_OF))[2])

typedef struct EadTestSample {
    char *path;
    char *mask_path; /* NULL for normal images and where there are no masks; mvtec_loco: a folder of them */
    char *defect;    /* name of the test subfolder; visa's own layout: "anomaly"; "good" for normal images */
    int anomalous;   /* 1 or 0 */
    const EadDefectTypes *types; /* mvtec_loco: the data set's; else NULL */
} EadTestSample;

typedef struct EadDataset {
    EadStringList train, validation; /* sorted bytewise, nothing in common, at least one image each */
    EadTestSample *test;             /* sorted by path within each folder of test images */
    int test_count, test_capacity;
    bool has_masks;        /* every anomalous test image has its mask */
    EadDefectTypes *types; /* mvtec_loco: its defects_config.json, owned; else NULL */
    EadLeftOut left_out;   /* what its folders hold besides */
} EadDataset;

typedef struct EadDatasetSpec {
    const char *type;           /* see ead_dataset_types() */
    const char *path;           /* folder of the collection, or of the data (folder) */
    const char *category;       /* all but folder: the sub-folder, e.g. "bottle" */
    double validation_fraction; /* of the normal images, in (0,1); the paper's is 0.1; not mvtec_loco */
    uint64_t seed;
    /* Type folder only; relative to path unless they begin with a slash; NULL or "" for none. */
    const char *normal_folder; /* to train on; none means path itself */
    const char *good_folder;   /* normal test images */
    const char *defect_folder; /* anomalous test images; its sub-folders are the kinds of defects */
    const char *mask_folder;   /* defect_folder's tree again, with <stem>_mask.png or <stem>.png */
} EadDatasetSpec;

/* Lists the files of a data set and splits the normal images: round(validation_fraction * n) of them, but at
 * least 1, are held back, chosen by EAD_STREAM_SPLIT of seed; mvtec_loco has a split of its own. No test
 * images is no error (test_count 0); neither is a data set without any masks if its type allows that. Images
 * are not opened. Errors: EAD_BAD_ARGUMENT (unknown type or category, which the message lists; a fraction
 * outside (0,1); too few images; a defect image without mask or a mask without image; an image both trained
 * on and tested with), EAD_IO (missing or unreadable folder), EAD_NO_MEMORY. *out is empty then, else to be
 * freed with ead_dataset_free(). */
EadStatus ead_dataset_open(const EadDatasetSpec *spec, EadDataset *out);

/* Harmless on an empty (zeroed) data set. */
void ead_dataset_free(EadDataset *dataset);

/* The known types, in the order of the list, for messages and help. */
const char *ead_dataset_types(void);

/* The categories that a collection's authors name, ended by NULL. Empty for folder and unknown types. */
const char *const *ead_dataset_categories(const char *type);

/* Loads the sample's ground truth with 0 for normal and 255 for defect; width and height are those of the
 * sample's image. Normal images get a mask of zeros. Errors: those of ead_mask_load(); EAD_BAD_FILE if mask
 * and image differ in size, a mask is all zeros, or (mvtec_loco) a channel holds no or several pixel values
 * or one that defects_config.json does not name; EAD_BAD_ARGUMENT if there is no mask. *truth is empty then,
 * else the caller frees it. */
EadStatus ead_test_sample_truth(const EadTestSample *sample, int width, int height, EadGroundTruth *truth);

/* Reads every mask and the size of every image with one, so that a bad mask shows before hours of training.
 * Errors: those of ead_image_size() and ead_test_sample_truth() for the first that is wrong. */
EadStatus ead_dataset_check_masks(const EadDataset *dataset);
