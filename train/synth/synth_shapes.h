/* Signed distances of elementary shapes, in units of the canvas; negative inside. */
#ifndef EAD_TRAIN_SYNTH_SHAPES_H
#define EAD_TRAIN_SYNTH_SHAPES_H

#include "train/synth/synth_canvas.h"

/* Distance from a circle. */
float ead_distance_circle(EadPoint p, EadPoint centre, float radius);

/* Distance from an upright box with rounded corners; half: half of width and height. */
float ead_distance_box(EadPoint p, EadPoint centre, EadPoint half, float corner);

/* Distance from a thick line with round ends; half_width: half of its width. */
float ead_distance_segment(EadPoint p, EadPoint from, EadPoint to, float half_width);

/* Minimum of two distances, rounded over about k: joins shapes with a fillet. */
float ead_smooth_minimum(float a, float b, float k);

/* 0 below low, 1 above high, smooth between. */
float ead_smooth_step(float low, float high, float value);

/* A round shape of uneven outline, as stains and bites have it. */
typedef struct EadWobble {
    EadPoint centre;
    float radius;
    float roughness; /* 0: a circle .. 1 */
    float phase[3];  /* of three waves on the outline */
} EadWobble;

EadWobble ead_wobble(EadSynthRandom *random, EadPoint centre, float radius, float roughness);

/* An EadDistance; shape is an EadWobble. */
float ead_distance_wobble(const void *shape, EadPoint p);

/* A crooked line, thinner towards its ends. */
enum { EAD_STROKE_POINTS = 6 };
typedef struct EadStroke {
    EadPoint points[EAD_STROKE_POINTS];
    float half_width;
} EadStroke;

/* A stroke of that length around centre in direction angle. */
EadStroke ead_stroke(EadSynthRandom *random, EadPoint centre, float angle, float length, float half_width);

/* An EadDistance; shape is an EadStroke. */
float ead_distance_stroke(const void *shape, EadPoint p);

#endif
