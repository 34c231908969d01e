/* Lists of the images below a path, and of other files. An image is known by its name and place: a file, or a
 * member of a tar archive that is read where it lies. So penalty and distillation draw from a folder tree,
 * ImageNet's layout, webdataset's shards, ImageNet's tar of tars. */
#pragma once

#include "data/codec/codec.h"
#include "data/source/left_out.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a file of that name is to be listed. */
typedef bool EadFileWanted(const char *name);

/* Appends every file below folder that `wanted` wants, sorted bytewise by path and so the same on every
 * machine. Links are followed, but a folder counts once; hidden files and folders (a
 * leading dot) are skipped. An empty folder adds nothing.
 * With left_out: appends images by their content, too, and tells there what else there is (but for this program's own
 * hidden files, such as locks), pictures in hidden folders as hidden ones. What cannot be
 * read (a dead link, a subfolder that is closed or more than 64 deep) is told there, and costs nothing else.
 * Maps, overlays and masks that this program wrote are told there, and so are masks beside their images: <name>_mask.png,
 * _label, _gt and the like, where <name> is an image in the same folder and the picture has few colours.
 * Without (NULL) the first that cannot be read is the error.
 * Errors: EAD_IO (no such folder, not readable), EAD_BAD_FILE, EAD_NO_MEMORY. */
EadStatus ead_list_files(EadStringList *list, const char *folder, EadFileWanted *wanted,
                         EadLeftOut *left_out);

/* The same by names alone. What cannot be read, or is called like a file and is none, costs nothing else, too: its message
 * is appended to `unread`. */
EadStatus ead_list_named(EadStringList *list, const char *folder, EadFileWanted *wanted,
                         EadStringList *unread);

/* Whether a path is not to be looked into. */
typedef bool EadPathStays(const void *context, const char *path);

/* Takes maps, overlays and masks that this program wrote about images out of a list, from index `first` on, and tells them
 * in left_out; stays NULL: all are looked into. Errors: EAD_NO_MEMORY. */
EadStatus ead_take_out_ours(EadStringList *list, int first, EadPathStays *stays, const void *context,
                            EadLeftOut *left_out);

/* As ead_list_files() for images: those with an extension that data/codec knows, in any case. */
EadStatus ead_list_images(EadStringList *list, const char *folder, EadLeftOut *left_out);

/* The same, masks beside their images and what this program wrote included. */
EadStatus ead_list_images_and_masks(EadStringList *list, const char *folder, EadLeftOut *left_out);

/* Appends the paths of the folders in folder, sorted bytewise, without hidden ones. Errors: EAD_IO,
 * EAD_NO_MEMORY. */
EadStatus ead_list_folders(EadStringList *list, const char *folder);

typedef struct EadImagePlace {
    char *name;           /* what messages call it: its path, or "archive.tar/member"; owned */
    int archive;          /* index in EadImageList.archives; -1: the file `name` */
    int64_t offset, size; /* of its bytes in the archive */
} EadImagePlace;

typedef struct EadImageList {
    EadImagePlace *items; /* [count], owned */
    int count, capacity;
    EadStringList archives; /* paths */
    EadLeftOut left_out;    /* what the searches passed over */
    EadImageRules rules;    /* how they are read; zeroed: as usual */
} EadImageList;

/* Whether a path may be such a source: a folder, an image, or a tar archive. Errors: EAD_IO, EAD_BAD_FILE. */
EadStatus ead_image_source_check(const char *path);

/* Appends all images of path: an image file, a tar archive, or a folder with everything below it, archives
 * (.tar) included. Files come sorted bytewise, an archive's members in its order. What is no image, or
 * hidden, or cannot be read is told in list->left_out; nothing is decoded but what may be a mask. Errors:
 * EAD_IO; EAD_BAD_FILE for a malformed archive; EAD_UNSUPPORTED; EAD_NO_MEMORY. */
EadStatus ead_image_list_add(EadImageList *list, const char *path);

/* Appends files by their paths, or copies of another list's places. Errors: EAD_NO_MEMORY. */
EadStatus ead_image_list_add_files(EadImageList *list, const EadStringList *files);
EadStatus ead_image_list_add_all(EadImageList *list, const EadImageList *other);

/* The file that holds image `index`: itself or its archive. */
const char *ead_image_list_file(const EadImageList *list, int index);

/* Decodes image `index`; errors name it. As ead_image_load_with(). Several threads may call it at once. */
EadStatus ead_image_list_load(const EadImageList *list, int index, EadImage *out);

/* Frees everything and leaves an empty list; harmless on an empty (zeroed) one. */
void ead_image_list_free(EadImageList *list);
