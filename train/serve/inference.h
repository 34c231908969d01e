/* The request of the Open Inference Protocol (version 2, /v2/models/NAME/infer) taken apart, and its reply; with the binary
 * tensor extension: JSON of Inference-Header-Content-Length bytes, behind it the tensors whose binary_data_size it names.
 *
 * Input: `image`, UINT8 [N,H,W,3] (RGB) or [N,H,W,1] (gray), or BYTES [N] (binary only): image files, each with its length in 4 bytes
 * before it. A header value of 0: the body is one image file.
 * Outputs: pred_score FP32 [N], anomalous BOOL [N] (with a threshold), anomaly_map FP32 [N,h,w] at the model's size or, by
 * parameters {"map_size": "image"} and of models with tiles, at the image's, heatmap BYTES [N] (binary only): PNG. Without a choice the first two. */
#pragma once

#include "data/codec/codec.h"
#include "train/serve/exchange.h"
#include "train/serve/served_model.h"

#include <jansson.h>

/* In the order of a reply. */
typedef enum EadInferOutput {
    EAD_INFER_SCORE,
    EAD_INFER_ANOMALOUS,
    EAD_INFER_MAP,
    EAD_INFER_HEATMAP,
    EAD_INFER_OUTPUTS
} EadInferOutput;

typedef struct EadWantedOutput {
    EadInferOutput output;
    bool binary, of_image; /* map_size */
} EadWantedOutput;

typedef struct EadInference {
    json_t *root;         /* the request's; NULL: there is none */
    const char *id;       /* or NULL */
    double deadline;      /* the request's own, if it names an earlier one */
    int count;            /* images */
    EadImage *decoded;    /* [count], owned, empty where pixels are the request's */
    uint8_t *numbers;     /* pixels that came as JSON, owned */
    EadPoolImage *images; /* [count], owned; maps are there where an output needs them */
    EadWantedOutput wanted[EAD_INFER_OUTPUTS];
    int wanted_count;
} EadInference;

/* Limits of what comes in. */
enum {
    EAD_INFER_MOST_IMAGES = 1024,
    EAD_INFER_MOST_NUMBERS = 1 << 20 /* as JSON; more go by the binary extension */
};

/* Takes a request apart and decodes its images, for a model. Errors: EAD_BAD_ARGUMENT and EAD_BAD_FILE for what is wrong with it; EAD_BAD_SHAPE for what is too
 * large; EAD_UNSUPPORTED; EAD_NO_MEMORY. Free in every case. */
EadStatus ead_inference_read(const EadServeRequest *request, const EadServedModel *model,
                             const EadImageRules *rules, EadInference *out);
void ead_inference_free(EadInference *inference);

/* Room for the maps of the first `most` images, where it is not there yet. Errors: EAD_NO_MEMORY. */
EadStatus ead_inference_allot_maps(EadInference *inference, const EadServedModel *model, int most);

/* Writes the reply to one whose images are scored. */
void ead_inference_reply(const EadInference *inference, const EadServedModel *model, EadServeReply *reply);

/* What is there, for the metadata: name, type and shape [-1,...] of an output. NULL behind the last. */
typedef struct EadInferOutputKind {
    const char *name, *type;
    int dims;
} EadInferOutputKind;
const EadInferOutputKind *ead_infer_output(int output);

/* A map at the size of its image, which the caller frees; and the image with its heat map as PNG, too. Errors: EAD_NO_MEMORY. */
EadStatus ead_infer_map_of_image(const EadServedModel *model, const EadPoolImage *image, float **map);
EadStatus ead_infer_heatmap(const EadServedModel *model, const EadPoolImage *image, const float *map,
                            uint8_t **png, size_t *size);
