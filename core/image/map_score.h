/* The score of an image from its anomaly map. */
#pragma once

#include <stdint.h>

typedef enum EadScoreMethod {
    EAD_SCORE_MAX,      /* the method's own: the largest value, or what else it has */
    EAD_SCORE_TOP_MEAN, /* the mean of the `cells` largest values */
    EAD_SCORE_AREA,     /* the largest value that at least `cells` of them reach */
} EadScoreMethod;

/* A value that grows lowers no score. Zeroed: EAD_SCORE_MAX. */
typedef struct EadScoreRule {
    EadScoreMethod method;
    int cells; /* 1 .. EAD_SCORE_MOST_CELLS; of a smaller map all */
} EadScoreRule;

enum { EAD_SCORE_MOST_CELLS = 1 << 22 };

/* map [count], finite; inside [count]: NULL, or nonzero for those that count, at least one. top: room for rule.cells, or for
 * count if these are fewer; not looked at for EAD_SCORE_MAX. */
float ead_map_score(const float *map, const uint8_t *inside, int64_t count, EadScoreRule rule, float *top);
