/* Which image is of which kind, and how it is lit. */
#include "data/drawn/drawn_image.h"

#include <string.h>

static void paint_plain_scene(EadCanvas *canvas, EadDrawRandom *random) {
    ead_draw_scene(canvas, random, 0);
}

static void paint_rough_scene(EadCanvas *canvas, EadDrawRandom *random) {
    ead_draw_scene(canvas, random, 0.8f);
}

typedef void Painter(EadCanvas *canvas, EadDrawRandom *random);

static EadStatus draw(Painter *paint, EadDrawRandom random, int height, int width, EadImage *image) {
    EadCanvas canvas;
    EadImage mask = {0};
    *image = (EadImage){0};
    EAD_TRY(ead_canvas_open(&canvas, width, height));
    paint(&canvas, &random);
    EadLight light = {.exposure = ead_draw_between(&random, 0.8f, 1.2f)};
    light.grain = ead_draw_between(&random, 0, 0.06f);
    light.seed = ead_draw_bits(&random);
    EadStatus status = ead_canvas_develop(&canvas, &light, image, &mask);
    ead_image_free(&mask);
    ead_canvas_close(&canvas);
    return status;
}

EadDrawnKind ead_drawn_kind(uint64_t seed, uint32_t number) {
    EadDrawRandom random = ead_draw_random(seed, EAD_STREAM_DRAWN, number);
    return (EadDrawnKind)ead_draw_below(&random, EAD_DRAWN_KIND_COUNT);
}

EadStatus ead_drawn_image(uint64_t seed, uint32_t number, int height, int width, uint8_t *out) {
    static Painter *const painters[] = {ead_draw_leaves, ead_draw_fractal, ead_draw_texture,
                                        paint_plain_scene};
    EadDrawRandom random = ead_draw_random(seed, EAD_STREAM_DRAWN, number);
    EadImage image;
    random.index++; /* that of the kind */
    EAD_TRY(draw(painters[ead_drawn_kind(seed, number)], random, height, width, &image));
    memcpy(out, image.pixels, (size_t)height * (size_t)width * 3);
    ead_image_free(&image);
    return EAD_OK;
}

EadStatus ead_drawn_scene(uint64_t seed, uint32_t number, int height, int width, EadImage *image) {
    static const uint32_t first = 0x54455854u; /* no part's picture has this range of numbers */
    return draw(paint_rough_scene, ead_draw_random(seed, EAD_STREAM_SYNTH, first + number), height, width,
                image);
}
