/* Models for the suites: a small one with random weights, the ones that test/golden/ computes with, and backbone files
 * with drawn weights, also damaged ones. */
#pragma once

#include "core/base/half.h"
#include "core/base/philox.h"
#include "core/file/safetensors.h"
#include "models/detector.h"
#include "models/efficientad/model.h"
#include "models/method.h"
#include "models/networks/backbone.h"
#include "models/networks/resnet.h"
#include "test/support/scratch.h"

#include <math.h>

enum { TINY_SIDE = 128 };

/* For ead_efficientad_free(). */
EadEfficientad *tiny_model(void);
EadEfficientad *padded_tiny_model(void);

/* Saves it with a threshold (NAN: none) and a config (NULL: none). */
void save_tiny_model(const char *path, float threshold, const char *config);

/* The map and score that the library gives for an image file; free() the map. */
float *library_map(EadDetector *detector, const char *path, float *score);

float largest(const float *map, int64_t count);

enum { GOLDEN_WEIGHT_SEED = 7 };

/* u8 [height][width][3]: 8x8 random flat cells with noise of 0..7 on top. */
void golden_image(uint64_t seed, int height, int width, uint8_t *out);

/* The map and score that a detector of the model gives for the golden image of its size and that seed; free() the map. */
float *golden_map(const EadModel *model, uint64_t seed, float *score);

/* The float64 vector of that name; fails the test if it is not there with `count` elements. */
void golden_vector(const EadSafetensors *file, const char *prefix, const char *name, int64_t count,
                   double *out);

/* A model with the golden weights and the golden file's teacher statistics. */
EadEfficientad *golden_model(const EadSafetensors *file, const char *prefix, EadEfficientadSpec spec);

/* Largest difference in units of the largest expected value. */
double relative_difference(const real *got, const double *expected, int64_t count, int64_t stride);

enum { BACKBONE_SEED = 9, MAX_TENSORS = 2048 };

/* The tensors of a file, which its writer borrows. */
typedef struct Drawn {
    EadSafetensorsWriter *writer;
    void *owned[MAX_TENSORS];
    int count;
    const char *left_out; /* this one tensor is not written */
    bool whole;           /* of a ResNet, layer4, too */
    const char *negative; /* the first number of this one is -1 */
} Drawn;

typedef enum DrawnPart { GAMMA, BETA, RUNNING_MEAN, RUNNING_VARIANCE } DrawnPart;

/* conv1 -> bn1, layer1.0.conv2 -> layer1.0.bn2, layer1.0.downsample.0 -> layer1.0.downsample.1 */
void norm_of(const char *weight, char out[64]);

/* A file of the network of that name, as its publisher's. */
void write_backbone(const char *name, const char *path, Drawn *drawn);

/* A copy of a file, which may be the same path, with one number more, of that name. */
void add_tensor(const char *from, const char *to, const char *name);
