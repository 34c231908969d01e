/* Shapes with surfaces of their own over gradients, clouds and stripes. */
#include "data/drawn/drawn_image.h"

#include <math.h>

typedef struct Ground {
    EadColor colors[3];
    uint32_t seed;
    EadPoint slope;    /* direction and strength of the gradient */
    float scale, warp; /* of the clouds */
    float stripes;     /* their frequency; 0: none */
    EadPoint across;   /* them, of length 1 */
    int octaves;
} Ground;

/* A shape with a surface of its own. */
typedef struct Thing {
    EadWobble outline;
    EadPoint half;
    float corner;
    EadPoint along; /* a box's side */
    int kind;       /* 0 uneven disc, 1 box, 2 ring */
    EadColor color;
    uint32_t seed;
    float relief, scale;
} Thing;

static EadColor shade_ground(const void *shape, EadPoint p, float distance) {
    const Ground *ground = shape;
    (void)distance;
    float x = (p.x + 9) * ground->scale, y = (p.y + 9) * ground->scale;
    float bend = ground->warp * ead_draw_octaves(ground->seed + 20, x, y, 2, 0.5f);
    float cloud = ead_draw_octaves(ground->seed, x + bend, y - bend, ground->octaves, 0.5f);
    float blend = 0.5f + ground->slope.x * p.x + ground->slope.y * p.y;
    if (ground->stripes > 0)
        blend += 0.25f * ead_draw_sine(ground->stripes * (ground->across.x * p.x + ground->across.y * p.y) +
                                       3 * bend);
    EadColor base = ead_color_mix(ground->colors[0], ground->colors[1], fminf(fmaxf(blend, 0), 1));
    return ead_color_mix(base, ground->colors[2], ead_smooth_step(0.25f, 0.75f, cloud));
}

static Ground choose_ground(EadDrawRandom *random) {
    Ground ground = {.seed = ead_draw_bits(random)};
    for (int i = 0; i < 3; i++) ground.colors[i] = ead_draw_color(random);
    ground.slope.x = ead_draw_between(random, -0.5f, 0.5f);
    ground.slope.y = ead_draw_between(random, -0.5f, 0.5f);
    ground.scale = ead_draw_exp(ead_draw_between(random, 0, 3));
    ground.warp = ead_draw_between(random, 0, 3);
    ground.stripes = ead_draw_below(random, 3) == 0 ? ead_draw_exp(ead_draw_between(random, 1.5f, 4.5f)) : 0;
    ground.across = ead_draw_direction(ead_draw_between(random, 0, 6.28f));
    ground.octaves = 1 + ead_draw_below(random, 6);
    return ground;
}

static float distance_thing(const void *shape, EadPoint p) {
    const Thing *thing = shape;
    if (thing->kind == 0) return ead_distance_wobble(&thing->outline, p);
    if (thing->kind == 2) return fabsf(ead_distance_wobble(&thing->outline, p)) - thing->corner;
    EadPoint centre = thing->outline.centre;
    float x = p.x - centre.x, y = p.y - centre.y;
    /* A box with rounded corners. */
    float dx = fabsf(thing->along.x * x + thing->along.y * y) - thing->half.x + thing->corner;
    float dy = fabsf(thing->along.x * y - thing->along.y * x) - thing->half.y + thing->corner;
    return ead_distance_circle((EadPoint){fmaxf(dx, 0), fmaxf(dy, 0)}, (EadPoint){0, 0}, 0) +
           fminf(fmaxf(dx, dy), 0) - thing->corner;
}

static EadColor shade_thing(const void *shape, EadPoint p, float distance) {
    const Thing *thing = shape;
    float grain =
        ead_draw_octaves(thing->seed, (p.x + 9) * thing->scale, (p.y + 9) * thing->scale, 4, 0.5f) - 0.5f;
    float rounding = thing->relief * (ead_smooth_step(0, 0.3f, -distance) - 0.5f);
    float side = 0.3f * thing->relief * (p.x - thing->outline.centre.x - p.y + thing->outline.centre.y);
    float light = 1 + rounding + side + 0.6f * grain;
    return (EadColor){thing->color.r * light, thing->color.g * light, thing->color.b * light, thing->color.a};
}

static void paint_thing(EadCanvas *canvas, EadDrawRandom *random, float roughness) {
    EadPoint centre;
    centre.x = ead_draw_between(random, -1.2f, 1.2f);
    centre.y = ead_draw_between(random, -1.2f, 1.2f);
    float radius = ead_draw_exp(ead_draw_between(random, -3, -0.3f));
    Thing thing = {.outline = ead_wobble(random, centre, radius, ead_draw_between(random, 0, roughness))};
    thing.half = (EadPoint){radius, radius * ead_draw_exp(ead_draw_between(random, -2, 0.3f))};
    thing.corner = 0.3f * fminf(thing.half.x, thing.half.y);
    thing.along = ead_draw_direction(ead_draw_between(random, 0, 3.14f));
    thing.kind = ead_draw_below(random, 3);
    thing.color = ead_draw_color(random);
    thing.color.a = ead_draw_between(random, 0.5f, 1);
    thing.seed = ead_draw_bits(random);
    thing.relief = ead_draw_between(random, 0, 0.9f);
    thing.scale = ead_draw_exp(ead_draw_between(random, 0.5f, 4));
    EadBrush brush = {.distance = distance_thing, .shade = shade_thing, .shape = &thing, .centre = centre};
    brush.feather = 0.01f + (ead_draw_below(random, 4) == 0 ? 0.1f : 0);
    brush.reach = 2.2f * radius;
    ead_canvas_paint(canvas, &brush);
}

void ead_draw_scene(EadCanvas *canvas, EadDrawRandom *random, float roughness) {
    Ground ground = choose_ground(random);
    ead_canvas_paint(canvas, &(EadBrush){.shade = shade_ground, .shape = &ground});
    int things = ead_draw_below(random, 24);
    for (int i = 0; i < things; i++) paint_thing(canvas, random, roughness);
}
