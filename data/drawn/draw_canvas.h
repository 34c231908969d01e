/* What pictures are drawn with: random numbers and noise, shapes as signed distances (negative inside), and a
 * canvas that paints them with smooth edges. What a brush paints as a defect also enters the mask, so picture
 * and mask cannot disagree. Coordinates: the origin in the middle, y downwards, the shorter side from -1 to
 * 1, turned and shifted by the pose; so parts look the same at every picture size. */
#pragma once

#include "core/base/philox.h"
#include "core/image/image.h"

#include <stdbool.h>

/* ---- random numbers, by a Philox stream, and noise, by a cheap hashed lattice ---- */

/* A walk through a stream that starts at word `picture` * 2^32: pictures never share a number. */
typedef struct EadDrawRandom {
    uint64_t seed, stream, index;
} EadDrawRandom;

EadDrawRandom ead_draw_random(uint64_t seed, EadStream stream, uint32_t picture);
uint32_t ead_draw_bits(EadDrawRandom *random);
float ead_draw_between(EadDrawRandom *random, float low, float high); /* uniform in [low, high) */
int ead_draw_below(EadDrawRandom *random, int count);                 /* uniform in 0..count-1 */

/* Pure functions of their arguments in [0,1): one for each whole-numbered point; smooth between these; the
 * weighted mean of that in `octaves` octaves, each of twice the frequency and `persistence` of the weight. */
float ead_draw_hash(uint32_t seed, int x, int y);
float ead_draw_noise(uint32_t seed, float x, float y);
float ead_draw_octaves(uint32_t seed, float x, float y, int octaves, float persistence);

/* Sine, cosine and exponential by plain arithmetic, so that they have the same bits everywhere, which those
 * of C libraries have not. |angle| < 1e4 radians, |x| < 80. */
float ead_draw_sine(float angle);
float ead_draw_cosine(float angle);
float ead_draw_exp(float x);

/* ---- shapes ---- */

typedef struct EadPoint {
    float x, y;
} EadPoint;

/* Of length 1, by its angle in radians. */
EadPoint ead_draw_direction(float angle);

float ead_distance_circle(EadPoint p, EadPoint centre, float radius);

/* 0 below low, 1 above high, smooth between. */
float ead_smooth_step(float low, float high, float value);

/* A round shape of uneven outline, as stains and bites have it. */
typedef struct EadWobble {
    EadPoint centre;
    float radius;
    float roughness; /* 0: a circle, of the same bits everywhere .. 1 */
    float phase[3];  /* of three waves on the outline */
} EadWobble;

EadWobble ead_wobble(EadDrawRandom *random, EadPoint centre, float radius, float roughness);

/* An EadDistance; shape is an EadWobble. */
float ead_distance_wobble(const void *shape, EadPoint p);

/* ---- painting ---- */

typedef struct EadColor {
    float r, g, b, a; /* 0..1; a: opacity */
} EadColor;

/* A random colour, mostly muted. */
EadColor ead_draw_color(EadDrawRandom *random);

/* From a to b for t from 0 to 1, opaque. */
EadColor ead_color_mix(EadColor a, EadColor b, float t);

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
    bool marks;      /* a defect: enters the mask */
} EadBrush;

/* A black canvas with an empty mask. Errors: EAD_NO_MEMORY. Closing is harmless on a zeroed one. */
EadStatus ead_canvas_open(EadCanvas *canvas, int width, int height);
void ead_canvas_close(EadCanvas *canvas);
void ead_canvas_paint(EadCanvas *canvas, const EadBrush *brush);

/* Adds the inside of a shape to the mask without painting: where a thing is missing. */
void ead_canvas_mark(EadCanvas *canvas, EadDistance distance, const void *shape);

/* Applies the light and gives the picture [height][width][3] and the mask [height][width], both new images.
 * Errors: EAD_NO_MEMORY (both are empty then). */
EadStatus ead_canvas_develop(const EadCanvas *canvas, const EadLight *light, EadImage *image, EadImage *mask);
