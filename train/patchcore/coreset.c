/* Greedy choice without looking at all rows for each: distances to the chosen only fall, so an old value is a bound.
 * Rows stand in blocks, each with the largest value of its rows and the number of chosen rows that it has seen; only
 * a block whose bound is the largest of all is brought up to date, with all that it has missed at once, as a
 * product. What is chosen is the same as if all had been. */
#include "train/patchcore/coreset.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/philox.h"
#include "core/simd/simd.h"
#include "train/support/progress.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROJECTED = 128,
    STARTS = 10,
    BLOCK = 64,       /* rows */
    TOGETHER = 64,    /* blocks brought up to date at a time, at most */
    WORTH_A_TEAM = 6, /* panels of products from which on threads share them */
    LANES = 8,        /* that divide every panel */
    REPORT_EVERY = 256,
};

typedef struct CoresetBlock {
    real bound;   /* the largest squared distance when it was last up to date */
    int largest;  /* which of its rows has it */
    int64_t seen; /* chosen rows by then */
} CoresetBlock;

/* Rows, or what they are projected to, that others are measured against; a panel holds as many as a product has
 * columns, so that the numbers at one place of them all are neighbours. */
typedef struct Panels {
    real *values; /* [panels][length][width] */
    real *norms;  /* [panels][width], infinite where there is none yet */
    int64_t count;
} Panels;

typedef struct Greedy {
    const EadCoreset *spec;
    const EadSimd *simd;
    real *rows;     /* [count][PROJECTED] */
    real *norms;    /* [count], squared */
    real *distance; /* [count], squared, to the nearest chosen row; -1: chosen itself */
    CoresetBlock *blocks;
    int64_t block_count;
    Panels chosen;
    real *products; /* [threads][BLOCK][panel] */
    real
        centre[PROJECTED]; /* of the projected rows, which they are measured from: short vectors round less */
} Greedy;

static int64_t panels_of(const EadSimd *simd, int64_t count) {
    return (count + simd->panel - 1) / simd->panel;
}

size_t ead_coreset_bytes(int64_t count, int64_t choose) {
    int64_t reals = count * (PROJECTED + 2) + choose * (PROJECTED + 1);
    return (size_t)reals * sizeof(real) + (size_t)(count / BLOCK) * sizeof(CoresetBlock);
}

/* ---- memory ---- */

static EadStatus new_panels(const EadSimd *simd, int64_t count, int length, Panels *out) {
    int64_t columns = panels_of(simd, count) * simd->panel;
    out->count = 0;
    out->values = ead_new(columns * length, sizeof(real), "a coreset");
    out->norms = ead_new(columns, sizeof(real), "a coreset");
    if (!out->values || !out->norms) return EAD_NO_MEMORY;
    for (int64_t i = 0; i < columns; i++) out->norms[i] = (real)INFINITY;
    return EAD_OK;
}

static void free_panels(Panels *panels) {
    free(panels->values);
    free(panels->norms);
}

static void free_greedy(Greedy *g) {
    free(g->rows), free(g->norms), free(g->distance), free(g->blocks), free(g->products);
    free_panels(&g->chosen);
}

static EadStatus new_greedy(const EadCoreset *spec, Greedy *g) {
    *g = (Greedy){.spec = spec, .simd = ead_simd()};
    g->block_count = (spec->count + BLOCK - 1) / BLOCK;
    g->rows = ead_new(spec->count * PROJECTED, sizeof(real), "the projections of a coreset");
    g->norms = ead_new(spec->count, sizeof(real), "a coreset");
    g->distance = ead_new(spec->count, sizeof(real), "a coreset");
    g->blocks = ead_new(g->block_count, sizeof *g->blocks, "a coreset");
    g->products = ead_new((int64_t)omp_get_max_threads() * BLOCK * g->simd->panel, sizeof(real), "a coreset");
    bool enough = g->rows && g->norms && g->distance && g->blocks && g->products;
    return enough ? new_panels(g->simd, spec->choose, PROJECTED, &g->chosen) : EAD_NO_MEMORY;
}

/* ---- projection ---- */

static real squared_norm(const real *row, int length) {
    double sum = 0;
    for (int i = 0; i < length; i++) sum += (double)row[i] * (double)row[i];
    return (real)sum;
}

/* The matrix [length][PROJECTED] of a linear layer: weight (o, i) is word o * length + i of its stream, uniform in
 * +-1/sqrt(length). */
static EadStatus draw_projection(const EadCoreset *spec, real **out) {
    real *matrix = *out = ead_new((int64_t)spec->length * PROJECTED, sizeof *matrix, "a projection");
    if (!matrix) return EAD_NO_MEMORY;
    double root = sqrt((double)spec->length);
    for (int o = 0; o < PROJECTED; o++)
        for (int i = 0; i < spec->length; i++) {
            uint64_t index = (uint64_t)o * (uint64_t)spec->length + (uint64_t)i;
            double u = (double)ead_uniform(ead_philox_word(spec->seed, EAD_STREAM_PROJECTION, index));
            matrix[(int64_t)i * PROJECTED + o] = (real)((2 * u - 1) / root);
        }
    return EAD_OK;
}

/* out[count][PROJECTED] = rows times matrix. */
static void project(const EadSimd *simd, const real *rows, int64_t count, int length, const real *matrix,
                    real *out) {
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < count; first += BLOCK) {
        EadPanelProduct p = {.rows = ead_min64(BLOCK, count - first), .k = length, .k_stride = 1};
        p.a = rows + first * length, p.row_stride = length;
        p.b = matrix, p.ldb = PROJECTED, p.c = out + first * PROJECTED, p.ldc = PROJECTED;
        ead_panel_products(simd, PROJECTED, simd->panel, p);
    }
}

/* Projects rows, or copies them where they are short already. */
static EadStatus project_rows(const EadCoreset *spec, const EadSimd *simd, const real *rows, int64_t count,
                              real *out) {
    real *matrix;
    if (spec->length == PROJECTED) {
        memcpy(out, rows, (size_t)(count * spec->length) * sizeof *out);
        return EAD_OK;
    }
    EAD_TRY(draw_projection(spec, &matrix));
    project(simd, rows, count, spec->length, matrix, out);
    free(matrix);
    return EAD_OK;
}

static void find_centre(Greedy *g) {
    double sum[PROJECTED] = {0};
    for (int64_t i = 0; i < g->spec->count; i++)
        for (int k = 0; k < PROJECTED; k++) sum[k] += (double)g->rows[i * PROJECTED + k];
    for (int k = 0; k < PROJECTED; k++) g->centre[k] = (real)(sum[k] / (double)g->spec->count);
}

static void subtract_centre(const Greedy *g, real *rows, int64_t count) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < PROJECTED; k++) rows[i * PROJECTED + k] -= g->centre[k];
}

/* ---- distances ---- */

static void append(const Greedy *g, Panels *panels, const real *row, real norm) {
    int width = g->simd->panel;
    int64_t panel = panels->count / width, column = panels->count % width;
    real *values = panels->values + panel * width * PROJECTED + column;
    for (int i = 0; i < PROJECTED; i++) values[(int64_t)i * width] = row[i];
    panels->norms[panels->count++] = norm;
}

/* Squared distances of up to BLOCK rows to a panel, as products[rows][width] = norm of the column - 2 product. */
static void measure_panel(const Greedy *g, int64_t first, int64_t rows, const Panels *panels, int64_t panel,
                          real *products) {
    int width = g->simd->panel;
    const real *norms = panels->norms + panel * width;
    EadPanelProduct p = {.rows = rows, .k = PROJECTED, .row_stride = PROJECTED, .k_stride = 1};
    p.a = g->rows + first * PROJECTED, p.b = panels->values + panel * width * PROJECTED;
    p.ldb = p.ldc = width, p.c = products;
    g->simd->product(&p);
    for (int64_t r = 0; r < rows; r++)
        for (int j = 0; j < width; j++) products[r * width + j] = norms[j] - 2 * products[r * width + j];
}

static real least(const real *values, int count) {
    real lanes[LANES];
    memcpy(lanes, values, sizeof lanes);
    for (int i = LANES; i < count; i += LANES)
        for (int l = 0; l < LANES; l++) lanes[l] = values[i + l] < lanes[l] ? values[i + l] : lanes[l];
    for (int l = 1; l < LANES; l++) lanes[0] = lanes[l] < lanes[0] ? lanes[l] : lanes[0];
    return lanes[0];
}

/* Lowers the distances of a block's rows to those to panels from `from` on. */
static void lower(const Greedy *g, int64_t block, const Panels *panels, int64_t from, real *products) {
    int width = g->simd->panel;
    int64_t first = block * BLOCK, rows = ead_min64(BLOCK, g->spec->count - first);
    for (int64_t panel = from; panel < panels_of(g->simd, panels->count); panel++) {
        measure_panel(g, first, rows, panels, panel, products);
        for (int64_t r = 0; r < rows; r++) {
            real found = g->norms[first + r] + least(products + r * width, width);
            if (found < 0) found = 0;
            if (found < g->distance[first + r]) g->distance[first + r] = found;
        }
    }
}

static void find_largest(const Greedy *g, int64_t block) {
    int64_t first = block * BLOCK, rows = ead_min64(BLOCK, g->spec->count - first);
    CoresetBlock *b = &g->blocks[block];
    b->bound = -1;
    b->largest = 0;
    for (int r = 0; r < (int)rows; r++)
        if (g->distance[first + r] > b->bound) b->bound = g->distance[first + r], b->largest = r;
    b->seen = g->chosen.count;
}

static real *my_products(const Greedy *g) {
    return g->products + (int64_t)omp_get_thread_num() * BLOCK * g->simd->panel;
}

/* ---- the distances at first ---- */

static void sum_distances(const Greedy *g) {
    double sum[PROJECTED] = {0}, norms = 0;
    for (int64_t i = 0; i < g->spec->count; i++) {
        for (int k = 0; k < PROJECTED; k++) sum[k] += (double)g->rows[i * PROJECTED + k];
        norms += (double)g->norms[i];
    }
    for (int64_t i = 0; i < g->spec->count; i++) {
        double product = 0;
        for (int k = 0; k < PROJECTED; k++) product += sum[k] * (double)g->rows[i * PROJECTED + k];
        g->distance[i] = (real)(norms + (double)g->spec->count * (double)g->norms[i] - 2 * product);
    }
}

/* Adds the distances of a block's rows to those of all panels. */
static void add_distances(const Greedy *g, int64_t block, const Panels *panels, real *products) {
    int64_t first = block * BLOCK, rows = ead_min64(BLOCK, g->spec->count - first), width = g->simd->panel;
    for (int64_t column = 0; column < panels->count; column++) {
        int64_t at = column % width;
        if (at == 0) measure_panel(g, first, rows, panels, column / width, products);
        for (int64_t r = 0; r < rows; r++) {
            real squared = g->norms[first + r] + products[r * width + at];
            g->distance[first + r] += squared > 0 ? (real)sqrt((double)squared) : 0;
        }
    }
}

/* The mean of the distances to a few rows drawn, squared. */
static EadStatus mean_distances(const Greedy *g) {
    const EadCoreset *spec = g->spec;
    int starts = (int)ead_min64(STARTS, spec->count);
    Panels panels = {0};
    EadStatus status = new_panels(g->simd, STARTS, PROJECTED, &panels);
    for (int s = 0; s < starts && status == EAD_OK; s++) {
        int64_t row = ead_shuffled_index(spec->seed, EAD_STREAM_CORESET, (uint64_t)s, (uint32_t)spec->count);
        append(g, &panels, g->rows + row * PROJECTED, g->norms[row]);
    }
    if (status == EAD_OK)
#pragma omp parallel for schedule(static)
        for (int64_t block = 0; block < g->block_count; block++)
            add_distances(g, block, &panels, my_products(g));
    for (int64_t i = 0; i < spec->count; i++) {
        real mean = g->distance[i] / (real)starts;
        g->distance[i] = mean * mean;
    }
    free_panels(&panels);
    return status;
}

/* The distances to an earlier bank, a part of it at a time. */
static EadStatus bank_distances(const Greedy *g) {
    enum { PART = 4096 };
    const EadCoreset *spec = g->spec;
    EadStatus status = EAD_OK;
    for (int64_t i = 0; i < spec->count; i++) g->distance[i] = (real)INFINITY;
    for (int64_t first = 0; first < spec->bank_count && status == EAD_OK; first += PART) {
        int64_t count = ead_min64(PART, spec->bank_count - first);
        Panels panels = {0};
        real *rows = ead_new(count * PROJECTED, sizeof *rows, "a part of the bank");
        status = rows ? new_panels(g->simd, count, PROJECTED, &panels) : EAD_NO_MEMORY;
        if (status == EAD_OK)
            status = project_rows(spec, g->simd, spec->bank + first * spec->length, count, rows);
        if (status == EAD_OK) subtract_centre(g, rows, count);
        for (int64_t i = 0; i < count && status == EAD_OK; i++)
            append(g, &panels, rows + i * PROJECTED, squared_norm(rows + i * PROJECTED, PROJECTED));
        if (status == EAD_OK)
#pragma omp parallel for schedule(static)
            for (int64_t block = 0; block < g->block_count; block++)
                lower(g, block, &panels, 0, my_products(g));
        free_panels(&panels);
        free(rows);
    }
    return status;
}

static EadStatus begin(Greedy *g) {
    const EadCoreset *spec = g->spec;
    EAD_TRY(project_rows(spec, g->simd, spec->rows, spec->count, g->rows));
    find_centre(g);
    subtract_centre(g, g->rows, spec->count);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < spec->count; i++) g->norms[i] = squared_norm(g->rows + i * PROJECTED, PROJECTED);
    if (spec->bank)
        EAD_TRY(bank_distances(g));
    else if (spec->exact)
        sum_distances(g);
    else
        EAD_TRY(mean_distances(g));
    for (int64_t block = 0; block < g->block_count; block++) find_largest(g, block);
    return EAD_OK;
}

/* ---- the choice ---- */

static int64_t best_block(const Greedy *g) {
    int64_t best = 0;
    for (int64_t i = 1; i < g->block_count; i++)
        if (g->blocks[i].bound > g->blocks[best].bound) best = i;
    return best;
}

static void update(const Greedy *g, int64_t block) {
    lower(g, block, &g->chosen, g->blocks[block].seen / g->simd->panel, my_products(g));
    find_largest(g, block);
}

/* Brings the best block up to date, and with it others whose bounds come close: they would be next. */
static void update_best(const Greedy *g, int64_t best) {
    int64_t list[TOGETHER], panels = 0, now = panels_of(g->simd, g->chosen.count);
    int count = 0;
    real close = g->blocks[best].bound * (real)0.98;
    for (int64_t i = 0; i < g->block_count && count < TOGETHER; i++)
        if (g->blocks[i].bound >= close && g->blocks[i].seen < g->chosen.count) {
            list[count++] = i;
            panels += now - g->blocks[i].seen / g->simd->panel;
        }
    if (g->blocks[best].seen < g->chosen.count && (count == TOGETHER && list[count - 1] < best))
        list[count - 1] = best;
#pragma omp parallel for schedule(dynamic) if (panels >= WORTH_A_TEAM)
    for (int i = 0; i < count; i++) update(g, list[i]);
}

static EadStatus choose(Greedy *g, int64_t *chosen) {
    EadProgress progress;
    EadStatus status = EAD_OK;
    ead_progress_start(&progress, "choosing the coreset", 0, g->spec->choose, g->spec->quiet);
    for (int64_t n = 0; n < g->spec->choose && status == EAD_OK; n++) {
        int64_t best = best_block(g);
        for (; g->blocks[best].seen < g->chosen.count; best = best_block(g)) update_best(g, best);
        int64_t row = chosen[n] = best * BLOCK + g->blocks[best].largest;
        g->distance[row] = -1;
        append(g, &g->chosen, g->rows + row * PROJECTED, g->norms[row]);
        if (n % REPORT_EVERY == 0) {
            ead_progress_update(&progress, n, NULL);
            if (ead_interrupted()) status = ead_fail(EAD_INTERRUPTED, "stopped while choosing the coreset");
        }
    }
    ead_progress_finish(&progress);
    return status;
}

EadStatus ead_coreset_choose(const EadCoreset *coreset, int64_t *chosen) {
    Greedy g;
    for (int64_t i = 0; i < coreset->choose; i++) chosen[i] = i;
    if (coreset->choose == coreset->count || coreset->choose == 0) return EAD_OK;
    EadStatus status = new_greedy(coreset, &g);
    if (status == EAD_OK) status = begin(&g);
    if (status == EAD_OK) status = choose(&g, chosen);
    free_greedy(&g);
    return status;
}
