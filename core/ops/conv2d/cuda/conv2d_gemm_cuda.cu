/* Convolution by im2col and cuBLAS, any geometry: what fp32 uses, and what the tensor-core kernels are
 * checked against. Patches are gathered for as many rows of the product as 64 MB hold, multiplied, finished.
 */
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"
#include "core/base/minmax.h"

extern "C" {
#include "core/cuda/blas.h"
}

enum { PATCH_BYTES = 64 << 20 };

struct GatherTask {
    EadConvView view;
    EadConvOrder order;
    int phase, first, rows, columns; /* rows of the product from `first` on, all columns of k */
};

/* to[row][k] = the source under row and k, zero outside; a thread a number. T: only its size matters. */
template <typename T> static __global__ void gather(GatherTask t, const T *source, T *to) {
    const int64_t i = ead_thread();
    const EadConvView &v = t.view;
    const int row = static_cast<int>(i / t.columns),
              k = static_cast<int>(i - static_cast<int64_t>(row) * t.columns);
    if (row >= t.rows) return;
    const EadConvPhase p = ead_conv_phase(v, t.phase);
    const int taps = p.y.taps * p.x.taps;
    T value = 0;
    if (taps > 0) {
        const EadConvPixel q = ead_conv_row(v, p, t.first + row);
        const EadConvPlace place = ead_conv_place(t.order, taps, k);
        const int y = q.y * p.y.step + p.y.base + place.tap / p.x.taps;
        const int x = q.x * p.x.step + p.x.base + place.tap % p.x.taps;
        if (q.valid && place.tap < taps && place.channel < v.c && y >= 0 && y < v.h && x >= 0 && x < v.w)
            value = source[((static_cast<int64_t>(q.image) * v.h + y) * v.w + x) * v.c + place.channel];
    }
    to[i] = value;
}

static void launch_gather(const GatherTask &t, EadType type, const void *source, void *to, void *stream) {
    const unsigned blocks = ead_blocks(static_cast<int64_t>(t.rows) * t.columns);
    if (type == EAD_REAL)
        EAD_LAUNCH((gather<uint32_t>), blocks, EAD_BLOCK, 0, stream, t, static_cast<const uint32_t *>(source),
                   static_cast<uint32_t *>(to));
    else
        EAD_LAUNCH((gather<uint16_t>), blocks, EAD_BLOCK, 0, stream, t, static_cast<const uint16_t *>(source),
                   static_cast<uint16_t *>(to));
}

/* Rows a round: a multiple of 32, so that pooled pixels stay whole. */
static int round_rows(int64_t rows, int64_t columns, EadType type) {
    int64_t limit = PATCH_BYTES / (columns * static_cast<int64_t>(ead_type_size(type))) / 32 * 32;
    if (limit < 32) limit = 32;
    return ead_min(rows, limit);
}

/* ---- forward and input gradient; workspace: cuBLAS's, patches, products ---- */

static int layer_round(const EadConvLayer &l) {
    return round_rows(l.rows, static_cast<int64_t>(l.tiles) * l.order.tile, l.source.type);
}

static size_t patch_bytes(const EadConvLayer &l) {
    return ead_conv_aligned(static_cast<size_t>(layer_round(l)) *
                            static_cast<size_t>(l.tiles * l.order.tile) * ead_type_size(l.source.type));
}

size_t ead_conv_gemm_bytes(const EadConvLayer &l) {
    return EAD_CUDA_GEMM_WORKSPACE + patch_bytes(l) +
           static_cast<size_t>(layer_round(l)) * static_cast<size_t>(l.view.outputs) * sizeof(float);
}

void ead_conv_gemm_run(const EadConvLayer &l, const void *source, const void *packed, void *workspace,
                       void *stream) {
    const int columns = l.tiles * l.order.tile, round = layer_round(l);
    unsigned char *patches = static_cast<unsigned char *>(workspace) + EAD_CUDA_GEMM_WORKSPACE;
    float *products = reinterpret_cast<float *>(patches + patch_bytes(l));
    const size_t phase_bytes =
        static_cast<size_t>(l.weight_rows) * static_cast<size_t>(columns) * ead_type_size(l.source.type);
    for (int phase = 0; phase < l.phases; phase++) {
        const int rows = ead_conv_rows(l.view, ead_conv_phase(l.view, phase));
        for (int first = 0; first < rows; first += round) {
            const int count = ead_min(round, rows - first);
            GatherTask gathered = {l.view, l.order, phase, first, count, columns};
            launch_gather(gathered, l.source.type, source, patches, stream);
            EadCudaGemm product = {};
            product.precision = l.precision, product.transpose_b = true;
            product.m = count, product.n = l.view.outputs, product.k = columns;
            product.a = patches, product.lda = columns;
            product.b = static_cast<const unsigned char *>(packed) + phase * phase_bytes,
            product.ldb = columns;
            product.c = products, product.ldc = l.view.outputs;
            product.workspace = workspace, product.stream = stream;
            ead_cuda_gemm(&product);
            ead_conv_finish(l, {products, 1, first, count, phase}, stream);
        }
    }
}

/* ---- weight gradient; workspace: cuBLAS's, patches ---- */

size_t ead_conv_weight_gemm_bytes(const EadConvWeightLayer &l) {
    const size_t rows = static_cast<size_t>(round_rows(l.pixels, l.columns, l.x.type));
    return EAD_CUDA_GEMM_WORKSPACE + rows * static_cast<size_t>(l.columns) * ead_type_size(l.x.type);
}

void ead_conv_weight_gemm_run(const EadConvWeightLayer &l, const void *dy, const void *x, float *sums,
                              void *workspace, void *stream) {
    unsigned char *patches = static_cast<unsigned char *>(workspace) + EAD_CUDA_GEMM_WORKSPACE;
    const int round = round_rows(l.pixels, l.columns, l.x.type), channels = l.dy.channels;
    for (int first = 0; first < l.pixels; first += round) {
        const int count = ead_min(round, l.pixels - first);
        GatherTask gathered = {l.view, {l.view.c, l.view.c, 1, 1}, 0, first, count, l.columns};
        launch_gather(gathered, l.x.type, x, patches, stream);
        EadCudaGemm product = {};
        product.precision = l.precision, product.transpose_a = true, product.beta = first ? 1.0f : 0.0f;
        product.m = l.view.outputs, product.n = l.columns, product.k = count;
        product.a = static_cast<const unsigned char *>(dy) +
                    static_cast<size_t>(first) * static_cast<size_t>(channels) * ead_type_size(l.dy.type);
        product.lda = channels, product.b = patches, product.ldb = l.columns;
        product.c = sums, product.ldc = l.columns;
        product.workspace = workspace, product.stream = stream;
        ead_cuda_gemm(&product);
    }
}
