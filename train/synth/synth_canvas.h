/* A small canvas: shapes are signed distances (negative inside, as in most of computer graphics' distance
 * fields), painted with smooth edges in part coordinates; what is painted while `marking` is on also enters
 * the mask, so picture and mask cannot disagree. Coordinates: the origin in the middle, y downwards, the
 * shorter side from -1 to 1, turned and shifted by the pose; so parts look the same at every picture size. */
#ifndef EAD_TRAIN_SYNTH_CANVAS_H
#define EAD_TRAIN_SYNTH_CANVAS_H

#include "core/image/image.h"
#include "train/synth/synth_random.h"

#include <stdbool.h>

typedef struct EadPoint {
    float x, y;
} EadPoint;

typedef struct EadColor {
    float r, g, b, a; /* 0..1; a: opacity */
} EadColor;

typedef struct EadPose {
    float angle;       /* radians, clockwise on the picture */
    EadPoint position; /* of the part's origin, in canvas units */
} EadPose;

/* Light and camera, applied to the finished picture. */
typedef struct EadLight {
    float exposure; /* factor, about 1 */
    EadPoint slope; /* brightness per unit across the picture */
    float grain;    /* amplitude of the pixel noise, 0..1 */
    uint32_t seed;  /* of the grain */
} EadLight;

typedef struct EadCanvas {
    int width, height;
    float unit;    /* pixels a unit */
    EadColor *ink; /* [height][width]; a unused */
    uint8_t *mask; /* [height][width] 0 or 255 */
    EadPose pose;  /* of what is painted next */
    bool marking;  /* what is painted next is a defect */
} EadCanvas;

/* Signed distance of a point from a shape in units. */
typedef float (*EadDistance)(const void *shape, EadPoint p);

/* Colour of a shape at a point with that distance. */
typedef EadColor (*EadShade)(const void *shape, EadPoint p, float distance);

typedef struct EadBrush {
    EadDistance distance; /* NULL: everywhere inside */
    EadShade shade;       /* NULL: color */
    const void *shape;    /* for both */
    EadColor color;
    float feather;   /* width of a soft edge in units; 0: one pixel */
    EadPoint centre; /* nothing is painted farther than reach from centre (part coordinates) */
    float reach;     /* 0: no limit */
} EadBrush;

/* A black canvas with an empty mask. Errors: EAD_NO_MEMORY. */
EadStatus ead_canvas_open(EadCanvas *canvas, int width, int height);

/* Harmless on a zeroed canvas. */
void ead_canvas_close(EadCanvas *canvas);

void ead_canvas_paint(EadCanvas *canvas, const EadBrush *brush);

/* Adds the inside of a shape to the mask without painting: where a thing is missing. */
void ead_canvas_mark(EadCanvas *canvas, EadDistance distance, const void *shape);

/* Applies the light and gives the picture [height][width][3] and the mask [height][width], both new images.
 * Errors: EAD_NO_MEMORY (both are empty then). */
EadStatus ead_canvas_develop(const EadCanvas *canvas, const EadLight *light, EadImage *image, EadImage *mask);

#endif
