/* The graphs of the steps. */
#include "train/ast/ast_step.h"

const EadLossColumn ead_ast_losses[] = {
    {"loss_squares", "loss/squares"},
    {"log_determinant", "loss/log_determinant"},
    {"loss_distance", "loss/distance"},
    {"loss_total", "loss/total"},
    {NULL, NULL},
};

typedef struct AstBuilder {
    EadAst *model;
    const EadAstOptions *options;
    EadTrainFeatures *features;
} AstBuilder;

/* An EadStepBuilder. */
static void build(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const AstBuilder *b = context;
    const EadAstOptions *o = b->options;
    (void)done;
    ead_train_features_forget_inputs(b->features);
    EadNode *features = ead_train_features_input(b->features, graph, o->batch, &b->model->shape, parts);
    if (o->student) {
        parts->losses[2] = parts->total = ead_ast_student_loss(graph, b->model, features);
    } else {
        EadAstLoss loss = ead_ast_teacher_loss(graph, b->model, features);
        parts->losses[0] = loss.squares;
        parts->losses[1] = loss.logdet;
        parts->total = loss.total;
    }
    parts->losses[3] = parts->total;
    parts->groups[0] = (EadStepGroup){o->student ? &b->model->student : &b->model->teacher,
                                      ead_adam_usual(o->weight_decay), (EadLrSchedule){o->rate, 1, -1}};
    parts->group_count = 1;
    parts->share = ead_ranks_share(NULL, o->batch);
}

EadStatus ead_ast_step_new(EadAst *model, const EadAstOptions *options, EadTrainFeatures *features,
                           const EadPlanOptions *plan, EadStep *step) {
    AstBuilder builder = {model, options, features};
    return ead_step_new(step, ead_loss_count(ead_ast_losses), build, &builder, plan);
}
