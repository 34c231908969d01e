/* Choice of the algorithm for each of the three convolution kernels on the CPU, at plan time, by precision
 * and shape. */
#include "core/ops/conv2d/cpu/conv2d_cpu.h"

#include "core/simd/amx.h"

#include <stdlib.h>
#include <string.h>

/* Below this many tiles the transformed weights, 4 times as many numbers as the weights, cost more to read
 * than the multiplications saved. */
enum { MIN_TILES = 9 };

/* Other numbers of channels, the three of an image above all, leave too much of AMX's tiles empty. */
enum { AMX_CHANNELS = 16 };

EadConvAlgorithm ead_conv2d_choose(EadCall *call, EadConvGeometry g) {
    static const char *const names[EAD_CONV_ALGORITHMS] = {"direct", "winograd8", "amx"};
    const char *name = getenv("EFFICIENTAD_CONV"); /* what does not fit a layer or this CPU is ignored */
    int wanted = 0;                                /* EAD_CONV_ALGORITHMS if nothing is asked for */
    while (wanted < EAD_CONV_ALGORITHMS && !(name && strcmp(name, names[wanted]) == 0)) wanted++;
    /* AMX is asked for by EFFICIENTAD_CONV for every layer, by precision for those that it suits */
    if (wanted == EAD_CONV_AMX && !call->amx) call->amx = ead_amx();
    bool suits = g.i % AMX_CHANNELS == 0 && g.o % AMX_CHANNELS == 0;
    if (call->amx && (wanted == EAD_CONV_AMX || (wanted == EAD_CONV_ALGORITHMS && suits)))
        return EAD_CONV_AMX;
    if (wanted == EAD_CONV_AMX) wanted = EAD_CONV_ALGORITHMS;
    if (wanted == EAD_CONV_DIRECT || !ead_conv2d_winograd_fits(&g)) return EAD_CONV_DIRECT;
    if (wanted != EAD_CONV_ALGORITHMS) return (EadConvAlgorithm)wanted;
    int outputs = 9 - g.kh;
    int64_t tiles = (int64_t)g.n * ((g.oh + outputs - 1) / outputs) * ((g.ow + outputs - 1) / outputs);
    return tiles < MIN_TILES ? EAD_CONV_DIRECT : EAD_CONV_WINOGRAD;
}

void ead_conv2d_plan(EadCall *call, EadConvAlgorithm algorithm) {
    static void (*const plans[EAD_CONV_ALGORITHMS])(EadCall *) = {
        [EAD_CONV_DIRECT] = ead_conv2d_direct_plan,
        [EAD_CONV_WINOGRAD] = ead_conv2d_winograd_plan,
        [EAD_CONV_AMX] = ead_conv2d_amx_plan,
    };
    plans[algorithm](call);
}

static void plan_forward(EadCall *call) {
    ead_conv2d_plan(call, ead_conv2d_choose(call, ead_conv_geometry(call)));
}

static void plan_input_gradient(EadCall *call) {
    static void (*const plans[EAD_CONV_ALGORITHMS])(EadCall *) = {
        [EAD_CONV_DIRECT] = ead_conv2d_input_gradient_direct_plan,
        [EAD_CONV_WINOGRAD] = ead_conv2d_input_gradient_winograd_plan,
        [EAD_CONV_AMX] = ead_conv2d_input_gradient_amx_plan,
    };
    plans[ead_conv2d_choose(call, ead_conv_input_gradient_geometry(call))](call);
}

static void plan_weight_gradient(EadCall *call) {
    static void (*const plans[EAD_CONV_ALGORITHMS])(EadCall *) = {
        [EAD_CONV_DIRECT] = ead_conv2d_weight_gradient_direct_plan,
        [EAD_CONV_WINOGRAD] = ead_conv2d_weight_gradient_winograd_plan,
        [EAD_CONV_AMX] = ead_conv2d_weight_gradient_amx_plan,
    };
    plans[ead_conv2d_choose(call, ead_conv_weight_gradient_geometry(call))](call);
}

const EadKernel ead_conv2d_cpu = {.plan = plan_forward};
const EadKernel ead_conv2d_input_gradient_cpu = {.plan = plan_input_gradient};
const EadKernel ead_conv2d_weight_gradient_cpu = {.plan = plan_weight_gradient,
                                                  .can_save = ead_conv2d_weight_gradient_can_save};
