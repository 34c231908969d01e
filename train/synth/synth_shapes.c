/* Signed distances. The formulas are elementary geometry: the distance of a point from the nearest boundary.
 */
#include "train/synth/synth_shapes.h"

#include <math.h>

float ead_distance_circle(EadPoint p, EadPoint centre, float radius) {
    return hypotf(p.x - centre.x, p.y - centre.y) - radius;
}

float ead_distance_box(EadPoint p, EadPoint centre, EadPoint half, float corner) {
    float dx = fabsf(p.x - centre.x) - half.x + corner, dy = fabsf(p.y - centre.y) - half.y + corner;
    return hypotf(fmaxf(dx, 0), fmaxf(dy, 0)) + fminf(fmaxf(dx, dy), 0) - corner;
}

float ead_distance_segment(EadPoint p, EadPoint from, EadPoint to, float half_width) {
    float ax = p.x - from.x, ay = p.y - from.y, bx = to.x - from.x, by = to.y - from.y;
    float t = (ax * bx + ay * by) / fmaxf(bx * bx + by * by, 1e-12f);
    t = fminf(fmaxf(t, 0), 1);
    return hypotf(ax - t * bx, ay - t * by) - half_width;
}

float ead_smooth_minimum(float a, float b, float k) {
    float near = fmaxf(k - fabsf(a - b), 0) / k;
    return fminf(a, b) - near * near * k / 4;
}

float ead_smooth_step(float low, float high, float value) {
    float t = fminf(fmaxf((value - low) / (high - low), 0), 1);
    return t * t * (3 - 2 * t);
}

EadWobble ead_wobble(EadSynthRandom *random, EadPoint centre, float radius, float roughness) {
    EadWobble wobble = {.centre = centre, .radius = radius, .roughness = roughness};
    for (int i = 0; i < 3; i++) wobble.phase[i] = ead_synth_between(random, 0, 6.2831853f);
    return wobble;
}

float ead_distance_wobble(const void *shape, EadPoint p) {
    const EadWobble *wobble = shape;
    float angle = atan2f(p.y - wobble->centre.y, p.x - wobble->centre.x);
    float waves = 0.5f * sinf(2 * angle + wobble->phase[0]) + 0.3f * sinf(3 * angle + wobble->phase[1]) +
                  0.2f * sinf(7 * angle + wobble->phase[2]);
    return ead_distance_circle(p, wobble->centre, wobble->radius * (1 + wobble->roughness * waves));
}

EadStroke ead_stroke(EadSynthRandom *random, EadPoint centre, float angle, float length, float half_width) {
    EadStroke stroke = {.half_width = half_width};
    for (int i = 0; i < EAD_STROKE_POINTS; i++) {
        float along = length * ((float)i / (EAD_STROKE_POINTS - 1) - 0.5f);
        float aside = length * ead_synth_between(random, -0.05f, 0.05f);
        stroke.points[i] = (EadPoint){centre.x + along * cosf(angle) - aside * sinf(angle),
                                      centre.y + along * sinf(angle) + aside * cosf(angle)};
    }
    return stroke;
}

float ead_distance_stroke(const void *shape, EadPoint p) {
    const EadStroke *stroke = shape;
    float nearest = HUGE_VALF;
    for (int i = 0; i + 1 < EAD_STROKE_POINTS; i++) {
        bool end = i == 0 || i + 2 == EAD_STROKE_POINTS;
        float width = stroke->half_width * (end ? 0.6f : 1);
        nearest = fminf(nearest, ead_distance_segment(p, stroke->points[i], stroke->points[i + 1], width));
    }
    return nearest;
}
