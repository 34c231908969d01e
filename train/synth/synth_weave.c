/* The category weave: a plain weave of cream threads with coloured ones at regular places, as in a tea towel.
 */
#include "train/synth/synth.h"

#include "train/synth/synth_shapes.h"

#include <math.h>

enum { PERIOD = 8, FARTHEST = 1 << 20 };

static const float pitch = 0.062f; /* units from thread to thread */

typedef struct Weave {
    uint32_t seed;
    EadSynthDefect change; /* missing, doubled, swapped; else the cloth is as it should be */
    int changed;           /* number of the warp thread that is wrong */
    EadWobble hole;        /* chip */
    uint32_t hole_seed;
} Weave;

static const EadColor cream = {0.80f, 0.75f, 0.64f, 1}, gray = {0.66f, 0.66f, 0.64f, 1},
                      red = {0.66f, 0.17f, 0.15f, 1}, blue = {0.16f, 0.27f, 0.52f, 1},
                      green = {0.20f, 0.42f, 0.30f, 1};

/* Cloth is never quite straight. */
static EadPoint to_cloth(const Weave *weave, EadPoint p) {
    float dx = ead_synth_noise(weave->seed, p.x * 2 + 20, p.y * 2 + 20) - 0.5f;
    float dy = ead_synth_noise(weave->seed + 1, p.x * 2 + 20, p.y * 2 + 20) - 0.5f;
    return (EadPoint){(p.x + 0.04f * dx) / pitch, (p.y + 0.04f * dy) / pitch};
}

static int place_in_period(int thread, int period) {
    return (thread % period + period) % period;
}

/* Lengthwise threads: red and blue in turn, four threads before the middle of each period. */
static EadColor regular_warp(int thread) {
    if (place_in_period(thread, PERIOD) != PERIOD / 2) return cream;
    return place_in_period(thread, 2 * PERIOD) == PERIOD / 2 ? red : blue;
}

static EadColor warp_color(const Weave *weave, int thread) {
    bool changed = thread == weave->changed;
    if (changed && weave->change == EAD_SYNTH_DEFECT_missing) return cream;
    if (changed && weave->change == EAD_SYNTH_DEFECT_doubled) return regular_warp(thread - 1);
    if (changed && weave->change == EAD_SYNTH_DEFECT_swapped) return regular_warp(thread + PERIOD);
    return regular_warp(thread);
}

static EadColor weft_color(int thread) {
    return place_in_period(thread, PERIOD) == PERIOD / 2 ? green : gray;
}

static float bulge(float across) {
    return cosf(3.1415927f * across);
}

static EadColor shade_cloth(const void *shape, EadPoint p, float distance) {
    const Weave *weave = shape;
    (void)distance;
    EadPoint q = to_cloth(weave, p);
    int i = (int)floorf(q.x), j = (int)floorf(q.y);
    float u = q.x - (float)i - 0.5f, v = q.y - (float)j - 0.5f;
    bool warp = ((i + j) & 1) == 0;
    EadColor color = warp ? warp_color(weave, i) : weft_color(j);
    float across = warp ? u : v, along = warp ? v : u;
    float thread = ead_synth_hash(weave->seed + (warp ? 3u : 4u), warp ? i : j, 0) - 0.5f;
    float fibre =
        ead_synth_noise(weave->seed + 5, (warp ? q.x : q.y) * 7 + 900, (warp ? q.y : q.x) * 1.5f + 900);
    float light = 0.43f + 0.46f * bulge(across) + 0.22f * bulge(along) - 0.06f * across;
    light *= 1 + 0.12f * thread + 0.22f * (fibre - 0.5f);
    return (EadColor){color.r * light, color.g * light, color.b * light, 1};
}

static float distance_thread(const void *shape, EadPoint p) {
    const Weave *weave = shape;
    return (int)floorf(to_cloth(weave, p).x) == weave->changed ? -1 : 1;
}

/* A hole whose rim follows the threads: each ends a little earlier or later. */
static float distance_hole(const void *shape, EadPoint p) {
    const Weave *weave = shape;
    EadPoint q = to_cloth(weave, p);
    float frayed = ead_synth_hash(weave->hole_seed, (int)floorf(q.x * 2), (int)floorf(q.y * 2)) - 0.5f;
    return ead_distance_wobble(&weave->hole, p) + 0.035f * frayed;
}

static EadColor shade_hole(const void *shape, EadPoint p, float distance) {
    const Weave *weave = shape;
    float dust = ead_synth_octaves(weave->hole_seed, p.x * 20 + 60, p.y * 20 + 60, 3);
    float light = (0.10f + 0.10f * dust) * (1 - 0.5f * ead_smooth_step(-0.04f, 0, distance));
    return (EadColor){light, 0.95f * light, 0.9f * light, 1};
}

static void paint_hole(EadSynthTask *task, Weave *weave, EadPoint place) {
    float radius = ead_synth_between(&task->flaw, 0.07f, 0.12f);
    weave->hole = ead_wobble(&task->flaw, place, radius, 0.5f);
    weave->hole_seed = ead_synth_bits(&task->flaw);
    EadBrush brush = {.distance = distance_hole,
                      .shade = shade_hole,
                      .shape = weave,
                      .centre = place,
                      .reach = 1.6f * radius + 0.05f};
    task->canvas->marking = true;
    ead_canvas_paint(task->canvas, &brush);
    task->canvas->marking = false;
}

static void paint_structural(EadSynthTask *task, Weave *weave) {
    EadSynthRandom *random = &task->flaw;
    EadPoint place = {ead_synth_between(random, -0.75f, 0.75f), ead_synth_between(random, -0.75f, 0.75f)};
    if (task->defect == EAD_SYNTH_DEFECT_scratch)
        ead_synth_paint_scratch(task, place, ead_synth_between(random, 0, 6.28f),
                                (EadColor){0.96f, 0.95f, 0.9f, 0.92f});
    if (task->defect == EAD_SYNTH_DEFECT_blob)
        ead_synth_paint_blob(task, place, (EadColor){0.30f, 0.17f, 0.08f, 0.78f});
    if (task->defect == EAD_SYNTH_DEFECT_chip) paint_hole(task, weave, place);
}

/* Chooses the thread that is wrong: a coloured one, or for doubled its neighbour. */
static void change_thread(EadSynthTask *task, Weave *weave) {
    if (task->defect < EAD_SYNTH_DEFECT_missing) return;
    weave->change = task->defect;
    weave->changed = PERIOD / 2 + PERIOD * (ead_synth_below(&task->flaw, 4) - 2);
    if (task->defect == EAD_SYNTH_DEFECT_doubled) weave->changed++;
    ead_canvas_mark(task->canvas, distance_thread, weave);
}

void ead_synth_draw_weave(EadSynthTask *task) {
    EadSynthRandom *random = &task->part;
    Weave weave = {.seed = ead_synth_bits(random), .changed = FARTHEST};
    task->canvas->pose =
        (EadPose){ead_synth_between(random, -0.03f, 0.03f),
                  {ead_synth_between(random, -0.02f, 0.02f), ead_synth_between(random, -0.02f, 0.02f)}};
    change_thread(task, &weave);
    ead_canvas_paint(task->canvas, &(EadBrush){.shade = shade_cloth, .shape = &weave});
    paint_structural(task, &weave);
}
