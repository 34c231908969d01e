/* Patch pooling: shape, and the kernel for the CPU. An image is first spread out channel by channel with its
 * border of zeros; each number of the patches of a whole row of positions is then a run of neighbours. */
#include "core/ops/patch_pool/patch_pool.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"

#include <omp.h>

enum { MAX_KERNEL = 15, TILE = 16 /* outputs of a row that are made together */ };

EadNode *ead_patch_pool(EadGraph *graph, EadNode *x, EadPatchPool attributes) {
    return ead_graph_add(graph, EAD_OP_patch_pool, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadPatchPool *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->kernel < 1 || a->kernel > MAX_KERNEL || a->kernel % 2 == 0 || a->outputs < 1)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: kernel %d and %d outputs; the kernel must be odd, 1 to %d",
                        node->name, a->kernel, a->outputs, MAX_KERNEL);
    y->c = a->outputs;
    return EAD_OK;
}

const EadOp ead_op_patch_pool = {.name = "patch_pool", .shape = shape};

/* ---- on the CPU ---- */

/* Numbers of a row of an image, of a channel, and of all channels with their borders. */
typedef struct Planes {
    int64_t row, plane, all;
} Planes;

static Planes planes_of(const EadTensor *x, int kernel) {
    int border = kernel / 2 * 2;
    Planes p = {.row = x->w + border};
    p.plane = p.row * (x->h + border);
    p.all = p.plane * x->c;
    return p;
}

static void plan(EadCall *call) {
    const EadTensor *x = call->x[0];
    Planes p = planes_of(x, ((const EadPatchPool *)call->attributes)->kernel);
    call->workspace_bytes = (size_t)(p.all + (int64_t)omp_get_max_threads() * TILE * x->w) * sizeof(real);
}

/* planes[c][row][column] = x[row - border][column - border][c], 0 outside. */
static void spread(const real *x, const EadTensor *shape, int border, const Planes *p, real *planes) {
#pragma omp parallel for schedule(static)
    for (int row = 0; row < shape->h + 2 * border; row++) {
        int h = row - border;
        for (int c = 0; c < shape->c; c++) {
            real *out = planes + c * p->plane + row * p->row;
            for (int64_t i = 0; i < p->row; i++) out[i] = 0;
            if (h < 0 || h >= shape->h) continue;
            const real *in = x + (int64_t)h * shape->w * shape->c + c;
            for (int w = 0; w < shape->w; w++) out[border + w] = in[(int64_t)w * shape->c];
        }
    }
}

/* sums[w] = mean over window i of the patches at (h, w), which begin at `corner`. */
static void pool_output(const real *corner, const EadPatchPool *a, int64_t length, int i, const Planes *p,
                        int width, real *restrict sums) {
    int64_t begin = i * length / a->outputs, end = ((i + 1) * length + a->outputs - 1) / a->outputs;
    int area = a->kernel * a->kernel;
    for (int w = 0; w < width; w++) sums[w] = 0;
    for (int64_t j = begin; j < end; j++) {
        int at = (int)(j % area);
        const real *in = corner + j / area * p->plane + at / a->kernel * p->row + at % a->kernel;
        for (int w = 0; w < width; w++) sums[w] += in[w];
    }
    for (int w = 0; w < width; w++) sums[w] /= (real)(end - begin);
}

static void pool_row(const real *corner, const EadPatchPool *a, int channels, const Planes *p, int width,
                     real *tile, real *out) {
    int64_t length = (int64_t)channels * a->kernel * a->kernel;
    for (int first = 0; first < a->outputs; first += TILE) {
        int count = ead_min(TILE, a->outputs - first);
        for (int i = 0; i < count; i++)
            pool_output(corner, a, length, first + i, p, width, tile + (int64_t)i * width);
        for (int w = 0; w < width; w++)
            for (int i = 0; i < count; i++)
                out[(int64_t)w * a->outputs + first + i] = tile[(int64_t)i * width + w];
    }
}

static void patch_pool(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    const EadPatchPool *a = call->attributes;
    Planes p = planes_of(x, a->kernel);
    real *planes = call->workspace, *tiles = planes + p.all;
    for (int n = 0; n < x->n; n++) {
        real *out = (real *)y->data + (int64_t)n * y->h * y->w * y->c;
        spread((const real *)x->data + (int64_t)n * x->h * x->w * x->c, x, a->kernel / 2, &p, planes);
#pragma omp parallel for schedule(static)
        for (int h = 0; h < x->h; h++)
            pool_row(planes + h * p.row, a, x->c, &p, x->w,
                     tiles + (int64_t)omp_get_thread_num() * TILE * x->w, out + (int64_t)h * y->w * y->c);
    }
}

const EadKernel ead_patch_pool_cpu = {.run = patch_pool, .plan = plan};
