/* A GCAD model in memory ("Beyond Dents and Scratches", Bergmann et al., IJCV 2022). Of each size of patches it has two branches. The
 * local one: a descriptor of the patch around each pixel, the teacher of S-T, distilled and frozen, and a U-Net that learned to say
 * what it says of good images. The global one: an encoder that brings the whole image through a few numbers and back to ten a pixel, and
 * another U-Net that learned to say these. Where a U-Net is off, an image is anomalous: in the local branch for what is there,
 * in the global one for what does not go together.
 *
 * In the model file (models/method.h) it is
 *   metadata  fields "17,33", unet "64", width "64", bottleneck "32"
 *   tensors   of each field P the networks teacher.pP.* (its outputs standardised on the training images), encode.pP.*, local.pP.*,
 *             global.pP.* (weights O,I,KH,KW, of transposed convolutions as PyTorch has them), all F32; map.pP [4], mean and
 *             standard deviation of the local and of the global map on good images */
#pragma once

#include "models/blocks/field_maps.h"
#include "models/blocks/layer_walk.h"
#include "models/method.h"

enum {
    EAD_GCAD_STEP = 32,    /* height and width of images are multiples of it */
    EAD_GCAD_LEVELS = 5,   /* halvings of the encoder, each with a skip connection while it is trained */
    EAD_GCAD_ENCODED = 10, /* numbers of a pixel that the global branch says */
    EAD_GCAD_MOST_WIDTH = 1024,
};

typedef struct EadGcadSpec {
    int height, width; /* of the images */
    EadDescriptorFields fields;
    int unet;       /* channels of the U-Nets' first level; each of the four below has twice as many */
    int channels;   /* of the encoder */
    int bottleneck; /* numbers of a whole image */
} EadGcadSpec;

/* What the maps of a field are made of. */
enum { EAD_GCAD_LOCAL, EAD_GCAD_GLOBAL };

typedef struct EadGcad {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadGcadSpec spec;
    EadParams teacher[EAD_DESCRIPTOR_FIELDS]; /* in the order of spec.fields */
    EadParams first; /* encoders and local U-Nets of all fields, trained from the start */
    EadParams later; /* global U-Nets, which join */
    EadFieldMaps maps[EAD_DESCRIPTOR_FIELDS];
} EadGcad;

/* Whether images of that size go through the networks. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_gcad_check_size(int height, int width);

/* A model with zeroed parameters and maps as they are. Errors: EAD_BAD_ARGUMENT for a size of images that will not do,
 * EAD_NO_MEMORY. Free with ead_model_free() of its base. */
EadStatus ead_gcad_new(const EadGcadSpec *spec, EadGcad **out);

/* Declares what only the training has, "step.skips.pP.*", the skip connections' 1x1 convolutions, and "step.widen.pP.*", what makes a
 * descriptor of the encoder's numbers. Errors: EAD_NO_MEMORY. */
EadStatus ead_gcad_declare_helpers(const EadGcadSpec *spec, EadParams *helpers);

/* Draws all parameters as PyTorch does. */
void ead_gcad_initialize(EadGcad *model, uint64_t seed);

/* Copies all of a model of the same spec but the statistics of its maps; false, and the copy is of no use, where that differs. */
bool ead_gcad_copy(EadGcad *to, const EadGcad *from);

/* The descriptor of field number `field`, which is not trained here. */
EadPatchDescriptor ead_gcad_teacher(const EadGcad *model, int field);

/* Sets the statistics of a field's maps and what follows from them. Errors: EAD_BAD_ARGUMENT if they are not finite or a map has no
 * spread. */
EadStatus ead_gcad_set_maps(EadGcad *model, int field, double statistics[EAD_FIELD_MAPS][2]);

/* ---- graphs (models/gcad/gcad_graph.c) ---- */

/* What the training adds to the encoder. */
typedef struct EadGcadHelpers {
    const EadParams *params;
    EadNode *skips
        [EAD_GCAD_LEVELS]; /* scalars: weights of the skip connections, the first at half the image's size */
    EadNode *joined;       /* a scalar: weight of the global U-Net's loss */
    bool led;              /* the encoder gets the gradient of that loss, too */
} EadGcadHelpers;

/* What the networks of a field say of x [N,H,W,3], normalised images. */
typedef struct EadGcadOutputs {
    EadNode *described, *local; /* [N,H,W,128] by the descriptor and by the local U-Net */
    EadNode *encoded, *global;  /* [N,H,W,10] by the encoder and by the global U-Net */
} EadGcadOutputs;

/* Scalars: transfer: mean of (described - widened encoded)², by which the encoder learns; global, local: the U-Nets' mean squares; total =
 * transfer + joined global + local. */
typedef struct EadGcadLoss {
    EadGcadOutputs outputs;
    EadNode *widened; /* [N,H,W,128] */
    EadNode *transfer, *global, *local, *total;
} EadGcadLoss;

/* The training of field number `field`; all but the descriptor is trainable. */
EadGcadLoss ead_gcad_loss(EadGraph *graph, const EadGcad *model, int field, EadNode *x,
                          const EadGcadHelpers *helpers);

/* The maps of a field as they are, [N,H,W,1]: |described - local|, |encoded - global| of each pixel. x as above. */
void ead_gcad_raw_maps(EadGraph *graph, const EadGcad *model, int field, EadNode *x,
                       EadNode *maps[EAD_FIELD_MAPS]);

/* EadMethodFunctions.build. */
EadDetection ead_gcad_build(EadGraph *graph, const EadModel *base, EadNode *images);

/* ---- networks (models/gcad/gcad_networks.c), built or declared ---- */

/* Names of a field's networks: "local" and 33 -> "local.p33". */
typedef char EadGcadName[24];
const char *ead_gcad_name(const char *network, int field, EadGcadName out);

/* jvanvugt's U-Net of five levels: x [N,H,W,3] -> [N,H,W,outputs]; H and W multiples of 16. */
EadNode *ead_gcad_unet(const EadLayerWalk *walk, EadNode *x, int outputs, int width);

/* x [N,H,W,3] -> [N,H,W,10]. skips: of the walk `skipping`, or NULL: there are none. */
EadNode *ead_gcad_encode(const EadLayerWalk *walk, const EadGcadSpec *spec, EadNode *x,
                         const EadLayerWalk *skipping, EadNode *const skips[EAD_GCAD_LEVELS]);

/* [N,H,W,10] -> [N,H,W,128]. */
EadNode *ead_gcad_widen(const EadLayerWalk *walk, EadNode *x);
