/* How far a convolution's numbers are from those computed in double: a slow, obvious convolution that shares
 * no line with the kernels, at a sample of positions. */
#pragma once

#include "core/graph/op.h"

/* The largest error of a call of conv2d, conv2d_input_gradient or conv2d_weight_gradient that has just run,
 * relative to the largest absolute value of its output: at `samples` positions drawn from the seed, at all if
 * there are no more than that. NAN for other ops and where the output holds a NaN at one of them. */
double ead_bench_conv_error(const EadCall *call, const EadNode *node, int samples, uint64_t seed);
