/* A backbone's features for single images: from its graph, or from a cache that this graph fills first. */
#ifndef EAD_TRAIN_FEATURE_SOURCE_H
#define EAD_TRAIN_FEATURE_SOURCE_H

#include "core/plan/plan.h"
#include "data/loader/distill_images.h"
#include "models/networks/patch_features.h"

typedef struct EadFeatureSource {
    EadDistillImages *images;         /* borrowed; its cache is set here */
    const EadPatchFeatures *backbone; /* borrowed */
    EadPlanOptions plan_options;
    EadGraph *graph; /* of the backbone, planned when first needed */
    EadPlan *plan;
    EadNode *large, *features;
    EadFeatureCache *cache;
    uint8_t *pixels;  /* of one image at the backbone's size */
    uint16_t *halves; /* of one image, and as floats */
    float *floats;
} EadFeatureSource;

/* cache: path of the cache file, or NULL for none. key: hash of what the features depend on besides the
 * images' own settings. A cache is filled before this returns, with a progress line unless quiet, and
 * continued where a filling was interrupted. Errors: those of images, cache and plan; EAD_INTERRUPTED. Close
 * in every case. */
EadStatus ead_feature_source_open(EadFeatureSource *source, EadDistillImages *images,
                                  const EadPatchFeatures *backbone, const EadBackend *backend,
                                  const char *cache, uint64_t key, bool quiet);
void ead_feature_source_close(EadFeatureSource *source);

/* The teacher's pixels [height][width][3] and the features [height/4][width/4][384] of the image at a
 * position, gray as drawn once an image. *features lives until the next call. */
EadStatus ead_feature_source_read(EadFeatureSource *source, int position, uint8_t *small,
                                  const float **features);

#endif
