/* Where two configs differ, and whether that matters: for resuming a checkpoint, for taking over the training
 * of another run, for calling a finished run finished. */
#ifndef EAD_TRAIN_CONFIG_COMPARE_H
#define EAD_TRAIN_CONFIG_COMPARE_H

#include "train/config/config.h"

/* What is to be the same. Of a training each includes those before it. */
typedef enum EadCompareScope {
    EAD_SAME_STEPS,    /* every training step; train.steps may differ, for those who want to train longer */
    EAD_SAME_TRAINING, /* the trained weights; maps.* may differ, which is measured after training */
    EAD_SAME_RESULT,   /* the metrics; files, folders, threads and logs may differ */
    EAD_SAME_DISTILLATION, /* every step of a distillation, as EAD_SAME_STEPS; distill.steps may differ */
} EadCompareScope;

/* Whether the metrics of a training depend on a key at all. */
bool ead_config_matters(int key);

/* The first key in which they differ as far as `sameness` asks, or -1. */
int ead_config_difference(const EadConfig *a, const EadConfig *b, EadCompareScope sameness);

/* "key: value in a, ... value in b" as a failure: "LABEL: was made with KEY: X, the config now says Y; HINT".
 * Returns EAD_BAD_ARGUMENT or EAD_NO_MEMORY. */
EadStatus ead_config_fail_difference(const EadConfig *a, const EadConfig *b, int key, const char *label,
                                     const char *cure);

#endif
