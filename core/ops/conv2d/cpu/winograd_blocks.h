/* What Winograd convolutions do with one block of tiles: transform its inputs, and multiply them with the
 * transformed weights of one or more panels of output channels. What becomes of the products is the caller's
 * business (conv2d_winograd.c, conv2d_pool_winograd.c). */
#ifndef EAD_CORE_WINOGRAD_BLOCKS_H
#define EAD_CORE_WINOGRAD_BLOCKS_H

#include "core/ops/conv2d/cpu/winograd_layout.h"

/* Most tiles of a block of one thread's own. With fewer the weights, which pass through the cache once a
 * block, weigh more; with more a block falls out of the second-level cache. */
enum { EAD_WINOGRAD_BLOCK = 36 };

typedef struct EadWinograd {
    const EadSimd *simd;
    const EadWinogradKernels *kernels;
    EadTileGrid grid;
    bool flipped;                         /* input gradient: the kernel turned over, o and i exchanged */
    int numbers;                          /* tile * tile */
    int64_t panels, together;             /* of output channels: all; multiplied before the transform back */
    int64_t v_stride, m_stride, u_stride; /* from number to number */
    int64_t v_size, m_size;               /* reals of a block's inputs and products */
} EadWinograd;

/* The convolution g; flipped: its input gradient. Blocks are to be chosen by ead_winograd_blocks. */
EadWinograd ead_winograd(const EadConvGeometry *g, int tile, bool flipped);

/* Whether the transformed weights stay in the last-level cache, so that it does not matter how often they are
 * read: then small blocks of one thread's own are faster, else large ones that all threads share. */
bool ead_winograd_own_blocks(const EadWinograd *w);

/* For blocks of at most `block` tiles that multiply `together` panels at a time. */
void ead_winograd_blocks(EadWinograd *w, int64_t block, int64_t together);

/* What a call that needs `reals` of workspace tells the planner and the bench. */
void ead_winograd_describe_call(const EadWinograd *w, int64_t reals, EadCall *call);

/* Transformed weights as [number][panel][in channel][panel width]. */
void ead_winograd_prepare(const EadWinograd *w, const EadConvGeometry *g, const real *weight, real *prepared);

/* The part of a thread in the work on a block: index of `of`. 0 of 1 if the block is its own. */
typedef struct EadThreadRange {
    int index, of;
} EadThreadRange;

static const EadThreadRange EAD_OWN = {0, 1};

static inline int64_t ead_share_begin(EadThreadRange share, int64_t count) {
    return count * share.index / share.of;
}

/* v [number][tile][in channel] of `count` tiles, shared out by tile. zeros: as many as input channels. */
void ead_winograd_inputs(const EadWinograd *w, const EadTilePlace *places, int64_t count,
                         EadThreadRange share, const real *x, const real *zeros, real *v);

/* m [number][tile][panels together x panel width] from panel `first` on, shared out by number. */
void ead_winograd_multiply(const EadWinograd *w, int64_t count, EadThreadRange share, const real *v,
                           const real *prepared, int64_t first, real *m);

#endif
