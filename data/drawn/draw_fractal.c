/* Fractal noise: a sum of octaves whose weights fall by a power of the frequency, in brightness and, slower,
 * in colour. */
#include "data/drawn/drawn_image.h"

#include <math.h>

enum { OCTAVES = 8, COLOR_OCTAVES = 4 };

typedef struct Fractal {
    uint32_t seed;
    EadPoint scale; /* cells of the coarsest octave, a unit */
    EadPoint along; /* direction of the first scale */
    float persistence, contrast, tint;
    EadColor colors[3]; /* dark, bright, and what is mixed in */
} Fractal;

static EadColor shade_fractal(const void *shape, EadPoint p, float distance) {
    const Fractal *f = shape;
    (void)distance;
    float x = (f->along.x * p.x + f->along.y * p.y + 9) * f->scale.x;
    float y = (f->along.x * p.y - f->along.y * p.x + 9) * f->scale.y;
    float bright = ead_draw_octaves(f->seed, x, y, OCTAVES, f->persistence) - 0.5f;
    float color = ead_draw_octaves(f->seed + OCTAVES, x, y, COLOR_OCTAVES, 0.5f) - 0.5f;
    float t = fminf(fmaxf(0.5f + f->contrast * bright, 0), 1);
    float mixed = f->tint * fminf(fmaxf(0.5f + 3 * color, 0), 1);
    return ead_color_mix(ead_color_mix(f->colors[0], f->colors[1], t), f->colors[2], mixed);
}

void ead_draw_fractal(EadCanvas *canvas, EadDrawRandom *random) {
    Fractal f = {.seed = ead_draw_bits(random)};
    f.scale.x = ead_draw_exp(ead_draw_between(random, 0, 2));
    f.scale.y = f.scale.x * ead_draw_exp(ead_draw_below(random, 3) ? 0 : ead_draw_between(random, -2, 2));
    f.along = ead_draw_direction(ead_draw_between(random, 0, 6.28f));
    f.persistence = ead_draw_between(random, 0.4f, 1);
    f.contrast = ead_draw_between(random, 2, 7);
    f.tint = ead_draw_between(random, 0, 0.7f);
    for (int i = 0; i < 3; i++) f.colors[i] = ead_draw_color(random);
    ead_canvas_paint(canvas, &(EadBrush){.shade = shade_fractal, .shape = &f});
}
