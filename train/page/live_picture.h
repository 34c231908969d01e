/* What the live page keeps of an image: itself, reduced, and its anomaly map, both small; and the heat map made of the two when
 * somebody looks at it. */
#pragma once

#include "models/method.h"
#include "train/report/overlay.h"

enum { EAD_LIVE_SIDE = 512 }; /* most pixels of a side */

/* An image that was scored, as the live page takes it; all is borrowed. */
typedef struct EadLiveImage {
    int64_t sequence;   /* 0: numbered by the page; else larger than the one before */
    const char *source; /* its name, any text; NULL: it has none */
    const char *name;   /* of the model; lasts as long as the page */
    const char *sha256; /* of the model's file */
    const EadModel *model;
    const uint8_t *pixels; /* [height][width][channels], 3 (RGB) or 1 (gray) */
    int width, height, channels;
    const float
        *map; /* [model->height][model->width], with tiles [height][width]; NULL: no picture is kept */
    float score;
    double seconds,
        network; /* from its arrival to the answer; of these in the detector, with the wait for it */
} EadLiveImage;

typedef struct EadLivePicture {
    uint8_t *jpeg; /* [size], owned; NULL: there is no picture */
    size_t size;
    int width, height;
    uint16_t *map; /* [map_height][map_width] in half precision, owned */
    int map_width, map_height;
    EadRegion box; /* that the map is of, on the reduced image; without a mask */
    EadHeat heat;
} EadLivePicture;

/* Errors: EAD_NO_MEMORY; *out is empty then. */
EadStatus ead_live_picture_make(const EadLiveImage *image, EadLivePicture *out);
EadStatus ead_live_picture_copy(const EadLivePicture *picture, EadLivePicture *out);

/* Harmless on an empty one. */
void ead_live_picture_free(EadLivePicture *picture);
size_t ead_live_picture_bytes(const EadLivePicture *picture);

/* The image below its heat map, regions outlined, as JPEG for the caller to free(). Errors: EAD_NO_MEMORY. */
EadStatus ead_live_picture_heat(const EadLivePicture *picture, uint8_t **jpeg, size_t *size);
