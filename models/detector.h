/* The parts of the detector that only the program uses; users see models/efficientad.h. */
#pragma once

#include "core/plan/plan.h"
#include "models/efficientad.h"
#include "models/method.h"

/* A detector on a model in memory, which must outlive it and whose values it reads in place, planned as
 * asked (NULL: CPU, fp32), for batches of up to `batch` images of model size. */
EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out);

/* Bytes that such a detector would take. Errors: of the graph. */
EadStatus ead_detector_measure(const EadModel *model, const EadPlanOptions *plan, int batch, size_t *bytes);

/* Runs a batch of images already at model size, u8 [batch][H][W][3], and gives the anomaly maps
 * [batch][H][W], which are valid until the next run. Errors: what stopped the device. */
EadStatus ead_detector_run_batch(EadDetector *detector, const uint8_t *images, const float **maps);

/* Bytes of its arena. */
size_t ead_detector_bytes(const EadDetector *detector);

/* The plan, for the bench. */
const EadPlan *ead_detector_plan(const EadDetector *detector);

/* Bilinear resize of one map outside the graph, whose sizes are fixed: map [height][width] -> out
 * [out_height][out_width], align_corners = false, no antialiasing (as torch.nn.functional.interpolate). All
 * sizes >= 1. Returns the largest value of out: an image's score. out NULL: only that. */
float ead_map_resize(const float *map, int height, int width, float *out, int out_height, int out_width);
