/* The stroke font. A letter is a row of points on a grid of 5 x 7, two digits each (x 0..4, y 0..6
 * downwards), joined by lines; a blank lifts the pen. */
#include "train/synth/synth_font.h"

#include "train/synth/synth_shapes.h"

#include <math.h>
#include <string.h>

static const float advance = 0.85f,
                   stroke_width = 0.065f; /* in heights of a letter; the width is a half one */

static const char *strokes_of(char letter) {
    static const char *const capitals[26] = {
        "0602204246 0444",
        /* A */ "06003041423303 3344453606",
        "4130100105163645",
        /* C */ "00063645413000",
        "40000646 0333",
        /* E */ "400006 0333",
        "413010010516364543 4323",
        /* G */ "0006 4046 0343",
        "1030 2026 1636",
        /* I */ "2040 3035261605",
        "0006 4003 1346",
        /* K */ "000646",
        "060023 4046 2340",
        /* M */ "060046 4640",
        "1030414536160501 0110",
        /* O */ "06003041423303",
        "1030414536160501 0110 2446",
        /* Q */ "06003041423303 2346",
        "413010010213334445361605",
        /* S */ "0040 2026",
        "000516364540",
        /* U */ "002640",
        "0016233640",
        /* W */ "0046 4006",
        "002340 2326",
        /* Y */ "00400646",
    };
    static const char *const digits[10] = {
        "1030414536160501 0110 1432", "112026 1636", "01103041420646",
        "0040233344453616 1605",      "36300444",    "400002334445361605",
        "403010010516364544331304",   "0040 4016",   "1030414233130201 0110 1304051636454433",
        "0616364541301001021343",
    };
    if (letter >= 'A' && letter <= 'Z') return capitals[letter - 'A'];
    if (letter >= '0' && letter <= '9') return digits[letter - '0'];
    return letter == '-' ? "0343" : "";
}

typedef struct Glyph {
    const char *strokes;
    EadPoint place;
    float height;
} Glyph;

static EadPoint grid_point(const Glyph *glyph, const char *digits) {
    float cell = glyph->height / 6;
    return (EadPoint){glyph->place.x + 0.75f * cell * (float)(digits[0] - '0'),
                      glyph->place.y + cell * (float)(digits[1] - '0')};
}

static float distance_glyph(const void *shape, EadPoint p) {
    const Glyph *glyph = shape;
    float nearest = HUGE_VALF;
    const char *pen = glyph->strokes;
    while (pen[0] && pen[1] && pen[2]) {
        if (pen[2] == ' ') {
            pen += 3;
            continue;
        }
        EadPoint from = grid_point(glyph, pen), to = grid_point(glyph, pen + 2);
        nearest = fminf(nearest, ead_distance_segment(p, from, to, stroke_width * glyph->height));
        pen += 2;
    }
    return nearest;
}

void ead_synth_paint_text(EadCanvas *canvas, const char *text, EadPoint place, float height, EadColor color) {
    for (; *text; text++, place.x += advance * height) {
        Glyph glyph = {strokes_of(*text), place, height};
        EadBrush brush = {.distance = distance_glyph,
                          .shape = &glyph,
                          .color = color,
                          .centre = {place.x + height / 4, place.y + height / 2},
                          .reach = 0.75f * height};
        if (glyph.strokes[0]) ead_canvas_paint(canvas, &brush);
    }
}

float ead_synth_text_width(const char *text, float height) {
    return ((float)strlen(text) * advance - (advance - 0.5f)) * height;
}
