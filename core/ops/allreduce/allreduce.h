/* A sum over the processes that share out a batch. */
#pragma once

#include "core/graph/graph.h"
#include "core/ranks/ranks.h"

/* x, a leaf or what a leaf became: x = sum over the ranks of weight x, in place and in the order of ranks, so that
 * every rank has the same bits. weight: this rank's, its part of the batch. ranks: must outlive the plan. Every rank's
 * graph must have the same ones in the same order. Runs even if nobody reads it; passes no gradient.
 * There is no kernel for CUDA: ead_step_new() refuses it before. Returns x. */
EadNode *ead_allreduce(EadGraph *graph, EadNode *x, double weight, const EadRanks *ranks);
