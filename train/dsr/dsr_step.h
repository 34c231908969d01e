/* The steps of DSR: what its fit, the bench and the tests share. */
#pragma once

#include "models/dsr/dsr.h"
#include "train/loop/loss_log.h"
#include "train/loop/step.h"

extern const EadLossColumn ead_dsr_losses[];

/* The moving averages of the codebooks, which only their training needs: "step.codes.lo" and "step.codes.hi". Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_dsr_averages_new(const EadDsrSpec *spec, EadParams *averages);

typedef struct EadDsrCodebookOptions {
    int batch; /* photographs */
    double rate, commitment, decay, least_use;
    uint64_t seed; /* of codes that begin anew */
} EadDsrCodebookOptions;

/* Plans the step that trains the codebooks; the model's vq and codes, and averages, are updated in place and must outlive it. Its
 * input: U8 [batch,H,W,3]. plan may be NULL. Errors: EAD_NO_MEMORY, the graph's. Free with ead_step_free(step). */
EadStatus ead_dsr_codebook_step_new(EadDsr *model, EadParams *averages, const EadDsrCodebookOptions *options,
                                    const EadPlanOptions *plan, EadStep *step);

typedef struct EadDsrOptions {
    int batch; /* images */
    double rate;
    int64_t drop; /* step after which the rate is a tenth; -1: never */
} EadDsrOptions;

/* The same of the step that trains restoring and detecting, whose inputs ead_disturbed_images_fill() brings; and of that of the
 * refining U-Net, whose inputs ead_smudged_images_fill() brings (data/loader/disturbed_images.h). */
EadStatus ead_dsr_restoring_step_new(EadDsr *model, const EadDsrOptions *options, const EadPlanOptions *plan,
                                     EadStep *step);
EadStatus ead_dsr_refining_step_new(EadDsr *model, const EadDsrOptions *options, const EadPlanOptions *plan,
                                    EadStep *step);
