/* Painting by signed distances. */
#include "train/synth/synth_canvas.h"

#include <math.h>
#include <stdlib.h>

typedef struct Window {
    int left, top, right, bottom; /* right and bottom exclusive */
} Window;

/* Coverage from which on a pixel belongs to a defect. */
static const float marked_coverage = 0.25f;

EadStatus ead_canvas_open(EadCanvas *canvas, int width, int height) {
    size_t count = (size_t)width * (size_t)height;
    int shorter = width < height ? width : height;
    *canvas = (EadCanvas){.width = width, .height = height, .unit = (float)shorter / 2};
    canvas->ink = calloc(count, sizeof *canvas->ink);
    canvas->mask = calloc(count, 1);
    if (canvas->ink && canvas->mask) return EAD_OK;
    ead_canvas_close(canvas);
    return ead_fail(EAD_NO_MEMORY, "no memory to draw a picture of %d x %d pixels", width, height);
}

void ead_canvas_close(EadCanvas *canvas) {
    free(canvas->ink);
    free(canvas->mask);
    *canvas = (EadCanvas){0};
}

/* Pixel centre to part coordinates. */
static EadPoint to_part(const EadCanvas *canvas, int column, int row, float cosine, float sine) {
    float x = ((float)column + 0.5f - (float)canvas->width / 2) / canvas->unit - canvas->pose.position.x;
    float y = ((float)row + 0.5f - (float)canvas->height / 2) / canvas->unit - canvas->pose.position.y;
    return (EadPoint){cosine * x + sine * y, cosine * y - sine * x};
}

static int limit(float value, int maximum) {
    if (value < 0) return 0;
    return value > (float)maximum ? maximum : (int)value;
}

/* The pixels that a brush can reach. */
static Window find_window(const EadCanvas *canvas, const EadBrush *brush) {
    if (brush->reach <= 0) return (Window){0, 0, canvas->width, canvas->height};
    float cosine = cosf(canvas->pose.angle), sine = sinf(canvas->pose.angle);
    float x = cosine * brush->centre.x - sine * brush->centre.y + canvas->pose.position.x;
    float y = sine * brush->centre.x + cosine * brush->centre.y + canvas->pose.position.y;
    float column = x * canvas->unit + (float)canvas->width / 2,
          row = y * canvas->unit + (float)canvas->height / 2;
    float radius = (brush->reach + brush->feather) * canvas->unit + 2;
    return (Window){limit(column - radius, canvas->width), limit(row - radius, canvas->height),
                    limit(column + radius + 1, canvas->width), limit(row + radius + 1, canvas->height)};
}

static float clamp01(float value) {
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static void blend(EadColor *ink, EadColor color, float opacity) {
    ink->r += (color.r - ink->r) * opacity;
    ink->g += (color.g - ink->g) * opacity;
    ink->b += (color.b - ink->b) * opacity;
}

static void paint_pixel(EadCanvas *canvas, const EadBrush *brush, size_t index, EadPoint p) {
    float softness = brush->feather > 0 ? brush->feather : 1 / canvas->unit;
    float distance = brush->distance ? brush->distance(brush->shape, p) : -1;
    float coverage = clamp01(0.5f - distance / softness);
    if (coverage <= 0) return;
    EadColor color = brush->shade ? brush->shade(brush->shape, p, distance) : brush->color;
    blend(&canvas->ink[index], color, coverage * color.a);
    if (canvas->marking && coverage * color.a >= marked_coverage) canvas->mask[index] = 255;
}

void ead_canvas_paint(EadCanvas *canvas, const EadBrush *brush) {
    Window window = find_window(canvas, brush);
    float cosine = cosf(canvas->pose.angle), sine = sinf(canvas->pose.angle);
    for (int row = window.top; row < window.bottom; row++)
        for (int column = window.left; column < window.right; column++) {
            size_t index = (size_t)row * (size_t)canvas->width + (size_t)column;
            paint_pixel(canvas, brush, index, to_part(canvas, column, row, cosine, sine));
        }
}

void ead_canvas_mark(EadCanvas *canvas, EadDistance distance, const void *shape) {
    float cosine = cosf(canvas->pose.angle), sine = sinf(canvas->pose.angle);
    for (int row = 0; row < canvas->height; row++)
        for (int column = 0; column < canvas->width; column++)
            if (distance(shape, to_part(canvas, column, row, cosine, sine)) < 0)
                canvas->mask[(size_t)row * (size_t)canvas->width + (size_t)column] = 255;
}

static uint8_t to_byte(float value) {
    return (uint8_t)(clamp01(value) * 255 + 0.5f);
}

/* Two uniform numbers make a triangle, which is near enough to a sensor's noise. */
static float grain_at(const EadLight *light, int column, int row) {
    float a = ead_synth_hash(light->seed, column, row), b = ead_synth_hash(light->seed ^ 0x5Au, column, row);
    return light->grain * (a + b - 1);
}

static void develop_pixel(const EadCanvas *canvas, const EadLight *light, int column, int row, uint8_t *out) {
    float x = ((float)column + 0.5f) / canvas->unit - (float)canvas->width / canvas->unit / 2;
    float y = ((float)row + 0.5f) / canvas->unit - (float)canvas->height / canvas->unit / 2;
    float factor = light->exposure + light->slope.x * x + light->slope.y * y;
    float grain = grain_at(light, column, row);
    EadColor ink = canvas->ink[(size_t)row * (size_t)canvas->width + (size_t)column];
    out[0] = to_byte(ink.r * factor + grain);
    out[1] = to_byte(ink.g * factor + grain);
    out[2] = to_byte(ink.b * factor + grain);
}

EadStatus ead_canvas_develop(const EadCanvas *canvas, const EadLight *light, EadImage *image,
                             EadImage *mask) {
    *mask = (EadImage){0};
    EAD_TRY(ead_image_alloc(image, canvas->width, canvas->height, 3));
    EadStatus status = ead_image_alloc(mask, canvas->width, canvas->height, 1);
    if (status != EAD_OK) {
        ead_image_free(image);
        return status;
    }
    for (int row = 0; row < canvas->height; row++)
        for (int column = 0; column < canvas->width; column++) {
            size_t index = (size_t)row * (size_t)canvas->width + (size_t)column;
            develop_pixel(canvas, light, column, row, image->pixels + 3 * index);
            mask->pixels[index] = canvas->mask[index];
        }
    return EAD_OK;
}
