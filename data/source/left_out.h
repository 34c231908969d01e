/* What a search for images passed over, and why, so that nothing is left out without a word. Images are told
 * by their endings; a file with another ending, or none, is one if it begins like one. */
#pragma once

#include "core/base/string_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* X(kind, whether pictures were missed, how it is told, for one and for several) */
#define EAD_LEFT_OUT_LIST(X)                                                                                 \
    X(UNREADABLE, true, "cannot be read and is left out", "cannot be read and are left out")                 \
    X(FORMAT, true, "picture of a format that is not read is left out",                                      \
      "pictures of formats that are not read are left out")                                                  \
    X(HIDDEN, true, "hidden picture is left out", "hidden pictures are left out")                            \
    X(FOLDER, false, "hidden folder is left out", "hidden folders are left out")                             \
    X(MASK, false, "mask beside its image is not taken for an image",                                        \
      "masks beside their images are not taken for images")                                                  \
    X(OURS, false, "map, overlay or mask that this program wrote is not taken for an image",                 \
      "maps, overlays and masks that this program wrote are not taken for images")                           \
    X(AGAIN, false, "folder is reached by another path, too, and counts once",                               \
      "folders are reached by other paths, too, and count once")                                             \
    X(REPEATED, false, "image is listed twice, perhaps by another name, and counts once",                    \
      "images are listed twice, perhaps by other names, and count once")                                     \
    X(OTHER, false, "file that is not a picture is ignored", "files that are not pictures are ignored")      \
    X(CONTENT, false, "file of another ending is an image by its content and taken",                         \
      "files of other endings are images by their content and taken")

typedef enum EadLeftOutKind {
#define X(kind, ...) EAD_LEFT_OUT_##kind,
    EAD_LEFT_OUT_LIST(X)
#undef X
        EAD_LEFT_OUT_KINDS
} EadLeftOutKind;

/* An empty one is zeroed. The paths of OTHER are only the first ones. */
typedef struct EadLeftOut {
    EadStringList paths[EAD_LEFT_OUT_KINDS];
    EadStringList messages; /* of the unreadable paths, one each */
    int64_t counts[EAD_LEFT_OUT_KINDS];
    EadStringList folders; /* that were searched, without those below them */
} EadLeftOut;

/* Adds one; an unreadable one with the thread's present message. Errors: EAD_NO_MEMORY. */
EadStatus ead_left_out_add(EadLeftOut *left, EadLeftOutKind kind, const char *path);

/* Appends a line for each kind that there is: "<where>: 3 hidden pictures are left out: a, b and 1 more".
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_left_out_notes(const EadLeftOut *left, const char *where, EadStringList *notes);

/* Writes these lines. */
EadStatus ead_left_out_print(const EadLeftOut *left, const char *where, FILE *stream);

/* How many pictures were missed. */
int64_t ead_left_out_missed(const EadLeftOut *left);

/* Frees everything and leaves an empty one. */
void ead_left_out_free(EadLeftOut *left);

/* What a file is by its first bytes (up to EAD_FIRST_BYTES are looked at) and, for what is written like TIFF,
 * as most raw files of cameras are, by its name: CONTENT (an image), FORMAT or OTHER. */
enum { EAD_FIRST_BYTES = 32 };
EadLeftOutKind ead_picture_kind(const char *name, const uint8_t *bytes, size_t size);
