/* A data set for anomaly detection: normal images to train on, normal images held back for validation, and
 * test images with their kind of defect and masks. */
#pragma once

#include "data/dataset/defect_types.h"
#include "data/source/image_list.h"
#include "data/dataset/ground_truth.h"

#include <stdbool.h>
#include <stdint.h>

/* The types: a published data set is one row here and one of the README's table; nothing else is needed for
 * it unless none of the readers fits. X(name in the config; what the help says of it; reader: the function
 * ead_dataset_open_<reader>() in data/dataset/dataset_<reader>.c; where it finds good images to train on,
 * those held back for validation, test images and masks, and how masks' names end, see EadLayout; a pattern
 * that tells the layout, or ""; the categories that its authors name, or NULL: it has none) */
#define EAD_DATASET_LIST(X)                                                                                  \
    X(mvtec_ad, "MVTec AD's layout", tree, "train/good", "", "test", "ground_truth", "_mask", "", "bottle",  \
      "cable", "capsule", "carpet", "grid", "hazelnut", "leather", "metal_nut", "pill", "screw", "tile",     \
      "toothbrush", "transistor", "wood", "zipper")                                                          \
    X(mvtec_ad_2, "MVTec AD 2's, with its public test images", tree, "train/good", "validation/good",        \
      "test_public", "test_public/ground_truth", "_mask", "", "can", "fabric", "fruit_jelly", "rice",        \
      "sheet_metal", "vial", "wallplugs", "walnuts")                                                         \
    X(mvtec_loco, "MVTec LOCO AD's", channels, "train/good", "validation/good", "test", "ground_truth",      \
      NULL, "defects_config.json", "breakfast_box", "juice_bottle", "pushpins", "screw_bag",                 \
      "splicing_connectors")                                                                                 \
    X(visa, "with split_csv/1cls.csv or converted to MVTec AD's layout", visa, "train/good", "", "test",     \
      "ground_truth", "", "/split_csv/1cls.csv", "candle", "capsules", "cashew", "chewinggum", "fryum",      \
      "macaroni1", "macaroni2", "pcb1", "pcb2", "pcb3", "pcb4", "pipe_fryum")                                \
    X(btad, "BTAD's", tree, "train/ok", "", "test", "ground_truth", "", "", "01", "02", "03")                \
    X(mpdd, "MPDD's", tree, "train/good", "", "test", "ground_truth", "_mask", "", "bracket_black",          \
      "bracket_brown", "bracket_white", "connector", "metal_plate", "tubes")                                 \
    X(kolektor_sdd, "KolektorSDD's; the good parts of kos05, kos10, ..., kos50 and all defects are tested",  \
      beside, "", "", "", "", "_label", "/kos*/Part*_label.*", NULL)                                         \
    X(kolektor_sdd2, "KolektorSDD2's", beside, "train", "", "test", "", "_GT", "/train/*_GT.*", NULL)        \
    X(real_iad, "Real-IAD's", real_iad, "realiad_jsons", "",                                                 \
      "realiad_1024|realiad_512|realiad_256|realiad_raw", "", "", "/realiad_jsons", "audiojack",             \
      "bottle_cap", "button_battery", "end_cap", "eraser", "fire_hood", "mint", "mounts", "pcb",             \
      "phone_battery", "plastic_nut", "plastic_plug", "porcelain_doll", "regulator", "rolled_strip_base",    \
      "sim_card_set", "switch", "tape", "terminalblock", "toothbrush", "toy", "toy_brick", "transistor1",    \
      "u_block", "usb", "usb_adaptor", "vcpill", "wooden_beads", "woodstick", "zipper")                      \
    X(folder,                                                                                                \
      "any folders, named by the next keys, or found by their names where none is set: train, test, "        \
      "good, ok, normal, bad, nok, ng, defect, ...",                                                         \
      folder, "", "", "", "", "_mask", "", NULL)

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
    /* NULL where there is none (a defect without one is in no pixel metric where others have masks); of a
     * normal image: all zeros; mvtec_loco: a folder of them. One that others have but this one lacks is named
     * too, until ead_dataset_check_tests(). */
    char *mask_path;
    char *defect;  /* name of the test subfolder; visa's own layout: "anomaly"; "good" for normal images */
    int anomalous; /* 1 or 0 */
    const EadDefectTypes *types; /* mvtec_loco: the data set's; else NULL */
} EadTestSample;

typedef struct EadDataset {
    EadStringList train, validation; /* sorted bytewise, nothing in common, at least one image each */
    EadTestSample *test;             /* sorted by path within each folder of test images */
    int test_count, test_capacity;
    bool has_masks;        /* anomalous images have masks, but for single ones */
    bool expects_masks;    /* its type has them, or a folder for them is named or there */
    EadDefectTypes *types; /* mvtec_loco: its defects_config.json, owned; else NULL */
    EadLeftOut left_out;   /* what its folders hold besides */
    EadStringList notes;   /* lines for whoever uses it: what was recognised, left out, or is missing */
    EadStringList doubts;  /* lines about its test set and masks, see ead_dataset_check_tests() */
} EadDataset;

typedef struct EadDatasetSpec {
    const char *type;     /* a name of EAD_DATASET_LIST */
    const char *path;     /* folder of the collection, or of the data (folder) */
    const char *category; /* where the type has categories, e.g. "bottle" */
    /* Of the normal images, in (0,1); the paper's is 0.1; unused by types with their own. */
    double validation_fraction;
    uint64_t seed;
    bool test_only; /* lists the test images alone; those to train on need not be there */
    /* Type folder only; relative to path unless they begin with a slash; NULL or "" for none.
     * Where all are: found by their names. */
    const char *normal_folder; /* to train on; none means path itself */
    const char *good_folder;   /* normal test images */
    const char *defect_folder; /* anomalous test images; its sub-folders are the kinds of defects */
    const char *mask_folder;   /* defect_folder's tree again, with <stem>_mask.png or <stem>.png */
    /* Any type: folders of more normal images, or NULL. Of each as many are held back as make validation_fraction of all
     * images so far; those of the data set, and of the folders before it, are divided as without it. */
    const EadStringList *added;
} EadDatasetSpec;

/* Lists the files of a data set and splits the normal images: round(validation_fraction * n) of them, but at
 * least 1, are held back, chosen by EAD_STREAM_SPLIT of seed, unless its authors have done so. No test images
 * is no error (test_count 0); neither is a data set without any masks. Images are not opened, but masks are
 * where nothing else tells good images (kolektor_*). Errors: EAD_BAD_ARGUMENT (unknown type or category,
 * which the message lists; a fraction outside (0,1); too few images; masks of which none belongs to an image;
 * an image both trained on and tested with), EAD_IO (missing or unreadable folder; the message names the
 * known layout that is nearest), EAD_NO_MEMORY. *out is empty then, else to be freed with
 * ead_dataset_free(). */
EadStatus ead_dataset_open(const EadDatasetSpec *spec, EadDataset *out);

/* Whether dataset.path leads to a folder. Errors: EAD_IO, EAD_BAD_FILE (what it is instead). */
EadStatus ead_dataset_check_path(const char *path);

/* Fails with EAD_BAD_ARGUMENT: dataset.category is not set for a type that has categories. Says what `path`, which
 * need not be there and may be "", is where it is no folder of categories, and what to set. */
EadStatus ead_dataset_no_category(const char *type, const char *path);

/* Harmless on an empty (zeroed) data set. */
void ead_dataset_free(EadDataset *dataset);

/* The categories that a collection's authors name, ended by NULL. Empty where it has none, and for unknown
 * types. */
const char *const *ead_dataset_categories(const char *type);

/* Loads the sample's ground truth with 0 for normal and 255 for defect; width and height are those of the
 * sample's image. Normal images, and defects without a mask, get a mask of zeros. notes: as in EadImageRules.
 * Errors: those of ead_mask_load(); EAD_BAD_FILE if mask and image differ in size, or (mvtec_loco) a channel
 * holds several pixel values or one that defects_config.json does not name. One of zeros alone is no error:
 * it has no region, or no channel. *truth is empty then, else the caller frees it. */
EadStatus ead_test_sample_truth(const EadTestSample *sample, int width, int height, EadImageNotes *notes,
                                EadGroundTruth *truth);

/* Reads the header of every test image by these rules (NULL: as usual), and every mask, so that what is bad
 * shows before hours of training; whole: every image to its end, those to train on and for validation, too.
 * Adds to dataset->doubts a line each for images that cannot be read, for masks that are missing or cannot be
 * used, that mark nothing, that hold several values or pages, and that seem to be inverted, with their names.
 * Sets mask_path to NULL where a mask cannot be used. Errors: EAD_BAD_FILE, telling all that are wrong, if
 * half of the masks cannot be used, a normal image's that marks anything among them; EAD_NO_MEMORY. */
EadStatus ead_dataset_check_tests(EadDataset *dataset, const EadImageRules *rules, bool whole);
