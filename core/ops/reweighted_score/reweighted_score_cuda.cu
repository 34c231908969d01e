/* Re-weighted scores on CUDA: a block finds an image's farthest query; warps measure the bank from its nearest row; a
 * block picks the nearest of these one after another and weighs. */
#include "core/cuda/reduce.cuh"

#include "core/ops/reweighted_score/reweighted_score.h"

enum { THREADS = EAD_REDUCE_BLOCK, WARP = 32, MAX_BLOCKS = 1024 };

typedef struct CudaReweight {
    int positions, columns; /* of an image's queries and of what was found for each */
    int rows, length, neighbours;
} CudaReweight;

/* Of the threads' candidates the one with the largest value, of equal ones with the lowest number, in all threads. */
static __device__ inline int best_of_block(float value, int number) {
    __shared__ float values[THREADS];
    __shared__ int numbers[THREADS];
    int mine = static_cast<int>(threadIdx.x);
    __syncthreads(); /* the last call's have been read */
    values[mine] = value;
    numbers[mine] = number;
    __syncthreads();
    for (int step = THREADS / 2; step > 0; step /= 2) {
        if (mine < step) {
            float other = values[mine + step];
            bool larger =
                other > values[mine] || (other == values[mine] && numbers[mine + step] < numbers[mine]);
            if (larger) values[mine] = other, numbers[mine] = numbers[mine + step];
        }
        __syncthreads();
    }
    return numbers[0];
}

/* at[n]: the position of image n's farthest query. */
static __global__ void find_farthest(CudaReweight s, const float *found, int *at) {
    int64_t first = static_cast<int64_t>(blockIdx.x) * s.positions;
    float most = -1;
    int mine = s.positions;
    for (int i = static_cast<int>(threadIdx.x); i < s.positions; i += THREADS) {
        float value = found[(first + i) * s.columns];
        if (value > most) most = value, mine = i;
    }
    int best = best_of_block(most, mine);
    if (threadIdx.x == 0) at[blockIdx.x] = best;
}

static __device__ inline int match_of(const CudaReweight &s, const float *found, const int *at,
                                      int64_t image) {
    return static_cast<int>(found[(image * s.positions + at[image]) * s.columns + s.columns / 2]);
}

/* distance[n][r]: squared, from the nearest row of image n's farthest query to row r. A warp a row. */
static __global__ void measure_rows(CudaReweight s, const float *found, const int *at, const float *bank,
                                    float *distance) {
    int lane = static_cast<int>(threadIdx.x) % WARP, warps = THREADS / WARP;
    int match = match_of(s, found, at, blockIdx.y);
    if (match >= s.rows) return;
    const float *from = bank + static_cast<int64_t>(match) * s.length;
    for (int r = static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / WARP; r < s.rows;
         r += static_cast<int>(gridDim.x) * warps) {
        const float *row = bank + static_cast<int64_t>(r) * s.length;
        double sum = 0;
        for (int k = lane; k < s.length; k += WARP) {
            double d = static_cast<double>(from[k]) - static_cast<double>(row[k]);
            sum += d * d;
        }
        sum = ead_warp_sum(sum);
        if (lane == 0) distance[static_cast<int64_t>(blockIdx.y) * s.rows + r] = static_cast<float>(sum);
    }
}

/* The distance from query number `query` to a row, in all threads. */
static __device__ inline double distance_to(const CudaReweight &s, const EadStored &queries, int64_t query,
                                            const float *row) {
    double sum = 0;
    for (int k = static_cast<int>(threadIdx.x); k < s.length; k += THREADS) {
        double d = static_cast<double>(ead_get(queries, query * s.length + k)) - static_cast<double>(row[k]);
        sum += d * d;
    }
    return sqrt(ead_block_sum(sum));
}

/* A block an image. What has been taken is set to infinity in distance. */
static __global__ void weigh(CudaReweight s, EadStored queries, const float *found, const int *at,
                             const float *bank, float *distance, EadStored score) {
    int64_t image = blockIdx.x, query = image * s.positions + at[image];
    double d[EAD_REWEIGHT_MAX], most = 0, sum = 0;
    float *mine = distance + image * s.rows;
    if (match_of(s, found, at, image) >= s.rows) {
        if (threadIdx.x == 0) ead_put(score, image, INFINITY);
        return;
    }
    for (int i = 0; i < s.neighbours; i++) {
        float least = INFINITY;
        int number = s.rows;
        for (int r = static_cast<int>(threadIdx.x); r < s.rows; r += THREADS)
            if (mine[r] < least) least = mine[r], number = r;
        int row = best_of_block(-least, number);
        if (threadIdx.x == 0) mine[row] = INFINITY;
        __syncthreads();
        d[i] = distance_to(s, queries, query, bank + static_cast<int64_t>(row) * s.length);
        most = d[i] > most ? d[i] : most;
    }
    for (int i = 0; i < s.neighbours; i++) sum += exp(d[i] - most);
    double nearest = sqrt(static_cast<double>(found[query * s.columns]));
    if (threadIdx.x == 0) ead_put(score, image, static_cast<float>(nearest * (1 - exp(d[0] - most) / sum)));
}

static void plan(EadCall *call) {
    size_t images = static_cast<size_t>(call->x[0]->n), rows = static_cast<size_t>(call->x[2]->n);
    call->workspace_bytes = images * (rows * sizeof(float) + sizeof(int));
    call->multiply_adds = static_cast<double>(ead_count(call->x[2])) * call->x[0]->n;
}

static void run(const EadCall *call) {
    const EadTensor *q = call->x[0], *found = call->x[1], *bank = call->x[2];
    CudaReweight s = {q->h * q->w, found->c, bank->n, bank->c, *static_cast<const int *>(call->attributes)};
    const float *neighbours = static_cast<const float *>(found->data),
                *rows = static_cast<const float *>(bank->data);
    float *distance = static_cast<float *>(call->workspace);
    int *at = reinterpret_cast<int *>(distance + static_cast<int64_t>(q->n) * s.rows);
    unsigned images = static_cast<unsigned>(q->n);
    int blocks = (s.rows + THREADS / WARP - 1) / (THREADS / WARP);
    EAD_LAUNCH(find_farthest, images, THREADS, 0, call->stream, s, neighbours, at);
    EAD_LAUNCH(measure_rows, dim3(static_cast<unsigned>(blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS), images),
               THREADS, 0, call->stream, s, neighbours, at, rows, distance);
    EAD_LAUNCH(weigh, images, THREADS, 0, call->stream, s, ead_stored(q), neighbours, at, rows, distance,
               ead_stored(call->y));
}

EAD_CUDA_KERNEL(reweighted_score, .run = run, .plan = plan, .half_in = 1);
