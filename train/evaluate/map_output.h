/* Where the maps and overlays of many images go: one file an image, in folders like those of the images. */
#pragma once

#include "core/image/image.h"
#include "train/support/problems.h"

#include <stdbool.h>
#include <stdint.h>

/* File names for what is written about images: every image has its own, so that a.png and a.jpg, or a.png
 * of two folders, do not overwrite each other's maps. */
typedef struct EadOutputNames EadOutputNames;

/* Errors: EAD_NO_MEMORY. Free with ead_output_names_free (harmless on NULL). */
EadStatus ead_output_names_new(EadOutputNames **names);
void ead_output_names_free(EadOutputNames *names);

/* The name, without extension, for the image `path`, in `folder` ("" for none): "folder/a" for ".../a.png";
 * if another image has that already "folder/a.png", else "folder/a.png~2" and so on. The same path gets the
 * same name again. *name is borrowed until names is freed. Errors: EAD_NO_MEMORY. */
EadStatus ead_output_names_take(EadOutputNames *names, const char *folder, const char *path,
                                const char **name);

/* Whether a file is a map or overlay that this program wrote; only files with their endings are looked into. */
bool ead_map_output_is_one(const char *path);

typedef struct EadMapOutput {
    const char *maps, *overlays; /* folders, borrowed; NULL: not asked for */
    float color_high;            /* NAN: none */
    double threshold;
    EadOutputNames *names;
} EadMapOutput;

/* Prepares to write 32-bit TIFFs into the folder `maps` and PNGs into `overlays`, either of which may be
 * NULL; folders are made when needed. The colours of overlays are on one scale for all images of a model:
 * from 0, the usual level of good images, to twice the threshold or, where it is NAN, to color_high, a
 * value that good images hardly reach (EadModel). Where that is NAN, every image has its own scale, up to
 * its score. Errors: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_map_output_start(EadMapOutput *output, float color_high, double threshold, const char *maps,
                               const char *overlays);
void ead_map_output_free(EadMapOutput *output);

/* ---- before the work ---- */

/* Of images, how many, and the first of their messages. */
typedef struct EadMapFaults {
    int64_t images;
    EadProblems first;
} EadMapFaults;

/* What would become of the files that ead_map_output_write() is to write, by what stands there now. */
typedef struct EadMapTrial {
    EadMapOutput output;     /* takes the names as the writer will */
    EadMapFaults in_the_way; /* a picture or model of the user, which is never replaced */
    EadMapFaults unwritable; /* a name that is too long, a folder in its place: costs itself alone */
    long longest[2];         /* bytes of a name: of maps, of overlays */
} EadMapTrial;

/* Errors: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_map_trial_start(EadMapTrial *trial, const char *maps, const char *overlays);
void ead_map_trial_free(EadMapTrial *trial);

/* Tries what would be written about an image, in the order in which they will be. Errors: EAD_NO_MEMORY. */
EadStatus ead_map_trial_add(EadMapTrial *trial, const char *folder, const char *path);

/* Adds what is in the way, if something is. */
void ead_map_trial_refuse(const EadMapTrial *trial, EadProblems *problems);

/* Tells what will not be written, a line, if something will not. */
void ead_map_trial_tell(const EadMapTrial *trial, FILE *stream);

/* ---- the work ---- */

/* What is written about one image. */
typedef struct EadMapFiles {
    const char *name; /* without extension; borrowed from the output's names; NULL: nothing is asked for */
    bool again;       /* whether the image had that name before */
    char *map_path, *overlay_path; /* that were written, or NULL */
    int replaced;                  /* of them, files of an earlier run */
} EadMapFiles;

/* Chooses the name for the image at `path`, in the subfolder `folder` ("" for none): what names others have depends on
 * the order of the calls. Errors: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_map_files_name(EadMapOutput *output, const char *folder, const char *path, EadMapFiles *out);
void ead_map_files_free(EadMapFiles *files);

/* Writes what was asked for. One that cannot be written keeps the other from nothing. Several threads may call it at
 * once.
 * rgb   3 channels; map [height][width] of the same size with maximum `score`; mask for an outline, or NULL
 * Errors: EAD_BAD_ARGUMENT if one would lie among the images, or replace a file
 * that is no map or overlay of this program; EAD_IO, EAD_NO_MEMORY, EAD_BAD_SHAPE. */
EadStatus ead_map_files_write(const EadMapOutput *output, EadMapFiles *files, const char *path,
                              const EadImage *rgb, const float *map, float score, const EadImage *mask);
