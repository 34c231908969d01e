/* Choice of the algorithm for each of the three convolution kernels on the CPU, at plan time, by precision
 * and shape. */
#include "core/ops/conv2d/conv2d_amx.h"
#include "core/ops/conv2d/conv2d_direct.h"
#include "core/ops/conv2d/conv2d_gemm.h"
#include "core/ops/conv2d/conv2d_geometry.h"
#include "core/ops/conv2d/conv2d_winograd.h"

#include <stdlib.h>
#include <string.h>

typedef enum Algorithm { DIRECT, GEMM, WINOGRAD6, WINOGRAD8, AMX, ALGORITHMS } Algorithm;

/* Below this many tiles the transformed weights, 4 times as many numbers as the weights, cost more to read
 * than the multiplications saved. */
enum { MIN_TILES = 9 };

/* Other numbers of channels, the three of an image above all, leave too much of AMX's tiles empty. */
enum { AMX_CHANNELS = 16 };

/* What EFFICIENTAD_CONV asks for; ALGORITHMS if nothing. What does not fit a layer or this CPU is ignored. */
static Algorithm forced(void) {
    static const char *const names[ALGORITHMS] = {"direct", "gemm", "winograd6", "winograd8", "amx"};
    const char *wanted = getenv("EFFICIENTAD_CONV");
    int found = 0;
    while (found < ALGORITHMS && !(wanted && strcmp(wanted, names[found]) == 0)) found++;
    return (Algorithm)found;
}

/* Whether AMX is asked for: by EFFICIENTAD_CONV for every layer, by precision for those that it suits. */
static bool takes_amx(EadCall *call, const EadConvGeometry *g, Algorithm wanted) {
    if (wanted == AMX && !call->amx) call->amx = ead_amx();
    bool suits = g->i % AMX_CHANNELS == 0 && g->o % AMX_CHANNELS == 0;
    return call->amx && (wanted == AMX || (wanted == ALGORITHMS && suits));
}

static Algorithm choose(EadCall *call, EadConvGeometry g) {
    Algorithm wanted = forced();
    if (takes_amx(call, &g, wanted)) return AMX;
    if (wanted == AMX) wanted = ALGORITHMS;
    if (wanted == GEMM || wanted == DIRECT) return wanted;
    if (!ead_conv2d_winograd_fits(&g)) return DIRECT;
    if (wanted != ALGORITHMS) return wanted;
    int outputs = 9 - g.kh;
    int64_t tiles = (int64_t)g.n * ((g.oh + outputs - 1) / outputs) * ((g.ow + outputs - 1) / outputs);
    return tiles < MIN_TILES ? DIRECT : WINOGRAD8;
}

typedef void Plan(EadCall *call);

static void winograd6(EadCall *call) {
    ead_conv2d_winograd_plan(call, 6);
}
static void winograd8(EadCall *call) {
    ead_conv2d_winograd_plan(call, 8);
}
static void input_gradient_winograd6(EadCall *call) {
    ead_conv2d_input_gradient_winograd_plan(call, 6);
}
static void input_gradient_winograd8(EadCall *call) {
    ead_conv2d_input_gradient_winograd_plan(call, 8);
}
static void weight_gradient_winograd6(EadCall *call) {
    ead_conv2d_weight_gradient_winograd_plan(call, 6);
}
static void weight_gradient_winograd8(EadCall *call) {
    ead_conv2d_weight_gradient_winograd_plan(call, 8);
}

static void plan_forward(EadCall *call) {
    static Plan *const plans[ALGORITHMS] = {
        [DIRECT] = ead_conv2d_direct_plan, [GEMM] = ead_conv2d_gemm_plan, [AMX] = ead_conv2d_amx_plan,
        [WINOGRAD6] = winograd6,           [WINOGRAD8] = winograd8,
    };
    plans[choose(call, ead_conv_geometry(call))](call);
}

static void plan_input_gradient(EadCall *call) {
    static Plan *const plans[ALGORITHMS] = {
        [DIRECT] = ead_conv2d_input_gradient_direct_plan, [GEMM] = ead_conv2d_input_gradient_gemm_plan,
        [AMX] = ead_conv2d_input_gradient_amx_plan,       [WINOGRAD6] = input_gradient_winograd6,
        [WINOGRAD8] = input_gradient_winograd8,
    };
    plans[choose(call, ead_conv_input_gradient_geometry(call))](call);
}

static void plan_weight_gradient(EadCall *call) {
    static Plan *const plans[ALGORITHMS] = {
        [DIRECT] = ead_conv2d_weight_gradient_direct_plan, [GEMM] = ead_conv2d_weight_gradient_gemm_plan,
        [AMX] = ead_conv2d_weight_gradient_amx_plan,       [WINOGRAD6] = weight_gradient_winograd6,
        [WINOGRAD8] = weight_gradient_winograd8,
    };
    plans[choose(call, ead_conv_weight_gradient_geometry(call))](call);
}

const EadKernel ead_conv2d_cpu = {.plan = plan_forward};
const EadKernel ead_conv2d_input_gradient_cpu = {.plan = plan_input_gradient};
const EadKernel ead_conv2d_weight_gradient_cpu = {.plan = plan_weight_gradient};
