/* The host runner itself: what it computes, and that it notices what a GPU would not say. */
#include "core/cuda/wgmma.cuh"
#include "test/support/suite.h"

#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 96 };

/* ---- what kernels compute ---- */

/* y[i] = sum of the block's x, by a tree in shared memory; the last step by shuffles. */
template <typename T> static __global__ void sum_block(const T *x, T *y) {
    __shared__ T parts[BLOCK];
    unsigned i = threadIdx.x + blockDim.x * threadIdx.y;
    parts[i] = x[blockIdx.x * BLOCK + i];
    __syncthreads();
    if (i < 32) {
        T sum = parts[i] + parts[i + 32] + parts[i + 64];
        for (int bit = 16; bit; bit /= 2) sum += __shfl_xor_sync(~0u, sum, bit);
        parts[i] = sum;
    }
    __syncthreads();
    y[blockIdx.x * BLOCK + i] = parts[0];
}

template <typename T> static void check_sums() {
    T x[4 * BLOCK], y[4 * BLOCK];
    for (int i = 0; i < 4 * BLOCK; i++) x[i] = static_cast<T>(i * i % 17);
    EAD_LAUNCH(sum_block<T>, 4, dim3(8, 12), 0, nullptr, x, y);
    for (int b = 0; b < 4; b++) {
        T sum = 0;
        for (int i = 0; i < BLOCK; i++) sum += x[b * BLOCK + i];
        for (int i = 0; i < BLOCK; i++) ck_assert(y[b * BLOCK + i] == sum);
    }
}

START_TEST(blocks_share_memory) {
    for (int descending = 0; descending < 2; descending++) {
        ead_host_descend(descending);
        check_sums<float>();
        check_sums<double>();
        check_sums<int>();
    }
    ead_host_descend(false);
}
END_TEST

/* Every warp instruction, lane by lane, in segments and with a mask of half a warp. */
static __global__ void warp_instructions(int *y) {
    int lane = static_cast<int>(threadIdx.x % 32), *mine = y + threadIdx.x * 10;
    mine[0] = __shfl_sync(~0u, lane, 5);
    mine[1] = __shfl_sync(~0u, lane, 3, 8);
    mine[2] = __shfl_down_sync(~0u, lane, 3, 8);
    mine[3] = __shfl_up_sync(~0u, lane, 3, 8);
    mine[4] = __shfl_xor_sync(~0u, lane, 12);
    mine[5] = static_cast<int>(__ballot_sync(~0u, lane % 3 == 0));
    mine[6] = __any_sync(~0u, lane == 7) + 2 * __all_sync(~0u, lane < 31);
    unsigned half = lane < 16 ? 0xFFFFu : 0xFFFF0000u;
    mine[7] = __reduce_add_sync(half, lane);
    mine[8] = __reduce_min_sync(half, lane) + 100 * __reduce_max_sync(half, lane);
    __syncwarp();
    mine[9] = static_cast<int>(__popc(__ballot_sync(half, 1)));
}

START_TEST(warps_go_in_lock_step) {
    int y[64][10];
    EAD_LAUNCH(warp_instructions, 1, 64, 0, nullptr, &y[0][0]);
    for (int i = 0; i < 64; i++) {
        int lane = i % 32, in_segment = lane % 8;
        ck_assert_int_eq(y[i][0], 5);
        ck_assert_int_eq(y[i][1], lane - in_segment + 3);
        ck_assert_int_eq(y[i][2], in_segment + 3 < 8 ? lane + 3 : lane);
        ck_assert_int_eq(y[i][3], in_segment >= 3 ? lane - 3 : lane);
        ck_assert_int_eq(y[i][4], lane ^ 12);
        ck_assert_int_eq(y[i][5], 0x49249249);
        ck_assert_int_eq(y[i][6], 1);
        ck_assert_int_eq(y[i][7], lane < 16 ? 120 : 376);
        ck_assert_int_eq(y[i][8], lane < 16 ? 1500 : 3116);
        ck_assert_int_eq(y[i][9], 16);
    }
}
END_TEST

/* A histogram with atomics in dynamic shared memory; the last block to come adds up. */
static __global__ void histogram(const unsigned char *x, unsigned *bins, unsigned *blocks, unsigned *total) {
    EAD_DYNAMIC_SHARED(unsigned, mine);
    mine[threadIdx.x] = 0;
    __syncthreads();
    atomicAdd(&mine[x[blockIdx.x * blockDim.x + threadIdx.x] % blockDim.x], 1);
    __syncthreads();
    atomicAdd(&bins[threadIdx.x], mine[threadIdx.x]);
    __threadfence();
    __syncthreads();
    int last = __syncthreads_or(threadIdx.x == 0 && atomicAdd(blocks, 1) == gridDim.x - 1);
    if (last) atomicMax(total, bins[threadIdx.x]);
}

START_TEST(atomics_and_dynamic_shared_memory) {
    unsigned char x[5 * 64];
    unsigned bins[64] = {0}, expected[64] = {0}, blocks = 0, most = 0, total = 0;
    for (int i = 0; i < 5 * 64; i++) expected[(x[i] = static_cast<unsigned char>(i * i * 7)) % 64]++;
    EAD_LAUNCH(histogram, 5, 64, 64 * sizeof(unsigned), nullptr, x, bins, &blocks, &total);
    for (int i = 0; i < 64; i++) {
        ck_assert_uint_eq(bins[i], expected[i]);
        most = max(most, expected[i]);
    }
    ck_assert_uint_eq(blocks, 5);
    ck_assert_uint_eq(total, most);
}
END_TEST

/* ---- what is wrong with a kernel ---- */

static __global__ void part_at_barrier(int *y) {
    if (threadIdx.x < 16)
        __syncthreads();
    else
        __syncthreads();
    y[threadIdx.x] = 0;
}
static __global__ void leave_early(int *y) {
    if (threadIdx.x == 5) return;
    __syncthreads();
    y[threadIdx.x] = 0;
}
static __global__ void lane_stays_away(int *y) {
    if (threadIdx.x != 9) y[threadIdx.x] = __shfl_sync(~0u, 1, 0);
    __syncthreads();
}
static __global__ void lane_of_no_thread(int *y) {
    y[threadIdx.x] = __shfl_sync(~0u, 1, 0);
}
static __global__ void lanes_part(int *y) {
    if (threadIdx.x % 2)
        y[threadIdx.x] = __any_sync(~0u, 1);
    else
        y[threadIdx.x] = __all_sync(~0u, 1);
}
static __global__ void beyond_shared(int *y) {
    __shared__ int parts[32];
    int *part = parts;
    asm("" : "+r"(part)); /* the compiler must not know how large it is: the red zone is what is tested */
    part[threadIdx.x + 1] = 1;
    __syncthreads();
    y[threadIdx.x] = part[threadIdx.x];
}
static __global__ void beyond_dynamic_shared(int *y) {
    EAD_DYNAMIC_SHARED(int, parts);
    parts[threadIdx.x] = 1;
    y[threadIdx.x] = parts[threadIdx.x];
}
static __global__ void beyond_global(int *y) {
    y[threadIdx.x + 1] = 0;
}
static __global__ void misaligned(int *y) {
    *reinterpret_cast<int4 *>(y + threadIdx.x + 1) = make_int4(0, 0, 0, 0);
}

/* A product of a warpgroup, of 64 rows and 64 columns: 8 KB of shared memory with all 64 numbers of k. */
static void start_product(float (&c)[1][8][4], const unsigned char *a, const unsigned char *b) {
    ead_group_multiply<__half, false>(c[0], ead_group_operand(a, 16, EAD_PATTERN),
                                      ead_group_operand(b, 16, EAD_PATTERN));
    ead_group_commit();
}
static __global__ void operands_differ(int *) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    float c[1][8][4] = {};
    ead_group_fence();
    start_product(c, shared, shared + threadIdx.x / 32 * 32);
}
static __global__ void product_without_fence(int *) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    float c[1][8][4] = {};
    start_product(c, shared, shared);
}
static __global__ void operand_out_of_pattern(int *) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    float c[1][8][4] = {};
    ead_group_fence();
    start_product(c, shared, shared + 128);
}
static __global__ void operand_not_fenced(int *y) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    float c[1][8][4] = {};
    ead_copy_async<16>(shared + threadIdx.x * 16, y, true);
    ead_copy_commit();
    ead_copy_wait<0>();
    __syncthreads();
    ead_group_fence();
    start_product(c, shared, shared);
}
static __global__ void product_begun(int *) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    float c[1][8][4] = {};
    ead_group_fence();
    start_product(c, shared, shared);
}
static __global__ void operand_overwritten(int *) {
    EAD_DYNAMIC_SHARED(unsigned char, shared);
    float c[1][8][4] = {};
    ead_group_fence();
    start_product(c, shared, shared);
    shared[threadIdx.x] = 0;
    ead_group_finish(c);
}

typedef struct Misuse {
    const char *expected; /* in the message */
    void (*kernel)(int *y);
    unsigned grid, block;
    size_t shared;
} Misuse;

static const Misuse misuses[] = {
    {"two barriers at a time", part_at_barrier, 1, 32, 0},
    {"has left the kernel", leave_early, 1, 32, 0},
    {"no thread can go on", lane_stays_away, 1, 32, 0},
    {"is not there", lane_of_no_thread, 1, 20, 0},
    {"lanes of one warp part", lanes_part, 1, 32, 0},
    {"global-buffer-overflow", beyond_shared, 1, 32, 0},
    {"heap-buffer-overflow", beyond_dynamic_shared, 1, 32, 31 * sizeof(int)},
    {"heap-buffer-overflow", beyond_global, 1, 32, 0},
    {"misaligned", misaligned, 1, 1, 0},
    {"without four warps", product_begun, 1, 96, 8192},
    {"different operands", operands_differ, 1, 128, 8192},
    {"without a fence", product_without_fence, 1, 128, 8192},
    {"multiples of 1024", operand_out_of_pattern, 1, 128, 8192},
    {"no fence was between copies", operand_not_fenced, 1, 128, 8192},
    {"written while a product", operand_overwritten, 1, 128, 8192},
    {"heap-buffer-overflow", product_begun, 1, 128, 8192 - 16},
    {"cannot be launched", leave_early, 0, 32, 0},
    {"cannot be launched", leave_early, 1, 1025, 0},
    {"bytes of shared memory, allowed are", leave_early, 1, 32, 50000},
};

/* In a process of its own, whose messages are read. */
START_TEST(misuse_ends_the_program) {
    const Misuse *m = &misuses[_i];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        int *y = static_cast<int *>(malloc(32 * sizeof *y));
        EAD_LAUNCH(m->kernel, m->grid, m->block, m->shared, nullptr, y);
        _exit(0);
    }
    close(ends[1]);
    char text[65536];
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], text + length, sizeof text - 1 - length)) > 0;)
        length += static_cast<size_t>(got);
    text[length] = 0;
    close(ends[0]);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status != 0 && strstr(text, m->expected), "%s is not in: %s", m->expected, text);
}
END_TEST

int main() {
    Suite *suite = suite_create("cuda host runner");
    TCase *tests = tcase_create("runner");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, blocks_share_memory);
    tcase_add_test(tests, warps_go_in_lock_step);
    tcase_add_test(tests, atomics_and_dynamic_shared_memory);
    tcase_add_loop_test(tests, misuse_ends_the_program, 0, sizeof misuses / sizeof *misuses);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
