/* A DSR model in memory ("DSR - A dual subspace re-projection network for surface anomaly detection", Zavrtanik et al., ECCV
 * 2022). A network of two codebooks, trained on photographs of anything, says an image in codes: 32 x 32 of a coarse book and,
 * given these, 64 x 64 of a fine one, for 256 x 256 pixels. Defects are made by replacing codes by others inside of drawn masks;
 * two restricting networks learn to say undisturbed codes instead, an object's own decoder to draw the good image from these, and
 * a U-Net to find what differs from what the general decoder draws of the codes as they are. Another U-Net refines its answer.
 *
 * In the model file (models/method.h) it is
 *   metadata  channels "128", codes "4096", unet "64"
 *   tensors   vq.encoder_hi.*, vq.encoder_lo.*, vq.before_lo.*, vq.before_hi.*, vq.upsample.*, vq.decoder.*; codes.lo and codes.hi
 *             [codes,channels,1,1]; restrict_lo.*, restrict_hi.*, object.*, detect.*; refine.*; all F32. Weights are O,I,KH,KW, of
 *             transposed convolutions as PyTorch has them */
#pragma once

#include "models/dsr/dsr_networks.h"
#include "models/method.h"

enum {
    EAD_DSR_STEP = 32, /* height and width of images are multiples of it, and larger */
    EAD_DSR_LO = 8,    /* pixels of the side of a coarse code */
    EAD_DSR_HI = 4,    /* of a fine one */
    EAD_DSR_MOST_CHANNELS = 1024,
    EAD_DSR_MOST_CODES = 8192,
};

typedef struct EadDsrSpec {
    int height, width; /* of the images */
    int channels;      /* of a code: a multiple of 2 */
    int codes;         /* of either book, at least 2 */
    int unet;          /* width of the U-Nets */
} EadDsrSpec;

typedef struct EadDsr {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadDsrSpec spec;
    EadParams vq;       /* what says images in codes, and the general decoder */
    EadParams codes;    /* "codes.lo", "codes.hi" */
    EadParams restored; /* the restricting networks, the object's decoder, the detecting U-Net */
    EadParams refining; /* the other U-Net */
} EadDsr;

/* Whether images of that size can be said in codes. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_dsr_check_size(int height, int width);

/* A model with zeroed parameters. Errors: EAD_BAD_ARGUMENT for a size of images that will not do, EAD_NO_MEMORY. Free with
 * ead_model_free() of its base. */
EadStatus ead_dsr_new(const EadDsrSpec *spec, EadDsr **out);

/* Draws all parameters as the original does: codes are normal; weights of the object's decoder and of the detecting U-Net normal
 * with standard deviation 0.02; the rest as PyTorch draws convolutions. */
void ead_dsr_initialize(EadDsr *model, uint64_t seed);

/* Reads vq.* and codes.* of a file that holds at least these. Errors: EAD_BAD_FILE, naming file and tensor. */
EadStatus ead_dsr_read_codebooks(EadDsr *model, const EadSafetensors *file);

/* Channels and codes of such a file's books. Errors: EAD_BAD_FILE. */
EadStatus ead_dsr_codebook_sizes(const EadSafetensors *file, int *channels, int *codes);

/* Declares the parameters of vq and codes of such sizes. Errors: EAD_NO_MEMORY. */
EadStatus ead_dsr_declare_codebooks(int channels, int codes, EadParams *vq, EadParams *books);

/* Copies all parameters of a model of the same spec; false, and the copy is of no use, where that differs. */
bool ead_dsr_copy(EadDsr *to, const EadDsr *from);

/* ---- graphs (models/dsr/dsr_graph.c) ---- */

/* What a network says of an image at both levels: [N,H/8,W/8,C] and [N,H/4,W/4,C]. */
typedef struct EadDsrLevels {
    EadNode *lo, *hi;
} EadDsrLevels;

/* Images U8 [N,H,W,3] as the networks take them: 0 .. 1. */
EadNode *ead_dsr_pixels(EadGraph *graph, EadNode *images);

/* The training of the codebooks. pixels [N,H,W,3]; the parameters of vq are trainable. Scalars; total = image + commitment's
 * weight times commitment. before: what is quantised; index: the numbers of the nearest codes [N,h,w,1]. */
typedef struct EadDsrCodebookLoss {
    EadNode *image, *commitment, *total;
    EadDsrLevels before, index;
} EadDsrCodebookLoss;
EadDsrCodebookLoss ead_dsr_codebook_loss(EadGraph *graph, const EadDsr *model, EadNode *pixels,
                                         double commitment);

/* Ranks of codes by their distance, in place of the nearest: whole numbers in real. */
typedef struct EadDsrRanks {
    EadNode *
        lo; /* [2N,H/8,W/8,1]: of the coarse codes that are restored, then of those that the fine ones follow */
    EadNode *hi; /* [N,H/4,W/4,1] */
} EadDsrRanks;

/* The training of what restores and detects, whose parameters are trainable. target [N,H,W,1]: 1 where codes are disturbed. Scalars;
 * total = lo + hi + 10 image + detection. */
typedef struct EadDsrLoss {
    EadNode *lo, *hi, *image, *detection, *total;
    EadDsrLevels codes, disturbed,
        restored; /* quantised: as they should be, as they are, as the restricting networks say */
    EadNode *object, *general; /* drawn by the decoders, [N,H,W,3] */
} EadDsrLoss;
EadDsrLoss ead_dsr_loss(EadGraph *graph, const EadDsr *model, EadNode *pixels, const EadDsrRanks *ranks,
                        EadNode *target);

/* The training of the refining U-Net, whose parameters are trainable. target [N,H,W,1]. A scalar. */
EadNode *ead_dsr_refining_loss(EadGraph *graph, const EadDsr *model, EadNode *pixels, EadNode *target);

/* EadMethodFunctions.build. */
EadDetection ead_dsr_build(EadGraph *graph, const EadModel *base, EadNode *images);
