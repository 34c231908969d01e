/* Storage and the antialiased bilinear resize of 8-bit images. Teacher, student and rival programs must see
 * the same pixels, so the resize follows Pillow's arithmetic to the bit: weights computed in double, rounded
 * to 22-bit fixed point, one pass along the rows, one along the columns, each rounded to 8 bits; a pass that
 * would change no size is left out. (Pillow 13 takes the columns first where that is cheaper: up to 1 level
 * of difference.) */
#include "core/image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT_BITS = EAD_RESIZE_WEIGHT_BITS, MAX_SIDE = 65535 };

bool ead_stride_fits(ptrdiff_t stride, ptrdiff_t row, int rows) {
    ptrdiff_t most = PTRDIFF_MAX / (rows > 1 ? rows : 1);
    return (stride >= row || stride <= -row) && stride <= most && stride >= -most;
}

EadStatus ead_image_alloc(EadImage *image, int width, int height, int channels) {
    *image = (EadImage){0};
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return ead_fail(EAD_BAD_SHAPE, "an image of %d x %d pixels: each side must be 1 to %d", width, height,
                        MAX_SIDE);
    if (channels != 1 && channels != 3)
        return ead_fail(EAD_BAD_SHAPE, "an image of %d channels: only 1 or 3 are possible", channels);
    uint8_t *pixels = malloc((size_t)width * (size_t)height * (size_t)channels);
    if (!pixels) return ead_fail(EAD_NO_MEMORY, "no memory for an image of %d x %d pixels", width, height);
    *image = (EadImage){.width = width, .height = height, .channels = channels, .pixels = pixels};
    return EAD_OK;
}

void ead_image_free(EadImage *image) {
    free(image->pixels);
    *image = (EadImage){0};
}

EadPixelRows ead_image_rows(const EadImage *image) {
    return (EadPixelRows){.pixels = image->pixels,
                          .width = image->width,
                          .height = image->height,
                          .stride = (ptrdiff_t)image->channels * image->width,
                          .channels = image->channels,
                          .step = image->channels};
}

void ead_resize_weights_free(EadResizeWeights *weights) {
    free(weights->first);
    free(weights->count);
    free(weights->values);
    *weights = (EadResizeWeights){0};
}

/* One row of weights: a triangle of half-width `support` round `center`, normalised to a sum of 1. */
static void triangle(double center, double support, int first, int count, double *row, int32_t *fixed) {
    double sum = 0, inverse = 1.0 / support;
    for (int i = 0; i < count; i++) {
        double distance = fabs((i + first - center + 0.5) * inverse);
        row[i] = distance < 1.0 ? 1.0 - distance : 0.0;
        sum += row[i];
    }
    for (int i = 0; i < count; i++) {
        double weight = sum != 0.0 ? row[i] / sum : row[i];
        fixed[i] = (int32_t)(0.5 + weight * (1 << WEIGHT_BITS));
    }
}

EadStatus ead_resize_weights_make(EadResizeWeights *weights, int in, int out) {
    double scale = (double)in / out, support = scale < 1.0 ? 1.0 : scale;
    size_t taps = (size_t)ceil(support) * 2 + 1, rows = (size_t)out;
    *weights = (EadResizeWeights){.first = malloc(rows * sizeof(int)),
                                  .count = malloc(rows * sizeof(int)),
                                  .values = malloc(rows * taps * sizeof(int32_t)),
                                  .taps = (int)taps};
    double *row = malloc(taps * sizeof *row);
    EadStatus status = EAD_OK;
    if (!weights->first || !weights->count || !weights->values || !row) {
        ead_resize_weights_free(weights);
        status = ead_fail(EAD_NO_MEMORY, "no memory to resize %d pixels to %d", in, out);
    }
    for (int i = 0; status == EAD_OK && i < out; i++) {
        double center = (i + 0.5) * scale;
        int first = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
        if (first < 0) first = 0;
        if (end > in) end = in;
        weights->first[i] = first;
        weights->count[i] = end - first;
        triangle(center, support, first, end - first, row, weights->values + (size_t)i * taps);
    }
    free(row);
    return status;
}

/* The weights are positive and sum to 1 (± rounding), so a sum passes 255 by at most that rounding. */
static uint8_t round_to_u8(int32_t sum) {
    int32_t value = (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
    return (uint8_t)(value > 255 ? 255 : value);
}

/* x [in] pixels of `step` bytes, of which the first 3 count; y [out][3] */
static inline void row_of_3(const EadResizeWeights *weights, const uint8_t *x, int step, uint8_t *y,
                            int out) {
    for (int i = 0; i < out; i++) {
        const int32_t *w = weights->values + (size_t)i * (size_t)weights->taps;
        const uint8_t *p = x + (ptrdiff_t)weights->first[i] * step;
        int32_t r = 0, g = 0, b = 0;
        for (int k = 0; k < weights->count[i]; k++, p += step) {
            r += w[k] * p[0];
            g += w[k] * p[1];
            b += w[k] * p[2];
        }
        *y++ = round_to_u8(r), *y++ = round_to_u8(g), *y++ = round_to_u8(b);
    }
}

/* x [in] bytes that are `step` apart, y [out] */
static void row_of_1(const EadResizeWeights *weights, const uint8_t *x, int step, uint8_t *y, int out) {
    for (int i = 0; i < out; i++) {
        const int32_t *w = weights->values + (size_t)i * (size_t)weights->taps;
        int32_t sum = 0;
        for (int k = 0; k < weights->count[i]; k++)
            sum += w[k] * x[(ptrdiff_t)(weights->first[i] + k) * step];
        *y++ = round_to_u8(sum);
    }
}

/* Bytes from pixel to pixel of a row as row_bytes() gives it. */
static int byte_step(const EadPixelRows *in) {
    return in->white ? 1 : in->step;
}

/* A row with 8 bits a channel; line [width]: room for one that must be made. */
static const uint8_t *row_bytes(const EadPixelRows *in, int y, uint8_t *line) {
    const uint8_t *row = (const uint8_t *)in->pixels + y * in->stride;
    uint32_t white = (uint32_t)in->white;
    if (!in->white) return row;
    for (int x = 0; x < in->width; x++) {
        uint16_t value;
        memcpy(&value, row + (ptrdiff_t)x * in->step, sizeof value);
        line[x] = ead_level_of_white(value, white);
    }
    return line;
}

/* A row that keeps its width: without what stands between its pixels. */
static void pack_row(const uint8_t *row, int step, int channels, int width, uint8_t *out) {
    if (step == channels) {
        memcpy(out, row, (size_t)width * (size_t)channels);
        return;
    }
    for (int x = 0; x < width; x++)
        for (int c = 0; c < channels; c++) *out++ = row[(ptrdiff_t)x * step + c];
}

/* All rows at their new width, which may be the old one. Allocates nothing where nothing is to be computed. */
static EadStatus resize_rows(const EadPixelRows *in, uint8_t *out, int out_width) {
    EadResizeWeights weights = {0};
    uint8_t *line = in->white ? malloc((size_t)in->width) : NULL;
    EadStatus status =
        in->white && !line ? ead_fail(EAD_NO_MEMORY, "no memory for a row of %d pixels", in->width) : EAD_OK;
    if (status == EAD_OK && out_width != in->width)
        status = ead_resize_weights_make(&weights, in->width, out_width);
    int step = byte_step(in);
    for (int y = 0; status == EAD_OK && y < in->height; y++) {
        const uint8_t *row = row_bytes(in, y, line);
        uint8_t *to = out + (size_t)y * (size_t)out_width * (size_t)in->channels;
        if (out_width == in->width)
            pack_row(row, step, in->channels, out_width, to);
        else if (in->channels == 1)
            row_of_1(&weights, row, step, to, out_width);
        else if (step == 3)
            row_of_3(&weights, row, 3, to, out_width);
        else
            row_of_3(&weights, row, step, to, out_width);
    }
    if (weights.values) ead_resize_weights_free(&weights);
    if (line) free(line);
    return status;
}

/* Whole rows of `bytes` values are weighted and added up in `sums` [bytes]. */
static EadStatus resize_columns(const uint8_t *pixels, int height, ptrdiff_t stride, size_t bytes,
                                uint8_t *out, int out_height) {
    EadResizeWeights weights;
    EAD_TRY(ead_resize_weights_make(&weights, height, out_height));
    int32_t *sums = malloc(bytes * sizeof *sums);
    for (int i = 0; sums && i < out_height; i++, out += bytes) {
        const int32_t *w = weights.values + (size_t)i * (size_t)weights.taps;
        memset(sums, 0, bytes * sizeof *sums);
        for (int k = 0; k < weights.count[i]; k++) {
            const uint8_t *row = pixels + (weights.first[i] + k) * stride;
            int32_t weight = w[k];
            for (size_t j = 0; j < bytes; j++) sums[j] += weight * row[j];
        }
        for (size_t j = 0; j < bytes; j++) out[j] = round_to_u8(sums[j]);
    }
    ead_resize_weights_free(&weights);
    free(sums);
    return sums ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory to resize an image to %d rows", out_height);
}

static EadStatus resize(const EadPixelRows *in, uint8_t *out, int out_width, int out_height) {
    const int sizes[] = {in->width, in->height, out_width, out_height};
    for (int i = 0; i < 4; i++)
        if (sizes[i] < 1 || sizes[i] > MAX_SIDE)
            return ead_fail(EAD_BAD_SHAPE,
                            "cannot resize %d x %d pixels to %d x %d: each side must be 1 to %d", in->width,
                            in->height, out_width, out_height, MAX_SIDE);
    if (in->channels != 1 && in->channels != 3)
        return ead_fail(EAD_BAD_SHAPE, "cannot resize an image of %d channels: only 1 or 3", in->channels);
    size_t bytes = (size_t)out_width * (size_t)in->channels;
    bool packed = !in->white && in->step == in->channels;
    if (out_height == in->height) return resize_rows(in, out, out_width);
    if (out_width == in->width && packed)
        return resize_columns(in->pixels, in->height, in->stride, bytes, out, out_height);
    uint8_t *middle = malloc((size_t)in->height * bytes);
    if (!middle) return ead_fail(EAD_NO_MEMORY, "no memory to resize %d x %d pixels", in->width, in->height);
    EadStatus status = resize_rows(in, middle, out_width);
    if (status == EAD_OK)
        status = resize_columns(middle, in->height, (ptrdiff_t)bytes, bytes, out, out_height);
    free(middle);
    return status;
}

EadStatus ead_resize_u8(const uint8_t *pixels, int width, int height, int channels, ptrdiff_t stride,
                        uint8_t *out, int out_width, int out_height) {
    EadPixelRows in = {.pixels = pixels,
                       .width = width,
                       .height = height,
                       .stride = stride,
                       .channels = channels,
                       .step = channels};
    return resize(&in, out, out_width, out_height);
}

static void turn_around(uint8_t *pixels, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        uint8_t blue = pixels[3 * i];
        pixels[3 * i] = pixels[3 * i + 2];
        pixels[3 * i + 2] = blue;
    }
}

EadStatus ead_resize_to_rgb(const EadPixelRows *in, uint8_t *out, int out_width, int out_height) {
    EAD_TRY(resize(in, out, out_width, out_height));
    int64_t count = (int64_t)out_width * out_height;
    for (int64_t i = count; in->channels == 1 && i-- > 0;) /* from the last, since they lie in one place */
        out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = out[i];
    if (in->reversed) turn_around(out, count);
    return EAD_OK;
}

EadStatus ead_image_of_rows(const EadPixelRows *in, EadImage *out) {
    EAD_TRY(ead_image_alloc(out, in->width, in->height, in->channels));
    EadStatus status = resize_rows(in, out->pixels, in->width);
    if (status != EAD_OK) ead_image_free(out);
    if (status == EAD_OK && in->reversed) turn_around(out->pixels, (int64_t)in->width * in->height);
    return status;
}
