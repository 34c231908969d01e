/* Rows by rank: shape, and the kernel for the CPU: products of a few queries with all rows, then for each query the least
 * of its distances, or one selected by its rank. */
#include "core/ops/ranked_rows/ranked_rows.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/simd/simd.h"

#include <omp.h>
#include <string.h>

EadNode *ead_ranked_rows(EadGraph *graph, EadNode *queries, EadNode *table, EadNode *ranks) {
    return ead_graph_add(graph, EAD_OP_ranked_rows, 3, (EadNode *[]){queries, table, ranks}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *table = &node->x[1]->y, *ranks = node->x[2] ? &node->x[2]->y : NULL;
    EAD_TRY(ead_shape_like_first(node, y));
    if (table->type != EAD_REAL || table->h != 1 || table->w != 1 || table->c != y->c)
        return ead_fail(EAD_BAD_SHAPE, "%s: queries of %d numbers and a table [%d,%d,%d,%d] do not fit",
                        node->name, y->c, table->n, table->h, table->w, table->c);
    if (table->n > EAD_RANKED_MAX_ROWS || y->c > EAD_RANKED_MAX_LENGTH)
        return ead_fail(EAD_BAD_SHAPE, "%s: %d rows of %d numbers; at most %d of %d", node->name, table->n,
                        y->c, EAD_RANKED_MAX_ROWS, EAD_RANKED_MAX_LENGTH);
    y->c = 1;
    if (ranks && (ranks->type != EAD_REAL || ranks->n != y->n || ranks->h != y->h || ranks->w != y->w ||
                  ranks->c != 1))
        return ead_fail(EAD_BAD_SHAPE, "%s: ranks [%d,%d,%d,%d] for queries at [%d,%d,%d]", node->name,
                        ranks->n, ranks->h, ranks->w, ranks->c, y->n, y->h, y->w);
    return EAD_OK;
}

const EadOp ead_op_ranked_rows = {.name = "ranked_rows", .shape = shape};

/* ---- on the CPU ---- */

enum { QUERIES = 4 * EAD_SIMD_ROWS }; /* of a block */

typedef struct RankedRows {
    const EadSimd *simd;
    int64_t queries, length;
    int rows;
    int64_t columns; /* rows filled up to whole panels */
    int threads;
    real *packed; /* [columns / panel][length][panel]: the table */
    real *norms;  /* [rows] */
    real *values; /* [threads][QUERIES + 1][columns]: of a block, and room to select in */
} RankedRows;

static RankedRows describe(const EadCall *call) {
    RankedRows s = {.simd = ead_simd(), .rows = call->x[1]->n, .length = call->x[1]->c};
    s.queries = ead_count(call->y);
    s.columns = (s.rows + s.simd->panel - 1) / s.simd->panel * s.simd->panel;
    s.threads = call->choice[0];
    s.packed = call->workspace;
    if (!s.packed) return s;
    s.norms = s.packed + s.columns * s.length;
    s.values = s.norms + s.columns;
    return s;
}

static void plan(EadCall *call) {
    call->choice[0] = omp_get_max_threads();
    RankedRows s = describe(call);
    int64_t reals = s.columns * (s.length + 1 + (int64_t)s.threads * (QUERIES + 1));
    call->workspace_bytes = (size_t)reals * sizeof(real);
    call->multiply_adds = (double)s.queries * (double)s.columns * (double)s.length;
}

/* A panel of the table, with rows of zeros behind the last. */
static void pack_panel(const RankedRows *s, const real *table, int64_t panel) {
    int width = s->simd->panel;
    real *out = s->packed + panel * width * s->length;
    for (int j = 0; j < width; j++) {
        int64_t row = panel * width + j;
        double norm = 0;
        for (int64_t k = 0; k < s->length; k++) {
            real value = row < s->rows ? table[row * s->length + k] : 0;
            out[k * width + j] = value;
            norm += (double)value * (double)value;
        }
        s->norms[row] = (real)norm;
    }
}

/* The value that is number `rank` of v, whose order is lost. */
static real select_value(real *v, int count, int rank) {
    int low = 0, high = count - 1;
    while (low < high) {
        real pivot = v[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (pivot < v[j]) j--;
            if (i > j) break;
            real kept = v[i];
            v[i++] = v[j];
            v[j--] = kept;
        }
        if (rank > j && rank < i) break;
        if (rank <= j)
            high = j;
        else
            low = i;
    }
    return v[rank];
}

static int least(const real *v, int count) {
    int best = 0;
    for (int j = 1; j < count; j++)
        if (v[j] < v[best]) best = j;
    return best;
}

/* The position of number `rank` of v. */
static int find_ranked(const real *v, int count, int rank, real *room) {
    if (rank == 0) return least(v, count);
    memcpy(room, v, (size_t)count * sizeof *v);
    real value = select_value(room, count, rank);
    int j = 0;
    for (int k = 0; k < count; k++) rank -= v[k] < value;
    for (; v[j] != value || rank-- > 0; j++) continue;
    return j;
}

/* A query by its products with the rows, which become distances but for its own norm. */
static real row_of(const RankedRows *s, real *v, real rank, real *room) {
    real finite = 0; /* 0, or NaN */
    for (int j = 0; j < s->rows; j++) {
        v[j] = s->norms[j] - 2 * v[j];
        finite += v[j] * 0;
    }
    if (finite != 0 || !(rank >= 0 && rank < (real)s->rows)) return (real)s->rows;
    return (real)find_ranked(v, s->rows, (int)rank, room);
}

static void run_block(const RankedRows *s, const EadCall *call, int64_t first, real *values) {
    int count = ead_min(QUERIES, s->queries - first), width = s->simd->panel;
    const real *ranks = call->x[2] ? (const real *)call->x[2]->data + first : NULL;
    EadPanelProduct p = {.rows = count, .k = s->length, .row_stride = s->length, .k_stride = 1};
    p.a = (const real *)call->x[0]->data + first * s->length;
    p.b = s->packed, p.ldb = width, p.c = values, p.ldc = s->columns;
    ead_panel_products(s->simd, s->columns, s->length * width, p);
    for (int q = 0; q < count; q++)
        ((real *)call->y->data)[first + q] =
            row_of(s, values + q * s->columns, ranks ? ranks[q] : 0, values + QUERIES * s->columns);
}

static void ranked_rows(const EadCall *call) {
    RankedRows s = describe(call);
#pragma omp parallel num_threads(ead_min(s.threads, omp_get_max_threads()))
    {
        real *values = s.values + (int64_t)omp_get_thread_num() * (QUERIES + 1) * s.columns;
#pragma omp for schedule(static)
        for (int64_t panel = 0; panel < s.columns / s.simd->panel; panel++)
            pack_panel(&s, call->x[1]->data, panel);
#pragma omp for schedule(dynamic)
        for (int64_t first = 0; first < s.queries; first += QUERIES) run_block(&s, call, first, values);
    }
}

const EadKernel ead_ranked_rows_cpu = {.run = ranked_rows, .plan = plan};
