/* The parts of the detector that only the program uses; users see models/efficientad.h. */
#pragma once

#include "core/image/map.h"
#include "core/plan/plan.h"
#include "models/efficientad.h"
#include "models/method.h"

/* A detector on a model in memory, which must outlive it and whose values it reads in place, planned as
 * asked (NULL: CPU, fp32), for batches of up to `batch` images of model size. */
EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out);

/* The same for one image at a time, and ead_detector_part() gives the maps that the anomaly map is made of. */
EadStatus ead_detector_new_with_parts(const EadModel *model, const EadPlanOptions *plan, EadDetector **out);

/* How many of them there are; 0 where the anomaly map is made of no others, or the detector is not for them. */
int ead_detector_part_count(const EadDetector *detector);

/* Number `index` (below EAD_MAP_PARTS) of these maps of the last image, the caller's, as coarse as the networks make it, of a model with tiles a cell for EAD_TILE_STEP pixels;
 * empty where there are no more, or it is the anomaly map itself. Errors: EAD_NO_MEMORY, what stopped the device. */
EadStatus ead_detector_part(EadDetector *detector, int index, EadMap *out);

/* Bytes that such a detector would take. Errors: of the graph. */
EadStatus ead_detector_measure(const EadModel *model, const EadPlanOptions *plan, int batch, size_t *bytes);

/* Runs a batch of images already at model size, of a model without tiles, u8 [batch][H][W][3], as ead_region_resize() makes them, and gives the anomaly
 * maps [batch][H][W], with the least value inside outside of the region's mask, which are valid until the next run. Errors: what
 * stopped the device. */
EadStatus ead_detector_run_batch(EadDetector *detector, const uint8_t *images, const float **maps);

/* The part of images that it looks at. */
const EadRegion *ead_detector_region(const EadDetector *detector);

/* Bytes of its arena. */
size_t ead_detector_bytes(const EadDetector *detector);

/* The plan that ran last, or will run first, for the bench. */
const EadPlan *ead_detector_plan(const EadDetector *detector);
