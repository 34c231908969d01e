/* What people mean by the names of their folders. */
#pragma once

typedef enum EadFolderMeaning {
    EAD_FOLDER_OTHER, /* a kind of defect, a date, ... */
    EAD_FOLDER_GOOD,
    EAD_FOLDER_BAD,
    EAD_FOLDER_TRAIN,
    EAD_FOLDER_VALIDATION,
    EAD_FOLDER_TEST,
    EAD_FOLDER_MASKS,
    EAD_FOLDER_EITHER, /* one of two kinds, but not which: 0 and 1, positive and negative */
    EAD_FOLDER_IMAGES, /* "images": says nothing */
    EAD_FOLDER_NUMBER, /* digits alone, such as a date: says nothing either */
} EadFolderMeaning;

/* In any case, with numbers and words such as "images" or "parts" besides: "OK", "01_good", "Good Parts",
 * "NG2". */
EadFolderMeaning ead_folder_meaning(const char *name);

/* The meaning of the path's first folder, and where the next begins: behind its slash, or NULL if the path
 * has no folder (then OTHER). */
EadFolderMeaning ead_folder_next(const char *path, const char **next);
