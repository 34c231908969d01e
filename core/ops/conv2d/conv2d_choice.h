/* The algorithms of convolutions on the CPU and the choice between them, for the ops that contain one. */
#ifndef EAD_CORE_CONV2D_CHOICE_H
#define EAD_CORE_CONV2D_CHOICE_H

#include "core/ops/conv2d/conv2d_geometry.h"

typedef enum EadConvAlgorithm {
    EAD_CONV_DIRECT,
    EAD_CONV_GEMM,
    EAD_CONV_WINOGRAD6,
    EAD_CONV_WINOGRAD8,
    EAD_CONV_AMX,
    EAD_CONV_ALGORITHMS
} EadConvAlgorithm;

/* By precision, shape and EFFICIENTAD_CONV, at plan time; sets call->amx where that is what it takes. */
EadConvAlgorithm ead_conv2d_choose(EadCall *call, EadConvGeometry g);

/* Plans a call of conv2d with it. */
void ead_conv2d_plan(EadCall *call, EadConvAlgorithm algorithm);

#endif
