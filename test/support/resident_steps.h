/* Steps that draw their images, and the teacher's outputs on them, from tables against steps to which the
 * same images are brought: on the CPU and the fake device (test/train/test_resident_data.c) and on a GPU
 * (test/core/test_cuda.c).
 */
#pragma once

#include "core/plan/plan.h"
#include "models/efficientad/model.h"

/* What a step has, and which of it in tables besides the training images. */
typedef struct StepWay {
    bool penalty, penalty_table, teacher_table, augment, autoencoder;
} StepWay;

/* Runs three steps with images that are brought, planned as `brought`, and three with tables, planned as
 * `drawn`: losses and parameters must have the same bits. */
void check_drawn_steps(StepWay way, const EadPlanOptions *brought, const EadPlanOptions *drawn);

/* The teacher's outputs on `count` images, for free(). */
real *teacher_outputs(const EadEfficientad *model, const EadPlanOptions *options, int count,
                      const uint8_t *images);
