/* core/cuda/mma.cuh in plain code, on the fragment layout that the PTX manual draws for m16n8k16 (f16, bf16) and
 * m16n8k8 (tf32). A warp exchanges registers through memory and one __syncwarp; two sets in turn, so that no
 * lane overwrites what another still reads.
 *
 * Asynchronous copies really are late: their target holds NaNs from the moment they are issued until the thread
 * waits for their group, so that a kernel which reads too early, or writes over a stage in use, shows it. */
#ifndef EAD_MMA_TARGET_CUH
#define EAD_MMA_TARGET_CUH

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace ead_host {

inline unsigned thread_number() {
    return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

enum { MAX_THREADS = 1024, LANES = 32 };

struct Copy {
    void *shared;
    const void *global; /* NULL: zeros */
    int bytes, group;
};

struct Copies { /* of one thread, in the order of issue */
    std::vector<Copy> pending;
    int group = 0;
};

inline thread_local Copies copies[MAX_THREADS];

inline void issue(void *shared, const void *global, int bytes) {
    if (reinterpret_cast<uintptr_t>(shared) % bytes || reinterpret_cast<uintptr_t>(global) % bytes) {
        fprintf(stderr, "asynchronous copy of %d bytes at misaligned address\n", bytes);
        abort();
    }
    Copies &mine = copies[thread_number()];
    memset(shared, 0xFF, bytes);
    mine.pending.push_back({shared, global, bytes, mine.group});
}

struct Registers {
    uint32_t a[4], b[2];
    const void *row;
};

struct Warp {
    Registers lanes[2][LANES];
    int turn[LANES];
};

inline thread_local Warp warps[MAX_THREADS / LANES];

/* All lanes' registers, once all lanes have given theirs. */
inline const Registers *exchange(const Registers &mine) {
    unsigned lane = thread_number() % LANES;
    Warp &warp = warps[thread_number() / LANES];
    Registers *lanes = warp.lanes[warp.turn[lane] ^= 1];
    lanes[lane] = mine;
    __syncwarp();
    return lanes;
}

inline float number(__half, uint32_t r, int part) {
    uint16_t bits = static_cast<uint16_t>(r >> 16 * part);
    __half value;
    memcpy(&value, &bits, sizeof bits);
    return __half2float(value);
}
inline float number(__nv_bfloat16, uint32_t r, int part) {
    uint32_t bits = (r >> 16 * part) << 16;
    float value;
    memcpy(&value, &bits, sizeof bits);
    return value;
}
inline float number(float, uint32_t r, int) { /* the hardware reads 19 bits */
    r &= 0xFFFFE000u;
    float value;
    memcpy(&value, &r, sizeof r);
    return value;
}

} // namespace ead_host

template <int BYTES> inline void ead_copy_async(void *shared, const void *global, bool inside) {
    static_assert(BYTES == 8 || BYTES == 16);
    ead_host::issue(shared, inside ? global : nullptr, BYTES);
}

inline void ead_copy_async_streamed(void *shared, const void *global) { ead_host::issue(shared, global, 16); }

inline void ead_copy_commit() { ead_host::copies[ead_host::thread_number()].group++; }

template <int N> inline void ead_copy_wait() {
    ead_host::Copies &mine = ead_host::copies[ead_host::thread_number()];
    size_t done = 0;
    for (; done < mine.pending.size() && mine.pending[done].group < mine.group - N; done++) {
        const ead_host::Copy &copy = mine.pending[done];
        if (copy.global)
            memcpy(copy.shared, copy.global, copy.bytes);
        else
            memset(copy.shared, 0, copy.bytes);
    }
    mine.pending.erase(mine.pending.begin(), mine.pending.begin() + static_cast<ptrdiff_t>(done));
}

inline void ead_load_matrices(uint32_t (&r)[4], const void *row) {
    const ead_host::Registers *lanes = ead_host::exchange({{}, {}, row});
    unsigned lane = ead_host::thread_number() % 32, g = lane / 4, t = lane % 4;
    for (unsigned m = 0; m < 4; m++)
        memcpy(&r[m], static_cast<const unsigned char *>(lanes[8 * m + g].row) + 4 * t, 4);
}

inline void ead_load_matrices_transposed(uint32_t (&r)[4], const void *row) {
    const ead_host::Registers *lanes = ead_host::exchange({{}, {}, row});
    unsigned lane = ead_host::thread_number() % 32, g = lane / 4, t = lane % 4;
    for (unsigned m = 0; m < 4; m++) {
        uint16_t low, high;
        memcpy(&low, static_cast<const unsigned char *>(lanes[8 * m + 2 * t].row) + 2 * g, 2);
        memcpy(&high, static_cast<const unsigned char *>(lanes[8 * m + 2 * t + 1].row) + 2 * g, 2);
        r[m] = static_cast<uint32_t>(high) << 16 | low;
    }
}

template <typename T> inline uint32_t ead_round_operand(uint32_t r) { return r; }
template <> inline uint32_t ead_round_operand<float>(uint32_t r) {
    if ((r & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFFFFFFu;
    return (r + 0x1000u) & 0xFFFFE000u; /* to nearest, ties away from zero */
}

/* Element (row, k) of a is in register row/8 + 2 (k/half) of lane 4 (row%8) + (k%half)/parts; (k, column) of b in
 * register k/half of lane 4 column + (k%half)/parts; the part is k%parts. */
template <typename T> inline void ead_multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const ead_host::Registers *lanes = ead_host::exchange({{a[0], a[1], a[2], a[3]}, {b0, b1}, nullptr});
    unsigned lane = ead_host::thread_number() % 32;
    const int parts = 4 / static_cast<int>(sizeof(T)), half = 4 * parts;
    for (unsigned e = 0; e < 4; e++) {
        unsigned row = lane / 4 + 8 * (e / 2), column = 2 * (lane % 4) + e % 2;
        float sum = 0;
        for (int k = 0; k < 2 * half; k++) {
            unsigned within = static_cast<unsigned>(k % half / parts);
            uint32_t left = lanes[4 * (row % 8) + within].a[row / 8 + 2 * static_cast<unsigned>(k / half)];
            uint32_t right = lanes[4 * column + within].b[k / half];
            sum += ead_host::number(T(), left, k % parts) * ead_host::number(T(), right, k % parts);
        }
        c[e] += sum;
    }
}

#endif
