/* Teacher, student and autoencoder like EfficientAD's, with the same ops between them, but small enough for
 * the host runner: images of 32x32, features of 12x12x16. The training step and the maps, as graphs. */
#pragma once

#include "autograd/optimizer.h"
#include "core/plan/plan.h"

enum { TINY_BATCH = 3, TINY_IMAGE = 32, TINY_FEATURES = 16, TINY_LOSSES = 5 };

typedef struct TinyNetworks {
    EadParams teacher, trained;
    real scale[TINY_FEATURES], shift[TINY_FEATURES]; /* of the teacher's features */
    real map_scale, map_shift;
    EadOptimizer optimizer;
    int64_t done; /* steps */
} TinyNetworks;

/* Random parameters, always the same. */
void tiny_networks_new(TinyNetworks *tiny);
void tiny_networks_free(TinyNetworks *tiny);

/* A table of the teacher's features on as many training images, and what step s draws of it. */
EadNode *tiny_build_table(EadGraph *graph, TinyNetworks *tiny, int64_t *images, EadNode **drawn);
int tiny_drawn(uint64_t step, int64_t images);

/* A step on images [penalty, training, augmented]: the losses hard, penalty, autoencoder, student and
 * autoencoder, and their sum, all kept; then Adam. images: an u8 leaf without memory. known: the teacher's
 * features on the training image, or NULL. */
void tiny_build_step(EadGraph *graph, TinyNetworks *tiny, EadNode *known, EadNode **images,
                     EadNode *losses[TINY_LOSSES]);

/* The teacher's features on one image, kept. */
EadNode *tiny_build_teacher(EadGraph *graph, TinyNetworks *tiny, EadNode **image);

/* The maps of a batch [TINY_BATCH][TINY_IMAGE][TINY_IMAGE], kept. */
EadNode *tiny_build_maps(EadGraph *graph, TinyNetworks *tiny, EadNode **images);

/* The bytes of a batch of random images; the seed names the batch. */
void tiny_fill_images(uint64_t seed, uint8_t images[TINY_BATCH * TINY_IMAGE * TINY_IMAGE * 3]);
