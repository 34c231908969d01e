/* What the files of the data set types share: folders of categories, lists of images, pairing of test images
 * with their masks. Not for use outside data/dataset. */
#pragma once

#include "core/base/paths.h"
#include "data/dataset/dataset.h"

typedef struct EadLayout EadLayout;

/* Fills out->train, out->test and, if the layout brings its own, out->validation; with spec->test_only the
 * test images alone. On failure ead_dataset_open() frees what there is. */
typedef EadStatus EadDatasetOpen(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out);
#define X(name, help, reader, ...) EadDatasetOpen ead_dataset_open_##reader;
EAD_DATASET_LIST(X)
#undef X

/* A row of the list of types. What the places mean is the reader's: for folders they are those below the
 * category, "" where there is none. */
struct EadLayout {
    const char *name;
    EadDatasetOpen *open;
    const char *train, *validation, *test, *masks;
    const char
        *ending; /* of masks' names, behind the image's: "_mask" or ""; NULL: a folder for each image */
    /* What tells the layout, as a pattern of paths below the category, or with a slash first below the data
     * set; "": its folders train and test do. */
    const char *sign;
    const char *const *categories; /* ended by NULL */
};

/* Row number `index`, NULL behind the last; that of a type, NULL if there is none of that name. */
const EadLayout *ead_dataset_layout(int index);
const EadLayout *ead_dataset_find_layout(const char *name);

/* Fails with EAD_IO: `root` has no folder, or JSON file, `name` that the layout needs; says which known layout is
 * nearest and what that lacks. */
EadStatus ead_dataset_no_folder(const EadDatasetSpec *spec, const EadLayout *layout, const char *root,
                                const char *name);

/* A layout's folder `name` below `folder`, as it is spelled there: where none has the very name, cases need not agree.
 * What is not there keeps the layout's name. Errors: those of listing folders. */
EadStatus ead_dataset_place(EadPath path, const char *folder, const char *name);

/* *other: the known layout that a data set has in place of the one that was asked for, or NULL; where: the folder that
 * has it. Errors: those of listing its folders. */
EadStatus ead_dataset_find_other(const EadDatasetSpec *spec, const EadLayout *asked, const EadLayout **other,
                                 EadPath where);

/* Fails with EAD_BAD_ARGUMENT: `path` is a category, of that type, or of the one that the config names (NULL); what to
 * set. before: the message's first words. */
EadStatus ead_dataset_is_category(const char *before, const char *path, const char *type);

/* Puts that layout, if any, behind the present message, that of a failure to read the data set. Returns status. */
EadStatus ead_dataset_name_other(const EadDatasetSpec *spec, const EadLayout *asked, EadStatus status);

/* The known layout that root, as a category or as the data set's folder, has all of; NULL: none. */
const EadLayout *ead_dataset_recognise(const char *root);

/* Fails with EAD_BAD_ARGUMENT where a folder is that of a data set, or what a labelling tool writes, that is
 * not read and cannot be taken for another. tree: only if it looks like MVTec AD's, too. */
EadStatus ead_dataset_refuse_foreign(const char *root, bool tree);

/* Folders found by their names, for type folder where the config names none. */
EadStatus ead_dataset_open_found(const EadDatasetSpec *spec, EadDataset *out);

/* Adds the images of spec->added. Errors: those of listing; EAD_BAD_ARGUMENT: none, none that is new, a test image, or
 * images that may be defective. */
EadStatus ead_dataset_add_more(const EadDatasetSpec *spec, EadDataset *out);

/* Whether the images below a folder may be trained on, as far as names tell: none lies in a folder of defects, tests or
 * masks, and those of several places, which are noted, do not have names of which some may be defects. cure: behind the
 * message. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_dataset_check_good(const char *folder, const EadStringList *images, const char *cure,
                                 EadDataset *out);

/* Adds a line to doubts that names what there is, the first ones by name: "2 of 9 <what>: a, b";
 * none where there is no name. Errors: EAD_NO_MEMORY. */
EadStatus ead_dataset_doubt(const EadStringList *names, int total, const char *what, EadStringList *doubts);

/* EAD_OK if there is none, else fails with EAD_BAD_FILE: names the first of what is wrong with rows of a data set's list,
 * "line 3: ...", and counts the rest. */
EadStatus ead_dataset_refuse_rows(const char *path, const EadStringList *wrong);

/* The folder <path>/<category>. Errors: EAD_BAD_ARGUMENT if it is not there, listing which are. */
EadStatus ead_dataset_category_folder(const EadDatasetSpec *spec, const EadLayout *layout, EadPath root);

/* The error for a category that `where` does not have; `there` are those it has, by name or by folder. */
EadStatus ead_dataset_unknown_category(const EadDatasetSpec *spec, const char *where,
                                       const EadStringList *there);

/* The last parts of the paths, all of them or the first ones: "a, b and 7 more". NULL without memory; the
 * caller frees it. */
char *ead_dataset_name_folders(const EadStringList *paths, int most);

typedef enum EadLabel {
    EAD_LABEL_GOOD, /* every image is normal */
    /* The path's first folder names the defect; "good", "ok", ... are normal; none: "defect". */
    EAD_LABEL_BY_FOLDER,
    EAD_LABEL_TOLD, /* the same, but none is an error */
} EadLabel;

/* Appends all images below folder as test samples, sorted by path, but for those below mask_folder. With
 * mask_folder (NULL or without masks in it: there are none) each anomalous one has its mask at the same place
 * below it, or in it, and each mask there its test image; what lacks the other is told. If none has, that is
 * an error. Where there are none, masks beside the images count, if more than half of the anomalous ones have
 * their own. ending: as in EadLayout. */
EadStatus ead_dataset_add_test(EadDataset *dataset, const char *folder, EadLabel label,
                               const char *mask_folder, const char *ending);

/* As ead_dataset_add_test(), but having none is an error. masks: "" or NULL for none. */
EadStatus ead_dataset_add_tests(EadDataset *dataset, const char *folder, EadLabel label, const char *masks);

/* What becomes of a mask. */
typedef enum EadMaskUse { EAD_MASK_STRAY, EAD_MASK_SECOND, EAD_MASK_TAKEN } EadMaskUse;

/* The index in a sorted list of files of the mask <stem><ending>, with any extension, or -1; the first
 * `length` bytes of stem count. Unless `only`, one without ending, or with what people write there (_mask,
 * -gt, ...), is taken where that is not there. Cases need not agree where nothing agrees in case. uses
 * [files->count] (or NULL): strays that could be this mask, it included, become second ones. */
int ead_dataset_find_mask(const EadStringList *files, const char *stem, int length, const char *ending,
                          bool only, EadMaskUse *uses);

/* Adds doubts about the masks, of `total`, that are not taken. */
EadStatus ead_dataset_doubt_strays(const EadStringList *files, const EadMaskUse *uses, int total,
                                   EadDataset *dataset);

/* Loads one mask file of a sample, whose image has that size; 0: no defect. notes: as in EadImageRules.
 * Errors: those of ead_mask_load(); EAD_BAD_FILE for another size. *mask is empty then. */
EadStatus ead_test_sample_mask(const EadTestSample *sample, const char *path, int width, int height,
                               EadImageNotes *notes, EadImage *mask);

/* Appends one test sample, normal if its defect is "good"; mask_path may be NULL. */
EadStatus ead_dataset_add_sample(EadDataset *dataset, const char *path, const char *defect,
                                 const char *mask_path);

/* Notes how many good images of a folder a test leaves out because our own division gives them to training. */
EadStatus ead_dataset_note_for_training(EadDataset *dataset, const char *folder, int count);

/* Adds a doubt that counts and names the pictures below root that lie neither in a folder that was searched nor in one
 * of `places`, nor are one; of what this program wrote it is told in left_out. Those that were searched are added to these, and they are sorted. Both are spelled from root
 * on. Errors: those of listing root. */
EadStatus ead_dataset_doubt_unused(EadDataset *dataset, const char *root, EadStringList *places);

/* Appends the file below root that a list of the data set names, spelled as it will be found; nothing for NULL, "" and
 * what lies elsewhere. Errors: EAD_NO_MEMORY, EAD_BAD_ARGUMENT. */
EadStatus ead_dataset_add_named(EadStringList *places, const char *root, const char *name);

/* Frees what the sample owns and leaves an empty one. */
void ead_test_sample_free(EadTestSample *sample);

/* Sorts the samples from index `first` on by path. */
void ead_dataset_sort_test(EadDataset *dataset, int first);

/* Fails with EAD_BAD_ARGUMENT: the folder holds no `what` ("images to train on"), but perhaps pictures of ours. */
EadStatus ead_dataset_no_images(const EadDataset *dataset, const char *folder, const char *what);

/* Appends the images below folder to a list of the data set; having none is an error that names the folder
 * and `what` ("images to train on"). */
EadStatus ead_dataset_add_images(EadDataset *dataset, const char *folder, const char *what,
                                 EadStringList *list);
