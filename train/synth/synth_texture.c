/* Pictures of nothing in particular, as varied as a few rules can make them: the stand-in for photographs in
 * the pretraining penalty where there are none. */
#include "train/synth/synth.h"

#include "train/synth/synth_canvas.h"

#include <math.h>

/* No part's picture has this number range: see ead_synth_draw(). */
static const uint32_t texture_pictures = 0x54455854u;

typedef struct Ground {
    EadColor colors[3];
    uint32_t seed;
    EadPoint slope;      /* direction and strength of the gradient */
    float scale, warp;   /* of the clouds */
    float stripes, turn; /* frequency and direction of the stripes, 0: none */
    int octaves;
} Ground;

/* A shape with a surface of its own. */
typedef struct Thing {
    EadWobble outline;
    EadPoint half;
    float corner, turn;
    int kind; /* 0 uneven disc, 1 box, 2 ring */
    EadColor color;
    uint32_t seed;
    float relief, scale;
} Thing;

static EadColor choose_color(EadSynthRandom *random) {
    float gray = ead_synth_between(random, 0.05f, 0.95f), tint = ead_synth_between(random, 0, 0.28f);
    return (EadColor){gray + ead_synth_between(random, -tint, tint),
                      gray + ead_synth_between(random, -tint, tint),
                      gray + ead_synth_between(random, -tint, tint), 1};
}

static EadColor mix(EadColor a, EadColor b, float t) {
    return (EadColor){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t, 1};
}

static EadColor shade_ground(const void *shape, EadPoint p, float distance) {
    const Ground *ground = shape;
    (void)distance;
    float x = (p.x + 9) * ground->scale, y = (p.y + 9) * ground->scale;
    float bend = ground->warp * ead_synth_octaves(ground->seed + 20, x, y, 2);
    float cloud = ead_synth_octaves(ground->seed, x + bend, y - bend, ground->octaves);
    float wave = sinf(ground->stripes * (cosf(ground->turn) * p.x + sinf(ground->turn) * p.y) + 3 * bend);
    float blend =
        0.5f + ground->slope.x * p.x + ground->slope.y * p.y + (ground->stripes > 0 ? 0.25f * wave : 0);
    EadColor base = mix(ground->colors[0], ground->colors[1], fminf(fmaxf(blend, 0), 1));
    return mix(base, ground->colors[2], ead_smooth_step(0.25f, 0.75f, cloud));
}

static Ground choose_ground(EadSynthRandom *random) {
    Ground ground = {.seed = ead_synth_bits(random)};
    for (int i = 0; i < 3; i++) ground.colors[i] = choose_color(random);
    ground.slope = (EadPoint){ead_synth_between(random, -0.5f, 0.5f), ead_synth_between(random, -0.5f, 0.5f)};
    ground.scale = expf(ead_synth_between(random, 0, 3));
    ground.warp = ead_synth_between(random, 0, 3);
    ground.stripes = ead_synth_below(random, 3) == 0 ? expf(ead_synth_between(random, 1.5f, 4.5f)) : 0;
    ground.turn = ead_synth_between(random, 0, 6.28f);
    ground.octaves = 1 + ead_synth_below(random, 6);
    return ground;
}

static float distance_thing(const void *shape, EadPoint p) {
    const Thing *thing = shape;
    if (thing->kind == 0) return ead_distance_wobble(&thing->outline, p);
    if (thing->kind == 2) return fabsf(ead_distance_wobble(&thing->outline, p)) - thing->corner;
    EadPoint centre = thing->outline.centre;
    float x = p.x - centre.x, y = p.y - centre.y, cosine = cosf(thing->turn), sine = sinf(thing->turn);
    /* A box with rounded corners. */
    float dx = fabsf(cosine * x + sine * y) - thing->half.x + thing->corner;
    float dy = fabsf(cosine * y - sine * x) - thing->half.y + thing->corner;
    return hypotf(fmaxf(dx, 0), fmaxf(dy, 0)) + fminf(fmaxf(dx, dy), 0) - thing->corner;
}

static EadColor shade_thing(const void *shape, EadPoint p, float distance) {
    const Thing *thing = shape;
    float grain =
        ead_synth_octaves(thing->seed, (p.x + 9) * thing->scale, (p.y + 9) * thing->scale, 4) - 0.5f;
    float rounding = thing->relief * (ead_smooth_step(0, 0.3f, -distance) - 0.5f);
    float side = 0.3f * thing->relief * (p.x - thing->outline.centre.x - p.y + thing->outline.centre.y);
    float light = 1 + rounding + side + 0.6f * grain;
    return (EadColor){thing->color.r * light, thing->color.g * light, thing->color.b * light, thing->color.a};
}

static void paint_thing(EadCanvas *canvas, EadSynthRandom *random) {
    EadPoint centre = {ead_synth_between(random, -1.2f, 1.2f), ead_synth_between(random, -1.2f, 1.2f)};
    float radius = expf(ead_synth_between(random, -3, -0.3f));
    Thing thing = {.outline = ead_wobble(random, centre, radius, ead_synth_between(random, 0, 0.8f))};
    thing.half = (EadPoint){radius, radius * expf(ead_synth_between(random, -2, 0.3f))};
    thing.corner = 0.3f * fminf(thing.half.x, thing.half.y);
    thing.turn = ead_synth_between(random, 0, 3.14f);
    thing.kind = ead_synth_below(random, 3);
    thing.color = choose_color(random);
    thing.color.a = ead_synth_between(random, 0.5f, 1);
    thing.seed = ead_synth_bits(random);
    thing.relief = ead_synth_between(random, 0, 0.9f);
    thing.scale = expf(ead_synth_between(random, 0.5f, 4));
    EadBrush brush = {.distance = distance_thing, .shade = shade_thing, .shape = &thing, .centre = centre};
    brush.feather = 0.01f + (ead_synth_below(random, 4) == 0 ? 0.1f : 0);
    brush.reach = 2.2f * radius;
    ead_canvas_paint(canvas, &brush);
}

EadStatus ead_synth_draw_texture(uint64_t seed, uint32_t number, int height, int width, EadImage *image) {
    EadCanvas canvas;
    EadImage mask = {0};
    *image = (EadImage){0};
    EAD_TRY(ead_canvas_open(&canvas, width, height));
    EadSynthRandom random = ead_synth_random(seed, texture_pictures + number);
    Ground ground = choose_ground(&random);
    ead_canvas_paint(&canvas, &(EadBrush){.shade = shade_ground, .shape = &ground});
    int things = ead_synth_below(&random, 24);
    for (int i = 0; i < things; i++) paint_thing(&canvas, &random);
    EadLight light = {.exposure = ead_synth_between(&random, 0.8f, 1.2f),
                      .grain = ead_synth_between(&random, 0, 0.06f),
                      .seed = ead_synth_bits(&random)};
    EadStatus status = ead_canvas_develop(&canvas, &light, image, &mask);
    ead_image_free(&mask);
    ead_canvas_close(&canvas);
    return status;
}
