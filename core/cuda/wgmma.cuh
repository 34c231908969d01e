/* The matrix products of warpgroups: instructions that only compute capability 9.0 has (sm_90a), apart from
 * mma.cuh because no other target compiles them. <wgmma_target.cuh> is core/cuda/device/wgmma_target.cuh or
 * test/cuda_host/wgmma_target.cuh, chosen by the include path. A warpgroup is four warps, the first of them a
 * multiple of four; all its 128 threads call each of these functions together, with the same operands.
 *
 * ead_shared_address(p)          address in shared memory, for operands
 * ead_fence_async_proxy()        what this thread wrote to shared memory (copies that it waited for, too)
 * will be seen by products that are started after the next barrier ead_group_begin(c)             before the
 * first product: the sums c, of all products, are as they shall be ead_group_fence()              before each
 * group of products ead_group_multiply<T, ACROSS>(c, a, b)   starts c += a b: a 64 rows x 16 k, b 16 k x 8*J
 * columns ead_group_commit()             all products since the last commit form a group ead_group_wait<N>()
 * until at most N groups are under way: the shared memory of others is free ead_group_finish(c) until all are
 * done; only then may c be touched again
 *
 * The sums are spread over the warpgroup as an mma.sync's (mma.cuh) over a warp: with w = warp % 4, g =
 * lane/4, t = lane%4, c[j] holds of rows 16w + g (numbers 0, 1) and 16w + g + 8 (2, 3) the columns 8j + 2t,
 * 8j + 2t + 1.
 *
 * Operands lie in shared memory and are described by 64 bits: bits 0-13 address, 16-29 "leading" and 32-45
 * "stride" offset, each in units of 16 bytes, 62-63 the exchange of chunks: 1, in patterns of 8 lines of 128
 * bytes, which begin at multiples of 1024 bytes, chunk ^ line % 8. What a line is and how patterns follow
 * each other depends on ACROSS: false ("K-major"): a line is a row of a, or a column of b, with 64 numbers of
 * k; the next 8 rows (columns) come `stride` bytes later. Leading is not used. 32 bytes are the 16 k of a
 * product: the next product takes its operand 32 bytes further on in the same patterns. true ("MN-major"): a
 * line is a k, with 64 rows of a, or columns of b; the next 8 k come `stride` bytes later, the next 64 rows
 * (columns) `leading` bytes. Only 16-bit numbers: TF32 stays with mma.sync, for wgmma would cut floats off
 * where our operands are rounded to nearest, takes them K-major only, and so cannot do the weight gradient.
 */
#ifndef EAD_CUDA_WGMMA_CUH
#define EAD_CUDA_WGMMA_CUH

#include "core/cuda/mma.cuh"

#include <wgmma_target.cuh>

enum { EAD_PATTERN = 1024 /* bytes, and the alignment of the first */ };

static __device__ inline uint64_t ead_group_operand(const void *first, unsigned leading, unsigned stride) {
    return (ead_shared_address(first) & 0x3FFFF) >> 4 | static_cast<uint64_t>(leading >> 4) << 16 |
           static_cast<uint64_t>(stride >> 4) << 32 | UINT64_C(1) << 62;
}

/* The operand that lies so many bytes, a multiple of 16, further on. */
static __device__ inline uint64_t ead_group_operand_at(uint64_t operand, int bytes) {
    return operand + static_cast<uint64_t>(bytes / 16);
}

#endif
