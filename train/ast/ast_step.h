/* The steps of AST, of the teacher and of the student: what its fit, the bench and the tests share. */
#pragma once

#include "models/ast/ast.h"
#include "train/loop/loss_log.h"
#include "train/loop/step.h"
#include "train/loop/train_features.h"

extern const EadLossColumn ead_ast_losses[];

typedef struct EadAstOptions {
    int batch; /* images */
    double rate, weight_decay;
    bool student; /* is trained, by the teacher as it is; else the teacher is */
} EadAstOptions;

/* Plans the step of a model, whose parameters and running statistics are updated in place and must outlive it, into *step.
 * Its input are the model's features, those of `features`. plan may be NULL. Errors: EAD_NO_MEMORY, the graph's. Free with
 * ead_step_free(step). */
EadStatus ead_ast_step_new(EadAst *model, const EadAstOptions *options, EadTrainFeatures *features,
                           const EadPlanOptions *plan, EadStep *step);
