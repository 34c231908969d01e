/* Channel sums on CUDA: bound by memory bandwidth; one launch. */
#include "core/cuda/reduce.cuh"

/* A block has a tile of at most TILE groups of eight channels and a slice of the rows. */
constexpr unsigned TILE = 8, MAX_BLOCKS = 512, ROWS_OF_A_THREAD = 4;

typedef struct Shape {
    int64_t rows;
    int channels;
    unsigned tiles, slices;
    unsigned wide; /* groups of a tile: threads of a block are wide x (EAD_REDUCE_BLOCK / wide) */
} Shape;

static Shape shape_of(const EadTensor *x) {
    Shape s = {ead_count(x) / x->c, x->c, 0, 0, 1};
    unsigned groups = static_cast<unsigned>(x->c + EAD_GROUP - 1) / EAD_GROUP;
    while (s.wide < groups && s.wide < TILE) s.wide *= 2;
    s.tiles = (groups + s.wide - 1) / s.wide;
    int64_t rows = EAD_REDUCE_BLOCK / s.wide * ROWS_OF_A_THREAD, slices = (s.rows + rows - 1) / rows,
            limit = s.tiles < MAX_BLOCKS ? MAX_BLOCKS / s.tiles : 1;
    s.slices = static_cast<unsigned>(slices < limit ? slices : limit);
    return s;
}

/* The block's sums over threadIdx.y, in the threads of its first row. */
static __device__ inline void sum_rows(double v[EAD_GROUP]) {
    __shared__ double parts[EAD_REDUCE_BLOCK][EAD_GROUP];
    unsigned mine = threadIdx.y * blockDim.x + threadIdx.x;
    for (unsigned left = blockDim.y / 2; left > 0; left /= 2) {
        if (threadIdx.y >= left && threadIdx.y < 2 * left)
#pragma unroll
            for (int k = 0; k < EAD_GROUP; k++) parts[mine][k] = v[k];
        __syncthreads();
        if (threadIdx.y < left)
#pragma unroll
            for (int k = 0; k < EAD_GROUP; k++) v[k] += parts[mine + left * blockDim.x][k];
    }
}

/* What a thread sums of its slice: v[k] = sum over its rows of x[r, c + k]. With type and alignment known to
 * the compiler (whole), it has several loads under way at a time. */
template <bool whole, EadType type>
static __device__ inline void sum_slice(const Shape &s, EadStored x, int c, int n, double sums[EAD_GROUP]) {
    if (whole) x.type = type, x.aligned = true, n = EAD_GROUP;
#pragma unroll 4
    for (int64_t r = ead_first_row(); r < s.rows; r += ead_row_step()) {
        float v[EAD_GROUP];
        ead_load(x, r * s.channels + c, n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) sums[k] += static_cast<double>(v[k]);
    }
}

/* y[c] = sum over rows r of x[r,c], in double. blockIdx.x is the tile of channels and blockIdx.y the slice:
 * every slices-th block row. A thread has eight channels of every (slices * blockDim.y)-th row. partials
 * [slices][channels]; the last block of a tile adds its slices up, in order. */
template <bool whole, EadType type>
static __global__ void channel_sum(Shape s, EadStored x, double *partials, unsigned *counters, float *y) {
    int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * EAD_GROUP;
    int n = c < s.channels ? ead_group_size(c, s.channels) : 0;
    double sums[EAD_GROUP] = {0};
    if (n) sum_slice<whole, type>(s, x, c, n, sums);
    sum_rows(sums);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++)
        if (threadIdx.y == 0 && k < n)
            partials[static_cast<int64_t>(blockIdx.y) * s.channels + c + k] = sums[k];
    if (!ead_last_block(counters + blockIdx.x, s.slices)) return;
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) sums[k] = 0;
    for (unsigned slice = threadIdx.y; slice < s.slices; slice += blockDim.y)
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < n) sums[k] += __ldcg(partials + static_cast<int64_t>(slice) * s.channels + c + k);
    sum_rows(sums);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++)
        if (threadIdx.y == 0 && k < n) y[c + k] = static_cast<float>(sums[k]);
}

static void plan(EadCall *call) {
    Shape s = shape_of(call->x[0]);
    call->workspace_bytes = s.slices * static_cast<size_t>(s.channels) * sizeof(double);
    call->state_bytes = s.tiles * sizeof(unsigned);
}

template <bool whole, EadType type> static void launch(const EadCall *call, EadStored x) {
    Shape s = shape_of(call->x[0]);
    EAD_LAUNCH((channel_sum<whole, type>), dim3(s.tiles, s.slices), dim3(s.wide, EAD_REDUCE_BLOCK / s.wide),
               0, call->stream, s, x, static_cast<double *>(call->workspace),
               static_cast<unsigned *>(call->state), static_cast<float *>(call->y->data));
}

static void run(const EadCall *call) {
    EadStored x = ead_stored(call->x[0], call->x[0]->c);
    if (!x.aligned)
        launch<false, EAD_REAL>(call, x);
    else if (x.type == EAD_REAL)
        launch<true, EAD_REAL>(call, x);
    else if (x.type == EAD_F16)
        launch<true, EAD_F16>(call, x);
    else
        launch<true, EAD_BF16>(call, x);
}

EAD_CUDA_KERNEL(channel_sum, .run = run, .plan = plan, .half_in = 1);
