/* What a frozen backbone says of the training images, for methods whose steps see features and never pixels.
 * Computed once in single precision, kept in half precision in a file of the folder for caches
 * (data/cache/feature_cache.h), where every later run with the same images, backbone and features finds it.
 *
 * In the order of a fit (train/fit.h), with an EadTrainFeatures zeroed in its state: its plan builds the step on
 * ead_train_features_input(), once for each feature; its begin opens them and gives the loader to them; its free
 * closes them. */
#pragma once

#include "data/cache/feature_cache.h"
#include "data/cache/image_cache.h"
#include "data/source/loader.h"
#include "models/networks/backbone.h"
#include "train/loop/run.h"
#include "train/loop/step.h"

/* Builds the features of images U8 [1,H,W,3] into features[0..], each [1,h,w,c], as many as the step has inputs. */
typedef void EadFeatureBuilder(EadGraph *graph, const void *model, EadNode *images,
                               EadNode *features[EAD_MAX_STEP_INPUTS]);

typedef struct EadTrainFeaturesSpec {
    const EadRunSpec *run;
    const EadImageCache *images;
    const EadBackbone *backbone;
    const char
        *settings; /* what besides backbone and images the features depend on, such as "layer2,layer3 1536" */
    int height, width; /* of the images */
    EadFeatureBuilder *build;
    const void *model; /* build's */
    int batch;         /* images a step, of all ranks, at most as many as there are */
    bool drops;        /* the last images of an epoch, too few for a batch, are left out */
} EadTrainFeaturesSpec;

/* Must not move while a loader fills from it. Zeroed: there are none. */
typedef struct EadTrainFeatures {
    EadTrainFeaturesSpec spec;
    int inputs;                           /* of the step */
    int64_t numbers[EAD_MAX_STEP_INPUTS]; /* that an image has of each */
    int channels[EAD_MAX_STEP_INPUTS];
    real *factors[EAD_MAX_STEP_INPUTS]; /* [channels], what they are multiplied by on being widened */
    EadFeatureCache *cache;
    uint16_t *halves; /* of one image, one input behind the other */
} EadTrainFeatures;

/* Before a graph is built: the step's, again when it is planned again, that of an epoch's last step. */
void ead_train_features_forget_inputs(EadTrainFeatures *features);

/* Adds the next input to a step: a leaf EAD_F16 [batch,h,w,c], set in parts->inputs, h, w and c those of shape.
 * Returns it widened to real numbers. Errors stick to the graph. */
EadNode *ead_train_features_input(EadTrainFeatures *features, EadGraph *graph, int batch,
                                  const EadTensor *shape, EadStepParts *parts);

/* Opens the file that belongs to these images and this backbone, and computes into it what is missing, with a
 * progress line; an interrupted filling goes on where it stopped. A step must have been planned. Errors: those of the
 * caches, the plan and the disk; EAD_BAD_ARGUMENT where half precision does not hold a feature; EAD_INTERRUPTED. */
EadStatus ead_train_features_open(EadTrainFeatures *features, const EadTrainFeaturesSpec *spec);

/* Computes the features of spec->images without keeping them, so that it can be timed. Errors: those of the plan;
 * EAD_INTERRUPTED. */
EadStatus ead_train_features_look(const EadTrainFeaturesSpec *spec);

/* Bytes of the file of the features of so many images; spec->images is not asked for. Errors: those of the graph. */
EadStatus ead_train_features_bytes(const EadTrainFeaturesSpec *spec, int images, uint64_t *bytes);

/* The standard deviation of a position's numbers over all positions of all images, its mean over the numbers; of a step
 * with one input. Errors: those of reading; EAD_NO_MEMORY; EAD_INTERRUPTED. */
EadStatus ead_train_features_deviation(const EadTrainFeatures *features, double *deviation);

/* Multiplies all inputs by a factor, from the next upload of the step on; at first it is 1. */
void ead_train_features_scale(EadTrainFeatures *features, double factor);

/* Steps in which so many images are seen once, batch <= images; with drops: but the last, too few for a batch. */
int64_t ead_steps_of_epoch(int images, int batch, bool drops);

/* Makes the loader bring batches: epoch e takes the numbers from e images on of the sequence by EAD_STREAM_TRAIN_ORDER
 * over the images (core/base/philox.h), which sees all of them once an epoch. What is left for its last step fills the
 * start of each input's part of the slot as it would a slot of so many images (ead_step_add_last()). */
void ead_train_features_load(EadTrainFeatures *features, EadLoaderSpec *loader);

/* Harmless on a zeroed struct. */
void ead_train_features_close(EadTrainFeatures *features);
