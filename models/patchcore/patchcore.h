/* A PatchCore model in memory (Roth et al., CVPR 2022): a frozen backbone, and a bank of what it says of patches of
 * good images. A patch is as anomalous as it is far from the bank.
 *
 * In the model file (models/method.h) it is
 *   metadata  backbone, layers "layer2,layer3", neighbours, reweight (absent: 0), sigma, positions (of
 *             all images seen)
 *   tensors   backbone.* (models/networks/backbone.h), bank [rows, width] (F32 or F16), images [count] (U64, hashes
 *             of the images seen) */
#pragma once

#include "models/method.h"
#include "models/networks/backbone.h"

enum { EAD_PATCHCORE_PER_LAYER = 1024 };

typedef struct EadPatchcoreSpec {
    int height, width; /* of the images */
    EadTaps taps;
    int length;     /* numbers of a patch */
    int neighbours; /* whose distances are averaged, 1 .. EAD_NEAREST_MAX */
    int reweight;   /* neighbours by which the score is re-weighted, 2 .. EAD_REWEIGHT_MAX; 0: it is not */
    double sigma;   /* of the map's Gaussian, in pixels; 0: none */
    EadFileType stored; /* of the bank and the backbone's weights in files: EAD_FILE_F32 or EAD_FILE_F16 */
} EadPatchcoreSpec;

typedef struct EadPatchcore {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadPatchcoreSpec spec;
    EadBackbone backbone;
    int grid_height, grid_width; /* patches of an image */
    real *bank;                  /* [rows][length], owned */
    int rows;
    int64_t positions; /* of all images seen, of which the bank is a share */
    uint64_t *images;  /* [image_count] hashes of these images, owned */
    int image_count;
} EadPatchcore;

/* A model with an empty bank. The backbone becomes its own, also after an error, and its weights are rounded to
 * spec->stored. Errors: EAD_NO_MEMORY; EAD_BAD_ARGUMENT if images of that size are too small for it. Free with
 * ead_model_free() of its base. */
EadStatus ead_patchcore_new(const EadPatchcoreSpec *spec, EadBackbone *backbone, EadPatchcore **out);

/* Puts rows chosen[0..count-1] of rows [..][length] behind those of the bank, rounded to spec.stored. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_patchcore_add(EadPatchcore *model, const real *rows, const int64_t *chosen, int64_t count);

/* images: U8 [N,H,W,3] -> the patches [N,h,w,length]. */
EadNode *ead_patchcore_patches(EadGraph *graph, const EadPatchcore *model, EadNode *images);

/* Map and score of images U8 [N,H,W,3], the score of what is inside of the region. The bank is read in place. */
EadDetection ead_patchcore_build(EadGraph *graph, const EadPatchcore *model, const EadRegion *region,
                                 EadNode *images);

/* The model as a part of a file, whose tensors and metadata all begin with prefix: "" or "member1.". Errors:
 * EAD_NO_MEMORY; of reading also EAD_BAD_FILE, naming file and tensor or metadata. */
EadStatus ead_patchcore_read(const EadSafetensors *file, const char *prefix, int height, int width,
                             EadPatchcore **out);
EadStatus ead_patchcore_write(const EadPatchcore *model, const char *prefix, EadSafetensorsWriter *writer);
