/* The pictures of the report: keeps a small copy of the test images and their maps, of as many as the page has room
 * for, and in the end puts them in order: mistakes first, then all others by score. */
#pragma once

#include "core/image/image.h"
#include "core/image/map.h"

#include <stdbool.h>

#define EAD_GALLERY_SIDE   256 /* longest side of a kept picture, pixels; smaller images stay as they are */
#define EAD_PAGE_BYTES     16000000 /* a page with pictures has no more */
#define EAD_GALLERY_BUDGET 15000000 /* from so many bytes on it gets no more pictures */

enum { EAD_GALLERY_PARTS = 2 }; /* most maps that an anomaly map is made of */

/* A test image, or one without labels. */
typedef struct EadGalleryImage {
    const char *path, *defect; /* defect: test subfolder */
    int anomalous;             /* 0 or 1; without labels: what was decided */
    float score;               /* as in scores.csv */
    double seconds;            /* that it took; 0: not known */
    const EadImage *rgb;       /* 3 channels */
    const float *map;          /* [height][width] f32 of the same size, finite */
    const EadImage *mask;      /* 1 channel of the same size; or NULL */
    const EadMap
        *parts; /* [EAD_GALLERY_PARTS] that the map is made of, of any size, empty ones last; or NULL */
} EadGalleryImage;

typedef struct EadGalleryEntry {
    char *path, *defect; /* owned */
    int anomalous;       /* 0 or 1 */
    float score;
    double seconds;
    float mean, highest; /* of the reduced map */
    EadImage rgb;        /* reduced image; empty where the page has no room for it */
    float *map;          /* [rgb.height][rgb.width], the highest value of each cell, so that peaks survive */
    EadImage mask;       /* reduced mask of 1 channel; empty when there is none */
    EadMap parts[EAD_GALLERY_PARTS]; /* copies; empty when there are none */
} EadGalleryEntry;

typedef struct EadGallery {
    int side; /* longest side of the pictures; 0: EAD_GALLERY_SIDE */
    int most,
        pictures; /* pictures to keep, the first by ead_gallery_sort(), 0: all; those there are, a few more */
    double threshold; /* for that order */
    bool bounded;     /* of what has no room nothing is kept: it is counted */
    int64_t dropped;
    EadGalleryEntry *entries; /* [count], in the order added */
    int count, capacity;
} EadGallery;

/* For so many test images: pictures that keep to the budget, with sides of 256 up to some 280 (230 with parts), smaller
 * ones for more, at least 64; and as many of these as it has room for. threshold: as for ead_gallery_sort(); parts: of
 * each map. */
EadGallery ead_gallery_for(int64_t images, double threshold, int parts);

/* The same for images without labels, of which there may be any number (-1: unknown): the highest scores are kept, and
 * nothing of the others. `anomalous` is then what was decided of an image. */
EadGallery ead_gallery_for_unlabelled(int64_t images, int parts);

/* Adds one image; everything is copied, at most 8 bytes a kept pixel (0.5 MB an image at 256, at most some 180 MB in
 * all), and the parts. Errors: EAD_BAD_SHAPE, EAD_NO_MEMORY; then nothing was added. *gallery starts zeroed, or by
 * ead_gallery_for(). */
EadStatus ead_gallery_add(EadGallery *gallery, const EadGalleryImage *image);

/* Leaves an empty gallery; harmless on an empty one. */
void ead_gallery_free(EadGallery *gallery);

/* The range of values to colour: from the usual level of the good maps to a clear detection. With an empty
 * gallery 0 and 1. Always *low < *high. Errors: EAD_NO_MEMORY. */
EadStatus ead_gallery_range(const EadGallery *gallery, float *low, float *high);

typedef enum EadGallerySection {
    EAD_GALLERY_MISSED,       /* anomalous, score below the threshold; lowest first */
    EAD_GALLERY_FALSE_ALARMS, /* good, score at or above the threshold; highest first */
    EAD_GALLERY_OTHERS,       /* highest first */
    EAD_GALLERY_SECTIONS
} EadGallerySection;

typedef struct EadGalleryOrder {
    int64_t *entries;                    /* all of them, section by section; owned */
    int64_t sizes[EAD_GALLERY_SECTIONS]; /* of the sections */
} EadGalleryOrder;

/* Sorts all entries, ties in the order added. threshold NAN: there are no mistakes. Free
 * order->entries. Errors: EAD_NO_MEMORY. */
EadStatus ead_gallery_sort(const EadGallery *gallery, double threshold, EadGalleryOrder *order);
