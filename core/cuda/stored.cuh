/* Tensors as kernels read and write them: eight values at a time, computed in float whatever they are stored
 * in.
 *
 * The storage type is a value and no template argument: all threads of a launch take the same branch, which
 * costs nothing beside the memory that these kernels wait for, and each kernel is compiled once instead of
 * seven times. Eight values are one 16-byte access in 16 bits and two in fp32. */
#pragma once

#include "core/cuda/cuda.cuh"

enum { EAD_GROUP = 8, EAD_GROUP_BLOCK = 128 }; /* values of a group; threads of a block, each with a group */

typedef struct EadStored {
    void *data;
    EadType type; /* EAD_REAL, EAD_F16 or EAD_BF16 */
    bool aligned; /* every group begins at an address that 16 bytes divide */
} EadStored;

/* unit: a number that divides the first index of each whole group that will be read or written. */
static inline EadStored ead_stored(const EadTensor *t, int64_t unit = EAD_GROUP) {
    bool aligned = reinterpret_cast<uintptr_t>(t->data) % 16 == 0 && unit % EAD_GROUP == 0;
    return EadStored{t->data, t->type, aligned};
}

/* Value i. */
static __device__ inline float ead_get(const EadStored &t, int64_t i) {
    if (t.type == EAD_REAL) return static_cast<const float *>(t.data)[i];
    if (t.type == EAD_F16) return __half2float(static_cast<const __half *>(t.data)[i]);
    return __bfloat162float(static_cast<const __nv_bfloat16 *>(t.data)[i]);
}

static __device__ inline void ead_put(const EadStored &t, int64_t i, float v) {
    if (t.type == EAD_REAL)
        static_cast<float *>(t.data)[i] = v;
    else if (t.type == EAD_F16)
        static_cast<__half *>(t.data)[i] = __float2half_rn(v);
    else
        static_cast<__nv_bfloat16 *>(t.data)[i] = __float2bfloat16_rn(v);
}

/* Two neighbours in 16 bits, as one word. */
static __device__ inline float2 ead_unpack(unsigned word, EadType type) {
    unsigned short low = static_cast<unsigned short>(word), high = static_cast<unsigned short>(word >> 16);
    if (type == EAD_F16)
        return make_float2(__half2float(__ushort_as_half(low)), __half2float(__ushort_as_half(high)));
    return make_float2(__uint_as_float(word << 16), __uint_as_float(word & 0xFFFF0000u));
}

static __device__ inline unsigned ead_pack(float low, float high, EadType type) {
    unsigned short x, y;
    if (type == EAD_F16)
        x = __half_as_ushort(__float2half_rn(low)), y = __half_as_ushort(__float2half_rn(high));
    else
        x = __bfloat16_as_ushort(__float2bfloat16_rn(low)),
        y = __bfloat16_as_ushort(__float2bfloat16_rn(high));
    return x | static_cast<unsigned>(y) << 16;
}

/* v[k] = value at + k for k < n; n <= EAD_GROUP, the other v are 0. */
static __device__ inline void ead_load(const EadStored &t, int64_t at, int n, float v[EAD_GROUP]) {
    if (n == EAD_GROUP && t.aligned && t.type == EAD_REAL) {
        const float4 *from = reinterpret_cast<const float4 *>(static_cast<const float *>(t.data) + at);
        float4 a = from[0], b = from[1];
        v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w, v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
    } else if (n == EAD_GROUP && t.aligned) {
        uint4 words = *reinterpret_cast<const uint4 *>(static_cast<const uint16_t *>(t.data) + at);
        float2 a = ead_unpack(words.x, t.type), b = ead_unpack(words.y, t.type),
               c = ead_unpack(words.z, t.type), d = ead_unpack(words.w, t.type);
        v[0] = a.x, v[1] = a.y, v[2] = b.x, v[3] = b.y, v[4] = c.x, v[5] = c.y, v[6] = d.x, v[7] = d.y;
    } else {
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) v[k] = k < n ? ead_get(t, at + k) : 0;
    }
}

/* The reverse. */
static __device__ inline void ead_save(const EadStored &t, int64_t at, int n, const float v[EAD_GROUP]) {
    if (n == EAD_GROUP && t.aligned && t.type == EAD_REAL) {
        float4 *to = reinterpret_cast<float4 *>(static_cast<float *>(t.data) + at);
        to[0] = make_float4(v[0], v[1], v[2], v[3]);
        to[1] = make_float4(v[4], v[5], v[6], v[7]);
    } else if (n == EAD_GROUP && t.aligned) {
        *reinterpret_cast<uint4 *>(static_cast<uint16_t *>(t.data) + at) =
            make_uint4(ead_pack(v[0], v[1], t.type), ead_pack(v[2], v[3], t.type),
                       ead_pack(v[4], v[5], t.type), ead_pack(v[6], v[7], t.type));
    } else {
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < n) ead_put(t, at + k, v[k]);
    }
}

/* How many values the group that begins at `at` has. */
static __device__ inline int ead_group_size(int64_t at, int64_t count) {
    return count - at < EAD_GROUP ? static_cast<int>(count - at) : EAD_GROUP;
}

/* ---- launches over flat arrays: thread i has the group that begins at 8 i ---- */

static inline unsigned ead_group_blocks(int64_t count) {
    return ead_blocks((count + EAD_GROUP - 1) / EAD_GROUP, EAD_GROUP_BLOCK);
}

/* y[i] = f(a[i], b[i], c[i]), of which INPUTS are read; one that has no data is 0. y may be an input. */
template <int INPUTS, typename F>
static __global__ void ead_map_kernel(int64_t count, F f, EadStored a, EadStored b, EadStored c,
                                      EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float u[EAD_GROUP] = {0}, v[EAD_GROUP] = {0}, w[EAD_GROUP] = {0};
    int n = ead_group_size(at, count);
    if (INPUTS > 0) ead_load(a, at, n, u);
    if (INPUTS > 1 && b.data) ead_load(b, at, n, v);
    if (INPUTS > 2 && c.data) ead_load(c, at, n, w);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) u[k] = f(u[k], v[k], w[k]);
    ead_save(y, at, n, u);
}

/* Launches it: y is the call's output, the inputs are its first ones; the second and third may be absent. */
template <int INPUTS, typename F> static void ead_map(const EadCall *call, F f) {
    int64_t count = ead_count(call->y);
    EadStored x[3] = {};
    for (int i = 0; i < INPUTS; i++)
        if (call->x[i]) x[i] = ead_stored(call->x[i]);
    EAD_LAUNCH((ead_map_kernel<INPUTS, F>), ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count,
               f, x[0], x[1], x[2], ead_stored(call->y));
}

/* The same as an EadKernel's run, for an F without values of its own. */
template <int INPUTS, typename F> static void ead_map_run(const EadCall *call) {
    ead_map<INPUTS>(call, F{});
}

/* ---- launches over rows of pixels: a thread has one group of channels of one pixel ---- */

/* rows (of a picture, of all images) of `width` pixels of `channels`; blocks are as wide as a row asks. */
typedef struct EadRows {
    int64_t rows;
    int width, channels;
    int groups; /* of a pixel */
} EadRows;

static inline EadRows ead_rows(const EadTensor *t) {
    return EadRows{static_cast<int64_t>(t->n) * t->h, t->w, t->c, (t->c + EAD_GROUP - 1) / EAD_GROUP};
}

/* Each pixel its own row. */
static inline EadRows ead_pixels(const EadTensor *t) {
    return EadRows{static_cast<int64_t>(t->n) * t->h * t->w, 1, t->c, (t->c + EAD_GROUP - 1) / EAD_GROUP};
}

static inline dim3 ead_rows_block(const EadRows &r) {
    unsigned units = static_cast<unsigned>(r.width) * static_cast<unsigned>(r.groups), x = 1;
    while (x < units && x < EAD_GROUP_BLOCK) x *= 2;
    return dim3(x, EAD_GROUP_BLOCK / x);
}

static inline dim3 ead_rows_grid(const EadRows &r) {
    dim3 block = ead_rows_block(r);
    int64_t units = static_cast<int64_t>(r.width) * r.groups, limit = 4096;
    int64_t rows = (r.rows + block.y - 1) / block.y;
    return dim3(static_cast<unsigned>((units + block.x - 1) / block.x),
                static_cast<unsigned>(rows < limit ? rows : limit));
}

/* A thread's pixel in the row, its first channel, how many channels from there on; n = 0: it has none. */
typedef struct EadUnit {
    int w, c, n;
} EadUnit;

static __device__ inline EadUnit ead_unit(const EadRows &r) {
    int unit = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x), w = unit / r.groups;
    int c = (unit - w * r.groups) * EAD_GROUP, left = r.channels - c;
    return EadUnit{w, c, w >= r.width ? 0 : left < EAD_GROUP ? left : EAD_GROUP};
}

/* The thread's rows: from ead_first_row() to r.rows in steps of ead_row_step(). */
static __device__ inline int64_t ead_first_row() {
    return static_cast<int64_t>(blockIdx.y) * blockDim.y + threadIdx.y;
}
static __device__ inline int64_t ead_row_step() {
    return static_cast<int64_t>(gridDim.y) * blockDim.y;
}
