/* Nearest neighbours: shape, and the kernel for the CPU. A pair of a query and a row is measured only where the bound of
 * their sketches (row_sketches.h) leaves it open whether the row is among the nearest found so far; that is decided by
 * products of sketches, a few of a query's numbers instead of all. What is found is what measuring all pairs finds:
 * it depends on neither the order of the rows nor the threads. The sketches of the bank are made once, where it is
 * constant. */
#include "core/ops/nearest_rows/nearest_rows.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/ops/nearest_rows/row_sketches.h"
#include "core/simd/simd.h"

#include <math.h>
#include <omp.h>

enum { BLOCK_ROWS = 48, TASKS_A_THREAD = 4 };

EadNode *ead_nearest_rows(EadGraph *graph, EadNode *queries, EadNode *bank, EadNearestRows attributes) {
    return ead_graph_add(graph, EAD_OP_nearest_rows, 2, (EadNode *[]){queries, bank}, &attributes,
                         sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadNearestRows *a = (const void *)node->attributes;
    const EadTensor *bank = &node->x[1]->y;
    EAD_TRY(ead_shape_like_first(node, y));
    if (bank->type != EAD_REAL || bank->h != 1 || bank->w != 1 || bank->c != y->c)
        return ead_fail(EAD_BAD_SHAPE, "%s: queries of %d numbers and a bank [%d,%d,%d,%d] do not fit",
                        node->name, y->c, bank->n, bank->h, bank->w, bank->c);
    if (a->count < 1 || a->count > EAD_NEAREST_MAX || a->count > bank->n || bank->n > EAD_NEAREST_MAX_ROWS)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: the %d nearest of %d rows; possible are 1 to %d of at most %d",
                        node->name, a->count, bank->n, ead_min(EAD_NEAREST_MAX, bank->n),
                        EAD_NEAREST_MAX_ROWS);
    y->c = a->count * (a->indices ? 2 : 1);
    return EAD_OK;
}

const EadOp ead_op_nearest_rows = {.name = "nearest_rows", .shape = shape};

/* ---- on the CPU ---- */

/* A row found, and its distance squared. */
typedef struct Near {
    real value;
    int row;
} Near;

typedef struct RowSearch {
    const EadSimd *simd;
    EadRowSketches sketches;
    const real *queries, *bank;
    int64_t query_count, length;
    int64_t panels;             /* of queries */
    int count;                  /* rows that a query asks for */
    int threads, groups, parts; /* a task is a group of panels against a part of the bank */
    real *packed;   /* [panels][numbers][panel]: the queries' sketches times -2, 1 for the height */
    real *heights;  /* [panels * panel], of the queries */
    real *products; /* [threads][BLOCK_ROWS][panel] */
    real *limits;   /* [parts][panels * panel]: what a product must be below for its row to be measured */
    Near *near;     /* [parts][panels * panel][count], sorted */
} RowSearch;

static int64_t columns_of(const RowSearch *s) {
    return s->panels * s->simd->panel;
}

/* Reals of the parts of the workspace, behind which the rows found lie. */
static int64_t packed_reals(const RowSearch *s) {
    return columns_of(s) * s->sketches.numbers;
}
static int64_t product_reals(const RowSearch *s) {
    return (int64_t)s->threads * BLOCK_ROWS * s->simd->panel;
}
static int64_t lists_of(const RowSearch *s) {
    return s->parts * columns_of(s);
}

static RowSearch describe(const EadCall *call, int threads) {
    const EadTensor *q = call->x[0], *bank = call->x[1];
    RowSearch s = {.simd = ead_simd(), .queries = q->data, .bank = bank->data, .threads = threads};
    s.sketches = ead_row_sketches(bank->n, q->c, call->packed);
    s.count = ((const EadNearestRows *)call->attributes)->count;
    s.length = q->c;
    s.query_count = ead_count(q) / q->c;
    s.panels = (s.query_count + s.simd->panel - 1) / s.simd->panel;
    s.groups = ead_min(s.panels, TASKS_A_THREAD * threads);
    s.parts = (TASKS_A_THREAD * threads + s.groups - 1) / s.groups;
    s.packed = call->workspace;
    if (!s.packed) return s;
    s.heights = s.packed + packed_reals(&s);
    s.products = s.heights + columns_of(&s);
    s.limits = s.products + product_reals(&s);
    s.near = (Near *)(void *)(s.limits + lists_of(&s));
    return s;
}

size_t ead_nearest_rows_bytes(int64_t rows, int length) {
    return ead_row_sketches_bytes(rows, length, omp_get_max_threads());
}

/* Not more threads than the call was planned for. */
static int team_of(const EadCall *call) {
    return ead_min(call->choice[0], omp_get_max_threads());
}

static void pack_bank(const EadCall *call) {
    RowSearch s = describe(call, call->choice[0]);
    ead_row_sketches_fill(&s.sketches, s.bank, team_of(call));
}

static void plan(EadCall *call) {
    call->choice[0] = omp_get_max_threads();
    RowSearch s = describe(call, call->choice[0]);
    int64_t reals = packed_reals(&s) + columns_of(&s) + product_reals(&s) + lists_of(&s);
    call->workspace_bytes = (size_t)reals * sizeof(real) + (size_t)(lists_of(&s) * s.count) * sizeof(Near);
    call->packed_bytes = ead_row_sketches_bytes(s.sketches.rows, s.sketches.length, s.threads);
    call->pack_weights = pack_bank;
    call->multiply_adds = (double)columns_of(&s) * ((double)s.sketches.rows * s.sketches.numbers +
                                                    (double)s.length * s.sketches.columns);
}

/* The sketches of a panel of queries, and where their lists begin. */
static void pack_queries(const RowSearch *s, int64_t panel, int thread) {
    int numbers = s->sketches.numbers, width = s->simd->panel;
    real sketches[EAD_SIMD_MAX_PANEL * EAD_SKETCH_MAX_NUMBERS], *out = s->packed + panel * width * numbers;
    int count = ead_min(width, s->query_count - panel * width);
    ead_sketch_rows(&s->sketches, thread, s->queries + panel * width * s->length, count, sketches);
    for (int j = 0; j < width; j++) {
        int64_t query = panel * width + j;
        const real *sketch = sketches + j * numbers;
        for (int i = 0; i < numbers; i++)
            out[i * width + j] = j >= count ? 0 : i < numbers - 1 ? -2 * sketch[i] : 1;
        s->heights[query] = j < count ? sketch[numbers - 1] : (real)INFINITY;
        for (int part = 0; part < s->parts; part++) {
            int64_t list = part * columns_of(s) + query;
            s->limits[list] = (real)INFINITY - s->heights[query]; /* NaN: nothing is below */
            for (int i = 0; i < s->count; i++)
                s->near[list * s->count + i] = (Near){(real)INFINITY, (int)s->sketches.rows};
        }
    }
}

static bool before(Near a, Near b) {
    return a.value < b.value || (a.value == b.value && a.row < b.row);
}

/* Puts a row into a sorted list, whose last one drops out. */
static void insert(Near *list, int count, Near found) {
    int i = count - 1;
    if (!before(found, list[i])) return;
    for (; i > 0 && before(found, list[i - 1]); i--) list[i] = list[i - 1];
    list[i] = found;
}

static void measure(const RowSearch *s, int64_t row, int64_t query, int64_t list) {
    Near *near = s->near + list * s->count;
    const real *of_row = s->bank + row * s->length;
    Near found = {(real)s->simd->squared_distance(s->queries + query * s->length, of_row, s->length),
                  (int)row};
    if (!(found.value < near[s->count - 1].value))
        return; /* later rows of the same distance, and what is not finite */
    insert(near, s->count, found);
    s->limits[list] = (real)((double)near[s->count - 1].value - (double)s->heights[query]);
}

/* A block of the bank against a panel of queries. */
static void search_block(const RowSearch *s, int part, int64_t panel, int64_t first, int64_t rows,
                         real *products) {
    int width = s->simd->panel, numbers = s->sketches.numbers;
    int64_t query = panel * width, list = part * columns_of(s) + query;
    const real *limits = s->limits + list;
    EadPanelProduct p = {.rows = rows, .k = numbers, .row_stride = numbers, .k_stride = 1};
    p.a = s->sketches.sketches + first * numbers, p.b = s->packed + query * numbers;
    p.ldb = p.ldc = width, p.c = products;
    s->simd->product(&p);
    for (int64_t r = 0; r < rows; r++, products += width) {
        int nearer = 0;
        for (int j = 0; j < width; j++) nearer |= products[j] < limits[j];
        for (int j = 0; nearer && j < width; j++)
            if (products[j] < limits[j]) measure(s, first + r, query + j, list + j);
    }
}

static void search_task(const RowSearch *s, int task, int thread) {
    int group = task % s->groups, part = task / s->groups;
    int64_t blocks = (s->sketches.rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    for (int64_t block = part * blocks / s->parts; block < (part + 1) * blocks / s->parts; block++) {
        int64_t first = block * BLOCK_ROWS, rows = ead_min64(BLOCK_ROWS, s->sketches.rows - first);
        for (int64_t panel = group * s->panels / s->groups; panel < (group + 1) * s->panels / s->groups;
             panel++)
            search_block(s, part, panel, first, rows,
                         s->products + (int64_t)thread * BLOCK_ROWS * s->simd->panel);
    }
}

/* Puts together what was found for a query in the parts of the bank, and writes it. */
static void finish_query(const RowSearch *s, int64_t query, bool indices, real *out) {
    Near *best = s->near + query * s->count;
    for (int part = 1; part < s->parts; part++)
        for (int i = 0; i < s->count; i++)
            insert(best, s->count, s->near[(part * columns_of(s) + query) * s->count + i]);
    for (int i = 0; i < s->count; i++) {
        out[i] = best[i].value;
        if (indices) out[s->count + i] = (real)best[i].row;
    }
}

static void nearest_rows(const EadCall *call) {
    RowSearch s = describe(call, call->choice[0]);
    bool indices = ((const EadNearestRows *)call->attributes)->indices;
    if (!call->packed_at_plan) pack_bank(call);
#pragma omp parallel num_threads(team_of(call))
    {
#pragma omp for schedule(dynamic)
        for (int64_t panel = 0; panel < s.panels; panel++) pack_queries(&s, panel, omp_get_thread_num());
#pragma omp for schedule(dynamic)
        for (int task = 0; task < s.groups * s.parts; task++) search_task(&s, task, omp_get_thread_num());
#pragma omp for schedule(static)
        for (int64_t query = 0; query < s.query_count; query++)
            finish_query(&s, query, indices, (real *)call->y->data + query * call->y->c);
    }
}

const EadKernel ead_nearest_rows_cpu = {.run = nearest_rows, .plan = plan};
