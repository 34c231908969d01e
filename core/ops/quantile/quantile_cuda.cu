/* Radix selection on CUDA, without a word to the host. Numbers become unsigned keys of the same order; each
 * of three launches counts, among the keys that begin with the digits found so far, how often each next digit
 * occurs, and its last block picks the digit in which the wanted rank lies: 11, 11 and 10 bits. Counts are
 * integers, so the order of arrival does not show in the result. The third launch also looks for the smallest
 * key above all that it counts, which is the neighbour to interpolate with where the last digits hold none.
 */
#include "core/cuda/reduce.cuh"

#include "core/ops/quantile/quantile.h"

#include <math.h>

typedef unsigned long long Count;

enum {
    DIGITS = 1 << 11,
    COPIES = 4, /* of a block's counters in pass 0, where many keys share a digit: lanes get in each
                   other less often */
    DIGITS_OF_A_THREAD = DIGITS / EAD_REDUCE_BLOCK,
};

/* Kept from run to run, and all zero between them. */
typedef struct QuantileState {
    Count digits[DIGITS]; /* how often each occurs */
    Count nans;
    Count rank;        /* of the wanted key among those that begin with prefix */
    unsigned prefix;   /* the digits found so far */
    unsigned not_next; /* ~ the smallest key above all that begin with prefix: 0 where there is none */
    unsigned blocks;   /* that have finished */
} QuantileState;

/* What the passes are about. */
typedef struct Wanted {
    Count rank;
    float weight; /* of the next element, in [0,1) */
} Wanted;

/* Positive numbers get the sign bit, negative ones are inverted. */
static __device__ inline unsigned key_of(float value) {
    unsigned bits = __float_as_uint(value);
    return bits ^ ((0u - (bits >> 31)) | 0x80000000u);
}

static __device__ inline float value_of(unsigned key) {
    return __uint_as_float(key & 0x80000000u ? key ^ 0x80000000u : ~key);
}

/* a + w (b - a), from the nearer end, so that w = 1 gives b exactly. */
static __device__ inline float interpolate(float a, float b, float w) {
    return w < 0.5f ? a + w * (b - a) : b - (b - a) * (1 - w);
}

/* A digit, how many keys have a smaller one, and how many have it. */
typedef struct DigitChoice {
    unsigned digit;
    Count before, inside;
} DigitChoice;

/* Sum of the values of all threads before this one in the block. */
static __device__ inline Count sum_before(Count mine) {
    __shared__ Count warps[EAD_REDUCE_BLOCK / 32];
    unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    Count sum = mine;
    for (unsigned by = 1; by < 32; by *= 2) {
        Count lower = __shfl_up_sync(~0u, sum, by);
        if (lane >= by) sum += lower;
    }
    if (lane == 31) warps[warp] = sum;
    __syncthreads();
    for (unsigned i = 0; i < warp; i++) sum += warps[i];
    return sum - mine;
}

/* The digit in which rank lies; the last block calls it. Each thread has DIGITS_OF_A_THREAD digits, whose
 * counters it clears. next: the first digit after it that occurs, DIGITS if none does. */
static __device__ inline DigitChoice choose_digit(QuantileState *state, Count rank, unsigned *next) {
    __shared__ DigitChoice choice;
    __shared__ unsigned after;
    Count counts[DIGITS_OF_A_THREAD], sum = 0;
    unsigned first = threadIdx.x * DIGITS_OF_A_THREAD;
    for (int k = 0; k < DIGITS_OF_A_THREAD; k++) {
        counts[k] = __ldcg(&state->digits[first + k]);
        state->digits[first + k] = 0;
        sum += counts[k];
    }
    if (threadIdx.x == 0) after = DIGITS;
    Count before = sum_before(sum);
    for (int k = 0; k < DIGITS_OF_A_THREAD; k++) {
        if (before <= rank && rank < before + counts[k]) choice = DigitChoice{first + k, before, counts[k]};
        before += counts[k];
    }
    __syncthreads();
    DigitChoice chosen = choice;
    for (int k = DIGITS_OF_A_THREAD - 1; k >= 0; k--)
        if (counts[k] && first + k > chosen.digit) atomicMin(&after, first + k);
    __syncthreads();
    *next = after;
    return chosen;
}

/* Adds `copies` sets of a block's counters to those of all blocks. */
static __device__ inline void give(const unsigned *counters, int copies, QuantileState *state) {
    __syncthreads();
    for (int digit = static_cast<int>(threadIdx.x); digit < DIGITS; digit += EAD_REDUCE_BLOCK) {
        unsigned sum = 0;
        for (int copy = 0; copy < copies; copy++) sum += counters[copy * DIGITS + digit];
        if (sum) atomicAdd(&state->digits[digit], static_cast<Count>(sum));
    }
}

/* The result, from the last digit; leaves the state as it was before the first pass. One thread. */
static __device__ inline void finish(DigitChoice chosen, unsigned next_digit, unsigned prefix, Count rank,
                                     float weight, QuantileState *state, float *y) {
    float low = value_of(prefix << 10 | chosen.digit);
    unsigned next = next_digit < DIGITS ? prefix << 10 | next_digit : ~__ldcg(&state->not_next);
    bool alone = rank + 1 == chosen.before + chosen.inside && weight > 0;
    *y = __ldcg(&state->nans) ? NAN : alone ? interpolate(low, value_of(next), weight) : low;
    state->nans = 0;
    state->not_next = 0;
}

/* Pass 0 finds the upper 11 bits, and counts the NaNs; pass 1 the next 11 of the keys that begin with these;
 * pass 2 the last 10, and the smallest key with a larger prefix. A thread takes every (threads of the
 * grid)-th group of eight. */
template <int PASS>
static __global__ void find_digit(int64_t count, EadStored x, Wanted wanted, QuantileState *state, float *y) {
    constexpr int copies = PASS == 0 ? COPIES : 1, shift = PASS == 0 ? 21 : PASS == 1 ? 10 : 0;
    constexpr unsigned mask = PASS == 2 ? 1023 : DIGITS - 1;
    __shared__ unsigned counters[copies * DIGITS];
    unsigned *mine = counters + threadIdx.x % copies * DIGITS, nans = 0, not_next = 0, next;
    unsigned prefix = PASS == 0 ? 0 : state->prefix;
    Count rank = PASS == 0 ? wanted.rank : state->rank;
    for (unsigned i = threadIdx.x; i < copies * DIGITS; i += EAD_REDUCE_BLOCK) counters[i] = 0;
    __syncthreads();
    int64_t step = static_cast<int64_t>(gridDim.x) * EAD_REDUCE_BLOCK * EAD_GROUP;
    for (int64_t at = ead_thread() * EAD_GROUP; at < count; at += step) {
        float v[EAD_GROUP];
        int n = ead_group_size(at, count);
        ead_load(x, at, n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) {
            unsigned key = key_of(v[k]), begin = PASS == 0 ? 0 : key >> (PASS == 1 ? 21 : 10);
            if (k < n && begin == prefix) atomicAdd(&mine[key >> shift & mask], 1);
            if (PASS == 0) nans += k < n && v[k] != v[k];
            if (PASS == 2 && k < n && begin > prefix) not_next = max(not_next, ~key);
        }
    }
    give(counters, copies, state);
    if (PASS == 0 && nans) atomicAdd(&state->nans, static_cast<Count>(nans));
    if (PASS == 2) not_next = __reduce_max_sync(~0u, not_next);
    if (PASS == 2 && threadIdx.x % 32 == 0 && not_next) atomicMax(&state->not_next, not_next);
    if (!ead_last_block(&state->blocks, gridDim.x)) return;
    DigitChoice chosen = choose_digit(state, rank, &next);
    if (threadIdx.x != 0) return;
    if (PASS == 2) {
        finish(chosen, next, prefix, rank, wanted.weight, state, y);
    } else {
        state->prefix = prefix << 11 | chosen.digit;
        state->rank = rank - chosen.before;
    }
}

static void plan(EadCall *call) {
    call->state_bytes = sizeof(QuantileState);
}

static void run(const EadCall *call) {
    int64_t count = ead_count(call->x[0]);
    double position = static_cast<const EadQuantile *>(call->attributes)->q * static_cast<double>(count - 1),
           whole = floor(position);
    Wanted wanted = {static_cast<Count>(whole), static_cast<float>(position - whole)};
    QuantileState *state = static_cast<QuantileState *>(call->state);
    unsigned blocks = ead_reduce_blocks(count);
    EadStored x = ead_stored(call->x[0]);
    float *y = static_cast<float *>(call->y->data);
    EAD_LAUNCH(find_digit<0>, blocks, EAD_REDUCE_BLOCK, 0, call->stream, count, x, wanted, state, y);
    EAD_LAUNCH(find_digit<1>, blocks, EAD_REDUCE_BLOCK, 0, call->stream, count, x, wanted, state, y);
    EAD_LAUNCH(find_digit<2>, blocks, EAD_REDUCE_BLOCK, 0, call->stream, count, x, wanted, state, y);
}

EAD_CUDA_KERNEL(quantile, .run = run, .plan = plan);
