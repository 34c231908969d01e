/* PDN, the patch description network (EfficientAD, section 3.1; Tables 6 and 7): teacher and student. Each
 * output position describes a 33x33 patch of the image; the output stride is 4. */
#pragma once

#include "core/graph/params.h"

typedef enum EadPdnSize { EAD_PDN_SMALL, EAD_PDN_MEDIUM } EadPdnSize;

/* "small" or "medium", as model files and configs say. */
const char *ead_pdn_size_name(EadPdnSize size);

enum { EAD_FEATURES = 384 }; /* output channels of a teacher; a student with autoencoder has twice as many */

typedef struct EadPdn {
    EadPdnSize size;
    bool padding;     /* as in distillation; without, the output is 4 cells smaller on each side */
    const char *name; /* prefix of the parameters: "teacher" or "student" */
    int outputs;      /* channels of the last layer (PDN-M: of the last two) */
    const EadParams *params;
    bool trainable;
} EadPdn;

/* Declares the parameters <name>.conv1.weight ... in params. */
EadStatus ead_pdn_declare(const EadPdn *pdn, EadParams *params);

/* Which channel of a normalised gray image stands for all three. */
enum { EAD_GRAY_CHANNEL = 1 };

/* All layers but the last. x [N,H,W,3] normalised image, or [N,H,W,1] that channel of a gray one, for a network without
 * padding and gradients: the first layer then has one channel, with the sum of its weights -> [N,H',W',C]. */
EadNode *ead_pdn_trunk(EadGraph *graph, const EadPdn *pdn, EadNode *x);

/* The last layer, computing only output channels first .. first+count-1: the losses and maps read the two
 * halves of a student's output for different images. -> [N, output height, output width, count]. */
EadNode *ead_pdn_head(EadGraph *graph, const EadPdn *pdn, EadNode *trunk, int first, int count);

/* Height or width of the output for that of an image: 256 gives 64 with padding, 56 without. */
int ead_pdn_output_size(bool padding, int image);
