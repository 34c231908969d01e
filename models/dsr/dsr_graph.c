/* Codes, what is made of them, the losses of the three trainings, and the map. */
#include "core/ops/add/add.h"
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/focal_loss/focal_loss.h"
#include "core/ops/gather_rows/gather_rows.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/mean/mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/ranked_rows/ranked_rows.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/ops/slice_channels/slice_channels.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "core/ops/straight_through/straight_through.h"
#include "models/dsr/dsr.h"
#include "models/networks/inspected.h"

enum { SCORE_WINDOW = 21 }; /* pixels over which a score is a mean */

static const double IMAGE_WEIGHT = 10;

typedef struct DsrGraph {
    EadGraph *graph;
    const EadDsr *model;
    int channels;
    bool learns_codes, restores, refines; /* which parameters are trainable */
} DsrGraph;

static DsrGraph dsr_graph(EadGraph *graph, const EadDsr *model) {
    return (DsrGraph){.graph = graph, .model = model, .channels = model->spec.channels};
}

static EadLayerWalk walk_of(const DsrGraph *b, const EadParams *params, const char *name, bool trainable) {
    return ead_layers_building(b->graph, params, name, trainable);
}

static EadLayerWalk vq(const DsrGraph *b, const char *name) {
    return walk_of(b, &b->model->vq, name, b->learns_codes);
}

EadNode *ead_dsr_pixels(EadGraph *graph, EadNode *images) {
    static const EadColorScale scale = {{0, 0, 0}, {1, 1, 1}};
    return ead_normalize_image_by(graph, images, &scale);
}

static EadNode *mean_distance(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_mean(graph, ead_squared_difference(graph, a, b));
}

/* ---- codes ---- */

static EadNode *book(const DsrGraph *b, const char *name) {
    return ead_param_leaf(b->graph, &b->model->codes, name, false);
}

/* The numbers of codes; ranks: NULL, the nearest. */
static EadNode *numbers(const DsrGraph *b, const char *name, EadNode *x, EadNode *ranks) {
    return ead_ranked_rows(b->graph, x, book(b, name), ranks);
}

static EadNode *coded(const DsrGraph *b, const char *name, EadNode *x, EadNode *ranks) {
    return ead_gather_rows(b->graph, book(b, name), numbers(b, name, x, ranks));
}

static EadNode *encoded_hi(const DsrGraph *b, EadNode *pixels) {
    EadLayerWalk walk = vq(b, "vq.encoder_hi");
    return ead_dsr_encode_hi(&walk, pixels, b->channels);
}

/* What the coarse codes are of. */
static EadNode *before_lo(const DsrGraph *b, EadNode *encoded) {
    EadLayerWalk encoder = vq(b, "vq.encoder_lo"), last = vq(b, "vq");
    EadNode *x = ead_dsr_encode_lo(&encoder, encoded, b->channels);
    return ead_layer_conv(&last, "before_lo", x, b->channels, b->channels, 1, 1);
}

/* Coarse codes at the size of fine ones, and x of that size behind or before them. */
static EadNode *raised(const DsrGraph *b, EadNode *lo) {
    EadLayerWalk walk = vq(b, "vq");
    return ead_layer_up(&walk, "upsample", lo, b->channels, b->channels, 4);
}

static EadNode *joined(const DsrGraph *b, EadNode *first, EadNode *second) {
    return ead_concat_channels(b->graph, 2, (EadNode *[]){first, second});
}

/* What the fine codes are of, given coarse ones. */
static EadNode *before_hi(const DsrGraph *b, EadNode *encoded, EadNode *lo) {
    EadLayerWalk walk = vq(b, "vq");
    return ead_layer_conv(&walk, "before_hi", joined(b, encoded, raised(b, lo)), 2 * b->channels, b->channels,
                          1, 1);
}

static EadNode *general_decoding(const DsrGraph *b, EadDsrLevels codes) {
    EadLayerWalk walk = vq(b, "vq.decoder");
    return ead_dsr_decode(&walk, joined(b, raised(b, codes.lo), codes.hi), b->channels);
}

/* The nearest codes of an image at both levels. */
static EadDsrLevels nearest_codes(const DsrGraph *b, EadNode *encoded) {
    EadNode *lo = coded(b, "codes.lo", before_lo(b, encoded), NULL);
    return (EadDsrLevels){lo, coded(b, "codes.hi", before_hi(b, encoded, lo), NULL)};
}

EadDsrCodebookLoss ead_dsr_codebook_loss(EadGraph *graph, const EadDsr *model, EadNode *pixels,
                                         double commitment) {
    DsrGraph b = dsr_graph(graph, model);
    EadDsrCodebookLoss loss;
    EadDsrLevels codes;
    b.learns_codes = true;
    EadNode *encoded = encoded_hi(&b, pixels);
    loss.before.lo = before_lo(&b, encoded);
    loss.index.lo = numbers(&b, "codes.lo", loss.before.lo, NULL);
    EadNode *lo = ead_gather_rows(graph, book(&b, "codes.lo"), loss.index.lo);
    codes.lo = ead_straight_through(graph, lo, loss.before.lo);
    loss.before.hi = before_hi(&b, encoded, codes.lo);
    loss.index.hi = numbers(&b, "codes.hi", loss.before.hi, NULL);
    EadNode *hi = ead_gather_rows(graph, book(&b, "codes.hi"), loss.index.hi);
    codes.hi = ead_straight_through(graph, hi, loss.before.hi);
    loss.image = mean_distance(graph, pixels, general_decoding(&b, codes));
    loss.commitment =
        ead_add(graph, mean_distance(graph, loss.before.lo, lo), mean_distance(graph, loss.before.hi, hi));
    loss.total = ead_add(graph, loss.image, ead_scale(graph, loss.commitment, commitment));
    return loss;
}

/* ---- restoring and detecting ---- */

/* Codes as the restricting networks say them: before and after they are quantised. */
typedef struct Restored {
    EadDsrLevels said, codes;
} Restored;

static Restored restored(const DsrGraph *b, EadDsrLevels codes) {
    EadLayerWalk lo = walk_of(b, &b->model->restored, "restrict_lo", b->restores),
                 hi = walk_of(b, &b->model->restored, "restrict_hi", b->restores);
    Restored r = {
        .said = {ead_dsr_restrict(&lo, codes.lo, b->channels), ead_dsr_restrict(&hi, codes.hi, b->channels)}};
    r.codes.lo = coded(b, "codes.lo", r.said.lo, NULL);
    r.codes.hi = coded(b, "codes.hi", r.said.hi, NULL);
    if (!b->restores) return r;
    r.codes.lo = ead_straight_through(b->graph, r.codes.lo, r.said.lo);
    r.codes.hi = ead_straight_through(b->graph, r.codes.hi, r.said.hi);
    return r;
}

static EadNode *object_decoding(const DsrGraph *b, EadDsrLevels codes) {
    EadLayerWalk walk = walk_of(b, &b->model->restored, "object", b->restores);
    return ead_dsr_decode_object(&walk, joined(b, raised(b, codes.lo), codes.hi), b->channels);
}

/* Logits of the detecting U-Net. */
static EadNode *detected(const DsrGraph *b, EadNode *object, EadNode *general) {
    EadLayerWalk walk = walk_of(b, &b->model->restored, "detect", b->restores);
    return ead_dsr_unet(&walk, joined(b, object, general), 6, b->model->spec.unet);
}

/* Ranks of the coarse codes that are restored (0), or of those that the fine ones follow (1). */
static EadNode *ranks_lo(EadGraph *graph, const EadDsrRanks *ranks, int which) {
    int images = ranks->lo->y.n / 2;
    return ead_slice_batch(graph, ranks->lo, which * images, images);
}

EadDsrLoss ead_dsr_loss(EadGraph *graph, const EadDsr *model, EadNode *pixels, const EadDsrRanks *ranks,
                        EadNode *target) {
    DsrGraph b = dsr_graph(graph, model);
    EadDsrLoss loss;
    b.restores = true;
    EadNode *encoded = encoded_hi(&b, pixels), *lo = before_lo(&b, encoded);
    loss.codes.lo = coded(&b, "codes.lo", lo, NULL);
    loss.codes.hi = coded(&b, "codes.hi", before_hi(&b, encoded, loss.codes.lo), NULL);
    loss.disturbed.lo = coded(&b, "codes.lo", lo, ranks_lo(graph, ranks, 0));
    EadNode *followed = coded(&b, "codes.lo", lo, ranks_lo(graph, ranks, 1));
    loss.disturbed.hi = coded(&b, "codes.hi", before_hi(&b, encoded, followed), ranks->hi);
    Restored r = restored(&b, loss.disturbed);
    loss.restored = r.codes;
    loss.object = object_decoding(&b, r.codes);
    loss.general = general_decoding(&b, loss.disturbed);
    EadNode *logits = detected(&b, ead_straight_through(graph, loss.object, NULL), loss.general);
    loss.lo = mean_distance(graph, r.said.lo, loss.codes.lo);
    loss.hi = mean_distance(graph, r.said.hi, loss.codes.hi);
    loss.image = mean_distance(graph, pixels, loss.object);
    loss.detection = ead_mean(graph, ead_focal_loss(graph, logits, target));
    loss.total = ead_add(graph, ead_add(graph, loss.lo, loss.hi),
                         ead_add(graph, ead_scale(graph, loss.image, IMAGE_WEIGHT), loss.detection));
    return loss;
}

/* ---- refining, and the map ---- */

/* Logits [N,H,W,2] -> probabilities: the logistic functions of their differences. */
static EadNode *probabilities(EadGraph *graph, EadNode *logits) {
    static const real differences[] = {1, -1, -1, 1};
    real *weight = ead_graph_memory(graph, 4, sizeof *weight, "two differences");
    for (int i = 0; weight && i < 4; i++) weight[i] = differences[i];
    EadNode *leaf = ead_leaf(graph, "differences", EAD_REAL, 2, 1, 1, 2, weight);
    return ead_sigmoid(graph, ead_conv2d(graph, logits, leaf, NULL, (EadConv2d){.stride = 1}));
}

/* What an image comes to. */
typedef struct Judged {
    EadNode *detection; /* probabilities of the detecting U-Net */
    EadNode *refined;   /* logits of the refining one */
} Judged;

static Judged judged(const DsrGraph *b, EadNode *pixels) {
    EadLayerWalk walk = walk_of(b, &b->model->refining, "refine", b->refines);
    EadDsrLevels codes = nearest_codes(b, encoded_hi(b, pixels));
    EadNode *object = object_decoding(b, restored(b, codes).codes), *general = general_decoding(b, codes);
    Judged j = {.detection = probabilities(b->graph, detected(b, object, general))};
    EadNode *seen = ead_concat_channels(b->graph, 3, (EadNode *[]){object, general, j.detection});
    j.refined = ead_dsr_unet(&walk, seen, 8, b->model->spec.unet);
    return j;
}

EadNode *ead_dsr_refining_loss(EadGraph *graph, const EadDsr *model, EadNode *pixels, EadNode *target) {
    DsrGraph b = dsr_graph(graph, model);
    b.refines = true;
    return ead_mean(graph, ead_focal_loss(graph, judged(&b, pixels).refined, target));
}

/* The score: the largest mean of the detection's probabilities over a window, of which what lies outside of the image, or is not
 * inspected, is 0. */
static EadNode *score_of(EadGraph *graph, const EadRegion *region, EadNode *anomalous) {
    int side = anomalous->y.h > anomalous->y.w ? anomalous->y.h : anomalous->y.w;
    EadNode *inside = ead_outside_filled(graph, region, anomalous, 0, 0);
    EadNode *means = ead_avg_pool2d(graph, inside, SCORE_WINDOW, 1, SCORE_WINDOW / 2);
    return ead_max_pool2d(graph, means, (EadMaxPool2d){.kernel = side, .stride = side, .ceil_mode = true});
}

EadDetection ead_dsr_build(EadGraph *graph, const EadModel *base, EadNode *images) {
    DsrGraph b = dsr_graph(graph, (const EadDsr *)base);
    Judged j = judged(&b, ead_dsr_pixels(graph, images));
    EadNode *anomalous = ead_slice_channels(graph, j.detection, 1, 1),
            *map = ead_slice_channels(graph, probabilities(graph, j.refined), 1, 1);
    return (EadDetection){.map = ead_keep(map),
                          .score = ead_keep(score_of(graph, &base->region, anomalous)),
                          .parts = {{"detection", anomalous}}};
}
