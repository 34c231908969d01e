/* The graphs of the three steps. */
#include "train/dsr/dsr_step.h"

#include "core/base/philox.h"
#include "core/ops/add/add.h"
#include "core/ops/codebook_update/codebook_update.h"

#include <stdio.h>

const EadLossColumn ead_dsr_losses[] = {
    {"loss_commitment", "loss/commitment"}, {"loss_codes", "loss/codes"}, {"loss_image", "loss/image"},
    {"loss_detection", "loss/detection"},   {"loss_total", "loss/total"}, {NULL, NULL},
};

/* Of codes: at both levels; of detection: in the last phase that of the refining U-Net. */
enum { COMMITMENT, CODES, IMAGE, DETECTION, TOTAL };

static const double EPSILON = 1e-5; /* of the smoothing of codes' sizes */

EadStatus ead_dsr_averages_new(const EadDsrSpec *spec, EadParams *averages) {
    EAD_TRY(ead_params_declare(averages, "step.codes.lo", spec->codes, 1, 1, spec->channels + 1, 1));
    EAD_TRY(ead_params_declare(averages, "step.codes.hi", spec->codes, 1, 1, spec->channels + 1, 1));
    return ead_params_allocate(averages);
}

static EadNode *images_of(EadGraph *graph, const EadDsr *model, int batch, EadStepParts *parts) {
    parts->share = ead_ranks_share(NULL, batch);
    parts->inputs[0] =
        ead_leaf(graph, "images", EAD_U8, batch, model->base.height, model->base.width, 3, NULL);
    return ead_dsr_pixels(graph, parts->inputs[0]);
}

/* ---- the codebooks ---- */

typedef struct CodebookBuilder {
    EadDsr *model;
    EadParams *averages;
    const EadDsrCodebookOptions *options;
} CodebookBuilder;

static void follow(const CodebookBuilder *b, EadGraph *graph, const char *name, EadNode *before,
                   EadNode *index, EadNode *done, EadStream stream) {
    const EadDsrCodebookOptions *o = b->options;
    char averages[EAD_NAME_SIZE];
    snprintf(averages, sizeof averages, "step.%s", name);
    ead_codebook_update(graph, ead_param_leaf(graph, &b->model->codes, name, false),
                        ead_param_leaf(graph, b->averages, averages, false), before, index, done,
                        (EadCodebookUpdate){o->decay, EPSILON, o->least_use, o->seed, stream});
}

/* An EadStepBuilder. */
static void build_codebook(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const CodebookBuilder *b = context;
    const EadDsrCodebookOptions *o = b->options;
    EadDsrCodebookLoss loss =
        ead_dsr_codebook_loss(graph, b->model, images_of(graph, b->model, o->batch, parts), o->commitment);
    follow(b, graph, "codes.lo", loss.before.lo, loss.index.lo, done, EAD_STREAM_CODES_LO);
    follow(b, graph, "codes.hi", loss.before.hi, loss.index.hi, done, EAD_STREAM_CODES_HI);
    parts->losses[COMMITMENT] = loss.commitment;
    parts->losses[IMAGE] = loss.image;
    parts->losses[TOTAL] = parts->total = loss.total;
    parts->groups[0] = (EadStepGroup){&b->model->vq, ead_adam_usual(0), (EadLrSchedule){o->rate, 1, -1}};
    parts->group_count = 1;
}

EadStatus ead_dsr_codebook_step_new(EadDsr *model, EadParams *averages, const EadDsrCodebookOptions *options,
                                    const EadPlanOptions *plan, EadStep *step) {
    CodebookBuilder builder = {model, averages, options};
    return ead_step_new(step, ead_loss_count(ead_dsr_losses), build_codebook, &builder, plan);
}

/* ---- the object ---- */

typedef struct DsrBuilder {
    EadDsr *model;
    const EadDsrOptions *options;
} DsrBuilder;

static EadStepGroup group_of(const DsrBuilder *b, EadParams *params) {
    return (EadStepGroup){params, ead_adam_usual(0),
                          (EadLrSchedule){b->options->rate, 0.1, b->options->drop}};
}

static EadNode *input(EadGraph *graph, const DsrBuilder *b, const char *name, int count, int side,
                      EadNode **in) {
    return *in = ead_leaf(graph, name, EAD_REAL, count, b->model->base.height / side,
                          b->model->base.width / side, 1, NULL);
}

/* An EadStepBuilder. */
static void build_restoring(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const DsrBuilder *b = context;
    int batch = b->options->batch;
    (void)done;
    EadNode *pixels = images_of(graph, b->model, batch, parts);
    EadDsrRanks ranks;
    ranks.lo = input(graph, b, "ranks_lo", 2 * batch, EAD_DSR_LO, &parts->inputs[1]);
    ranks.hi = input(graph, b, "ranks_hi", batch, EAD_DSR_HI, &parts->inputs[2]);
    EadNode *target = input(graph, b, "target", batch, 1, &parts->inputs[3]);
    EadDsrLoss loss = ead_dsr_loss(graph, b->model, pixels, &ranks, target);
    parts->losses[CODES] = ead_add(graph, loss.lo, loss.hi);
    parts->losses[IMAGE] = loss.image;
    parts->losses[DETECTION] = loss.detection;
    parts->losses[TOTAL] = parts->total = loss.total;
    parts->groups[0] = group_of(b, &b->model->restored);
    parts->group_count = 1;
}

EadStatus ead_dsr_restoring_step_new(EadDsr *model, const EadDsrOptions *options, const EadPlanOptions *plan,
                                     EadStep *step) {
    DsrBuilder builder = {model, options};
    return ead_step_new(step, ead_loss_count(ead_dsr_losses), build_restoring, &builder, plan);
}

/* An EadStepBuilder. */
static void build_refining(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const DsrBuilder *b = context;
    (void)done;
    EadNode *pixels = images_of(graph, b->model, b->options->batch, parts);
    EadNode *target = input(graph, b, "target", b->options->batch, 1, &parts->inputs[1]);
    parts->total = ead_dsr_refining_loss(graph, b->model, pixels, target);
    parts->losses[DETECTION] = parts->losses[TOTAL] = parts->total;
    parts->groups[0] = group_of(b, &b->model->refining);
    parts->group_count = 1;
}

EadStatus ead_dsr_refining_step_new(EadDsr *model, const EadDsrOptions *options, const EadPlanOptions *plan,
                                    EadStep *step) {
    DsrBuilder builder = {model, options};
    return ead_step_new(step, ead_loss_count(ead_dsr_losses), build_refining, &builder, plan);
}
