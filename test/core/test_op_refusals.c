/* Arguments and shapes that the ops refuse, each with its words. */
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/batch_norm/batch_norm.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/codebook_update/codebook_update.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/coupling/coupling.h"
#include "core/ops/dropout/dropout.h"
#include "core/ops/fill_cells/fill_cells.h"
#include "core/ops/focal_loss/focal_loss.h"
#include "core/ops/gather_rows/gather_rows.h"
#include "core/ops/gaussian_filter/gaussian_filter.h"
#include "core/ops/image_scale/image_scale.h"
#include "core/ops/instance_norm/instance_norm.h"
#include "core/ops/layer_norm/layer_norm.h"
#include "core/ops/gram/gram.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "core/ops/masked_mean/masked_mean.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "core/ops/reweighted_score/reweighted_score.h"
#include "core/ops/noise_normal/noise_normal.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pad_border/pad_border.h"
#include "core/ops/pad_replicate/pad_replicate.h"
#include "core/ops/patch_pool/patch_pool.h"
#include "core/ops/permute_channels/permute_channels.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/quantile/quantile.h"
#include "core/ops/ramp/ramp.h"
#include "core/ops/ranked_rows/ranked_rows.h"
#include "core/ops/ring_write/ring_write.h"
#include "core/ops/slice_channels/slice_channels.h"
#include "core/ops/space_to_batch/space_to_batch.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "core/ops/straight_through/straight_through.h"
#include "test/support/suite.h"

#include <math.h>
#include <string.h>

static EadNode *pool_without_kernel(EadGraph *g, EadNode *x) {
    return ead_avg_pool2d(g, x, 0, 1, 0);
}
static EadNode *pool_without_stride(EadGraph *g, EadNode *x) {
    return ead_avg_pool2d(g, x, 2, 0, 0);
}
static EadNode *pool_padded_widely(EadGraph *g, EadNode *x) {
    return ead_avg_pool2d(g, x, 3, 1, 2);
}
static EadNode *pool_too_large(EadGraph *g, EadNode *x) {
    return ead_avg_pool2d(g, x, 9, 1, 0);
}
static EadNode *resize_to_nothing(EadGraph *g, EadNode *x) {
    return ead_resize_bilinear(g, x, 0, 4);
}
static EadNode *quantile_above_one(EadGraph *g, EadNode *x) {
    return ead_quantile(g, x, 1.5);
}
static EadNode *quantile_nan(EadGraph *g, EadNode *x) {
    return ead_quantile(g, x, (double)NAN);
}
static EadNode *mask_of_size(EadGraph *g, EadNode *x) {
    return ead_fill_cells(g, x, ead_leaf(g, "inside", EAD_REAL, 1, x->y.h, 1, 1, NULL), 0);
}
static EadNode *trained_mask(EadGraph *g, EadNode *x) {
    static real cells[64];
    return ead_fill_cells(g, x, ead_trainable_leaf(g, "inside", 1, x->y.h, x->y.w, 1, cells), 0);
}
static EadNode *negative_border(EadGraph *g, EadNode *x) {
    return ead_pad_border(g, x, -1);
}
static EadNode *negative_repeated_border(EadGraph *g, EadNode *x) {
    return ead_pad_replicate(g, x, -1);
}
static EadNode *scales_of_one_image(EadGraph *g, EadNode *x) {
    return ead_image_scale(g, x, ead_leaf(g, "scales", EAD_REAL, 1, 1, 1, 3, NULL));
}
static EadNode *channels_of_other_images(EadGraph *g, EadNode *x) {
    EadNode *three = ead_leaf(g, "three", EAD_REAL, 3, 4, 4, 2, NULL);
    return ead_concat_channels(g, 2, (EadNode *[]){x, three});
}
static EadNode *trained_channels_of_all_images(EadGraph *g, EadNode *x) {
    static real memory[32];
    return ead_concat_channels(g, 2, (EadNode *[]){x, ead_trainable_leaf(g, "code", 1, 4, 4, 2, memory)});
}
static EadNode *image_of_reals(EadGraph *g, EadNode *x) {
    return ead_normalize_image(g, x);
}
static EadNode *distance_of_sizes(EadGraph *g, EadNode *x) {
    return ead_squared_difference(g, x, ead_resize_bilinear(g, x, 2, 2));
}
static EadNode *threshold_tensor(EadGraph *g, EadNode *x) {
    return ead_masked_mean(g, x, x);
}
static EadNode *conv_of_channels(EadGraph *g, EadNode *x) {
    return ead_conv2d(g, x, ead_leaf(g, "kernel", EAD_REAL, 1, 2, 2, 4, NULL), NULL, (EadConv2d){1, 0, 0});
}
static EadNode *conv_of_bytes(EadGraph *g, EadNode *x) {
    (void)x;
    return ead_conv2d(g, ead_leaf(g, "bytes", EAD_U8, 2, 4, 4, 3, NULL),
                      ead_leaf(g, "kernel", EAD_REAL, 1, 2, 2, 3, NULL), NULL, (EadConv2d){1, 0, 0});
}
static EadNode *batch_of_bytes(EadGraph *g, EadNode *x) {
    EadNode *bytes = ead_leaf(g, "bytes", EAD_U8, 2, 4, 4, 3, NULL);
    (void)x;
    return ead_concat_batch(g, 2, (EadNode *[]){bytes, bytes});
}
static EadNode *dropout_of_everything(EadGraph *g, EadNode *x) {
    return ead_dropout(g, x, ead_leaf(g, "step", EAD_I64, 1, 1, 1, 1, NULL), 1, 0, 0);
}
static EadNode *dropout_without_step(EadGraph *g, EadNode *x) {
    return ead_dropout(g, x, x, 0.1, 0, 0);
}
static EadNode *dropout_negative_layer(EadGraph *g, EadNode *x) {
    return ead_dropout(g, x, ead_leaf(g, "step", EAD_I64, 1, 1, 1, 1, NULL), 0.1, 0, -1);
}
static EadNode *noise_below_zero(EadGraph *g, EadNode *x) {
    return ead_noise_normal(g, x, ead_leaf(g, "step", EAD_I64, 1, 1, 1, 1, NULL), -0.5, 0);
}
static EadNode *noise_without_step(EadGraph *g, EadNode *x) {
    return ead_noise_normal(g, x, x, 0.1, 0);
}
static EadNode *leak_of_all(EadGraph *g, EadNode *x) {
    return ead_leaky_relu(g, x, 1);
}
static EadNode *channels_beyond_the_last(EadGraph *g, EadNode *x) {
    return ead_slice_channels(g, x, 2, 2);
}
static EadNode *order_of_other_size(EadGraph *g, EadNode *x) {
    return ead_permute_channels(g, x, ead_leaf(g, "order", EAD_I64, 1, 1, 1, 4, NULL));
}
static EadNode *deal_of_one_row(EadGraph *g, EadNode *x) {
    (void)x;
    return ead_space_to_batch(g, ead_leaf(g, "row", EAD_REAL, 1, 1, 4, 3, NULL));
}
static EadNode *parts_of_no_picture(EadGraph *g, EadNode *x) {
    return ead_batch_to_space(g, x);
}
static EadNode *products_of_too_many(EadGraph *g, EadNode *x) {
    (void)x;
    return ead_gram(g, ead_leaf(g, "vectors", EAD_REAL, 2, 1, 1, 16385, NULL));
}
static EadNode *codes_of_other_width(EadGraph *g, EadNode *x) {
    return ead_ranked_rows(g, x, ead_leaf(g, "codes", EAD_REAL, 4, 1, 1, 2, NULL), NULL);
}
static EadNode *too_many_codes(EadGraph *g, EadNode *x) {
    return ead_ranked_rows(g, x, ead_leaf(g, "codes", EAD_REAL, 8193, 1, 1, 3, NULL), NULL);
}
static EadNode *ranks_of_other_positions(EadGraph *g, EadNode *x) {
    return ead_ranked_rows(g, x, ead_leaf(g, "codes", EAD_REAL, 4, 1, 1, 3, NULL),
                           ead_leaf(g, "ranks", EAD_REAL, 2, 4, 3, 1, NULL));
}
static EadNode *rows_by_vectors(EadGraph *g, EadNode *x) {
    return ead_gather_rows(g, ead_leaf(g, "codes", EAD_REAL, 4, 1, 1, 3, NULL), x);
}
static EadNode *through_another_size(EadGraph *g, EadNode *x) {
    return ead_straight_through(g, x, ead_leaf(g, "other", EAD_REAL, 2, 4, 4, 2, NULL));
}
static EadNode *focal_of_three(EadGraph *g, EadNode *x) {
    return ead_focal_loss(g, x, ead_leaf(g, "target", EAD_REAL, 2, 4, 4, 1, NULL));
}
static EadNode *instance_of_one(EadGraph *g, EadNode *x) {
    (void)x;
    return ead_instance_norm(g, ead_leaf(g, "pixels", EAD_REAL, 5, 1, 1, 3, NULL), 1e-5);
}
static EadNode *instance_without_epsilon(EadGraph *g, EadNode *x) {
    return ead_instance_norm(g, x, 0);
}
static EadNode *transposed_of_others(EadGraph *g, EadNode *x) {
    return ead_conv_transpose2d(g, x, ead_leaf(g, "kernel", EAD_REAL, 2, 4, 4, 3, NULL), NULL, 2, 1);
}
static EadNode *moved_codes(EadGraph *g, EadNode *x, int width, double decay) {
    EadNode *codes = ead_leaf(g, "codes", EAD_REAL, 4, 1, 1, 3, NULL);
    return ead_codebook_update(g, codes, ead_leaf(g, "averages", EAD_REAL, 4, 1, 1, width, NULL), x,
                               ead_ranked_rows(g, x, codes, NULL),
                               ead_leaf(g, "step", EAD_I64, 1, 1, 1, 1, NULL),
                               (EadCodebookUpdate){decay, 1e-5, 0, 1, 16});
}
static EadNode *codes_without_numbers(EadGraph *g, EadNode *x) {
    return moved_codes(g, x, 3, 0.99);
}
static EadNode *codes_that_never_move(EadGraph *g, EadNode *x) {
    return moved_codes(g, x, 4, 1);
}
static EadNode *statistics_of_one(EadGraph *g, EadNode *x) {
    (void)x;
    return ead_batch_statistics(g, ead_leaf(g, "one", EAD_REAL, 1, 1, 1, 3, NULL));
}
static EadNode *norm_by_running_statistics(EadGraph *g, EadNode *x) {
    EadNode *running = ead_leaf(g, "running", EAD_REAL, 2, 1, 1, 3, NULL),
            *ones = ead_leaf(g, "ones", EAD_REAL, 1, 1, 1, 3, NULL);
    return ead_batch_norm(g, x, running, ones, ones, 1e-5);
}
static EadNode *norm_of_other_size(EadGraph *g, EadNode *x) {
    EadNode *ones = ead_leaf(g, "ones", EAD_REAL, 1, 1, 1, 4, NULL);
    return ead_batch_norm(g, x, ead_batch_statistics(g, x), ones, ones, 1e-5);
}
static EadNode *momentum_above_one(EadGraph *g, EadNode *x) {
    EadNode *running = ead_leaf(g, "running", EAD_REAL, 2, 1, 1, 3, NULL);
    return ead_batch_norm_update(g, running, x, ead_batch_statistics(g, x), 1.5);
}
static EadNode *affine_of_other_size(EadGraph *g, EadNode *x) {
    return ead_channel_affine(g, x, ead_leaf(g, "factors", EAD_REAL, 1, 1, 1, 4, NULL), NULL);
}
static EadNode *affine_of_trained_halves(EadGraph *g, EadNode *x) {
    static real memory[3];
    (void)x;
    return ead_channel_affine(g, ead_leaf(g, "halves", EAD_F16, 2, 4, 4, 3, NULL),
                              ead_trainable_leaf(g, "gamma", 1, 1, 1, 3, memory), NULL);
}
static EadNode *coupling_of_more_channels(EadGraph *g, EadNode *x) {
    return ead_coupling(g, x, ead_leaf(g, "a", EAD_REAL, 2, 4, 4, 8, NULL), (EadCoupling){0, 2, 0.1, 0.1});
}
static EadNode *coupling_of_odd_channels(EadGraph *g, EadNode *x) {
    return ead_coupling(g, x, x, (EadCoupling){0, 2, 0.1, 0.1});
}
static EadNode *coupling_without_limit(EadGraph *g, EadNode *x) {
    return ead_coupling(g, x, ead_leaf(g, "a", EAD_REAL, 2, 4, 4, 2, NULL), (EadCoupling){0, 0, 0.1, 0.1});
}
static EadNode *logdet_of_odd_channels(EadGraph *g, EadNode *x) {
    return ead_coupling_logdet(g, x, (EadCoupling){0, 2, 0.1, 0.1});
}
static EadNode *layers_of_other_size(EadGraph *g, EadNode *x) {
    EadNode *ones = ead_leaf(g, "ones", EAD_REAL, 1, 4, 2, 3, NULL);
    return ead_layer_norm(g, x, ead_layer_statistics(g, x), ones, ones, 1e-5);
}
static EadNode *layers_by_others_statistics(EadGraph *g, EadNode *x) {
    EadNode *ones = ead_leaf(g, "ones", EAD_REAL, 1, 4, 4, 3, NULL);
    return ead_layer_norm(g, x, ead_layer_statistics(g, ones), ones, ones, 1e-5);
}
static EadNode *softplus_without_slope(EadGraph *g, EadNode *x) {
    return ead_softplus(g, x, 0);
}
static EadNode *affine_of_bytes(EadGraph *g, EadNode *x) {
    EadNode *bytes = ead_leaf(g, "bytes", EAD_U8, 2, 4, 4, 3, NULL);
    (void)x;
    return ead_channel_affine(g, bytes, ead_leaf(g, "factors", EAD_REAL, 1, 1, 1, 3, NULL), NULL);
}
static EadNode *distance_of_halves(EadGraph *g, EadNode *x) {
    return ead_squared_difference(g, x, ead_leaf(g, "halves", EAD_F16, 2, 4, 4, 3, NULL));
}
static EadNode *record_into_image(EadGraph *g, EadNode *x) {
    return ead_ring_write(g, x, ead_leaf(g, "step", EAD_I64, 1, 1, 1, 1, NULL),
                          (EadNode *[]){NULL, NULL, NULL});
}
static EadNode *record_of_tensor(EadGraph *g, EadNode *x) {
    EadNode *ring = ead_leaf(g, "ring", EAD_REAL, 1, 1, 4, 2, NULL);
    return ead_ring_write(g, ring, ead_leaf(g, "step", EAD_I64, 1, 1, 1, 1, NULL), (EadNode *[]){NULL, x});
}
static EadNode *record_without_step(EadGraph *g, EadNode *x) {
    return ead_ring_write(g, ead_leaf(g, "ring", EAD_REAL, 1, 1, 4, 1, NULL), x, (EadNode *[]){NULL});
}
static EadNode *ramp_without_step(EadGraph *g, EadNode *x) {
    return ead_ramp(g, x, (EadRamp){1, 0, 0, 1});
}
static EadNode *ramp_backwards(EadGraph *g, EadNode *x) {
    (void)x;
    return ead_ramp(g, ead_leaf(g, "step", EAD_I64, 1, 1, 1, 1, NULL), (EadRamp){1, 0, 5, 4});
}
static EadNode *patches_of_even_size(EadGraph *g, EadNode *x) {
    return ead_patch_pool(g, x, (EadPatchPool){2, 5});
}
static EadNode *patches_to_nothing(EadGraph *g, EadNode *x) {
    return ead_patch_pool(g, x, (EadPatchPool){3, 0});
}
static EadNode *more_neighbours_than_rows(EadGraph *g, EadNode *x) {
    return ead_nearest_rows(g, x, ead_leaf(g, "bank", EAD_REAL, 4, 1, 1, 3, NULL), (EadNearestRows){5, 0});
}
static EadNode *bank_of_other_width(EadGraph *g, EadNode *x) {
    return ead_nearest_rows(g, x, ead_leaf(g, "bank", EAD_REAL, 4, 1, 1, 2, NULL), (EadNearestRows){1, 0});
}
static EadNode *reweighted(EadGraph *g, EadNode *x, int rows, int found, int neighbours) {
    EadNode *near = ead_leaf(g, "found", EAD_REAL, 2, 4, 4, found, NULL);
    return ead_reweighted_score(g, x, near, ead_leaf(g, "bank", EAD_REAL, rows, 1, 1, 3, NULL), neighbours);
}
static EadNode *reweighted_by_one(EadGraph *g, EadNode *x) {
    return reweighted(g, x, 9, 2, 1);
}
static EadNode *reweighted_by_more_than_rows(EadGraph *g, EadNode *x) {
    return reweighted(g, x, 4, 2, 5);
}
static EadNode *reweighted_without_indices(EadGraph *g, EadNode *x) {
    return reweighted(g, x, 9, 1, 3);
}
static EadNode *gaussian_too_wide(EadGraph *g, EadNode *x) {
    return ead_gaussian_filter(g, x, 16.5);
}

static const struct Refusal {
    EadNode *(*build)(EadGraph *graph, EadNode *x); /* x [2,4,4,3] */
    EadStatus status;
    const char *words;
} refusals[] = {
    {pool_without_kernel, EAD_BAD_ARGUMENT, "kernel 0"},
    {pool_without_stride, EAD_BAD_ARGUMENT, "stride 0"},
    {pool_padded_widely, EAD_BAD_ARGUMENT, "padding 2"},
    {pool_too_large, EAD_BAD_SHAPE, "window of 9"},
    {resize_to_nothing, EAD_BAD_SHAPE, "[2,0,4,3]"},
    {quantile_above_one, EAD_BAD_ARGUMENT, "1.5"},
    {quantile_nan, EAD_BAD_ARGUMENT, "nan"},
    {mask_of_size, EAD_BAD_SHAPE, "the mask is"},
    {trained_mask, EAD_BAD_ARGUMENT, "trainable"},
    {negative_border, EAD_BAD_ARGUMENT, "-1"},
    {negative_repeated_border, EAD_BAD_ARGUMENT, "-1"},
    {scales_of_one_image, EAD_BAD_SHAPE, "must be [2,1,1,3]"},
    {channels_of_other_images, EAD_BAD_SHAPE, "[3,4,4] and [2,4,4]"},
    {trained_channels_of_all_images, EAD_BAD_SHAPE, "[2,4,4] and [1,4,4]"},
    {image_of_reals, EAD_BAD_SHAPE, "8-bit"},
    {distance_of_sizes, EAD_BAD_SHAPE, "[2,4,4,3] and [2,2,2,3]"},
    {threshold_tensor, EAD_BAD_SHAPE, "scalar"},
    {conv_of_channels, EAD_BAD_SHAPE, "3 channels"},
    {conv_of_bytes, EAD_BAD_SHAPE, "real numbers"},
    {batch_of_bytes, EAD_BAD_SHAPE, "real numbers"},
    {dropout_of_everything, EAD_BAD_ARGUMENT, "probability 1"},
    {dropout_without_step, EAD_BAD_SHAPE, "counter"},
    {dropout_negative_layer, EAD_BAD_ARGUMENT, "layer -1"},
    {noise_below_zero, EAD_BAD_ARGUMENT, "deviation -0.5"},
    {noise_without_step, EAD_BAD_SHAPE, "counter"},
    {leak_of_all, EAD_BAD_ARGUMENT, "slope 1 is outside (0,1)"},
    {channels_beyond_the_last, EAD_BAD_SHAPE, "2 channels from 2 of 3"},
    {order_of_other_size, EAD_BAD_SHAPE, "must be 3 whole numbers"},
    {deal_of_one_row, EAD_BAD_SHAPE, "[1,1,4,3] cannot be dealt"},
    {parts_of_no_picture, EAD_BAD_SHAPE, "[2,4,4,3] are not the four parts"},
    {products_of_too_many, EAD_BAD_SHAPE, "16385 channels"},
    {codes_of_other_width, EAD_BAD_SHAPE, "queries of 3 numbers and a table [4,1,1,2]"},
    {too_many_codes, EAD_BAD_SHAPE, "8193 rows of 3 numbers"},
    {ranks_of_other_positions, EAD_BAD_SHAPE, "ranks [2,4,3,1] for queries at [2,4,4]"},
    {rows_by_vectors, EAD_BAD_SHAPE, "[4,1,1,3] are no rows for the numbers [2,4,4,3]"},
    {through_another_size, EAD_BAD_SHAPE, "differ"},
    {focal_of_three, EAD_BAD_SHAPE, "logits [2,4,4,3]"},
    {instance_of_one, EAD_BAD_SHAPE, "[5,1,1,3] has no variance"},
    {instance_without_epsilon, EAD_BAD_ARGUMENT, "epsilon 0"},
    {transposed_of_others, EAD_BAD_SHAPE, "weights of 2 inputs"},
    {codes_without_numbers, EAD_BAD_SHAPE, "codes [4,1,1,3] do not fit"},
    {codes_that_never_move, EAD_BAD_ARGUMENT, "decay 1"},
    {statistics_of_one, EAD_BAD_SHAPE, "one value a channel"},
    {norm_by_running_statistics, EAD_BAD_ARGUMENT, "not those of"},
    {norm_of_other_size, EAD_BAD_SHAPE, "'ones' is [1,1,1,4] but must be [1,1,1,3]"},
    {momentum_above_one, EAD_BAD_ARGUMENT, "momentum 1.5"},
    {affine_of_other_size, EAD_BAD_SHAPE, "'factors' is [1,1,1,4] but must be [1,1,1,3]"},
    {affine_of_trained_halves, EAD_BAD_ARGUMENT, "'gamma' is trainable"},
    {coupling_of_more_channels, EAD_BAD_SHAPE, "[2,4,4,8] do not fit the last channels of [2,4,4,3]"},
    {coupling_of_odd_channels, EAD_BAD_SHAPE, "do not fit"},
    {coupling_without_limit, EAD_BAD_ARGUMENT, "limit 0"},
    {logdet_of_odd_channels, EAD_BAD_SHAPE, "3 channels are no pairs"},
    {layers_of_other_size, EAD_BAD_SHAPE, "'ones' is [1,4,2,3] but must be [1,4,4,3]"},
    {layers_by_others_statistics, EAD_BAD_ARGUMENT, "not those of"},
    {softplus_without_slope, EAD_BAD_ARGUMENT, "beta 0"},
    {affine_of_bytes, EAD_BAD_SHAPE, "real numbers"},
    {distance_of_halves, EAD_BAD_SHAPE, "differ"},
    {ramp_without_step, EAD_BAD_SHAPE, "ramp: the step must be a counter"},
    {ramp_backwards, EAD_BAD_ARGUMENT, "ramp: it ends at step 4, before it begins at 5"},
    {record_into_image, EAD_BAD_SHAPE, "the ring must be [1,1,rows,columns]"},
    {record_of_tensor, EAD_BAD_SHAPE, "value 1 is not a scalar"},
    {record_without_step, EAD_BAD_SHAPE, "counter"},
    {patches_of_even_size, EAD_BAD_ARGUMENT, "kernel 2"},
    {patches_to_nothing, EAD_BAD_ARGUMENT, "0 outputs"},
    {more_neighbours_than_rows, EAD_BAD_ARGUMENT, "the 5 nearest of 4 rows"},
    {bank_of_other_width, EAD_BAD_SHAPE, "queries of 3 numbers and a bank [4,1,1,2]"},
    {reweighted_by_one, EAD_BAD_ARGUMENT, "1 neighbours of 9 rows"},
    {reweighted_by_more_than_rows, EAD_BAD_ARGUMENT, "5 neighbours of 4 rows"},
    {reweighted_without_indices, EAD_BAD_SHAPE, "their 2 x 4 x 4 x 1 neighbours"},
    {gaussian_too_wide, EAD_BAD_ARGUMENT, "16.5"},
};

START_TEST(bad_arguments_are_refused) {
    const struct Refusal *refusal = &refusals[_i];
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 2, 4, 4, 3, NULL);
    refusal->build(graph, x);
    EadStatus status = ead_graph_status(graph);
    const char *message = ead_error_message();
    ck_assert_msg(status == refusal->status, "%s instead of %s (%s)", ead_status_name(status),
                  ead_status_name(refusal->status), refusal->words);
    ck_assert_msg(strstr(message, refusal->words) && !strchr(message, '\n'), "\"%s\" lacks \"%s\"", message,
                  refusal->words);
    ead_graph_free(graph);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("op_refusals");
    TCase *tests = tcase_create("refusals");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, bad_arguments_are_refused, 0, (int)(sizeof refusals / sizeof *refusals));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
