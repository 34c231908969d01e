/* A method that is as small as a method can be: an image is compared with the mean of the training images, in
 * units of their deviation, after a 1x1 convolution of its three channels that the steps train (and nothing,
 * without steps). */
#pragma once

#include "core/graph/params.h"
#include "models/method.h"

typedef struct Toy {
    EadModel base;
    EadParams mix; /* toy.mix.weight, toy.mix.bias */
    real *mean;    /* [height][width][3] of the normalized images, in units of the deviation */
    real scale[3]; /* 1 / deviation */
} Toy;

EadStatus toy_new(int height, int width, Toy **out);

/* The scaled and mixed image [N,H,W,3], and how far it is from the mean, squared, for N = 1. */
EadNode *toy_distance(EadGraph *graph, const Toy *toy, EadNode *images, bool trainable);
