/* Nearest neighbours: shape, and the kernel for the CPU. The bank's rows are the left side of the products as they
 * lie there, so nothing of it is copied; the queries are transposed into panels. A task is a block of the bank
 * against all queries, so the bank comes from memory once. Which rows are found depends on neither the blocks nor
 * the threads: every product is summed in one order, and candidates are ordered by value, then number. */
#include "core/ops/nearest_rows/nearest_rows.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/ops/reduction.h"
#include "core/simd/simd.h"

#include <math.h>
#include <omp.h>

enum { BLOCK_ROWS = 48, BLOCK_BYTES = 192 << 10 };

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

/* A candidate; value: what it is ordered by, lower is nearer. */
typedef struct Near {
    real value;
    int row;
} Near;

typedef struct RowSearch {
    const EadSimd *simd;
    const real *queries, *bank;
    int64_t query_count, bank_rows, length;
    int64_t panels; /* of queries */
    int64_t block;  /* rows of the bank in a task */
    int listed;     /* candidates of a query */
    int threads;
    real *packed;   /* [panels][length][panel] */
    real *products; /* [threads][block][panel] */
    real *worst;    /* [threads][panels * panel]: the value that a row must be below to become a candidate */
    Near *near;     /* [threads][panels * panel][listed], sorted */
} RowSearch;

static int64_t columns_of(const RowSearch *s) {
    return s->panels * s->simd->panel;
}

static RowSearch describe(const EadCall *call) {
    const EadTensor *q = call->x[0], *bank = call->x[1];
    RowSearch s = {.simd = ead_simd(), .queries = q->data, .bank = bank->data, .bank_rows = bank->n};
    s.length = q->c;
    s.query_count = ead_count(q) / q->c;
    s.panels = (s.query_count + s.simd->panel - 1) / s.simd->panel;
    s.listed = ead_min(((const EadNearestRows *)call->attributes)->count + EAD_NEAREST_SPARE, bank->n);
    s.block = ead_min64(BLOCK_ROWS, BLOCK_BYTES / (s.length * (int64_t)sizeof(real)) + EAD_SIMD_ROWS);
    s.block = s.block / EAD_SIMD_ROWS * EAD_SIMD_ROWS;
    s.threads = omp_get_max_threads();
    return s;
}

/* Reals of the parts of the workspace, behind which the candidates lie. */
static int64_t packed_reals(const RowSearch *s) {
    return columns_of(s) * s->length;
}
static int64_t product_reals(const RowSearch *s) {
    return s->threads * s->block * s->simd->panel;
}
static int64_t lists_of(const RowSearch *s) {
    return s->threads * columns_of(s);
}

static void plan(EadCall *call) {
    RowSearch s = describe(call);
    call->workspace_bytes = (size_t)(packed_reals(&s) + product_reals(&s) + lists_of(&s)) * sizeof(real) +
                            (size_t)(lists_of(&s) * s.listed) * sizeof(Near);
    call->multiply_adds = (double)ead_count(call->x[0]) * (double)s.bank_rows;
}

static void lay_out(RowSearch *s, void *workspace) {
    s->packed = workspace;
    s->products = s->packed + packed_reals(s);
    s->worst = s->products + product_reals(s);
    s->near = (Near *)(void *)(s->worst + lists_of(s));
    for (int64_t i = 0; i < lists_of(s); i++) s->worst[i] = (real)INFINITY;
    for (int64_t i = 0; i < lists_of(s) * s->listed; i++)
        s->near[i] = (Near){(real)INFINITY, (int)s->bank_rows};
}

static void pack_queries(const RowSearch *s) {
    int width = s->simd->panel;
#pragma omp parallel for schedule(static)
    for (int64_t panel = 0; panel < s->panels; panel++) {
        real *out = s->packed + panel * width * s->length;
        for (int j = 0; j < width; j++) {
            int64_t query = panel * width + j;
            for (int64_t i = 0; i < s->length; i++)
                out[i * width + j] = query < s->query_count ? s->queries[query * s->length + i] : 0;
        }
    }
}

static bool before(Near a, Near b) {
    return a.value < b.value || (a.value == b.value && a.row < b.row);
}

/* Puts a candidate into a sorted list, whose last one drops out. */
static void insert(Near *list, int listed, Near candidate) {
    int i = listed - 1;
    if (!before(candidate, list[i])) return;
    for (; i > 0 && before(candidate, list[i - 1]); i--) list[i] = list[i - 1];
    list[i] = candidate;
}

/* The products of a block of the bank with a panel of queries: |m|² - 2 q·m orders a query's rows. */
static void look_at(const RowSearch *s, const real *products, int64_t first, int64_t rows, const real *norms,
                    real *worst, Near *near) {
    int width = s->simd->panel;
    for (int64_t r = 0; r < rows; r++, products += width) {
        int nearer = 0;
        for (int j = 0; j < width; j++) nearer |= norms[r] - 2 * products[j] < worst[j];
        for (int j = 0; nearer && j < width; j++) {
            Near candidate = {norms[r] - 2 * products[j], (int)(first + r)};
            if (!(candidate.value < worst[j])) continue;
            insert(near + (int64_t)j * s->listed, s->listed, candidate);
            worst[j] = near[(int64_t)j * s->listed + s->listed - 1].value;
        }
    }
}

static void search_block(const RowSearch *s, int64_t first, int thread) {
    int width = s->simd->panel;
    int64_t rows = ead_min64(s->block, s->bank_rows - first);
    const real *bank = s->bank + first * s->length;
    real norms[BLOCK_ROWS], *products = s->products + thread * s->block * width;
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0;
        for (int64_t i = 0; i < s->length; i++)
            sum += (double)bank[r * s->length + i] * (double)bank[r * s->length + i];
        norms[r] = (real)sum;
    }
    EadPanelProduct p = {.rows = rows, .k = s->length, .a = bank, .row_stride = s->length, .k_stride = 1};
    p.ldb = p.ldc = width, p.c = products;
    for (int64_t panel = 0; panel < s->panels; panel++) {
        int64_t at = thread * columns_of(s) + panel * width;
        p.b = s->packed + panel * width * s->length;
        s->simd->product(&p);
        look_at(s, products, first, rows, norms, s->worst + at, s->near + at * s->listed);
    }
}

/* Puts the threads' candidates of a query together, measures them and writes the nearest. */
static void finish_query(const RowSearch *s, int64_t query, const EadNearestRows *a, real *out) {
    Near *list = s->near + query * s->listed, best[EAD_NEAREST_LISTED];
    for (int t = 1; t < s->threads; t++)
        for (int i = 0; i < s->listed; i++)
            insert(list, s->listed, s->near[(t * columns_of(s) + query) * s->listed + i]);
    for (int i = 0; i < a->count; i++) best[i] = (Near){(real)INFINITY, (int)s->bank_rows};
    for (int i = 0; i < s->listed && list[i].row < s->bank_rows; i++) { /* none where nothing is finite */
        const real *row = s->bank + list[i].row * s->length;
        double distance = ead_squared_distance(s->queries + query * s->length, row, s->length);
        insert(best, a->count, (Near){(real)distance, list[i].row});
    }
    for (int i = 0; i < a->count; i++) {
        out[i] = best[i].value;
        if (a->indices) out[a->count + i] = (real)best[i].row;
    }
}

static void nearest_rows(const EadCall *call) {
    RowSearch s = describe(call);
    lay_out(&s, call->workspace);
    pack_queries(&s);
#pragma omp parallel for schedule(dynamic)
    for (int64_t first = 0; first < s.bank_rows; first += s.block)
        search_block(&s, first, omp_get_thread_num());
#pragma omp parallel for schedule(static)
    for (int64_t query = 0; query < s.query_count; query++)
        finish_query(&s, query, call->attributes, (real *)call->y->data + query * call->y->c);
}

const EadKernel ead_nearest_rows_cpu = {.run = nearest_rows, .plan = plan};
