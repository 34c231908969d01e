/* core/cuda/wgmma.cuh in plain code: operands are found by their descriptors as the PTX manual defines these,
 * and what a GPU would take without a word and compute wrongly ends the program.
 *
 * Products really are under way: their sums hold NaNs from the start until the warpgroup waits, and the
 * operands, which are read at the start, must still be the same in shared memory then. */
#pragma once

#include <algorithm>

namespace ead_host_wgmma {

constexpr unsigned THREADS = EAD_HOST_WARPGROUP, FIRST_ADDRESS = 1024 /* as on a GPU */;

struct Operand {
    uint64_t bits;
    unsigned lines; /* rows or columns */
    bool across;
};

inline unsigned field(uint64_t bits, int first) {
    return static_cast<unsigned>(bits >> first & 0x3FFF) << 4;
}

inline void check(const Operand &o) {
    if (o.bits >> 62 != 1 || o.bits & ~(UINT64_C(3) << 62 | UINT64_C(0x3FFF3FFF3FFF)))
        ead_host_fail("operand %016llx: not of chunks exchanged in lines of 128 bytes, with base 0",
                      static_cast<unsigned long long>(o.bits));
    const unsigned within = field(o.bits, 0) % 1024, stride = field(o.bits, 32), leading = field(o.bits, 16);
    if (within >= (o.across ? 1 : 128) || stride % 1024 || (o.across && leading % 1024))
        ead_host_fail("operand %016llx: patterns do not begin at multiples of 1024 bytes",
                      static_cast<unsigned long long>(o.bits));
}

/* Number (line, k), k < 16. */
inline uint16_t number(const Operand &o, unsigned line, unsigned k) {
    const unsigned leading = field(o.bits, 16), stride = field(o.bits, 32);
    unsigned address = field(o.bits, 0);
    if (o.across)
        address += line / 64 * leading + line % 64 * 2 + k / 8 * stride + k % 8 * 128;
    else
        address += line / 8 * stride + line % 8 * 128 + k * 2;
    address ^= address >> 3 & 0x70;
    if (address < FIRST_ADDRESS) ead_host_fail("an operand lies before shared memory");
    uint16_t value;
    memcpy(&value, static_cast<unsigned char *>(ead_host_dynamic_shared()) + (address - FIRST_ADDRESS), 2);
    return value;
}

inline std::vector<uint16_t> numbers(const Operand &o) {
    std::vector<uint16_t> all;
    for (unsigned line = 0; line < o.lines; line++)
        for (unsigned k = 0; k < 16; k++) all.push_back(number(o, line, k));
    return all;
}

struct Product {
    int group;
    float *first_sum; /* of thread 0 */
    Operand operands[2];
    std::vector<uint16_t> read[2];
};

struct Sums { /* what registers hold that seem to hold NaNs */
    float *c[THREADS];
    std::vector<float> values[THREADS];
};

struct Group {
    std::vector<Product> pending;
    std::vector<Sums> sums;
    int group = 0;
    bool fenced = false;
};

inline Group groups[EAD_HOST_THREADS / THREADS];

inline Group &mine() {
    return groups[threadIdx.x / THREADS];
}

struct Arguments { /* of a thread */
    float *c;
    uint64_t a, b;
};

inline void check_start(const Arguments *const threads[THREADS]) {
    for (unsigned i = 0; i < THREADS; i++)
        if (threads[i]->a != threads[0]->a || threads[i]->b != threads[0]->b)
            ead_host_fail("threads of a warpgroup have different operands");
    for (unsigned i = 0; i < blockDim.x; i++)
        if (ead_host_mma::copies[i].arrived)
            ead_host_fail("a product starts, and no fence was between copies of thread %u and it", i);
    if (!mine().fenced) ead_host_fail("a product starts without a fence");
}

/* The sums that start at the pointers of the threads, set aside. */
inline Sums &set_aside(const Arguments *const threads[THREADS], unsigned count) {
    for (Sums &sums : mine().sums)
        if (sums.c[0] == threads[0]->c) return sums;
    Sums &sums = mine().sums.emplace_back();
    for (unsigned i = 0; i < THREADS; i++) {
        sums.c[i] = threads[i]->c;
        sums.values[i].assign(sums.c[i], sums.c[i] + count);
        memset(sums.c[i], 0xFF, count * sizeof(float));
    }
    return sums;
}

template <typename T> float as_float(uint16_t bits) {
    return ead_float(std::bit_cast<T>(bits));
}

template <typename T, bool ACROSS, unsigned J> void start(void *const arguments[THREADS]) {
    const Arguments *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) threads[i] = static_cast<Arguments *>(arguments[i]);
    check_start(threads);
    Product p = {
        mine().group, threads[0]->c, {{threads[0]->a, 64, ACROSS}, {threads[0]->b, 8 * J, ACROSS}}, {}};
    for (int k = 0; k < 2; k++) {
        check(p.operands[k]);
        p.read[k] = numbers(p.operands[k]);
    }
    float a[64][16], b[8 * J][16];
    std::transform(p.read[0].begin(), p.read[0].end(), &a[0][0], as_float<T>);
    std::transform(p.read[1].begin(), p.read[1].end(), &b[0][0], as_float<T>);
    Sums &sums = set_aside(threads, 4 * J);
    for (unsigned i = 0; i < THREADS; i++)
        for (unsigned r = 0; r < 4 * J; r++) {
            const unsigned row = i / 32 * 16 + i % 32 / 4 + r / 2 % 2 * 8,
                           column = r / 4 * 8 + i % 4 * 2 + r % 2;
            float sum = 0;
            for (unsigned k = 0; k < 16; k++) sum += a[row][k] * b[column][k];
            sums.values[i][r] += sum;
        }
    mine().pending.push_back(std::move(p));
}

inline void fence(void *const[THREADS]) {
    mine().fenced = true;
}

inline void commit(void *const[THREADS]) {
    mine().group++;
    mine().fenced = false;
}

inline void hand_out(const Sums &sums) {
    for (unsigned i = 0; i < THREADS; i++) std::copy(sums.values[i].begin(), sums.values[i].end(), sums.c[i]);
}

template <int N> void wait(void *const[THREADS]) {
    Group &g = mine();
    auto is_over = [&](const Product &p) { return p.group < g.group - N; };
    for (const Product &p : g.pending)
        for (int k = 0; is_over(p) && k < 2; k++)
            if (numbers(p.operands[k]) != p.read[k])
                ead_host_fail("shared memory was written while a product read it");
    std::erase_if(g.pending, is_over);
    std::erase_if(g.sums, [&](const Sums &sums) {
        auto adds_to = [&](const Product &p) { return p.first_sum == sums.c[0]; };
        if (std::any_of(g.pending.begin(), g.pending.end(), adds_to)) return false;
        hand_out(sums);
        return true;
    });
}

} // namespace ead_host_wgmma

inline unsigned ead_shared_address(const void *shared) {
    return static_cast<unsigned>(static_cast<const unsigned char *>(shared) -
                                 static_cast<unsigned char *>(ead_host_dynamic_shared())) +
           ead_host_wgmma::FIRST_ADDRESS;
}

inline void ead_fence_async_proxy() {
    ead_host_mma::mine().arrived = false;
}

template <int I, int J> inline void ead_group_begin(float (&)[I][J][4]) {}

inline void ead_group_fence(EadHostLine line = EadHostLine::current()) {
    ead_host_warpgroup(ead_host_wgmma::fence, nullptr, line);
}

inline void ead_group_commit(EadHostLine line = EadHostLine::current()) {
    ead_host_warpgroup(ead_host_wgmma::commit, nullptr, line);
}

template <int N> inline void ead_group_wait(EadHostLine line = EadHostLine::current()) {
    ead_host_warpgroup(ead_host_wgmma::wait<N>, nullptr, line);
}

template <int I, int J>
inline void ead_group_finish(float (&)[I][J][4], EadHostLine line = EadHostLine::current()) {
    ead_host_warpgroup(ead_host_wgmma::wait<0>, nullptr, line);
}

template <typename T, bool ACROSS, int J>
inline void ead_group_multiply(float (&c)[J][4], uint64_t a, uint64_t b,
                               EadHostLine line = EadHostLine::current()) {
    ead_host_wgmma::Arguments mine = {&c[0][0], a, b};
    ead_host_warpgroup(ead_host_wgmma::start<T, ACROSS, J>, &mine, line);
}
