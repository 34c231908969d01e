/* Nearest neighbours on CUDA: a block takes a tile of queries and a part of the bank, tile by tile, and keeps each
 * query's candidates; a second kernel puts the parts together and measures the candidates. */
#include "core/cuda/reduce.cuh"

#include "core/ops/nearest_rows/nearest_rows.h"

enum { TILE = 32, SIDE = 16, MAX_SPLITS = 32, ROWS_A_SPLIT = 512, WARP = 32 };
enum { SPARE = 3, MAX_LISTED = EAD_NEAREST_MAX + SPARE }; /* candidates beyond what is asked for, and all */

typedef struct CudaNear {
    float value;
    int row;
} CudaNear;

typedef struct CudaSearch {
    int queries, rows, length, listed, count, splits;
    bool indices;
} CudaSearch;

static __device__ inline void insert(CudaNear *list, int listed, CudaNear candidate) {
    int i = listed - 1;
    for (; i >= 0; i--) {
        bool nearer = candidate.value < list[i].value ||
                      (candidate.value == list[i].value && candidate.row < list[i].row);
        if (!nearer) break;
        if (i + 1 < listed) list[i + 1] = list[i];
    }
    if (i + 1 < listed) list[i + 1] = candidate;
}

/* values[q][r] = |m|² - 2 q·m of a tile of queries from q0 on and of rows from r0 on. */
static __device__ void tile_values(const CudaSearch &s, const EadStored &queries, const float *bank, int q0,
                                   int r0, float (*values)[TILE + 1]) {
    __shared__ float q[TILE][TILE + 1], m[TILE][TILE + 1];
    int x = static_cast<int>(threadIdx.x) % SIDE, y = static_cast<int>(threadIdx.x) / SIDE;
    float sum[2][2] = {}, norm[2] = {};
    for (int k0 = 0; k0 < s.length; k0 += TILE) {
        for (int i = static_cast<int>(threadIdx.x); i < TILE * TILE; i += SIDE * SIDE) {
            int row = i / TILE, k = k0 + i % TILE;
            bool inside = k < s.length;
            q[row][i % TILE] = inside && q0 + row < s.queries
                                   ? ead_get(queries, static_cast<int64_t>(q0 + row) * s.length + k)
                                   : 0;
            m[row][i % TILE] =
                inside && r0 + row < s.rows ? bank[static_cast<int64_t>(r0 + row) * s.length + k] : 0;
        }
        __syncthreads();
        for (int k = 0; k < TILE; k++)
            for (int j = 0; j < 2; j++) {
                float b = m[x + SIDE * j][k];
                norm[j] += b * b;
                for (int i = 0; i < 2; i++) sum[i][j] += q[y + SIDE * i][k] * b;
            }
        __syncthreads();
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) values[y + SIDE * i][x + SIDE * j] = norm[j] - 2 * sum[i][j];
    __syncthreads();
}

/* near[split][query][listed]: the candidates of a part of the bank, nearest first. */
static __global__ void search(CudaSearch s, EadStored queries, const float *bank, CudaNear *near) {
    __shared__ float values[TILE][TILE + 1];
    int q0 = static_cast<int>(blockIdx.x) * TILE, mine = static_cast<int>(threadIdx.x);
    int64_t split = blockIdx.y, tiles = (s.rows + TILE - 1) / TILE;
    CudaNear list[MAX_LISTED];
    for (int i = 0; i < s.listed; i++) list[i] = CudaNear{INFINITY, s.rows};
    for (int64_t tile = split * tiles / s.splits; tile < (split + 1) * tiles / s.splits; tile++) {
        int r0 = static_cast<int>(tile) * TILE;
        tile_values(s, queries, bank, q0, r0, values);
        for (int r = 0; mine < TILE && r < TILE && r0 + r < s.rows; r++)
            if (values[mine][r] < list[s.listed - 1].value)
                insert(list, s.listed, CudaNear{values[mine][r], r0 + r});
        __syncthreads();
    }
    if (mine >= TILE || q0 + mine >= s.queries) return;
    for (int i = 0; i < s.listed; i++) near[(split * s.queries + q0 + mine) * s.listed + i] = list[i];
}

/* One warp a query. */
static __global__ void measure(CudaSearch s, EadStored queries, const float *bank, const CudaNear *near,
                               EadStored out) {
    __shared__ CudaNear list[MAX_LISTED], best[EAD_NEAREST_MAX];
    int64_t query = blockIdx.x;
    bool first = threadIdx.x == 0;
    if (first) {
        for (int i = 0; i < s.listed; i++) list[i] = CudaNear{INFINITY, s.rows};
        for (int i = 0; i < s.count; i++) best[i] = CudaNear{INFINITY, s.rows};
        for (int64_t split = 0; split < s.splits; split++)
            for (int i = 0; i < s.listed; i++)
                insert(list, s.listed, near[(split * s.queries + query) * s.listed + i]);
    }
    __syncthreads();
    for (int i = 0; i < s.listed && list[i].row < s.rows; i++) {
        const float *row = bank + static_cast<int64_t>(list[i].row) * s.length;
        double sum = 0;
        for (int k = static_cast<int>(threadIdx.x); k < s.length; k += WARP) {
            double d = static_cast<double>(ead_get(queries, query * s.length + k)) - row[k];
            sum += d * d;
        }
        sum = ead_warp_sum(sum);
        if (first) insert(best, s.count, CudaNear{static_cast<float>(sum), list[i].row});
    }
    for (int i = 0; first && i < s.count; i++) {
        int64_t at = query * s.count * (s.indices ? 2 : 1) + i;
        ead_put(out, at, best[i].value);
        if (s.indices) ead_put(out, at + s.count, static_cast<float>(best[i].row));
    }
}

static CudaSearch search_of(const EadCall *call) {
    const EadTensor *q = call->x[0], *bank = call->x[1];
    const EadNearestRows *a = static_cast<const EadNearestRows *>(call->attributes);
    CudaSearch s = {};
    s.queries = static_cast<int>(ead_count(q) / q->c);
    s.rows = bank->n;
    s.length = q->c;
    s.count = a->count;
    s.indices = a->indices;
    s.listed = a->count + SPARE < bank->n ? a->count + SPARE : bank->n;
    s.splits = (bank->n + ROWS_A_SPLIT - 1) / ROWS_A_SPLIT;
    s.splits = s.splits < MAX_SPLITS ? s.splits : MAX_SPLITS;
    return s;
}

static void plan(EadCall *call) {
    CudaSearch s = search_of(call);
    call->workspace_bytes = static_cast<size_t>(s.splits) * static_cast<size_t>(s.queries) *
                            static_cast<size_t>(s.listed) * sizeof(CudaNear);
    call->multiply_adds = static_cast<double>(ead_count(call->x[0])) * s.rows;
}

static void run(const EadCall *call) {
    CudaSearch s = search_of(call);
    const float *bank = static_cast<const float *>(call->x[1]->data);
    CudaNear *near = static_cast<CudaNear *>(call->workspace);
    dim3 grid(static_cast<unsigned>((s.queries + TILE - 1) / TILE), static_cast<unsigned>(s.splits));
    EAD_LAUNCH(search, grid, SIDE * SIDE, 0, call->stream, s, ead_stored(call->x[0]), bank, near);
    EAD_LAUNCH(measure, static_cast<unsigned>(s.queries), WARP, 0, call->stream, s, ead_stored(call->x[0]),
               bank, near, ead_stored(call->y));
}

EAD_CUDA_KERNEL(nearest_rows, .run = run, .plan = plan, .half_in = 1);
