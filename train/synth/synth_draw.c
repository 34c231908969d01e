/* From a part's description to picture and mask: what all categories have in common. */
#include "train/synth/synth.h"

#include "core/base/philox.h"
#include "train/synth/synth_shapes.h"

const char *ead_synth_category_name(EadSynthCategory category) {
    static const char *const names[] = {
#define X(name) #name,
        EAD_SYNTH_CATEGORIES(X)
#undef X
    };
    return names[category];
}

const char *ead_synth_defect_name(EadSynthDefect defect) {
    static const char *const names[] = {
#define X(name) #name,
        EAD_SYNTH_DEFECTS(X)
#undef X
    };
    return names[defect];
}

void ead_synth_paint_scratch(EadSynthTask *task, EadPoint centre, float angle, EadColor color) {
    EadSynthRandom *random = &task->flaw;
    float length = ead_synth_between(random, 0.22f, 0.5f), width = ead_synth_between(random, 0.008f, 0.014f);
    EadStroke stroke = ead_stroke(random, centre, angle, length, width);
    EadBrush brush = {
        .distance = ead_distance_stroke, .shape = &stroke, .color = color, .centre = centre, .reach = length};
    task->canvas->marking = true;
    ead_canvas_paint(task->canvas, &brush);
    task->canvas->marking = false;
}

/* Thick in the middle, thin and lighter at the rim, like dried liquid. */
typedef struct Stain {
    EadWobble outline; /* first, so that a Stain is a shape for ead_distance_wobble */
    EadColor color;
    uint32_t seed;
} Stain;

static EadColor shade_stain(const void *shape, EadPoint p, float distance) {
    const Stain *stain = shape;
    float spots = ead_synth_octaves(stain->seed, p.x * 40, p.y * 40, 3) - 0.5f;
    float depth = ead_smooth_step(0, 0.6f * stain->outline.radius, -distance);
    float light = 1 + 0.5f * spots - 0.25f * depth;
    EadColor color = stain->color;
    return (EadColor){color.r * light, color.g * light, color.b * light, color.a};
}

void ead_synth_paint_blob(EadSynthTask *task, EadPoint centre, EadColor color) {
    EadSynthRandom *random = &task->flaw;
    float radius = ead_synth_between(random, 0.05f, 0.1f);
    Stain stain = {ead_wobble(random, centre, radius, 0.5f), color, ead_synth_bits(random)};
    EadBrush brush = {.distance = ead_distance_wobble,
                      .shade = shade_stain,
                      .shape = &stain,
                      .centre = centre,
                      .reach = 1.6f * radius};
    task->canvas->marking = true;
    ead_canvas_paint(task->canvas, &brush);
    task->canvas->marking = false;
}

static EadLight choose_light(EadSynthRandom *random) {
    return (EadLight){
        .exposure = ead_synth_between(random, 0.95f, 1.05f),
        .slope = {ead_synth_between(random, -0.05f, 0.05f), ead_synth_between(random, -0.05f, 0.05f)},
        .grain = 0.025f,
        .seed = ead_synth_bits(random)};
}

static void draw_category(EadSynthCategory category, EadSynthTask *task) {
    static void (*const functions[])(EadSynthTask *) = {
#define X(name) ead_synth_draw_##name,
        EAD_SYNTH_CATEGORIES(X)
#undef X
    };
    functions[category](task);
}

EadStatus ead_synth_draw(const EadSynthPart *part, EadImage *image, EadImage *mask) {
    EadCanvas canvas;
    *image = *mask = (EadImage){0};
    EAD_TRY(ead_canvas_open(&canvas, part->width, part->height));
    uint32_t picture = ead_hash_name(ead_synth_category_name(part->category)) ^ (part->number * 2);
    EadSynthTask task = {.canvas = &canvas,
                         .defect = part->defect,
                         .part = ead_synth_random(part->seed, picture),
                         .flaw = ead_synth_random(part->seed, picture ^ 1u)};
    EadLight light = choose_light(&task.part);
    draw_category(part->category, &task);
    EadStatus status = ead_canvas_develop(&canvas, &light, image, mask);
    ead_canvas_close(&canvas);
    return status;
}
