/* The gasket: a turned metal flange with three lobes, six bolt holes (large and small in turn), a rubber seal
 * and a bore, on a workbench; and its defects. */
#include "train/synth/synth.h"

#include "core/base/philox.h"
#include "data/drawn/draw_canvas.h"

#include <math.h>

enum { HOLES = 6, MAX_HOLES = HOLES + 1 };

/* Random numbers of the part, and others of the defect, so that this does not change the part around it. */
typedef struct Task {
    EadCanvas *canvas;
    EadSynthDefect defect;
    EadDrawRandom part, flaw;
} Task;

static const float two_pi = 6.2831853f, lobe_distance = 0.64f, bore_radius = 0.29f, seal_radius = 0.41f;

typedef struct Gasket {
    uint32_t seed;
    EadPoint light; /* direction that the light comes from */
    EadPoint hole_centres[MAX_HOLES];
    float hole_radii[MAX_HOLES];
    int hole_count;
} Gasket;

/* A shape that needs the whole gasket besides itself. */
typedef struct Detail {
    EadWobble outline; /* chip */
    EadPoint centre;   /* hole */
    float radius;
    const Gasket *gasket;
} Detail;

static EadPoint polar(float angle, float radius) {
    return (EadPoint){radius * cosf(angle), radius * sinf(angle)};
}

/* Minimum of two distances, rounded over about k: joins shapes with a fillet. */
static float smooth_minimum(float a, float b, float k) {
    float near = fmaxf(k - fabsf(a - b), 0) / k;
    return fminf(a, b) - near * near * k / 4;
}

static float distance_body(const void *shape, EadPoint p) {
    (void)shape;
    float outer = hypotf(p.x, p.y) - 0.69f;
    for (int i = 0; i < 3; i++) {
        EadPoint lobe = polar(two_pi * (float)i / 3, lobe_distance);
        outer = smooth_minimum(outer, ead_distance_circle(p, lobe, 0.19f), 0.12f);
    }
    return fmaxf(outer, bore_radius - hypotf(p.x, p.y));
}

static float distance_shadow(const void *shape, EadPoint p) {
    const Gasket *gasket = shape;
    return distance_body(shape, (EadPoint){p.x + 0.05f * gasket->light.x, p.y + 0.05f * gasket->light.y});
}

static EadColor shade_bench(const void *shape, EadPoint p, float distance) {
    const Gasket *gasket = shape;
    (void)distance;
    float cloud = ead_draw_octaves(gasket->seed, p.x * 3 + 50, p.y * 3 + 50, 4, 0.5f) - 0.5f;
    float speck = ead_draw_noise(gasket->seed + 9, p.x * 60 + 500, p.y * 60 + 500) - 0.5f;
    float light = 1 + 0.25f * cloud + 0.1f * speck;
    return (EadColor){0.23f * light, 0.27f * light, 0.31f * light, 1};
}

/* Turned metal: fine rings, two bright fans across from each other, edges that catch the light. */
static EadColor shade_metal(const void *shape, EadPoint p, float distance) {
    const Gasket *gasket = shape;
    const float h = 0.004f;
    float angle = atan2f(p.y, p.x), radius = hypotf(p.x, p.y);
    float rings = ead_draw_noise(gasket->seed + 1, radius * 130, 3 + 2 * cosf(angle)) - 0.5f;
    float fan = cosf(2 * (angle - atan2f(gasket->light.y, gasket->light.x)));
    float nx =
        distance_body(shape, (EadPoint){p.x + h, p.y}) - distance_body(shape, (EadPoint){p.x - h, p.y});
    float ny =
        distance_body(shape, (EadPoint){p.x, p.y + h}) - distance_body(shape, (EadPoint){p.x, p.y - h});
    float edge = 1 - ead_smooth_step(0, 0.045f, -distance);
    float slope = edge * (nx * gasket->light.x + ny * gasket->light.y) / (2 * h);
    float light = 0.62f + 0.09f * rings + 0.07f * fan + 0.24f * slope;
    return (EadColor){light, light, 0.98f * light + 0.01f, 1};
}

static float distance_seal(const void *shape, EadPoint p) {
    (void)shape;
    return fabsf(hypotf(p.x, p.y) - seal_radius) - 0.032f;
}

static EadColor shade_seal(const void *shape, EadPoint p, float distance) {
    const Gasket *gasket = shape;
    float radius = hypotf(p.x, p.y), side = (radius - seal_radius) / 0.032f;
    float facing = (p.x * gasket->light.x + p.y * gasket->light.y) / fmaxf(radius, 1e-6f);
    float light = 0.75f + 0.35f * side * facing - 0.3f * ead_smooth_step(-0.012f, 0, distance);
    return (EadColor){0.72f * light, 0.33f * light, 0.12f * light, 1};
}

static float distance_hole(const void *shape, EadPoint p) {
    const Detail *detail = shape;
    return ead_distance_circle(p, detail->centre, detail->radius);
}

/* A countersunk rim around a shaft in which the bench lies in shadow. */
static EadColor shade_hole(const void *shape, EadPoint p, float distance) {
    const Detail *detail = shape;
    EadPoint light = detail->gasket->light;
    float rim = ead_smooth_step(-0.026f, -0.020f, distance);
    float x = (p.x - detail->centre.x) / detail->radius, y = (p.y - detail->centre.y) / detail->radius;
    float facing = -(x * light.x + y * light.y);
    EadColor deep = shade_bench(detail->gasket, p, 0);
    float depth = 0.30f + 0.2f * ead_smooth_step(-0.2f, 0.8f, facing), metal = 0.58f + 0.26f * facing;
    return (EadColor){rim * metal + (1 - rim) * deep.r * depth, rim * metal + (1 - rim) * deep.g * depth,
                      rim * metal + (1 - rim) * deep.b * depth, 1};
}

/* A pixel beyond the edge too, whose smoothed rim would stay as a thin line. */
static float distance_chip(const void *shape, EadPoint p) {
    const Detail *detail = shape;
    return fmaxf(ead_distance_wobble(&detail->outline, p), distance_body(NULL, p) - 0.010f);
}

/* The bench shows through; along the break, raw and bright metal. */
static EadColor shade_chip(const void *shape, EadPoint p, float distance) {
    const Detail *detail = shape;
    (void)distance;
    float raw = ead_smooth_step(-0.028f, -0.012f, ead_distance_wobble(&detail->outline, p));
    float spark = 0.62f + 0.5f * ead_draw_noise(detail->gasket->seed + 5, p.x * 70, p.y * 70);
    EadColor bench = shade_bench(detail->gasket, p, 0);
    return (EadColor){0.6f * bench.r * (1 - raw) + spark * raw, 0.6f * bench.g * (1 - raw) + spark * raw,
                      0.6f * bench.b * (1 - raw) + 0.97f * spark * raw, 1};
}

static float large_or_small(int index) {
    return index % 2 == 0 ? 0.088f : 0.056f;
}

static EadPoint hole_place(float index) {
    bool lobe = fmodf(index, 2) < 0.01f;
    return polar(two_pi * index / HOLES, lobe ? lobe_distance : 0.575f);
}

static void mark_hole(Task *task, EadPoint centre, float radius) {
    ead_canvas_mark(task->canvas, distance_hole, &(Detail){.centre = centre, .radius = radius});
}

/* Leaves a hole out, drills one too many half-way between two, or exchanges the drill. */
static void change_holes(Task *task, Gasket *gasket) {
    int chosen = ead_draw_below(&task->flaw, HOLES), last = HOLES - 1;
    EadPoint *centres = gasket->hole_centres;
    float *radii = gasket->hole_radii;
    if (task->defect == EAD_SYNTH_DEFECT_missing) {
        mark_hole(task, centres[chosen], radii[chosen]);
        centres[chosen] = centres[last];
        radii[chosen] = radii[last];
        gasket->hole_count--;
    } else if (task->defect == EAD_SYNTH_DEFECT_doubled) {
        centres[HOLES] = hole_place((float)chosen + 0.5f);
        radii[HOLES] = 0.056f;
        mark_hole(task, centres[HOLES], radii[HOLES]);
        gasket->hole_count++;
    } else if (task->defect == EAD_SYNTH_DEFECT_swapped) {
        radii[chosen] = large_or_small(chosen + 1);
        mark_hole(task, centres[chosen], 0.088f);
    }
}

static void paint_defect(Task *task, EadBrush brush, EadPoint centre, float reach) {
    brush.centre = centre;
    brush.reach = reach;
    brush.marks = true;
    ead_canvas_paint(task->canvas, &brush);
}

static void paint_chip(Task *task, const Gasket *gasket) {
    EadDrawRandom *random = &task->flaw;
    float side = ead_draw_below(random, 2) ? 0.25f : -0.25f;
    float angle = two_pi / 3 * ((float)ead_draw_below(random, 3) + 0.5f + side);
    float radius = ead_draw_between(random, 0.09f, 0.13f);
    EadPoint centre = polar(angle, 0.71f);
    Detail chip = {.outline = ead_wobble(random, centre, radius, 0.45f), .gasket = gasket};
    paint_defect(task, (EadBrush){.distance = distance_chip, .shade = shade_chip, .shape = &chip}, centre,
                 1.6f * radius);
}

/* A crooked line with round ends, thinner towards them. */
enum { STROKE_POINTS = 6 };
typedef struct Stroke {
    EadPoint points[STROKE_POINTS];
    float half_width;
} Stroke;

static float distance_segment(EadPoint p, EadPoint from, EadPoint to, float half_width) {
    float ax = p.x - from.x, ay = p.y - from.y, bx = to.x - from.x, by = to.y - from.y;
    float t = (ax * bx + ay * by) / fmaxf(bx * bx + by * by, 1e-12f);
    t = fminf(fmaxf(t, 0), 1);
    return hypotf(ax - t * bx, ay - t * by) - half_width;
}

static float distance_stroke(const void *shape, EadPoint p) {
    const Stroke *stroke = shape;
    float nearest = HUGE_VALF;
    for (int i = 0; i + 1 < STROKE_POINTS; i++) {
        bool end = i == 0 || i + 2 == STROKE_POINTS;
        float width = stroke->half_width * (end ? 0.6f : 1);
        nearest = fminf(nearest, distance_segment(p, stroke->points[i], stroke->points[i + 1], width));
    }
    return nearest;
}

static void paint_scratch(Task *task, EadPoint centre, float angle, EadColor color) {
    EadDrawRandom *random = &task->flaw;
    float length = ead_draw_between(random, 0.22f, 0.5f), width = ead_draw_between(random, 0.008f, 0.014f);
    Stroke stroke = {.half_width = width};
    for (int i = 0; i < STROKE_POINTS; i++) {
        float along = length * ((float)i / (STROKE_POINTS - 1) - 0.5f);
        float aside = length * ead_draw_between(random, -0.05f, 0.05f);
        stroke.points[i] = (EadPoint){centre.x + along * cosf(angle) - aside * sinf(angle),
                                      centre.y + along * sinf(angle) + aside * cosf(angle)};
    }
    paint_defect(task, (EadBrush){.distance = distance_stroke, .shape = &stroke, .color = color}, centre,
                 length);
}

/* Thick in the middle, thin and lighter at the rim, like dried liquid. */
typedef struct Stain {
    EadWobble outline; /* first, so that a Stain is a shape for ead_distance_wobble */
    EadColor color;
    uint32_t seed;
} Stain;

static EadColor shade_stain(const void *shape, EadPoint p, float distance) {
    const Stain *stain = shape;
    float spots = ead_draw_octaves(stain->seed, p.x * 40, p.y * 40, 3, 0.5f) - 0.5f;
    float depth = ead_smooth_step(0, 0.6f * stain->outline.radius, -distance);
    float light = 1 + 0.5f * spots - 0.25f * depth;
    EadColor color = stain->color;
    return (EadColor){color.r * light, color.g * light, color.b * light, color.a};
}

static void paint_blob(Task *task, EadPoint centre, EadColor color) {
    EadDrawRandom *random = &task->flaw;
    float radius = ead_draw_between(random, 0.05f, 0.1f);
    Stain stain = {ead_wobble(random, centre, radius, 0.5f), color, ead_draw_bits(random)};
    paint_defect(task, (EadBrush){.distance = ead_distance_wobble, .shade = shade_stain, .shape = &stain},
                 centre, 1.6f * radius);
}

static void paint_structural(Task *task, const Gasket *gasket) {
    EadDrawRandom *random = &task->flaw;
    EadPoint place = polar(ead_draw_between(random, 0, two_pi), ead_draw_between(random, 0.46f, 0.6f));
    if (task->defect == EAD_SYNTH_DEFECT_scratch)
        paint_scratch(task, place, ead_draw_between(random, 0, two_pi),
                      (EadColor){0.93f, 0.94f, 0.95f, 0.9f});
    if (task->defect == EAD_SYNTH_DEFECT_blob)
        paint_blob(task, place,
                   ead_draw_below(random, 2) ? (EadColor){0.17f, 0.12f, 0.07f, 0.92f}
                                             : (EadColor){0.46f, 0.22f, 0.09f, 0.92f});
    if (task->defect == EAD_SYNTH_DEFECT_chip) paint_chip(task, gasket);
}

static void draw_gasket(Task *task) {
    EadDrawRandom *random = &task->part;
    Gasket gasket = {.seed = ead_draw_bits(random), .hole_count = HOLES};
    gasket.light = polar(ead_draw_between(random, -2.5f, -2.1f), 1);
    for (int i = 0; i < HOLES; i++) {
        gasket.hole_centres[i] = hole_place((float)i);
        gasket.hole_radii[i] = large_or_small(i);
    }
    task->canvas->pose =
        (EadPose){ead_draw_between(random, -0.12f, 0.12f),
                  {ead_draw_between(random, -0.03f, 0.03f), ead_draw_between(random, -0.03f, 0.03f)}};
    change_holes(task, &gasket);
    const EadBrush layers[] = {
        {.shade = shade_bench, .shape = &gasket},
        {distance_shadow, NULL, &gasket, {0.02f, 0.02f, 0.03f, 0.6f}, .feather = 0.09f},
        {.distance = distance_body, .shade = shade_metal, .shape = &gasket},
        {.distance = distance_seal, .shade = shade_seal, .shape = &gasket},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) ead_canvas_paint(task->canvas, &layers[i]);
    for (int i = 0; i < gasket.hole_count; i++) {
        Detail hole = {.centre = gasket.hole_centres[i], .radius = gasket.hole_radii[i], .gasket = &gasket};
        EadBrush brush = {.distance = distance_hole, .shade = shade_hole, .shape = &hole};
        brush.centre = hole.centre;
        brush.reach = hole.radius;
        ead_canvas_paint(task->canvas, &brush);
    }
    paint_structural(task, &gasket);
}

const char *ead_synth_defect_name(EadSynthDefect defect) {
#define NAME(name) #name,
    static const char *const names[] = {EAD_SYNTH_DEFECTS(NAME)};
    return names[defect];
}

EadStatus ead_synth_draw(const EadSynthPart *part, EadImage *image, EadImage *mask) {
    EadCanvas canvas;
    *image = *mask = (EadImage){0};
    EAD_TRY(ead_canvas_open(&canvas, part->width, part->height));
    uint32_t picture = ead_hash_name("gasket") ^ (part->number * 2);
    Task task = {.canvas = &canvas,
                 .defect = part->defect,
                 .part = ead_draw_random(part->seed, EAD_STREAM_SYNTH, picture),
                 .flaw = ead_draw_random(part->seed, EAD_STREAM_SYNTH, picture ^ 1u)};
    EadDrawRandom *random = &task.part;
    EadLight light = {
        .exposure = ead_draw_between(random, 0.95f, 1.05f),
        .slope = {ead_draw_between(random, -0.05f, 0.05f), ead_draw_between(random, -0.05f, 0.05f)},
        .grain = 0.025f,
        .seed = ead_draw_bits(random)};
    draw_gasket(&task);
    EadStatus status = ead_canvas_develop(&canvas, &light, image, mask);
    ead_canvas_close(&canvas);
    return status;
}

EadStatus ead_synth_draw_good(uint32_t number, int height, int width, EadImage *image) {
    EadSynthPart part = {EAD_SYNTH_DEFECT_good, 0, number, height, width};
    EadImage mask;
    EadStatus status = ead_synth_draw(&part, image, &mask);
    ead_image_free(&mask);
    return status;
}
