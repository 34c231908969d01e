/* A codebook that follows what it quantises by moving averages (van den Oord et al. 2017, appendix A.1), instead of being
 * trained by a gradient. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadCodebookUpdate {
    double decay;   /* of the averages, in [0,1) */
    double epsilon; /* of the smoothing that keeps a code without vectors from dividing by zero, above 0 */
    double least;   /* a code whose size is below this share of the mean size begins anew; 0: none does */
    uint64_t seed, stream;
} EadCodebookUpdate;

/* codes [M,1,1,C] and averages [M,1,1,C+1], of each code the sum of its vectors and their number, leaves that are both changed in
 * place: with x [N,H,W,C] and the number of each vector's code, index [N,H,W,1] 0 .. M-1,
 *   sum <- decay sum + (1 - decay) (sum of its vectors),   number <- decay number + (1 - decay) (how many they are)
 *   number <- (number + epsilon) / (n + M epsilon) n,      code <- sum / number,     n being the sum of all numbers.
 * A code that begins anew becomes the vector of x that word m of step `step` of the stream says (core/base/philox_rounds.h), of
 * mean size. step: I64 scalar, the steps done. Averages of zeros make nearly all codes begin as vectors of the first x, if
 * least > 0. Numbers that are no code's are passed over. Returns the codes. Errors: EAD_BAD_SHAPE, EAD_BAD_ARGUMENT. */
EadNode *ead_codebook_update(EadGraph *graph, EadNode *codes, EadNode *averages, EadNode *x, EadNode *index,
                             EadNode *step, EadCodebookUpdate attributes);
