/* What Winograd convolutions do with one block of tiles: transform its inputs, and multiply them with the
 * transformed weights of one panel of output channels. A block belongs to one thread and stays in its cache;
 * what becomes of the products is the caller's business (conv2d_winograd.c, conv2d_pool_winograd.c). */
#ifndef EAD_OPS_CONV2D_WINOGRAD_BLOCKS_H
#define EAD_OPS_CONV2D_WINOGRAD_BLOCKS_H

#include "core/ops/conv2d/winograd_layout.h"

/* Tiles of a block. Fewer make the weights, which pass through the cache once a block, weigh more; with more
 * a block falls out of the second-level cache. */
enum { EAD_WINOGRAD_BLOCK = 36 };

typedef struct EadWinograd {
    const EadSimd *simd;
    const EadWinogradKernels *kernels;
    EadTileGrid grid;
    bool flipped;                         /* input gradient: the kernel turned over, o and i exchanged */
    int numbers;                          /* tile * tile */
    int64_t panels;                       /* of output channels */
    int64_t block;                        /* most tiles of a block */
    int64_t v_stride, m_stride, u_stride; /* from number to number */
    int64_t v_size, m_size, u_size; /* reals of a block's inputs, of its products, of a panel's weights */
} EadWinograd;

/* The convolution g on a grid that may be shifted against its outputs by `shift` rows and columns. */
EadWinograd ead_winograd(const EadConvGeometry *g, int tile, bool flipped, int shift, int64_t block);

/* Transformed weights as [panel][number][in channel][panel width]. */
void ead_winograd_prepare(const EadWinograd *w, const EadConvGeometry *g, const real *weight, real *prepared);

/* v [number][tile][in channel] of `count` tiles. zeros: as many as there are input channels. */
void ead_winograd_inputs(const EadWinograd *w, const EadTilePlace *places, int64_t count, const real *x,
                         const real *zeros, real *v);

/* m [number][tile][panel width] for one panel of output channels. */
void ead_winograd_multiply(const EadWinograd *w, int64_t count, const real *v, const real *prepared,
                           int64_t panel, real *m);

#endif
