/* core/cuda/mma.cuh in plain code, on the fragment layout that the PTX manual draws for m16n8k16 (f16, bf16)
 * and m16n8k8 (tf32): the last lane of a warp to arrive computes for all.
 *
 * Asynchronous copies really are late: their target holds NaNs from the moment they are issued until the
 * thread waits for their group, so that a kernel which reads too early, or writes over a stage in use, shows
 * it. */
#pragma once

#include <vector>

namespace ead_host_mma {

struct Copy {
    void *shared;
    const void *global; /* NULL: zeros */
    size_t bytes;
    int group;
};

struct Copies { /* of one thread, in the order of issue */
    std::vector<Copy> pending;
    int group = 0;
    bool arrived = false; /* some have, and no ead_fence_async_proxy() since */
};

inline Copies copies[EAD_HOST_THREADS];

inline Copies &mine() {
    return copies[threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)];
}

inline void issue(void *shared, const void *global, size_t bytes) {
    if (reinterpret_cast<uintptr_t>(shared) % bytes || reinterpret_cast<uintptr_t>(global) % bytes)
        ead_host_fail("an asynchronous copy of %zu bytes is not aligned to its size", bytes);
    memset(shared, 0xFF, bytes);
    mine().pending.push_back({shared, global, bytes, mine().group});
}

struct Matrices { /* arguments of a lane */
    const unsigned char *row;
    uint32_t *r;
};

inline void load(unsigned, void *const arguments[EAD_HOST_WARP]) {
    Matrices lanes[EAD_HOST_WARP];
    for (unsigned l = 0; l < EAD_HOST_WARP; l++) lanes[l] = *static_cast<Matrices *>(arguments[l]);
    for (unsigned l = 0; l < EAD_HOST_WARP; l++)
        for (unsigned m = 0; m < 4; m++) memcpy(&lanes[l].r[m], lanes[8 * m + l / 4].row + 4 * (l % 4), 4);
}

inline void load_transposed(unsigned, void *const arguments[EAD_HOST_WARP]) {
    Matrices lanes[EAD_HOST_WARP];
    for (unsigned l = 0; l < EAD_HOST_WARP; l++) lanes[l] = *static_cast<Matrices *>(arguments[l]);
    for (unsigned l = 0; l < EAD_HOST_WARP; l++)
        for (unsigned m = 0; m < 4; m++)
            for (unsigned half = 0; half < 2; half++)
                memcpy(reinterpret_cast<unsigned char *>(&lanes[l].r[m]) + 2 * half,
                       lanes[8 * m + 2 * (l % 4) + half].row + 2 * (l / 4), 2);
}

struct Product {
    float *c;
    const uint32_t *a;
    uint32_t b[2];
};

/* A register as the numbers it holds. */
inline void unpack(const __half *, uint32_t r, float *to) {
    to[0] = ead_half_to_float(static_cast<uint16_t>(r));
    to[1] = ead_half_to_float(static_cast<uint16_t>(r >> 16));
}
inline void unpack(const __nv_bfloat16 *, uint32_t r, float *to) {
    to[0] = ead_bfloat16_to_float(static_cast<uint16_t>(r));
    to[1] = ead_bfloat16_to_float(static_cast<uint16_t>(r >> 16));
}
inline void unpack(const float *, uint32_t r, float *to) {
    to[0] = std::bit_cast<float>(r & 0xFFFFE000u); /* the hardware reads 19 bits */
}

template <typename T> void multiply(unsigned, void *const arguments[EAD_HOST_WARP]) {
    constexpr unsigned parts = 4 / sizeof(T), depth = 8 * parts;
    float a[16][depth], b[8][depth];
    for (unsigned l = 0; l < EAD_HOST_WARP; l++) {
        const Product &lane = *static_cast<Product *>(arguments[l]);
        unsigned g = l / 4, k = l % 4 * parts;
        for (unsigned i = 0; i < 4; i++)
            unpack(static_cast<T *>(nullptr), lane.a[i], &a[g + i % 2 * 8][k + i / 2 * depth / 2]);
        for (unsigned i = 0; i < 2; i++)
            unpack(static_cast<T *>(nullptr), lane.b[i], &b[g][k + i * depth / 2]);
    }
    for (unsigned l = 0; l < EAD_HOST_WARP; l++)
        for (unsigned i = 0; i < 4; i++) {
            float sum = 0;
            for (unsigned k = 0; k < depth; k++) sum += a[l / 4 + i / 2 * 8][k] * b[l % 4 * 2 + i % 2][k];
            static_cast<Product *>(arguments[l])->c[i] += sum;
        }
}

constexpr unsigned ALL = 0xFFFFFFFFu;

} // namespace ead_host_mma

template <int BYTES> inline void ead_copy_async(void *shared, const void *global, bool inside) {
    static_assert(BYTES == 8 || BYTES == 16);
    ead_host_mma::issue(shared, inside ? global : nullptr, BYTES);
}

inline void ead_copy_async_streamed(void *shared, const void *global) {
    ead_host_mma::issue(shared, global, 16);
}

inline void ead_copy_commit() {
    ead_host_mma::mine().group++;
}

template <int N> inline void ead_copy_wait() {
    ead_host_mma::Copies &mine = ead_host_mma::mine();
    size_t done = 0;
    for (; done < mine.pending.size() && mine.pending[done].group < mine.group - N; done++) {
        const ead_host_mma::Copy &copy = mine.pending[done];
        if (copy.global)
            memcpy(copy.shared, copy.global, copy.bytes);
        else
            memset(copy.shared, 0, copy.bytes);
    }
    mine.arrived |= done > 0;
    mine.pending.erase(mine.pending.begin(), mine.pending.begin() + static_cast<ptrdiff_t>(done));
}

inline void ead_load_matrices(uint32_t (&r)[4], const void *row, EadHostLine line = EadHostLine::current()) {
    ead_host_mma::Matrices mine = {static_cast<const unsigned char *>(row), r};
    ead_host_warp(ead_host_mma::ALL, ead_host_mma::load, &mine, line);
}

inline void ead_load_matrices_transposed(uint32_t (&r)[4], const void *row,
                                         EadHostLine line = EadHostLine::current()) {
    ead_host_mma::Matrices mine = {static_cast<const unsigned char *>(row), r};
    ead_host_warp(ead_host_mma::ALL, ead_host_mma::load_transposed, &mine, line);
}

template <typename T> inline uint32_t ead_round_operand(uint32_t r) {
    return r;
}
template <> inline uint32_t ead_round_operand<float>(uint32_t r) {
    if ((r & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFFFFFFu;
    return (r + 0x1000u) & 0xFFFFE000u; /* to nearest, ties away from zero */
}

template <typename T>
inline void ead_multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                         EadHostLine line = EadHostLine::current()) {
    ead_host_mma::Product mine = {c, a, {b0, b1}};
    ead_host_warp(ead_host_mma::ALL, ead_host_mma::multiply<T>, &mine, line);
}
