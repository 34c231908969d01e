/* The category label: a printed paper label on a cardboard box, with a heading, three lines of text, a
 * barcode and three handling symbols. */
#include "train/synth/synth.h"

#include "train/synth/synth_font.h"
#include "train/synth/synth_shapes.h"

#include <math.h>

enum { LINES = 3, SYMBOLS = 3, BARS = 30 };
typedef enum Symbol { ARROWS, DROP, GLASS } Symbol;

typedef struct Label {
    uint32_t seed;
    EadWobble tear; /* chip */
} Label;

typedef struct Box {
    EadPoint centre, half;
} Box;

static const EadPoint paper_half = {0.80f, 0.62f};
static const EadColor ink = {0.10f, 0.10f, 0.12f, 0.92f}, brand = {0.06f, 0.36f, 0.42f, 0.95f},
                      white = {0.93f, 0.93f, 0.90f, 1};
static const char *const line_texts[LINES] = {"PART 4017-B", "LOT 26 0815", "QTY 12 PCS"};
static const float line_height = 0.095f, symbol_half = 0.125f;

static float distance_box(const void *shape, EadPoint p) {
    const Box *box = shape;
    return ead_distance_box(p, box->centre, box->half, 0.012f);
}

static float distance_paper(const void *shape, EadPoint p) {
    (void)shape;
    return ead_distance_box(p, (EadPoint){0, 0}, paper_half, 0.04f);
}

/* Kraft board: fibres along, the flutes of the corrugation shimmering through. */
static EadColor shade_board(const void *shape, EadPoint p, float distance) {
    const Label *label = shape;
    (void)distance;
    float fibre = ead_synth_octaves(label->seed, p.x * 14 + 90, p.y * 60 + 300, 3) - 0.5f;
    float cloud = ead_synth_octaves(label->seed + 7, p.x * 2 + 20, p.y * 2 + 20, 2) - 0.5f;
    float light = 1 + 0.16f * fibre + 0.14f * cloud + 0.025f * cosf(p.y * 70);
    return (EadColor){0.66f * light, 0.51f * light, 0.35f * light, 1};
}

static EadColor shade_paper(const void *shape, EadPoint p, float distance) {
    const Label *label = shape;
    float tooth = ead_synth_octaves(label->seed + 3, p.x * 40 + 200, p.y * 40 + 200, 2) - 0.5f;
    float light = 1 + 0.04f * tooth - 0.08f * ead_smooth_step(-0.03f, 0, distance);
    return (EadColor){white.r * light, white.g * light, white.b * light, 1};
}

static void paint_box(EadCanvas *canvas, Box box, EadColor color) {
    float reach = hypotf(box.half.x, box.half.y);
    ead_canvas_paint(
        canvas,
        &(EadBrush){
            .distance = distance_box, .shape = &box, .color = color, .centre = box.centre, .reach = reach});
}

/* Bars of one to three modules; the pattern belongs to the article and is the same on every label. */
static void paint_barcode(EadCanvas *canvas) {
    const float module = 0.0125f, left = -0.70f;
    float x = left;
    for (int i = 0; i < BARS && x < 0.14f; i++) {
        float bar = module * (float)(1 + (i * i + 3 * i) % 7 / 3),
              gap = module * (float)(1 + (i * 5 + 1) % 3 / 2);
        paint_box(canvas, (Box){{x + bar / 2, 0.30f}, {bar / 2, 0.13f}}, ink);
        x += bar + gap;
    }
    ead_synth_paint_text(canvas, "4 017026 081539", (EadPoint){-0.66f, 0.465f}, 0.062f, ink);
}

static Box line_box(int line, EadPoint shift) {
    float y = -0.26f + 0.155f * (float)line, width = ead_synth_text_width(line_texts[line], line_height);
    return (Box){{-0.70f + width / 2 + shift.x, y + line_height / 2 + shift.y},
                 {width / 2 + 0.02f, line_height / 2 + 0.02f}};
}

static void paint_line(EadCanvas *canvas, int line, EadPoint shift) {
    EadPoint place = {-0.70f + shift.x, -0.26f + 0.155f * (float)line + shift.y};
    ead_synth_paint_text(canvas, line_texts[line], place, line_height, ink);
}

static EadPoint symbol_place(int slot) {
    return (EadPoint){0.58f, -0.19f + 0.29f * (float)slot};
}

static Box symbol_box(EadPoint place) {
    return (Box){place, {symbol_half, symbol_half}};
}

static float distance_arrows(EadPoint p) {
    EadPoint q = {fabsf(p.x) - 0.05f, p.y};
    float shaft = ead_distance_box(q, (EadPoint){0, 0.015f}, (EadPoint){0.012f, 0.06f}, 0);
    float head = fmaxf(fabsf(q.x) * 0.8f - (q.y + 0.085f) * 0.55f, q.y + 0.02f);
    float base = ead_distance_box(p, (EadPoint){0, 0.09f}, (EadPoint){0.09f, 0.009f}, 0);
    return fminf(fminf(shaft, head), base);
}

static float distance_drop(EadPoint p) {
    float body = ead_distance_circle(p, (EadPoint){0, 0.03f}, 0.055f);
    float tip = fmaxf(fabsf(p.x) * 0.87f - (p.y + 0.09f) * 0.5f, p.y - 0.005f);
    return fminf(body, tip);
}

static float distance_glass(EadPoint p) {
    float bowl = fmaxf(fmaxf(fabsf(p.x) - 0.06f + 0.25f * fmaxf(p.y + 0.02f, 0), -p.y - 0.085f), p.y - 0.01f);
    float notch = ead_distance_box(p, (EadPoint){0.02f, -0.07f}, (EadPoint){0.012f, 0.03f}, 0);
    float stem = ead_distance_box(p, (EadPoint){0, 0.04f}, (EadPoint){0.01f, 0.045f}, 0);
    float foot = ead_distance_box(p, (EadPoint){0, 0.085f}, (EadPoint){0.045f, 0.01f}, 0);
    return fminf(fminf(fmaxf(bowl, -notch), stem), foot);
}

typedef struct PlacedSymbol {
    Symbol symbol;
    EadPoint place;
} PlacedSymbol;

static float distance_symbol(const void *shape, EadPoint p) {
    const PlacedSymbol *placed = shape;
    EadPoint q = {p.x - placed->place.x, p.y - placed->place.y};
    float frame = fabsf(ead_distance_box(q, (EadPoint){0, 0}, (EadPoint){0.117f, 0.117f}, 0.02f)) - 0.006f;
    float (*const insides[])(EadPoint) = {distance_arrows, distance_drop, distance_glass};
    return fminf(frame, insides[placed->symbol](q));
}

static void paint_symbol(EadCanvas *canvas, Symbol symbol, EadPoint place) {
    PlacedSymbol placed = {symbol, place};
    ead_canvas_paint(canvas, &(EadBrush){.distance = distance_symbol,
                                         .shape = &placed,
                                         .color = ink,
                                         .centre = place,
                                         .reach = 1.5f * symbol_half});
}

static void mark_box(EadCanvas *canvas, Box box) {
    ead_canvas_mark(canvas, distance_box, &box);
}

/* Text lines; one may be missing, or printed twice with an offset. */
static void paint_lines(EadSynthTask *task, int chosen) {
    const EadPoint exact = {0, 0}, offset = {0.028f, 0.034f};
    for (int line = 0; line < LINES; line++) {
        bool here = line == chosen;
        if (here) mark_box(task->canvas, line_box(line, exact));
        if (here && task->defect == EAD_SYNTH_DEFECT_missing) continue;
        paint_line(task->canvas, line, exact);
        if (!here) continue;
        paint_line(task->canvas, line, offset);
        mark_box(task->canvas, line_box(line, offset));
    }
}

/* Symbols; one may be missing or there twice, or two may have changed places. */
static void paint_symbols(EadSynthTask *task, int chosen) {
    Symbol order[SYMBOLS] = {ARROWS, DROP, GLASS};
    EadCanvas *canvas = task->canvas;
    int other = (chosen + 1) % SYMBOLS;
    bool swapped = chosen >= 0 && task->defect == EAD_SYNTH_DEFECT_swapped;
    if (swapped) {
        Symbol first = order[chosen];
        order[chosen] = order[other];
        order[other] = first;
        mark_box(canvas, symbol_box(symbol_place(other)));
    }
    for (int slot = 0; slot < SYMBOLS; slot++) {
        bool missing = slot == chosen && task->defect == EAD_SYNTH_DEFECT_missing;
        if (!missing) paint_symbol(canvas, order[slot], symbol_place(slot));
        if (slot == chosen && task->defect != EAD_SYNTH_DEFECT_doubled)
            mark_box(canvas, symbol_box(symbol_place(slot)));
    }
    if (chosen < 0 || task->defect != EAD_SYNTH_DEFECT_doubled) return;
    EadPoint beside = {0.305f, symbol_place(chosen).y};
    paint_symbol(canvas, order[chosen], beside);
    mark_box(canvas, symbol_box(beside));
}

/* Which elements a logical defect hits: a text line or a symbol, only symbols can be swapped. */
static void paint_print(EadSynthTask *task) {
    bool logical = task->defect >= EAD_SYNTH_DEFECT_missing;
    bool on_line = task->defect != EAD_SYNTH_DEFECT_swapped && ead_synth_below(&task->flaw, 2);
    int chosen = ead_synth_below(&task->flaw, LINES);
    paint_box(task->canvas, (Box){{0, -0.46f}, {0.74f, 0.105f}}, brand);
    ead_synth_paint_text(task->canvas, "NORDWERK", (EadPoint){-0.68f, -0.53f}, 0.14f, white);
    paint_barcode(task->canvas);
    paint_lines(task, logical && on_line ? chosen : -1);
    paint_symbols(task, logical && !on_line ? chosen : -1);
}

/* A pixel beyond the edge too, whose smoothed rim would stay as a thin line. */
static float distance_tear(const void *shape, EadPoint p) {
    const Label *label = shape;
    return fmaxf(ead_distance_wobble(&label->tear, p), distance_paper(NULL, p) - 0.006f);
}

/* The board shows; along the tear the paper's white core. */
static EadColor shade_tear(const void *shape, EadPoint p, float distance) {
    const Label *label = shape;
    (void)distance;
    float core = ead_smooth_step(-0.03f, -0.01f, ead_distance_wobble(&label->tear, p));
    EadColor board = shade_board(shape, p, 0);
    return (EadColor){board.r * 0.9f * (1 - core) + 0.99f * core, board.g * 0.9f * (1 - core) + 0.99f * core,
                      board.b * 0.9f * (1 - core) + 0.97f * core, 1};
}

static void paint_tear(EadSynthTask *task, Label *label) {
    EadSynthRandom *random = &task->flaw;
    float side = ead_synth_below(random, 2) ? 1 : -1, radius = ead_synth_between(random, 0.09f, 0.14f);
    bool at_corner = ead_synth_below(random, 2);
    float along =
        at_corner ? 0.78f * (ead_synth_below(random, 2) ? 1 : -1) : ead_synth_between(random, -0.7f, 0.7f);
    EadPoint place = {along, side * paper_half.y};
    label->tear = ead_wobble(random, place, radius, 0.5f);
    EadBrush brush = {.distance = distance_tear,
                      .shade = shade_tear,
                      .shape = label,
                      .centre = place,
                      .reach = 1.6f * radius};
    task->canvas->marking = true;
    ead_canvas_paint(task->canvas, &brush);
    task->canvas->marking = false;
}

static void paint_structural(EadSynthTask *task, Label *label) {
    EadSynthRandom *random = &task->flaw;
    EadPoint place = {ead_synth_between(random, -0.6f, 0.6f), ead_synth_between(random, -0.45f, 0.45f)};
    if (task->defect == EAD_SYNTH_DEFECT_scratch)
        ead_synth_paint_scratch(task, place, ead_synth_between(random, 0, 6.28f),
                                (EadColor){0.53f, 0.43f, 0.34f, 0.9f});
    if (task->defect == EAD_SYNTH_DEFECT_blob)
        ead_synth_paint_blob(task, place, (EadColor){0.42f, 0.27f, 0.12f, 0.72f});
    if (task->defect == EAD_SYNTH_DEFECT_chip) paint_tear(task, label);
}

void ead_synth_draw_label(EadSynthTask *task) {
    EadSynthRandom *random = &task->part;
    EadCanvas *canvas = task->canvas;
    Label label = {.seed = ead_synth_bits(random)};
    ead_canvas_paint(canvas, &(EadBrush){.shade = shade_board, .shape = &label});
    canvas->pose =
        (EadPose){ead_synth_between(random, -0.05f, 0.05f),
                  {ead_synth_between(random, -0.04f, 0.04f), ead_synth_between(random, -0.04f, 0.04f)}};
    ead_canvas_paint(
        canvas,
        &(EadBrush){.distance = distance_paper, .color = {0.1f, 0.06f, 0.02f, 0.45f}, .feather = 0.05f});
    ead_canvas_paint(canvas, &(EadBrush){.distance = distance_paper, .shade = shade_paper, .shape = &label});
    paint_print(task);
    paint_structural(task, &label);
}
