/* Random numbers, signed distances and painting. The formulas of the distances are elementary geometry: the
 * distance of a point from the nearest boundary. */
#include "data/drawn/draw_canvas.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- random numbers and noise ---- */

EadDrawRandom ead_draw_random(uint64_t seed, EadStream stream, uint32_t picture) {
    return (EadDrawRandom){seed, (uint64_t)stream, (uint64_t)picture << 32};
}

uint32_t ead_draw_bits(EadDrawRandom *random) {
    return ead_philox_word(random->seed, random->stream, random->index++);
}

float ead_draw_between(EadDrawRandom *random, float low, float high) {
    return low + (high - low) * ead_uniform(ead_draw_bits(random));
}

int ead_draw_below(EadDrawRandom *random, int count) {
    return (int)((uint64_t)ead_draw_bits(random) * (uint64_t)count >> 32);
}

float ead_draw_hash(uint32_t seed, int x, int y) {
    uint32_t word = seed ^ ((uint32_t)x * 0x9E3779B1u) ^ ((uint32_t)y * 0x85EBCA77u);
    word = (word ^ (word >> 16)) * 0x7FEB352Du;
    word = (word ^ (word >> 15)) * 0x846CA68Bu;
    return ead_uniform(word ^ (word >> 16));
}

static float mix(float a, float b, float t) {
    return a + (b - a) * t;
}

float ead_draw_noise(uint32_t seed, float x, float y) {
    float column = floorf(x), row = floorf(y);
    int i = (int)column, j = (int)row;
    float u = x - column, v = y - row;
    u = u * u * (3.0f - 2.0f * u);
    v = v * v * (3.0f - 2.0f * v);
    float upper = mix(ead_draw_hash(seed, i, j), ead_draw_hash(seed, i + 1, j), u);
    float lower = mix(ead_draw_hash(seed, i, j + 1), ead_draw_hash(seed, i + 1, j + 1), u);
    return mix(upper, lower, v);
}

float ead_draw_octaves(uint32_t seed, float x, float y, int octaves, float persistence) {
    float sum = 0, weight = 1, total = 0;
    for (int i = 0; i < octaves; i++) {
        sum += weight * ead_draw_noise(seed + (uint32_t)i, x, y);
        total += weight;
        weight *= persistence;
        x *= 2;
        y *= 2;
    }
    return sum / total;
}

/* ---- functions with the same bits everywhere ---- */

/* By Taylor's series in [-pi/4, pi/4], where its first terms are exact to double. */
static double sine_of(double r) {
    double s = r * r, sum = 1;
    for (int k = 15; k >= 3; k -= 2) sum = 1 - s / (k * (k - 1)) * sum;
    return r * sum;
}

static double cosine_of(double r) {
    double s = r * r, sum = 1;
    for (int k = 16; k >= 2; k -= 2) sum = 1 - s / (k * (k - 1)) * sum;
    return sum;
}

/* Sine of an angle `quarters` quarter turns on. */
static float sine_from(float angle, int quarters) {
    double half_pi = 1.5707963267948966, rest = 6.123233995736766e-17; /* their sum is pi / 2 */
    double turns = floor((double)angle / half_pi + 0.5);
    double r = ((double)angle - turns * half_pi) - turns * rest;
    int quarter = ((int)turns + quarters) & 3;
    double value = quarter & 1 ? cosine_of(r) : sine_of(r);
    return (float)(quarter & 2 ? -value : value);
}

float ead_draw_sine(float angle) {
    return sine_from(angle, 0);
}

float ead_draw_cosine(float angle) {
    return sine_from(angle, 1);
}

/* 2^n e^r with |r| <= ln(2) / 2. */
float ead_draw_exp(float x) {
    double n = floor((double)x * 1.4426950408889634 + 0.5), sum = 1;
    double r = (double)x - n * 0.6931471805599453;
    for (int k = 14; k >= 1; k--) sum = 1 + r / k * sum;
    return (float)ldexp(sum, (int)n);
}

/* ---- shapes ---- */

EadPoint ead_draw_direction(float angle) {
    return (EadPoint){ead_draw_cosine(angle), ead_draw_sine(angle)};
}

float ead_distance_circle(EadPoint p, EadPoint centre, float radius) {
    double x = (double)(p.x - centre.x), y = (double)(p.y - centre.y);
    return (float)sqrt(x * x + y * y) - radius; /* as hypotf() in glibc */
}

float ead_smooth_step(float low, float high, float value) {
    float t = fminf(fmaxf((value - low) / (high - low), 0), 1);
    return t * t * (3 - 2 * t);
}

EadWobble ead_wobble(EadDrawRandom *random, EadPoint centre, float radius, float roughness) {
    EadWobble wobble = {.centre = centre, .radius = radius, .roughness = roughness};
    for (int i = 0; i < 3; i++) wobble.phase[i] = ead_draw_between(random, 0, 6.2831853f);
    return wobble;
}

float ead_distance_wobble(const void *shape, EadPoint p) {
    const EadWobble *wobble = shape;
    if (wobble->roughness == 0) return ead_distance_circle(p, wobble->centre, wobble->radius);
    float angle = atan2f(p.y - wobble->centre.y, p.x - wobble->centre.x);
    float waves = 0.5f * sinf(2 * angle + wobble->phase[0]) + 0.3f * sinf(3 * angle + wobble->phase[1]) +
                  0.2f * sinf(7 * angle + wobble->phase[2]);
    return ead_distance_circle(p, wobble->centre, wobble->radius * (1 + wobble->roughness * waves));
}

/* ---- painting ---- */

EadColor ead_draw_color(EadDrawRandom *random) {
    float gray = ead_draw_between(random, 0.05f, 0.95f), tint = ead_draw_between(random, 0, 0.28f);
    float r =
        gray + ead_draw_between(random, -tint, tint); /* one after another: the order decides the bits */
    float g = gray + ead_draw_between(random, -tint, tint);
    float b = gray + ead_draw_between(random, -tint, tint);
    return (EadColor){r, g, b, 1};
}

EadColor ead_color_mix(EadColor a, EadColor b, float t) {
    return (EadColor){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t, 1};
}

EadStatus ead_canvas_open(EadCanvas *canvas, int width, int height) {
    size_t count = (size_t)width * (size_t)height;
    int shorter = width < height ? width : height;
    *canvas = (EadCanvas){.width = width, .height = height, .unit = (float)shorter / 2};
    canvas->ink = ead_new((int64_t)count, sizeof *canvas->ink, "a picture");
    canvas->mask = ead_new((int64_t)count, 1, "a picture");
    if (canvas->ink && canvas->mask) return EAD_OK;
    ead_canvas_close(canvas);
    return EAD_NO_MEMORY;
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
    return value < 0 ? 0 : value > (float)maximum ? maximum : (int)value;
}

static float clamp01(float value) {
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static void paint_pixel(EadCanvas *canvas, const EadBrush *brush, size_t index, EadPoint p) {
    float softness = brush->feather > 0 ? brush->feather : 1 / canvas->unit;
    float distance = brush->distance ? brush->distance(brush->shape, p) : -1;
    float coverage = clamp01(0.5f - distance / softness);
    if (coverage <= 0) return;
    EadColor color = brush->shade ? brush->shade(brush->shape, p, distance) : brush->color;
    float opacity = coverage * color.a;
    EadColor *ink = &canvas->ink[index];
    ink->r += (color.r - ink->r) * opacity;
    ink->g += (color.g - ink->g) * opacity;
    ink->b += (color.b - ink->b) * opacity;
    if (brush->marks && opacity >= 0.25f) canvas->mask[index] = 255;
}

void ead_canvas_paint(EadCanvas *canvas, const EadBrush *brush) {
    float cosine = cosf(canvas->pose.angle), sine = sinf(canvas->pose.angle);
    int left = 0, top = 0, right = canvas->width, bottom = canvas->height;
    if (brush->reach > 0) { /* only the pixels that the brush can reach */
        float x = cosine * brush->centre.x - sine * brush->centre.y + canvas->pose.position.x;
        float y = sine * brush->centre.x + cosine * brush->centre.y + canvas->pose.position.y;
        float column = x * canvas->unit + (float)canvas->width / 2;
        float row = y * canvas->unit + (float)canvas->height / 2;
        float radius = (brush->reach + brush->feather) * canvas->unit + 2;
        left = limit(column - radius, canvas->width);
        top = limit(row - radius, canvas->height);
        right = limit(column + radius + 1, canvas->width);
        bottom = limit(row + radius + 1, canvas->height);
    }
    for (int row = top; row < bottom; row++)
        for (int column = left; column < right; column++) {
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

EadStatus ead_canvas_develop(const EadCanvas *canvas, const EadLight *light, EadImage *image,
                             EadImage *mask) {
    *image = *mask = (EadImage){0};
    EAD_TRY(ead_image_alloc(image, canvas->width, canvas->height, 3));
    EadStatus status = ead_image_alloc(mask, canvas->width, canvas->height, 1);
    if (status != EAD_OK) ead_image_free(image);
    if (status != EAD_OK) return status;
    memcpy(mask->pixels, canvas->mask, (size_t)canvas->width * (size_t)canvas->height);
    for (int row = 0; row < canvas->height; row++)
        for (int column = 0; column < canvas->width; column++) {
            float x = ((float)column + 0.5f) / canvas->unit - (float)canvas->width / canvas->unit / 2;
            float y = ((float)row + 0.5f) / canvas->unit - (float)canvas->height / canvas->unit / 2;
            float factor = light->exposure + light->slope.x * x + light->slope.y * y;
            /* Two uniform numbers make a triangle, which is near enough to a sensor's noise. */
            float a = ead_draw_hash(light->seed, column, row);
            float b = ead_draw_hash(light->seed ^ 0x5Au, column, row);
            float grain = light->grain * (a + b - 1);
            size_t index = (size_t)row * (size_t)canvas->width + (size_t)column;
            EadColor ink = canvas->ink[index];
            image->pixels[3 * index] = to_byte(ink.r * factor + grain);
            image->pixels[3 * index + 1] = to_byte(ink.g * factor + grain);
            image->pixels[3 * index + 2] = to_byte(ink.b * factor + grain);
        }
    return EAD_OK;
}
