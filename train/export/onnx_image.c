/* The antialiased resize by matrix products, to the bit. A weight of 22 bits, w = high 2^b + low, is in two matrices, so that
 * all sums of products with bytes stay below 2^24 and are exact in float32, in any order:
 *     (sum of w x + 2^21) >> 22  =  floor((H + floor(L / 2^b) + 2^(21 - b)) / 2^(22 - b))
 * with H the sum of high x and L that of low x. With w itself as a float, sums near a half would be rounded to another byte
 * now and then, and the networks see that. */
#include "train/export/onnx_image.h"

#include "core/base/memory.h"
#include "core/image/image.h"
#include "train/export/onnx_region.h"

#include <math.h>
#include <stdlib.h>

/* 11 bits of a weight are exact even where products are taken in TF32. */
enum { MOST_LOW_BITS = 11, EXACT = 1 << 16 /* weights in a sum, so that it is below 2^24 times 255 / 256 */ };

/* Bits of the lower part, for that many weights in a sum. */
static int low_bits(int taps) {
    int bits = MOST_LOW_BITS;
    while (bits > 0 && ((int64_t)taps << bits) > EXACT) bits--;
    return bits;
}

/* One part of the weights as a matrix: [in][out], or, as a left factor, [out][in]. */
static const char *part(EadOnnxGraph *g, const EadResizeWeights *w, int in, int out, int bits, bool high,
                        bool left) {
    float *matrix = ead_new((int64_t)in * out, sizeof *matrix, "an ONNX file");
    if (!matrix) {
        ead_onnx_fail(g, EAD_NO_MEMORY);
        return "";
    }
    for (int o = 0; o < out; o++)
        for (int k = 0; k < w->count[o]; k++) {
            int i = w->first[o] + k;
            int32_t weight = w->values[(int64_t)o * w->taps + k];
            int32_t value = high ? weight >> bits : weight & ((1 << bits) - 1);
            matrix[left ? (int64_t)o * in + i : (int64_t)i * out + o] = (float)value;
        }
    const char *name = ead_onnx_floats(g, high ? "resize_high" : "resize_low", 2,
                                       left ? (int64_t[]){out, in} : (int64_t[]){in, out}, matrix);
    free(matrix);
    return name;
}

static const char *product(EadOnnxGraph *g, const char *x, const char *matrix, bool left) {
    return left ? ead_onnx_pair(g, "MatMul", matrix, x) : ead_onnx_pair(g, "MatMul", x, matrix);
}

/* floor(x 2^-bits) */
static const char *shift_down(EadOnnxGraph *g, const char *x, int bits) {
    return ead_onnx_of(g, "Floor", ead_onnx_pair(g, "Mul", x, ead_onnx_number(g, ldexp(1, -bits))));
}

/* One pass, along the rows or (left) the columns. */
static const char *pass(EadOnnxGraph *g, const char *x, int in, int out, bool left) {
    EadResizeWeights w;
    if (in == out) return x;
    EadStatus status = ead_resize_weights_make(&w, in, out);
    if (status != EAD_OK) {
        ead_onnx_fail(g, status);
        return "";
    }
    int bits = low_bits(w.taps), rest = EAD_RESIZE_WEIGHT_BITS - bits;
    const char *high = product(g, x, part(g, &w, in, out, bits, true, left), left);
    const char *low = product(g, x, part(g, &w, in, out, bits, false, left), left);
    ead_resize_weights_free(&w);
    const char *sum = ead_onnx_pair(g, "Add", high, shift_down(g, low, bits));
    return shift_down(g, ead_onnx_pair(g, "Add", sum, ead_onnx_number(g, ldexp(1, rest - 1))), rest);
}

const char *ead_onnx_resize_image(EadOnnxGraph *g, const char *image, int height, int width,
                                  const EadModel *model) {
    const EadRegion *region = &model->region;
    const char *x = ead_onnx_cast(g, image, false);
    x = ead_onnx_emit(
        g,
        (EadOnnxNode){.op = "Transpose", .inputs = {x}, .attributes = {EAD_WITH_INTS("perm", 0, 3, 1, 2)}});
    x = ead_onnx_cut_box(g, region, x);
    if (region->width) height = region->height, width = region->width;
    return pass(g, pass(g, x, width, model->width, false), height, model->height, true);
}
