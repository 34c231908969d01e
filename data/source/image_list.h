/* Images by name and place: files, and members of tar archives that are read where they lie. What penalty and
 * distillation draw from: a folder tree, ImageNet's layout, webdataset's shards, ImageNet's tar of tars. */
#ifndef EAD_DATA_IMAGE_LIST_H
#define EAD_DATA_IMAGE_LIST_H

#include "core/image/image.h"
#include "data/source/file_list.h"

#include <stdint.h>

typedef struct EadImagePlace {
    char *name;           /* what messages call it: its path, or "archive.tar/member"; owned */
    int archive;          /* index in EadImageList.archives; -1: the file `name` */
    int64_t offset, size; /* of its bytes in the archive */
} EadImagePlace;

typedef struct EadImageList {
    EadImagePlace *items; /* [count], owned */
    int count, capacity;
    EadStringList archives; /* paths */
} EadImageList;

/* Appends all images of path: a tar archive, or a folder with everything below it, archives (.tar) included.
 * Files come sorted bytewise, an archive's members in its order. Images are told by their names, see
 * data/codec/codec.h; hidden ones (a leading dot) are skipped. Nothing is decoded.
 * Errors: EAD_IO; EAD_BAD_FILE for a malformed archive; EAD_UNSUPPORTED; EAD_NO_MEMORY. */
EadStatus ead_image_list_add(EadImageList *list, const char *path);

/* Appends files by their paths, or copies of another list's places. Errors: EAD_NO_MEMORY. */
EadStatus ead_image_list_add_files(EadImageList *list, const EadStringList *files);
EadStatus ead_image_list_add_all(EadImageList *list, const EadImageList *other);

/* The file that holds image `index`: itself or its archive. */
const char *ead_image_list_file(const EadImageList *list, int index);

/* Decodes image `index`; errors name it. As ead_image_load(). May be called by several threads at once. */
EadStatus ead_image_list_load(const EadImageList *list, int index, EadImage *out);

/* Frees everything and leaves an empty list; harmless on an empty (zeroed) one. */
void ead_image_list_free(EadImageList *list);

#endif
