/* The CUDA convolutions on the host runner against sums in double, through every algorithm: im2col, and each
 * tile of the tensor-core kernels with and without splits, in every operand format and storage type.
 *
 * Inputs are small multiples of 1/16: all formats hold them, and float sums of their products are exact in
 * any order. So results must agree bit for bit, and a slip in an index cannot hide behind a tolerance. What
 * rounding does to arbitrary numbers is tested apart, against the bound that follows from the format. */
#include "test/suite.h"

#include "core/half.h"
#include "core/kernel.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "core/philox.h"

#include <math.h>
#include <string.h>

extern const EadKernel ead_conv2d_cuda, ead_conv2d_input_gradient_cuda, ead_conv2d_weight_gradient_cuda,
    ead_conv2d_pool_cuda;

enum { NO_POOL = -1, SAMPLES = 400 };

typedef struct Case {
    const char *name;
    int n, h, w, i, o, kh, kw, stride, padding;
    bool relu, bias;
    int pool; /* padding of the pooling, or NO_POOL */
} Case;

/* Every geometry of test/op_cases.def, and channels around the multiples that copies and tiles have. */
static const Case small_cases[] = {
    {"4x4", 1, 9, 8, 3, 6, 4, 4, 1, 0, false, true, NO_POOL},
    {"4x4 p3", 2, 7, 5, 3, 5, 4, 4, 1, 3, false, true, NO_POOL},
    {"4x4 p3 relu", 1, 6, 7, 4, 8, 4, 4, 1, 3, true, true, NO_POOL},
    {"4x4 s2 p1", 2, 8, 10, 5, 7, 4, 4, 2, 1, false, true, NO_POOL},
    {"4x4 s2 p1 odd", 3, 9, 7, 2, 4, 4, 4, 2, 1, true, true, NO_POOL},
    {"4x4 p2", 1, 3, 3, 6, 6, 4, 4, 1, 2, true, true, NO_POOL},
    {"3x3 p1", 2, 6, 5, 8, 9, 3, 3, 1, 1, true, true, NO_POOL},
    {"3x3 s2 p1", 2, 7, 8, 3, 5, 3, 3, 2, 1, false, true, NO_POOL},
    {"7x7 s2 p3", 1, 11, 9, 3, 4, 7, 7, 2, 3, false, true, NO_POOL},
    {"1x1", 3, 4, 3, 16, 12, 1, 1, 1, 0, true, false, NO_POOL},
    {"1x1 s2", 2, 5, 6, 4, 3, 1, 1, 2, 0, false, true, NO_POOL},
    {"1x1 s3", 1, 7, 8, 4, 3, 1, 1, 3, 0, true, false, NO_POOL},
    {"8x8 bottleneck", 2, 8, 8, 6, 10, 8, 8, 1, 0, false, true, NO_POOL},
    {"2x5 s3 p2", 1, 8, 9, 2, 3, 2, 5, 3, 2, false, true, NO_POOL},
    {"one pixel", 1, 1, 1, 1, 1, 1, 1, 1, 0, false, true, NO_POOL},
    {"one pixel p3", 1, 1, 1, 2, 3, 4, 4, 1, 3, false, true, NO_POOL},
    {"wide", 1, 4, 4, 33, 130, 2, 2, 1, 1, true, true, NO_POOL},
    {"72 channels", 1, 5, 6, 72, 66, 3, 3, 1, 1, true, true, NO_POOL},
    {"100 channels s2", 1, 6, 5, 100, 24, 3, 3, 2, 1, false, true, NO_POOL},
    {"pool", 1, 9, 11, 3, 20, 4, 4, 1, 0, true, true, 0},
    {"pool p1", 2, 7, 6, 3, 9, 4, 4, 1, 3, true, true, 1},
    {"pool s2", 1, 13, 9, 5, 65, 3, 3, 2, 1, true, true, 1},
    {"pool no relu", 3, 2, 2, 8, 3, 1, 1, 1, 0, false, false, 0},
};

/* The layers of both models and the autoencoder on few pixels: channels, kernels, strides and paddings. */
static const Case layers[] = {
    {"S conv1", 1, 15, 13, 3, 128, 4, 4, 1, 3, true, true, 1},
    {"S conv2", 1, 7, 9, 128, 256, 4, 4, 1, 3, true, true, NO_POOL},
    {"S conv3", 2, 5, 3, 256, 256, 3, 3, 1, 1, true, true, NO_POOL},
    {"S conv4", 1, 6, 5, 256, 384, 4, 4, 1, 0, false, true, NO_POOL},
    {"M conv1", 1, 9, 12, 3, 256, 4, 4, 1, 0, true, true, 0},
    {"M conv2", 1, 4, 5, 256, 512, 4, 4, 1, 0, true, true, NO_POOL},
    {"M conv3", 3, 3, 4, 512, 512, 1, 1, 1, 0, true, true, NO_POOL},
    {"M conv4", 1, 3, 4, 512, 512, 3, 3, 1, 1, true, true, NO_POOL},
    {"M conv5, a quarter", 1, 4, 5, 512, 192, 4, 4, 1, 0, true, true, NO_POOL},
    {"M conv6", 1, 5, 3, 768, 384, 1, 1, 1, 0, false, true, NO_POOL},
    {"enc_conv1", 2, 14, 12, 3, 32, 4, 4, 2, 1, true, true, NO_POOL},
    {"enc_conv2", 1, 13, 11, 32, 32, 4, 4, 2, 1, true, true, NO_POOL},
    {"enc_conv3", 1, 10, 8, 32, 64, 4, 4, 2, 1, true, true, NO_POOL},
    {"enc_conv5", 3, 6, 4, 64, 64, 4, 4, 2, 1, true, true, NO_POOL},
    {"enc_conv6", 1, 8, 8, 64, 64, 8, 8, 1, 0, false, true, NO_POOL},
    {"dec_conv1", 1, 3, 3, 64, 64, 4, 4, 1, 2, true, true, NO_POOL},
    {"dec_conv3", 1, 15, 14, 64, 64, 4, 4, 1, 2, true, true, NO_POOL},
    {"dec_conv7", 2, 7, 6, 64, 64, 3, 3, 1, 1, true, true, NO_POOL},
    {"dec_conv8", 1, 5, 6, 64, 384, 3, 3, 1, 1, false, true, NO_POOL},
};
enum { SMALL = sizeof small_cases / sizeof *small_cases, LAYERS = sizeof layers / sizeof *layers };

/* ---- tensors ---- */

static double number_at(const EadTensor *t, int64_t i) {
    if (t->type == EAD_F16) return (double)ead_half_to_float(((const uint16_t *)t->data)[i]);
    if (t->type == EAD_BF16) return (double)ead_bfloat16_to_float(((const uint16_t *)t->data)[i]);
    return (double)((const float *)t->data)[i];
}

/* The nearest number that can be stored as that type. */
static double stored(double value, EadType type) {
    if (type == EAD_F16) return (double)ead_half_to_float(ead_half_from_float((float)value));
    if (type == EAD_BF16) return (double)ead_bfloat16_to_float(ead_bfloat16_from_float((float)value));
    return (double)(float)value;
}

/* Multiples of 1/16 in [-1,1), or any numbers there. NaNs if stream is 0: an output. */
static EadTensor new_tensor(EadType type, int n, int h, int w, int c, uint64_t stream, bool exact) {
    EadTensor t = {type, n, h, w, c, NULL};
    ck_assert_int_eq(posix_memalign(&t.data, 256, ead_bytes(&t)), 0);
    memset(t.data, 0xFF, ead_bytes(&t));
    for (int64_t i = 0; stream && i < ead_count(&t); i++) {
        float value = (float)(2 * ead_uniform(ead_philox_word(5, stream, (uint64_t)i)) - 1);
        if (exact) value = floorf(16 * value) / 16;
        if (type == EAD_REAL) ((float *)t.data)[i] = value;
        if (type == EAD_F16) ((uint16_t *)t.data)[i] = ead_half_from_float(value);
        if (type == EAD_BF16) ((uint16_t *)t.data)[i] = ead_bfloat16_from_float(value);
    }
    return t;
}

static int64_t index_of(const EadTensor *t, int n, int h, int w, int c) {
    return (((int64_t)n * t->h + h) * t->w + w) * t->c + c;
}

/* ---- sums in double ---- */

/* A sum of products, and of their absolute values. */
typedef struct Sum {
    double value, size;
} Sum;

static void add_product(Sum *sum, const EadTensor *a, int n, int h, int w, int c, double factor) {
    if (h < 0 || h >= a->h || w < 0 || w >= a->w) return;
    double product = number_at(a, index_of(a, n, h, w, c)) * factor;
    sum->value += product;
    sum->size += fabs(product);
}

typedef struct Layer {
    const Case *c;
    EadTensor x, weight, bias, y, dy, dx, dw;
    int oh, ow; /* before pooling */
} Layer;

static Sum forward(const Layer *l, int n, int h, int w, int o) {
    const Case *c = l->c;
    Sum sum = {0};
    for (int ky = 0; ky < c->kh; ky++)
        for (int kx = 0; kx < c->kw; kx++)
            for (int i = 0; i < c->i; i++)
                add_product(&sum, &l->x, n, h * c->stride + ky - c->padding, w * c->stride + kx - c->padding,
                            i, number_at(&l->weight, index_of(&l->weight, o, ky, kx, i)));
    if (c->bias) sum.value += number_at(&l->bias, o);
    if (c->relu && sum.value < 0) sum.value = 0;
    return sum;
}

static Sum forward_pooled(const Layer *l, int n, int h, int w, int o) {
    if (l->c->pool == NO_POOL) return forward(l, n, h, w, o);
    Sum mean = {0};
    for (int k = 0; k < 4; k++) {
        int y = 2 * h - l->c->pool + k / 2, x = 2 * w - l->c->pool + k % 2;
        if (y < 0 || y >= l->oh || x < 0 || x >= l->ow) continue;
        Sum part = forward(l, n, y, x, o);
        mean.value += part.value / 4;
        mean.size += part.size / 4;
    }
    return mean;
}

static Sum input_gradient(const Layer *l, int n, int h, int w, int i) {
    const Case *c = l->c;
    Sum sum = {0};
    for (int ky = 0; ky < c->kh; ky++)
        for (int kx = 0; kx < c->kw; kx++) {
            int y = h + c->padding - ky, x = w + c->padding - kx;
            if (y < 0 || x < 0 || y % c->stride || x % c->stride) continue;
            for (int o = 0; o < c->o; o++)
                add_product(&sum, &l->dy, n, y / c->stride, x / c->stride, o,
                            number_at(&l->weight, index_of(&l->weight, o, ky, kx, i)));
        }
    return sum;
}

static Sum weight_gradient(const Layer *l, int o, int ky, int kx, int i) {
    const Case *c = l->c;
    Sum sum = {0};
    for (int n = 0; n < c->n; n++)
        for (int h = 0; h < l->oh; h++)
            for (int w = 0; w < l->ow; w++)
                add_product(&sum, &l->x, n, h * c->stride + ky - c->padding, w * c->stride + kx - c->padding,
                            i, number_at(&l->dy, index_of(&l->dy, n, h, w, o)));
    return sum;
}

/* ---- calls ---- */

/* How a case is computed: precision, storage types of inputs and outputs, what EFFICIENTAD_CUDA_CONV says. */
typedef struct Way {
    EadPrecision precision;
    EadType in, out;
    const char *algorithm;
    bool prepared;
} Way;

static Layer new_layer(const Case *c, Way way, bool exact) {
    Layer l = {.c = c};
    l.oh = (c->h + 2 * c->padding - c->kh) / c->stride + 1;
    l.ow = (c->w + 2 * c->padding - c->kw) / c->stride + 1;
    int rows = c->pool == NO_POOL ? l.oh : (l.oh + 2 * c->pool - 2) / 2 + 1;
    int columns = c->pool == NO_POOL ? l.ow : (l.ow + 2 * c->pool - 2) / 2 + 1;
    l.x = new_tensor(way.in, c->n, c->h, c->w, c->i, 1, exact);
    l.weight = new_tensor(EAD_REAL, c->o, c->kh, c->kw, c->i, 2, exact);
    l.bias = new_tensor(EAD_REAL, 1, 1, 1, c->o, 3, exact);
    l.y = new_tensor(way.out, c->n, rows, columns, c->o, 0, exact);
    l.dy = new_tensor(way.in, c->n, l.oh, l.ow, c->o, 4, exact);
    l.dx = new_tensor(way.out, c->n, c->h, c->w, c->i, 0, exact);
    l.dw = new_tensor(EAD_REAL, c->o, c->kh, c->kw, c->i, 0, exact);
    return l;
}

static void free_layer(Layer *l) {
    free(l->x.data), free(l->weight.data), free(l->bias.data), free(l->y.data);
    free(l->dy.data), free(l->dx.data), free(l->dw.data);
}

static void *scratch(size_t bytes) {
    void *memory = NULL;
    ck_assert_int_eq(posix_memalign(&memory, 256, bytes ? bytes : 1), 0);
    return memset(memory, 0xFF, bytes);
}

/* Plans and runs a call in scratch memory of exactly the size that it asks for. */
static void run_call(const EadKernel *kernel, EadCall call, Way way) {
    setenv("EFFICIENTAD_CUDA_CONV", way.algorithm, 1);
    call.precision = way.precision;
    call.run = kernel->run;
    kernel->plan(&call);
    unsetenv("EFFICIENTAD_CUDA_CONV");
    call.workspace = scratch(call.workspace_bytes);
    call.prepared = scratch(call.prepared_bytes);
    if (way.prepared && call.prepare) {
        call.prepare(&call);
        call.prepared_once = 1;
    }
    call.run(&call);
    free(call.workspace);
    free(call.prepared);
}

typedef Sum Reference(const Layer *l, int n, int h, int w, int c);

/* got = what the reference says, all of it or SAMPLES numbers: bit for bit if error is 0, else up to
 * error * sum of absolute products and half a unit of the stored type. */
static void compare(const Layer *l, Way way, const EadTensor *got, Reference *reference, double error,
                    const char *what) {
    int64_t count = ead_count(got), tests = count < SAMPLES ? count : SAMPLES;
    for (int64_t k = 0; k < tests; k++) {
        int64_t i = count <= SAMPLES ? k : (int64_t)(ead_philox_word(9, 1, (uint64_t)k) % (uint64_t)count);
        int c = (int)(i % got->c), w = (int)(i / got->c % got->w), h = (int)(i / got->c / got->w % got->h);
        Sum sum = reference(l, (int)(i / got->c / got->w / got->h), h, w, c);
        double value = number_at(got, i), expected = stored(sum.value, got->type);
        double half_unit = got->type == EAD_F16 ? 0x1p-11 : got->type == EAD_BF16 ? 0x1p-8 : 0x1p-24;
        double allowed = error > 0 ? error * sum.size + half_unit * (fabs(sum.value) + error * sum.size) : 0;
        ck_assert_msg(fabs(value - expected) <= allowed,
                      "%s, %s by %s, precision %d, stored %d -> %d: number %lld is %.9g, not %.9g +- %.3g",
                      l->c->name, what, way.algorithm, way.precision, way.in, way.out, (long long)i, value,
                      expected, allowed);
    }
}

/* All kernels of a case, one way. */
static void check(const Case *c, Way way, bool exact, double error) {
    Layer l = new_layer(c, way, exact);
    EadConv2dPool pool = {{c->stride, c->padding, c->relu}, c->pool};
    EadCall call = {.x = {&l.x, &l.weight, c->bias ? &l.bias : NULL}, .y = &l.y, .attributes = &pool};
    run_call(c->pool == NO_POOL ? &ead_conv2d_cuda : &ead_conv2d_pool_cuda, call, way);
    compare(&l, way, &l.y, forward_pooled, error, "forward");
    if (c->pool == NO_POOL || c->n == 1) {
        EadConv2dGradient of_x = {c->stride, c->padding, c->h, c->w},
                          of_w = {c->stride, c->padding, c->kh, c->kw};
        run_call(&ead_conv2d_input_gradient_cuda,
                 (EadCall){.x = {&l.dy, &l.weight}, .y = &l.dx, .attributes = &of_x}, way);
        compare(&l, way, &l.dx, input_gradient, error, "input gradient");
        run_call(&ead_conv2d_weight_gradient_cuda,
                 (EadCall){.x = {&l.dy, &l.x}, .y = &l.dw, .attributes = &of_w}, way);
        compare(&l, way, &l.dw, weight_gradient, error, "weight gradient");
    }
    free_layer(&l);
}

static EadType half_of(EadPrecision precision) {
    return precision == EAD_PRECISION_FP16 ? EAD_F16 : precision == EAD_PRECISION_BF16 ? EAD_BF16 : EAD_REAL;
}

static const EadPrecision tensor_precisions[] = {EAD_PRECISION_TF32, EAD_PRECISION_BF16, EAD_PRECISION_FP16};
static const char *const algorithms[] = {"64x64",   "128x64/3", "gemm", "128x128/2",
                                         "256x128", "64x64/2",  "any"};
enum { PRECISIONS = 3, ALGORITHMS = sizeof algorithms / sizeof *algorithms };

/* Way number k of a precision: storage types and preparation in turn. */
static Way way_of(EadPrecision precision, int algorithm, int k) {
    EadType half = half_of(precision);
    return (Way){precision, k & 1 ? half : EAD_REAL, k & 2 ? half : EAD_REAL, algorithms[algorithm], k & 4};
}

START_TEST(small_cases_are_exact) {
    check(&small_cases[_i], (Way){EAD_PRECISION_FP32, EAD_REAL, EAD_REAL, "any", _i & 1}, true, 0);
    for (int a = 0; a < ALGORITHMS; a++)
        check(&small_cases[_i], way_of(tensor_precisions[(_i + a) % PRECISIONS], a, _i + a), true, 0);
}
END_TEST

/* What the plan itself chooses, and one of the algorithms besides for those layers that are soon done. */
START_TEST(layers_are_exact) {
    const Case *c = &layers[_i];
    check(c, way_of(tensor_precisions[_i % PRECISIONS], ALGORITHMS - 1, _i), true, 0);
    if (c->i * c->o * c->kh * c->kw <= 64 * 384 * 9)
        check(c, way_of(tensor_precisions[(_i + 1) % PRECISIONS], _i % (ALGORITHMS - 1), _i + 3), true, 0);
}
END_TEST

/* Any numbers: operands are rounded by up to half a unit each, relative: 2^-11 in tf32 and fp16, 2^-8 in
 * bf16. */
START_TEST(rounding_is_as_the_formats_say) {
    static const struct {
        EadPrecision precision;
        double error;
    } formats[] = {{EAD_PRECISION_FP32, 0x1p-20},
                   {EAD_PRECISION_TF32, 0x1.1p-10},
                   {EAD_PRECISION_FP16, 0x1.1p-10},
                   {EAD_PRECISION_BF16, 0x1.1p-7}};
    for (int f = 0; f < 4; f++)
        check(&small_cases[_i], way_of(formats[f].precision, (_i + f) % 3, _i + f), false, formats[f].error);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cuda convolutions on the host");
    TCase *tests = tcase_create("conv");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, small_cases_are_exact, 0, SMALL);
    tcase_add_loop_test(tests, layers_are_exact, 0, LAYERS);
    tcase_add_loop_test(tests, rounding_is_as_the_formats_say, 0, SMALL);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
