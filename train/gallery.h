/* The pictures of the report: keeps a small copy of every test image and its map, and in the end picks those
 * worth a look: mistakes first, then near misses, then the clearest detections. */
#ifndef EAD_TRAIN_GALLERY_H
#define EAD_TRAIN_GALLERY_H

#include "core/image.h"

#define EAD_GALLERY_SIDE 256 /* longest side of a kept picture, pixels; smaller images stay as they are */
#define EAD_GALLERY_MOST 24  /* pictures shown */

typedef struct EadGalleryEntry {
    char *path, *defect; /* owned */
    int anomalous;       /* 0 or 1 */
    float score;
    EadImage rgb;  /* reduced image */
    float *map;    /* [rgb.height][rgb.width], the highest value of each cell, so that peaks survive */
    EadImage mask; /* reduced mask of 1 channel; empty when there is none */
} EadGalleryEntry;

typedef struct EadGallery {
    EadGalleryEntry *entries; /* [count], in the order added */
    int64_t count, capacity;
} EadGallery;

/* Adds one test image; everything is copied, at most 0.5 MB an image.
 * rgb   3 channels; map [height][width] f32 of the same size, finite; mask 1 channel of the same size or NULL
 * defect  test subfolder; score as in scores.csv
 * Errors: EAD_BAD_SHAPE, EAD_NO_MEMORY; then nothing was added. *gallery starts zeroed. */
EadStatus ead_gallery_add(EadGallery *gallery, const char *path, const char *defect, int anomalous,
                          float score, const EadImage *rgb, const float *map, const EadImage *mask);

/* Leaves an empty gallery; harmless on an empty one. */
void ead_gallery_free(EadGallery *gallery);

/* The range of values to colour: from the usual level of the good maps to a clear detection. With an empty
 * gallery 0 and 1. Always *low < *high. */
void ead_gallery_range(const EadGallery *gallery, float *low, float *high);

typedef enum EadGallerySection {
    EAD_GALLERY_MISSED,       /* anomalous, score below the threshold; lowest first */
    EAD_GALLERY_FALSE_ALARMS, /* good, score at or above the threshold; highest first */
    EAD_GALLERY_HIGHEST_GOOD, /* highest scores among the other good ones */
    EAD_GALLERY_LOWEST_DEFECT,
    EAD_GALLERY_DETECTED, /* highest scores, each kind of defect once before any twice */
    EAD_GALLERY_SECTIONS
} EadGallerySection;

typedef struct EadGalleryPick {
    int count;
    int64_t entries[EAD_GALLERY_MOST];
    EadGallerySection sections[EAD_GALLERY_MOST]; /* ascending */
} EadGalleryPick;

/* Picks at most EAD_GALLERY_MOST entries, none twice. threshold NAN: no mistakes are told apart.
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_gallery_pick(const EadGallery *gallery, double threshold, EadGalleryPick *pick);

#endif
