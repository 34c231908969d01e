/* The parts of the detector that only the program uses; users see models/efficientad.h. */
#ifndef EAD_MODELS_DETECTOR_H
#define EAD_MODELS_DETECTOR_H

#include "core/plan/plan.h"
#include "core/base/status.h"
#include "models/efficientad.h"
#include "models/efficientad/model.h"

/* A detector on a model in memory, which must outlive it and whose values it reads in place, planned as
 * asked (NULL: CPU, fp32), for batches of up to `batch` images of model size. */
EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out);

/* Runs a batch of images already at model size, u8 [batch][H][W][3], and gives the combined maps
 * [batch][H][W], which are valid until the next run. Errors: what stopped the device. */
EadStatus ead_detector_run_batch(EadDetector *detector, const uint8_t *images, const float **maps);

/* Bytes of its arena. */
size_t ead_detector_bytes(const EadDetector *detector);

/* The plan, for the bench. */
const EadPlan *ead_detector_plan(const EadDetector *detector);

#endif
