/* The matrix products of warpgroups: instructions that only compute capability 9.0 has (sm_90a), apart from
 * mma.cuh because nothing else can be compiled with them. <wgmma_target.cuh> is
 * core/cuda/device/wgmma_target.cuh or test/cuda_host/wgmma_target.cuh, chosen by the include path. A
 * warpgroup is four warps, the first a multiple of four; its 128 threads call all of these together.
 *
 * ead_shared_address(p)      address in shared memory, for operands
 * ead_fence_async_proxy()    what this thread has written there (copies that it waited for, too) is seen
 *                            by products that start after the next barrier
 * ead_group_begin(c)         before the first product: the sums c, of all products, are set
 * ead_group_fence()          before each group of products
 * ead_group_multiply<T, ACROSS>(c, a, b)
 *                            starts c += a b: a 64 rows x 16 k, b 16 k x 8 J columns, c[J][4]
 * ead_group_commit()         all products since the last commit form a group
 * ead_group_wait<N>()        until at most N groups are under way: what others read is free
 * ead_group_finish(c)        until all are done; only then may c be touched again
 *
 * Sums are spread over a warpgroup as an mma.sync's (mma.cuh) over a warp: with w = warp % 4, g = lane/4,
 * t = lane%4, c[j] are columns 8j + 2t and 8j + 2t + 1 of row 16w + g, then of row 16w + g + 8.
 *
 * An operand lies in shared memory and is described by 64 bits: 0-13 its address, 16-29 the "leading" and
 * 32-45 the "stride" offset, all in units of 16 bytes; 62-63 are 1: patterns of 8 lines of 128 bytes, each
 * at a multiple of 1024 bytes, in which 16-byte chunks are exchanged by chunk ^ line % 8. By ACROSS:
 *
 * - false ("K-major"): a line is 64 numbers of k of one row of a or column of b; the next 8 rows come
 *   `stride` bytes later; leading is not used (1). The next 16 k lie 32 bytes further on, before exchange.
 * - true ("MN-major"): a line is 64 rows of a or columns of b at one k; the next 8 k come `stride` bytes
 *   later, the next 64 rows `leading` bytes.
 *
 * Only for 16-bit numbers. TF32 stays with mma.sync: wgmma cuts floats off where ours are rounded to
 * nearest, and takes floats K-major only, so it could not do the weight gradient. */
#pragma once

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
