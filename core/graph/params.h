/* The parameters of one or more networks in one flat buffer: the optimizer is one loop, a checkpoint one
 * array. First declare all, then allocate, then fill (from a file or at random) and use as leaves. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadParam {
    char name[EAD_NAME_SIZE]; /* "student.conv1.weight" */
    int n, h, w, c;           /* weights O,KH,KW,I; biases 1,1,1,O */
    int fan_in;               /* KH*KW*I of the layer, for the initial range */
    int64_t offset;           /* position in the flat buffer; a multiple of 16 */
} EadParam;

typedef struct EadParams {
    EadParam *items;
    int count, capacity;
    real *values; /* [total], owned; gaps between parameters are zero */
    int64_t total;
} EadParams;

/* Declares <prefix>.weight [out,height,width,in] and <prefix>.bias [out] of a convolution. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_params_declare_conv(EadParams *params, const char *prefix, int out, int height, int width,
                                  int in);

/* Declares one parameter of that shape: a weight without bias, a vector. fan_in: for the initial range. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_params_declare(EadParams *params, const char *name, int n, int h, int w, int c, int fan_in);

/* The parameter of that name, which must exist. */
const EadParam *ead_params_find(const EadParams *params, const char *name);

/* How many numbers it has. */
int64_t ead_param_size(const EadParam *param);

/* Gives the declared parameters memory, zeroed. Errors: EAD_NO_MEMORY. */
EadStatus ead_params_allocate(EadParams *params);
void ead_params_free(EadParams *params);

/* PyTorch's default initialisation of convolutions: weights and biases uniform in +-1/sqrt(fan_in). Element i
 * (in memory order) of a parameter is word i of stream EAD_STREAM_PARAMETERS + hash of its name. */
void ead_params_initialize(EadParams *params, uint64_t seed);

/* Copies all numbers of parameters that were declared alike. False, and nothing is copied, where their number differs. */
bool ead_params_copy(EadParams *to, const EadParams *from);

/* Makes every number of a parameter the same: 1 for the scale of a batch norm. */
void ead_params_set(EadParams *params, const char *name, double value);

/* Draws a parameter's numbers from a normal distribution of mean 0. Numbers 2k and 2k + 1 come from words 2k and 2k + 1 of its
 * stream by Box and Muller's method. */
void ead_params_draw_normal(EadParams *params, const char *name, double deviation, uint64_t seed);

/* The same as torch.nn.init.xavier_normal_ does: with variance 2 / (fan_in + fan_out), fan_out being n h w. */
void ead_params_draw_xavier(EadParams *params, const char *name, uint64_t seed);

/* The parameter of that name as a leaf of the graph: trainable or constant. */
EadNode *ead_param_leaf(EadGraph *graph, const EadParams *params, const char *name, bool trainable);

/* Convolution <prefix> with output channels first .. first+count-1 only (count 0: all of them), whose weights
 * and biases are leaves of the graph: trainable or constant. The parameter must exist. */
typedef struct EadConvParams {
    EadNode *weight, *bias;
} EadConvParams;
EadConvParams ead_conv_params(EadGraph *graph, const EadParams *params, const char *prefix, int first,
                              int count, bool trainable);
