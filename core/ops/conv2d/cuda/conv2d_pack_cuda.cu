/* The small kernels around the products: operands in the form that the products read, and what is left to do
 * with sums of several splits. */
#include "core/cuda/mma.cuh"
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"

#include <assert.h>

/* ---- operands ---- */

bool ead_conv_needs_copy(const EadTensor *tensor, EadType type, int channels) {
    return tensor->type != type || tensor->c != channels ||
           reinterpret_cast<uintptr_t>(tensor->data) % 16 != 0;
}

EadConvOperand ead_conv_operand_of(const EadTensor *tensor, EadType type, int channels, bool copied) {
    EadConvOperand o = {tensor, type, channels, 0};
    const size_t pixels = static_cast<size_t>(tensor->n) * static_cast<size_t>(tensor->h * tensor->w);
    if (copied) o.bytes = ead_conv_aligned(pixels * static_cast<size_t>(channels) * ead_type_size(type));
    return o;
}

/* to[pixel][c] = from[pixel][c], zero for the channels beyond; a thread a number. */
template <typename X, typename Y>
static __global__ void stage(int64_t count, const X *from, int from_channels, Y *to, int to_channels) {
    int64_t i = ead_thread();
    if (i >= count) return;
    int64_t pixel = i / to_channels;
    int c = static_cast<int>(i - pixel * to_channels);
    to[i] = ead_store<Y>(c < from_channels ? ead_float(from[pixel * from_channels + c]) : 0.0f);
}

template <typename X, typename Y>
static void launch_stage(const EadConvOperand &o, void *copy, void *stream) {
    int64_t count = ead_count(o.tensor) / o.tensor->c * o.channels;
    EAD_LAUNCH((stage<X, Y>), ead_blocks(count), EAD_BLOCK, 0, stream, count,
               static_cast<const X *>(o.tensor->data), o.tensor->c, static_cast<Y *>(copy), o.channels);
}

const void *ead_conv_stage(const EadConvOperand &o, void *copy, void *stream) {
    assert(o.bytes || !ead_conv_needs_copy(o.tensor, o.type, o.channels));
    if (!o.bytes) return o.tensor->data;
    EAD_WITH_STORAGES(o.tensor->type, X, o.type, Y, launch_stage<X, Y>(o, copy, stream));
    return copy;
}

/* ---- weights ---- */

/* Weight of target channel n at k, [O][KH][KW][I]: forward, n is the output channel; for the input gradient n
 * is the input channel and the taps of the phase are read backwards. */
static __device__ inline float weight_at(const EadConvView &v, const EadConvPhase &p,
                                         const EadConvOrder &order, const float *w, int channels, int n,
                                         int k) {
    EadConvPlace place = ead_conv_place(order, p.y.taps * p.x.taps, k);
    if (n >= v.outputs || place.channel >= channels || place.tap >= p.y.taps * p.x.taps) return 0;
    if (!v.gradient) return w[(static_cast<int64_t>(n) * v.kh * v.kw + place.tap) * channels + place.channel];
    int ky = (p.y.first + v.padding) % v.stride + (p.y.taps - 1 - place.tap / p.x.taps) * v.stride;
    int kx = (p.x.first + v.padding) % v.stride + (p.x.taps - 1 - place.tap % p.x.taps) * v.stride;
    return w[((static_cast<int64_t>(place.channel) * v.kh + ky) * v.kw + kx) * v.outputs + n];
}

template <typename T> static __device__ inline T pack_number(float value, bool round) {
    if (sizeof(T) == 4 && round) value = __uint_as_float(ead_round_operand<float>(__float_as_uint(value)));
    return ead_store<T>(value);
}

struct PackTask {
    EadConvView view;
    EadConvOrder order;
    int channels, rows, tiles; /* channels: of the weights as they are */
    bool round;                /* to TF32 */
};

/* A block packs 32 rows x 32 k of one phase by way of shared memory: along the lanes it reads what lies
 * together in w (k forward, rows for the gradient) and writes k. Block 32x8. */
template <typename T> static __global__ void pack(PackTask t, const float *w, T *packed) {
    __shared__ float square[32][33];
    const int x = static_cast<int>(threadIdx.x), columns = t.tiles * t.order.tile;
    const int first_k = static_cast<int>(blockIdx.x) * 32, first_row = static_cast<int>(blockIdx.y) * 32;
    const EadConvPhase p = ead_conv_phase(t.view, static_cast<int>(blockIdx.z));
    const bool any = p.y.taps * p.x.taps > 0;
    for (int i = static_cast<int>(threadIdx.y); i < 32; i += 8) {
        int row = t.view.gradient ? x : i, k = t.view.gradient ? i : x;
        square[row][k] = any && first_k + k < ead_conv_tiles(t.order, p.y.taps * p.x.taps) * t.order.tile
                             ? weight_at(t.view, p, t.order, w, t.channels, first_row + row, first_k + k)
                             : 0.0f;
    }
    __syncthreads();
    packed += (static_cast<int64_t>(blockIdx.z) * t.rows + first_row) * columns + first_k;
    for (int i = static_cast<int>(threadIdx.y); i < 32; i += 8)
        packed[static_cast<int64_t>(i) * columns + x] = pack_number<T>(square[i][x], t.round);
}

void ead_conv_pack(const EadConvLayer &l, void *packed, void *stream) {
    PackTask t = {l.view,        l.order, l.view.gradient ? l.weight->n : l.weight->c,
                  l.weight_rows, l.tiles, l.precision == EAD_PRECISION_TF32};
    dim3 grid(l.tiles * l.order.tile / 32, l.weight_rows / 32, l.phases), block(32, 8);
    EAD_WITH_STORAGE(l.source.type, T,
                     EAD_LAUNCH((pack<T>), grid, block, 0, stream, t,
                                static_cast<const float *>(l.weight->data), static_cast<T *>(packed)));
}

/* ---- sums ---- */

struct FinishTask {
    EadConvView view;
    EadConvSums sums;
    const float *bias;
    bool relu;
};

/* Sum of a row's splits, with bias and ReLU; the splits in order. */
static __device__ inline float finished(const FinishTask &t, int phase_index, int row, int column) {
    const EadConvSums &s = t.sums;
    const int64_t split = static_cast<int64_t>(gridDim.y) * s.rows * t.view.outputs;
    const float *from =
        s.partials + (static_cast<int64_t>(phase_index) * s.rows + row) * t.view.outputs + column;
    float sum = 0;
    for (int k = 0; k < s.splits; k++) sum += from[k * split];
    if (t.bias) sum += t.bias[column];
    return t.relu && sum < 0 ? 0.0f : sum; /* a NaN stays one */
}

/* One thread a target pixel and channel; y: phase. */
template <typename Y> static __global__ void finish(FinishTask t, Y *target) {
    const int64_t i = ead_thread();
    const int outputs = t.view.outputs, column = static_cast<int>(i % outputs),
              item = static_cast<int>(i / outputs);
    const EadConvPhase p =
        ead_conv_phase(t.view, t.sums.phase >= 0 ? t.sums.phase : static_cast<int>(blockIdx.y));
    const int phase = static_cast<int>(blockIdx.y), rows = ead_conv_rows(t.view, p);
    if (!t.view.pool) {
        if (item >= t.sums.rows || t.sums.first + item >= rows) return;
        EadConvPixel q = ead_conv_pixel(t.view, p, t.sums.first + item);
        target[ead_conv_target(t.view, p, q) * outputs + column] =
            ead_store<Y>(finished(t, phase, item, column));
        return;
    }
    const int row = item / 8 * 32 + item % 8; /* of the first of four, 8 apart */
    if (row >= t.sums.rows || t.sums.first + row >= rows) return;
    EadConvPixel pooled = ead_conv_pixel(t.view, p, ead_conv_pooled_pixel(t.sums.first + row));
    if (!pooled.valid) return;
    float part[4];
    for (int k = 0; k < 4; k++) {
        bool valid = ead_conv_row(t.view, p, t.sums.first + row + 8 * k).valid;
        part[k] = valid ? finished(t, phase, row + 8 * k, column) : 0.0f;
    }
    target[ead_conv_target(t.view, p, pooled) * outputs + column] =
        ead_store<Y>(0.25f * ((part[0] + part[1]) + (part[2] + part[3])));
}

void ead_conv_finish(const EadConvLayer &l, const EadConvSums &sums, void *stream) {
    FinishTask t = {l.view, sums, l.bias ? static_cast<const float *>(l.bias->data) : nullptr, l.relu};
    int64_t items = static_cast<int64_t>(l.view.pool ? sums.rows / 4 : sums.rows) * l.view.outputs;
    dim3 grid(ead_blocks(items), sums.phase >= 0 ? 1 : l.phases);
    EAD_WITH_STORAGE(
        l.target->type, Y,
        EAD_LAUNCH((finish<Y>), grid, EAD_BLOCK, 0, stream, t, static_cast<Y *>(l.target->data)));
}
