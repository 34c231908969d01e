/* The instructions of tensor-core kernels, as inline functions: asynchronous copies into shared memory,
 * fragment loads, matrix products of a warp. <mma_target.cuh> is core/cuda/device/mma_target.cuh (PTX of
 * sm_80) or test/cuda_host/mma_target.cuh (plain code on the documented layout), chosen by the include path.
 * Both define, for the operand types __half, __nv_bfloat16 and float (multiplied as TF32):
 *
 * ead_copy_async<BYTES>(shared, global, inside)
 *                            8 or 16 bytes, aligned to their size, read through L1; zeros, without
 *                            reading, if not inside
 * ead_copy_async_streamed(shared, global)
 *                            16 bytes, past L1
 * ead_copy_commit()          all copies since the last commit form a group
 * ead_copy_wait<N>()         until at most N groups of this thread are under way
 * ead_load_matrices(r, row)  four 8x8 matrices of 16-bit numbers (or 8x4 of 32-bit ones): lane l gives the
 *                            address of row l%8 of matrix l/8; r[m] is what lane l holds of matrix m: row
 *                            l/4, 4 bytes at 4 (l%4)
 * ead_load_matrices_transposed(r, row)
 *                            16-bit only: r[m] = rows 2 (l%4) and 2 (l%4) + 1, column l/4
 * ead_round_operand<T>(r)    a register of T as the product wants it: float to nearest TF32
 * ead_multiply<T>(c, a, b0, b1)
 *                            c += a b, a 16 rows x 32 bytes, b 32 bytes x 8 columns
 *
 * Layout of the product, g = lane/4, t = lane%4, k counted in pairs of 16-bit numbers or in single floats:
 *   a[0] (g, t)   a[1] (g+8, t)   a[2] (g, t+4)   a[3] (g+8, t+4)    row, k
 *   b0 (t, g)     b1 (t+4, g)                                        k, column
 *   c[0] (g, 2t)  c[1] (g, 2t+1)  c[2] (g+8, 2t)  c[3] (g+8, 2t+1)   row, column
 * All functions of a warp are called by all its 32 lanes. */
#pragma once

#include "core/cuda/cuda.cuh"

#include <mma_target.cuh>
