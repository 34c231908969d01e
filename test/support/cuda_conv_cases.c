/* The convolution that CUDA's is held against, an output at a time, and the memory that calls run in. */
#include "test/support/cuda_conv_cases.h"

#include "core/base/half.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "core/base/philox.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NO_POOL = CUDA_CONV_NO_POOL, SAMPLES = 400 };

const CudaConvCase cuda_conv_small[CUDA_CONV_SMALL] = {
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

const CudaConvCase cuda_conv_layers[CUDA_CONV_LAYERS] = {
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
    {"one output", 2, 4, 5, 1024, 1, 1, 1, 1, 0, false, false, NO_POOL},
};

static EadType half_of(EadPrecision precision) {
    return precision == EAD_PRECISION_FP16 ? EAD_F16 : precision == EAD_PRECISION_BF16 ? EAD_BF16 : EAD_REAL;
}

const EadPrecision cuda_conv_precisions[CUDA_CONV_PRECISIONS] = {EAD_PRECISION_TF32, EAD_PRECISION_BF16,
                                                                 EAD_PRECISION_FP16};
const char *const cuda_conv_algorithms[CUDA_CONV_ALGORITHMS] = {"64x64",   "128x64/3", "gemm", "128x128/2",
                                                                "256x128", "64x64/2",  "any"};

CudaConvSetup cuda_conv_setup(EadPrecision precision, int algorithm, int k) {
    EadType half = half_of(precision);
    return (CudaConvSetup){.precision = precision,
                           .in = k & 1 ? half : EAD_REAL,
                           .out = k & 2 ? half : EAD_REAL,
                           .algorithm = cuda_conv_algorithms[algorithm],
                           .packed = k & 4};
}

CudaConvSetup cuda_conv_wgmma_setup(EadPrecision precision, int algorithm, int k) {
    static const char *const algorithms[CUDA_CONV_WGMMA] = {"wgmma128x128", "wgmma128x64/3", "wgmma256x128/2",
                                                            "wgmma128x64",  "wgmma256x128",  "wgmma"};
    CudaConvSetup setup = cuda_conv_setup(precision, 0, k);
    setup.algorithm = algorithms[algorithm];
    return setup;
}

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
typedef struct ConvSum {
    double value, size;
} ConvSum;

static void add_product(ConvSum *sum, const EadTensor *a, int n, int h, int w, int c, double factor) {
    if (h < 0 || h >= a->h || w < 0 || w >= a->w) return;
    double product = number_at(a, index_of(a, n, h, w, c)) * factor;
    sum->value += product;
    sum->size += fabs(product);
}

typedef struct CudaLayer {
    const CudaConvCase *c;
    EadTensor x, weight, bias, y, dy, dx, dw;
    int oh, ow; /* before pooling */
} CudaLayer;

static ConvSum forward(const CudaLayer *l, int n, int h, int w, int o) {
    const CudaConvCase *c = l->c;
    ConvSum sum = {0};
    for (int ky = 0; ky < c->kh; ky++)
        for (int kx = 0; kx < c->kw; kx++)
            for (int i = 0; i < c->i; i++)
                add_product(&sum, &l->x, n, h * c->stride + ky - c->padding, w * c->stride + kx - c->padding,
                            i, number_at(&l->weight, index_of(&l->weight, o, ky, kx, i)));
    if (c->bias) sum.value += number_at(&l->bias, o);
    if (c->relu && sum.value < 0) sum.value = 0;
    return sum;
}

static ConvSum forward_pooled(const CudaLayer *l, int n, int h, int w, int o) {
    if (l->c->pool == NO_POOL) return forward(l, n, h, w, o);
    ConvSum mean = {0};
    for (int k = 0; k < 4; k++) {
        int y = 2 * h - l->c->pool + k / 2, x = 2 * w - l->c->pool + k % 2;
        if (y < 0 || y >= l->oh || x < 0 || x >= l->ow) continue;
        ConvSum part = forward(l, n, y, x, o);
        mean.value += part.value / 4;
        mean.size += part.size / 4;
    }
    return mean;
}

static ConvSum input_gradient(const CudaLayer *l, int n, int h, int w, int i) {
    const CudaConvCase *c = l->c;
    ConvSum sum = {0};
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

static ConvSum weight_gradient(const CudaLayer *l, int o, int ky, int kx, int i) {
    const CudaConvCase *c = l->c;
    ConvSum sum = {0};
    for (int n = 0; n < c->n; n++)
        for (int h = 0; h < l->oh; h++)
            for (int w = 0; w < l->ow; w++)
                add_product(&sum, &l->x, n, h * c->stride + ky - c->padding, w * c->stride + kx - c->padding,
                            i, number_at(&l->dy, index_of(&l->dy, n, h, w, o)));
    return sum;
}

/* ---- calls ---- */

static CudaLayer new_layer(const CudaConvCase *c, CudaConvSetup setup, bool exact) {
    CudaLayer l = {.c = c};
    l.oh = (c->h + 2 * c->padding - c->kh) / c->stride + 1;
    l.ow = (c->w + 2 * c->padding - c->kw) / c->stride + 1;
    int rows = c->pool == NO_POOL ? l.oh : (l.oh + 2 * c->pool - 2) / 2 + 1;
    int columns = c->pool == NO_POOL ? l.ow : (l.ow + 2 * c->pool - 2) / 2 + 1;
    l.x = new_tensor(setup.in, c->n, c->h, c->w, c->i, 1, exact);
    if (setup.with_nan) memset(l.x.data, 0xFF, ead_type_size(setup.in));
    l.weight = new_tensor(EAD_REAL, c->o, c->kh, c->kw, c->i, 2, exact);
    l.bias = new_tensor(EAD_REAL, 1, 1, 1, c->o, 3, exact);
    l.y = new_tensor(setup.out, c->n, rows, columns, c->o, 0, exact);
    l.dy = new_tensor(setup.in, c->n, l.oh, l.ow, c->o, 4, exact);
    l.dx = new_tensor(setup.out, c->n, c->h, c->w, c->i, 0, exact);
    l.dw = new_tensor(EAD_REAL, c->o, c->kh, c->kw, c->i, 0, exact);
    return l;
}

static void free_layer(CudaLayer *l) {
    free(l->x.data), free(l->weight.data), free(l->bias.data), free(l->y.data);
    free(l->dy.data), free(l->dx.data), free(l->dw.data);
}

/* ---- memory: the host's as it is, or a copy on the device ---- */

static void *new_memory(const EadDevice *device, const void *content, size_t bytes) {
    void *memory = NULL;
    if (!device) {
        ck_assert_int_eq(posix_memalign(&memory, 256, bytes ? bytes : 1), 0);
        return memcpy(memory, content, bytes);
    }
    memory = device->allocate(bytes ? bytes : 1);
    ck_assert_ptr_nonnull(memory);
    device->copy_in(memory, content, bytes, NULL);
    return memory;
}

static void free_memory(const EadDevice *device, void *memory) {
    if (device)
        device->release(memory);
    else
        free(memory);
}

/* Scratch memory of exactly that size, full of NaNs. */
static void *new_scratch(const EadDevice *device, size_t bytes) {
    void *garbage = malloc(bytes ? bytes : 1);
    ck_assert_ptr_nonnull(garbage);
    memset(garbage, 0xFF, bytes);
    void *memory = new_memory(device, garbage, bytes);
    free(garbage);
    return memory;
}

static EadTensor copy_of(const EadDevice *device, const EadTensor *tensor) {
    EadTensor copy = *tensor;
    copy.data = new_memory(device, tensor->data, ead_bytes(tensor));
    return copy;
}

static void read_back(const EadDevice *device, const EadTensor *from, const EadTensor *to) {
    if (!device) {
        memcpy(to->data, from->data, ead_bytes(to));
        return;
    }
    device->copy_out(to->data, from->data, ead_bytes(to), NULL);
    ck_assert_msg(device->synchronize(NULL) == EAD_OK, "%s", ead_error_message());
}

typedef struct Machine {
    const EadBackend *backend;
    const EadDevice *device;
} Machine;

/* Only 16-bit operands in whole chunks are for warpgroups; at most four channels are half a chunk. */
static void check_choice(EadOpId op, const EadCall *call, CudaConvSetup setup) {
    const EadTensor *gathered = call->x[op == EAD_OP_conv2d_weight_gradient];
    bool wanted = strncmp(setup.algorithm, "wgmma", 5) == 0 && half_of(setup.precision) != EAD_REAL;
    bool taken = strncmp(call->algorithm, "wgmma", 5) == 0;
    ck_assert_msg(taken == (wanted && gathered->c > 4), "%s for %s", call->algorithm, setup.algorithm);
}

static void run_call(const Machine *m, EadOpId op, EadCall call, CudaConvSetup setup) {
    const EadKernel *kernel = m->backend->kernels[op];
    const EadTensor *result = call.y;
    EadTensor x[3], y = copy_of(m->device, call.y);
    for (int k = 0; k < 3 && call.x[k]; k++) {
        x[k] = copy_of(m->device, call.x[k]);
        call.x[k] = &x[k];
    }
    call.y = &y;
    call.precision = setup.precision;
    setenv("EFFICIENTAD_CUDA_CONV", setup.algorithm, 1);
    kernel->plan(&call);
    unsetenv("EFFICIENTAD_CUDA_CONV");
    check_choice(op, &call, setup);
    call.workspace = new_scratch(m->device, call.workspace_bytes);
    call.packed = new_scratch(m->device, call.packed_bytes);
    if (setup.packed && call.pack_weights) {
        call.pack_weights(&call);
        call.packed_at_plan = 1;
    }
    kernel->run(&call);
    read_back(m->device, &y, result);
    free_memory(m->device, call.workspace), free_memory(m->device, call.packed),
        free_memory(m->device, y.data);
    for (int k = 0; k < 3 && call.x[k]; k++) free_memory(m->device, x[k].data);
}

/* ---- comparison ---- */

typedef ConvSum Reference(const CudaLayer *l, int n, int h, int w, int c);

/* got = what the reference says, all of it or SAMPLES numbers: bit for bit if error is 0, else up to
 * error * sum of absolute products and half a unit of the stored type. */
static void compare(const CudaLayer *l, CudaConvSetup setup, const EadTensor *got, Reference *reference,
                    double error, const char *what) {
    int64_t count = ead_count(got), tests = count < SAMPLES ? count : SAMPLES;
    for (int64_t k = 0; k < tests; k++) {
        int64_t i = count <= SAMPLES ? k : (int64_t)(ead_philox_word(9, 1, (uint64_t)k) % (uint64_t)count);
        int c = (int)(i % got->c), w = (int)(i / got->c % got->w), h = (int)(i / got->c / got->w % got->h);
        ConvSum sum = reference(l, (int)(i / got->c / got->w / got->h), h, w, c);
        double value = number_at(got, i), expected = stored(sum.value, got->type);
        double half_unit = got->type == EAD_F16 ? 0x1p-11 : got->type == EAD_BF16 ? 0x1p-8 : 0x1p-24;
        double allowed = error > 0 ? error * sum.size + half_unit * (fabs(sum.value) + error * sum.size) : 0;
        ck_assert_msg(isnan(expected) ? isnan(value) : fabs(value - expected) <= allowed,
                      "%s, %s by %s, precision %d, stored %d -> %d: number %lld is %.9g, not %.9g +- %.3g",
                      l->c->name, what, setup.algorithm, setup.precision, setup.in, setup.out, (long long)i,
                      value, expected, allowed);
    }
}

void cuda_conv_check(const EadBackend *backend, const EadDevice *device, const CudaConvCase *c,
                     CudaConvSetup setup, bool exact, double error) {
    const Machine machine = {backend, device};
    CudaLayer l = new_layer(c, setup, exact);
    EadConv2dPool pool = {{c->stride, c->padding, c->relu}, c->pool};
    EadCall call = {.x = {&l.x, &l.weight, c->bias ? &l.bias : NULL}, .y = &l.y, .attributes = &pool};
    run_call(&machine, c->pool == NO_POOL ? EAD_OP_conv2d : EAD_OP_conv2d_pool, call, setup);
    compare(&l, setup, &l.y, forward_pooled, error, "forward");
    if (c->pool == NO_POOL) {
        EadConv2dGradient of_x = {c->stride, c->padding, c->h, c->w},
                          of_w = {c->stride, c->padding, c->kh, c->kw};
        call = (EadCall){.x = {&l.dy, &l.weight}, .y = &l.dx, .attributes = &of_x};
        run_call(&machine, EAD_OP_conv2d_input_gradient, call, setup);
        compare(&l, setup, &l.dx, input_gradient, error, "input gradient");
        call = (EadCall){.x = {&l.dy, &l.x}, .y = &l.dw, .attributes = &of_w};
        run_call(&machine, EAD_OP_conv2d_weight_gradient, call, setup);
        compare(&l, setup, &l.dw, weight_gradient, error, "weight gradient");
    }
    free_layer(&l);
}
