/* Textures: a pattern that repeats, or cells, turned, stretched and bent, with a grain of noise. */
#include "data/drawn/drawn_image.h"

#include <math.h>

enum { STRIPES, CHECKS, GRATINGS, CELLS, EDGES_OF_CELLS, PATTERNS, WAVES = 3 };

typedef struct Texture {
    int pattern;
    uint32_t seed;
    EadPoint scale, along; /* periods a unit; direction of the first */
    float bend;            /* in periods */
    float share, softness; /* of a period that is of the second colour; of its edges */
    EadPoint wave[WAVES];  /* of gratings, in radians a period */
    float grain, grain_scale;
    EadColor colors[3];
} Texture;

/* 1 in the first `share` of each period, 0 in the rest. */
static float square_wave(const Texture *texture, float x) {
    float place = x - floorf(x), soft = texture->softness;
    return ead_smooth_step(0, soft, place) *
           (1 - ead_smooth_step(texture->share, texture->share + soft, place));
}

typedef struct Cell {
    float nearest, second; /* distances of the two nearest centres */
    float color;           /* of the nearest, 0..1 */
} Cell;

/* One centre at a random place in each square. */
static Cell find_cell(const Texture *texture, EadPoint at) {
    Cell cell = {9, 9, 0};
    int column = (int)floorf(at.x), row = (int)floorf(at.y);
    for (int j = row - 1; j <= row + 1; j++)
        for (int i = column - 1; i <= column + 1; i++) {
            EadPoint centre = {(float)i + ead_draw_hash(texture->seed, i, j),
                               (float)j + ead_draw_hash(texture->seed + 1, i, j)};
            float distance = ead_distance_circle(at, centre, 0);
            if (distance < cell.nearest) {
                cell.second = cell.nearest;
                cell.nearest = distance;
                cell.color = ead_draw_hash(texture->seed + 2, i, j);
            } else
                cell.second = fminf(cell.second, distance);
        }
    return cell;
}

/* How much of the second colour there is, 0..1. */
static float pattern_at(const Texture *texture, EadPoint at) {
    float a, b, sum = 0;
    Cell cell;
    switch (texture->pattern) {
    case STRIPES:
        return square_wave(texture, at.x);
    case CHECKS:
        a = square_wave(texture, at.x), b = square_wave(texture, at.y);
        return a + b - 2 * a * b;
    case GRATINGS:
        for (int i = 0; i < WAVES; i++)
            sum += ead_draw_sine(texture->wave[i].x * at.x + texture->wave[i].y * at.y);
        return 0.5f + sum / (2 * WAVES);
    default:
        cell = find_cell(texture, at);
        if (texture->pattern == CELLS) return cell.color;
        return ead_smooth_step(0, texture->softness + 0.1f, cell.second - cell.nearest);
    }
}

static EadColor shade_texture(const void *shape, EadPoint p, float distance) {
    const Texture *texture = shape;
    (void)distance;
    EadPoint at = {(texture->along.x * p.x + texture->along.y * p.y + 9) * texture->scale.x,
                   (texture->along.x * p.y - texture->along.y * p.x + 9) * texture->scale.y};
    if (texture->bend > 0) {
        float bend = texture->bend * ead_draw_octaves(texture->seed + 8, p.x + 9, p.y + 9, 3, 0.5f);
        at.x += bend;
        at.y -= bend;
    }
    float t = pattern_at(texture, at);
    float grain = ead_draw_octaves(texture->seed + 16, (p.x + 9) * texture->grain_scale,
                                   (p.y + 9) * texture->grain_scale, 3, 0.7f);
    return ead_color_mix(ead_color_mix(texture->colors[0], texture->colors[1], t), texture->colors[2],
                         texture->grain * grain);
}

void ead_draw_texture(EadCanvas *canvas, EadDrawRandom *random) {
    Texture t = {.pattern = ead_draw_below(random, PATTERNS)};
    t.seed = ead_draw_bits(random);
    t.scale.x = ead_draw_exp(ead_draw_between(random, 0.7f, 3.2f));
    t.scale.y = t.scale.x * ead_draw_exp(ead_draw_below(random, 2) ? 0 : ead_draw_between(random, -1, 1));
    t.along = ead_draw_direction(ead_draw_between(random, 0, 6.28f));
    t.bend = ead_draw_below(random, 2) ? ead_draw_exp(ead_draw_between(random, -1, 2)) : 0;
    t.share = ead_draw_between(random, 0.15f, 0.7f);
    t.softness = ead_draw_between(random, 0.05f, 0.3f);
    for (int i = 0; i < WAVES; i++) {
        EadPoint direction = ead_draw_direction(ead_draw_between(random, 0, 6.28f));
        float frequency = ead_draw_exp(ead_draw_between(random, 0.5f, 2.5f));
        t.wave[i] = (EadPoint){frequency * direction.x, frequency * direction.y};
    }
    t.grain = ead_draw_between(random, 0, 0.7f);
    t.grain_scale = ead_draw_exp(ead_draw_between(random, 1, 4));
    for (int i = 0; i < 3; i++) t.colors[i] = ead_draw_color(random);
    ead_canvas_paint(canvas, &(EadBrush){.shade = shade_texture, .shape = &t});
}
