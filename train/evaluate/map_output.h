/* Where the maps and overlays of many images go: one file an image, in folders like those of the images. */
#ifndef EAD_TRAIN_MAP_OUTPUT_H
#define EAD_TRAIN_MAP_OUTPUT_H

#include "core/image/image.h"
#include "train/evaluate/output_names.h"

typedef struct EadMapOutput {
    const char *maps, *overlays;   /* folders, borrowed; NULL: not asked for */
    char *map_path, *overlay_path; /* of the last image written, or NULL */
    float color_high;              /* NAN: none */
    double threshold;
    EadOutputNames *names;
} EadMapOutput;

/* Prepares to write 32-bit TIFFs into the folder `maps` and PNGs into `overlays`, either of which may be
 * NULL; folders are made when needed. The colours of overlays are on one scale for all images of a model:
 * from 0, the usual level of good images, to twice the threshold or, where it is NAN, to color_high, a value that
 * good images hardly reach (EadModel). Where that is NAN, every image has its own scale, up to its score.
 * Errors: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_map_output_start(EadMapOutput *output, float color_high, double threshold, const char *maps,
                               const char *overlays);
void ead_map_output_free(EadMapOutput *output);

/* Writes what was asked for about the image at `path`, in the subfolder `folder` ("" for none).
 * rgb   3 channels; map [height][width] of the same size with maximum `score`; mask for an outline, or NULL
 * Errors: EAD_BAD_ARGUMENT if a map or an overlay would lie among the images; EAD_IO, EAD_NO_MEMORY,
 * EAD_BAD_SHAPE. */
EadStatus ead_map_output_write(EadMapOutput *output, const char *folder, const char *path,
                               const EadImage *rgb, const float *map, float score, const EadImage *mask);

#endif
