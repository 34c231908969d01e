/* The step of GCAD: what its fit, the bench and the tests share. */
#pragma once

#include "models/gcad/gcad.h"
#include "train/loop/loss_log.h"
#include "train/loop/step.h"

/* Those of the descriptor's distillation stand first, as train/student_teacher/student_teacher_step.h has them. */
extern const EadLossColumn ead_gcad_losses[];

typedef struct EadGcadOptions {
    int batch; /* images */
    double rate, weight_decay;
    int64_t skips_until; /* steps after which no skip connection is left */
    int64_t global_from; /* steps after which the global U-Nets join */
    bool encoder_led;    /* the encoder gets the gradient of their losses */
} EadGcadOptions;

/* Plans the step that trains all fields; the model's first and later, and helpers (ead_gcad_declare_helpers()), are updated in place and
 * must outlive it. Its input: U8 [batch,H,W,3]. plan may be NULL. Errors: EAD_NO_MEMORY, the graph's. Free with
 * ead_step_free(step). */
EadStatus ead_gcad_step_new(EadGcad *model, EadParams *helpers, const EadGcadOptions *options,
                            const EadPlanOptions *plan, EadStep *step);
