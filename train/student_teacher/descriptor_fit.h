/* How descriptors of patches come into a fit (S-T's teachers, GCAD's local branch): distilled on photographs, a phase for each size of
 * patches before the fit's own, or taken of a model. Their config keys are S-T's. */
#pragma once

#include "data/cache/image_cache.h"
#include "data/loader/patch_draws.h"
#include "models/blocks/patch_descriptor.h"
#include "train/fit.h"
#include "train/student_teacher/student_teacher_step.h"

typedef struct EadDescriptorFit {
    const EadRunSpec *run;
    const EadConfig *config;
    const EadDescriptorFields *fields; /* of the model, as are the teachers */
    EadParams *teachers;               /* [fields->count], allocated */
    int losses;                        /* columns of the fit */
    EadBackbone backbone;              /* empty where they come from a model, as is all below */
    int tap;
    EadParams decoders[EAD_DESCRIPTOR_FIELDS];
    EadImageList list;
    EadImageDraws *photographs;
    EadPatchDraws patches;
} EadDescriptorFit;

/* Opens what they are distilled from; fields and teachers must outlive it. losses: of the fit, EadFit.losses, the first two those of a
 * distillation. Free in every case. Errors: those of the backbone;
 * EAD_NO_MEMORY. */
EadStatus ead_descriptor_fit_open(EadDescriptorFit *d, const EadRunSpec *run,
                                  const EadDescriptorFields *fields, EadParams *teachers,
                                  const EadLossColumn *losses);
void ead_descriptor_fit_free(EadDescriptorFit *d);

/* How many phases distil: one for each field, or none. */
int ead_descriptor_fit_phases(const EadDescriptorFit *d);

/* What a fit does with it in its functions of these names, where there are such phases; list in create, initialize where it draws
 * its parameters, take in fit of phase 0, after that. */
EadStatus ead_descriptor_fit_list(EadDescriptorFit *d, const EadTrainData *data);
void ead_descriptor_fit_initialize(EadDescriptorFit *d);
void ead_descriptor_fit_name_phases(const EadDescriptorFit *d, EadPhase phases[EAD_MAX_PHASES]);
EadStatus ead_descriptor_fit_plan(EadDescriptorFit *d, int phase, EadStep *step);
EadStatus ead_descriptor_fit_open_photographs(EadDescriptorFit *d);
void ead_descriptor_fit_print_start(const EadDescriptorFit *d);
EadStatus ead_descriptor_fit_take(EadDescriptorFit *d);
void ead_descriptor_fit_begin(EadDescriptorFit *d, int phase, EadLoaderSpec *loader);
EadStatus ead_descriptor_fit_write(const EadDescriptorFit *d, EadSafetensorsWriter *writer);
EadStatus ead_descriptor_fit_read(EadDescriptorFit *d, const EadSafetensors *file);

/* What a teacher says of images, of which pixels of the region count: mean and standard deviation of each number, [128]. model: their
 * sizes and region. Errors: those of ead_measure_channels(). */
EadStatus ead_descriptor_fit_measure(const EadDescriptorFit *d, int field, const EadModel *model,
                                     const EadImageCache *images, bool quiet, double *mean, double *std);

/* Checks its keys; fields: none if they were wrong. Adds to config->problems. */
void ead_descriptor_fit_check(EadConfig *config, EadCheckScope scope, const EadDescriptorFields *fields);
