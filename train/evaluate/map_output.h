/* Where what is written about many images goes: maps, overlays, masks, copies; one file an image, in folders like those
 * of the images. */
#pragma once

#include "core/file/made_folder.h"
#include "core/image/image.h"
#include "models/method.h"
#include "train/metrics/threshold_rule.h"
#include "train/report/overlay.h"
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

/* In the order in which they are written. */
typedef enum EadOutputKind {
    EAD_OUTPUT_OVERLAYS, /* PNG: the heat map over the image, with regions and verdict */
    EAD_OUTPUT_MAPS,     /* TIFF of 32-bit numbers */
    EAD_OUTPUT_MASKS,    /* PNG: 255 for pixels from the model's pixel threshold on, else 0 */
    EAD_OUTPUT_COPIES,   /* the image's file, in a folder named by the verdict */
    EAD_OUTPUT_KINDS
} EadOutputKind;

/* "overlays", "maps", ... */
const char *ead_output_kind_name(EadOutputKind kind);

/* The kinds that have a folder: "masks", "overlays or maps", "overlays, maps or masks"; joint: the last "or". */
enum { EAD_OUTPUT_NAMES = 64 };
void ead_map_output_name(const char *const folders[EAD_OUTPUT_KINDS], const char *joint,
                         char text[EAD_OUTPUT_NAMES]);

typedef struct EadMapOutput {
    const char *folders[EAD_OUTPUT_KINDS]; /* borrowed; NULL: not asked for */
    const EadModel *model;                 /* for colours and thresholds; borrowed */
    EadOutputNames *names;                 /* NULL: nothing is asked for */
    EadMadeFolders *made;
} EadMapOutput;

/* The colours for maps of a model. They are on one scale for all of its images: from the usual level of good images to as
 * far above the pixel threshold as that lies above it, or, where there is none, to EadModel.color_high, a value that good
 * images hardly reach. Where that is NAN, too, every image has its own scale, up to its score. */
EadHeat ead_heat_of(const EadModel *model, float score);

/* Prepares to write into these folders, any of which may be NULL; they are made when needed, and those that are empty in
 * the end are removed. model NULL: for a trial.
 * Errors: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_map_output_start(EadMapOutput *output, const EadModel *model,
                               const char *const folders[EAD_OUTPUT_KINDS]);
void ead_map_output_free(EadMapOutput *output);

/* ---- before the work ---- */

/* Of images, how many, and the first of their messages. */
typedef struct EadMapFaults {
    int64_t images;
    EadProblems first;
} EadMapFaults;

/* What would become of the files that ead_map_files_write() is to write, by what stands there now. */
typedef struct EadMapTrial {
    EadMapOutput output;            /* takes the names as the writer will */
    EadMapFaults in_the_way;        /* a picture or model of the user, which is never replaced */
    EadMapFaults unwritable;        /* a name that is too long, a folder in its place: costs itself alone */
    long longest[EAD_OUTPUT_KINDS]; /* bytes of a name */
} EadMapTrial;

/* Errors: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_map_trial_start(EadMapTrial *trial, const char *const folders[EAD_OUTPUT_KINDS]);
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
    char *paths[EAD_OUTPUT_KINDS]; /* that were written (of a copy: that stands there), or NULL */
    int replaced;                  /* of them, files of an earlier run */
} EadMapFiles;

/* Chooses the name for the image at `path`, in the subfolder `folder` ("" for none): what names others have depends on
 * the order of the calls. Errors: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_map_files_name(EadMapOutput *output, const char *folder, const char *path, EadMapFiles *out);
void ead_map_files_free(EadMapFiles *files);

/* What is known of an image. */
typedef struct EadMapFacts {
    const char *path;
    const EadImage *rgb; /* 3 channels */
    const float *map;    /* [height][width] of the same size */
    float score; /* NAN: it could not be scored; then it is only copied, and rgb and map do not count */
    const EadImage *truth; /* mask for an outline, or NULL */
} EadMapFacts;

/* Writes what was asked for. One that cannot be written keeps the others from nothing. Several threads may call it at
 * once. Errors: EAD_BAD_ARGUMENT if one would lie among the images, or replace a file that is none of its kind that this
 * program wrote (of copies: that is not the image's); EAD_IO, EAD_NO_MEMORY, EAD_BAD_SHAPE. */
EadStatus ead_map_files_write(const EadMapOutput *output, EadMapFiles *files, const EadMapFacts *facts);
