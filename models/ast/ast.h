/* An AST model in memory (Rudolph et al., WACV 2023): a frozen backbone and two networks of unlike kind on its features.
 * The teacher is a normalizing flow that has learned the likelihood of good features; the student, an ordinary
 * convolutional network, has learned what the teacher says of good images. A flow's output for what it never saw is hard
 * to guess: where the student is far off, the image is anomalous.
 *
 * A block of the teacher puts the channels into a fixed order and cuts them in halves x1 and x2. What a network of two
 * convolutions says of x2 scales and shifts x1; what another says of that changes x2. Both networks also see where they
 * are: a code of the position in so many channels. The original cuts the teacher's output off beyond a million; a flow
 * that says so has long made the loss grow away, which ends the training.
 *
 * In the model file (models/method.h) it is
 *   metadata  backbone, layer "stride32", blocks "4", clamp "3", teacher_hidden "1024", student_blocks "4",
 *             student_hidden "1024", slope "0.01"
 *   tensors   backbone.* (models/networks/backbone.h); of each block K teacher.K.first.conv1.*, .conv2.* and .gamma [1], the
 *             network that changes the first half, and teacher.K.second.*; student.conv1.*, student.conv2.*, and of each
 *             residual block K student.K.conv1.*, .norm1.weight, .bias, .running_mean and .running_var, .conv2.*, .norm2.*;
 *             all F32 */
#pragma once

#include "models/method.h"
#include "models/networks/backbone.h"

enum {
    EAD_AST_POSITION = 32,    /* channels of the position's code */
    EAD_AST_MOST_BLOCKS = 16, /* of either network */
    EAD_AST_MOST_HIDDEN = 8192
};
#define EAD_AST_EPSILON 1e-5 /* of the batch norms */

typedef struct EadAstSpec {
    int height, width;                  /* of the images */
    EadTaps taps;                       /* one */
    int blocks, teacher_hidden;         /* the teacher's, and channels within its networks */
    int student_blocks, student_hidden; /* residual blocks, and their channels */
    double clamp;                       /* bounds the logarithm of the teacher's scales */
    double slope;                       /* of the student's leaky ReLU */
    EadFileType stored;                 /* of the backbone's weights in files: EAD_FILE_F32 or EAD_FILE_F16 */
} EadAstSpec;

typedef struct EadAst {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadAstSpec spec;
    EadBackbone backbone;
    EadTensor shape; /* of the features of one image */
    EadParams teacher, student;
    int64_t *orders; /* [blocks][2][C]: what brings x2 to the front, and what changes the halves back */
    real *position;  /* [h][w][EAD_AST_POSITION] */
    real *running;   /* [2 student_blocks][2][student_hidden]: mean and variance of the batch norms */
    real *merged;    /* in the same places: scale and shift that they come to */
} EadAst;

/* A model with zeroed parameters. The backbone becomes its own, also after an error, and its weights are rounded to
 * spec->stored. Errors: EAD_NO_MEMORY; EAD_BAD_ARGUMENT if images of that size are too small for it. Free with
 * ead_model_free() of its base. */
EadStatus ead_ast_new(const EadAstSpec *spec, EadBackbone *backbone, EadAst **out);

/* Draws the convolutions as PyTorch does; the teacher's gammas are 0, so that it begins as a change of order. */
void ead_ast_initialize(EadAst *model, uint64_t seed);

/* Makes merged of the student's batch norms: whenever these have changed, before a detector uses the model. */
void ead_ast_merge(EadAst *model);

/* Copies the parameters and running statistics of a model with the same networks. False, and the copy is of no use, where
 * they differ. */
bool ead_ast_copy(EadAst *to, const EadAst *from);

/* The tap of that name; "": the backbone's last, which of EfficientNets has stride 32. Errors: EAD_BAD_ARGUMENT, with the
 * names there are; for several. */
EadStatus ead_ast_find_tap(const EadBackbone *backbone, const char *name, EadTaps *out);

/* ---- what follows from sizes alone (models/ast/ast_constants.c) ---- */

/* order [count]: numpy.random.RandomState(seed).permutation(count). */
void ead_ast_permutation(uint32_t seed, int count, int64_t *order);

/* code [height][width][EAD_AST_POSITION]: of the column, then of the row, in cells, a sine and a cosine in turns for eight
 * frequencies from 1 down, each 10^(-1/2) of the one before. */
void ead_ast_position(int height, int width, real *code);

/* ---- graphs (models/ast/ast_graph.c) ---- */

/* Features [N,h,w,C] through the teacher -> z [N,h,w,C]. logdet: NULL, or where the logarithm of the determinant of
 * d z / d features goes, a scalar, added up over the images. trainable: gradients flow to the parameters. */
EadNode *ead_ast_teacher(EadGraph *graph, const EadAst *model, EadNode *features, bool trainable,
                         EadNode **logdet);

/* Features [N,h,w,C] through the student -> what it takes z for. training: the parameters are trainable, and batch norms
 * take the statistics of the batch and move the running ones by a tenth; else they are as merged says. */
EadNode *ead_ast_student(EadGraph *graph, const EadAst *model, EadNode *features, bool training);

/* Of a batch, scalars. total: the mean over all positions of the negative logarithm of the likelihood, without its
 * constant; its two parts. */
typedef struct EadAstLoss {
    EadNode *squares; /* half the sum of the squares of z */
    EadNode *logdet;
    EadNode *total; /* squares - logdet */
} EadAstLoss;

/* Of the teacher, all trainable. */
EadAstLoss ead_ast_teacher_loss(EadGraph *graph, const EadAst *model, EadNode *features);

/* Of the student in training: the mean over all numbers of the squared distance from the teacher's z. */
EadNode *ead_ast_student_loss(EadGraph *graph, const EadAst *model, EadNode *features);

/* EadMethodFunctions.build. */
EadDetection ead_ast_build(EadGraph *graph, const EadModel *base, EadNode *images);
