/* The rule of a config as a threshold rule, and the scores that it is applied to. */
#ifndef EAD_TRAIN_THRESHOLD_H
#define EAD_TRAIN_THRESHOLD_H

#include "core/base/string_list.h"
#include "core/plan/plan.h"
#include "models/efficientad/model.h"
#include "train/config/config.h"
#include "train/metrics/threshold_rule.h"

/* The rows threshold.* as a rule. */
EadThresholdRule ead_threshold_rule(const EadConfig *config);

/* Scores every image at its own size, as evaluation does. scores [images->count]. Errors: those of reading an
 * image; EAD_INTERRUPTED on Ctrl-C; EAD_NO_MEMORY. */
EadStatus ead_score_images(const EadModel *model, const EadPlanOptions *plan, const EadStringList *images,
                           bool quiet, float *scores);

#endif
