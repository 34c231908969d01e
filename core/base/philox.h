/* Philox4x32-10, the counter-based random generator of Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011). A number is a pure function of (seed, stream, counter): nothing to save, nothing to
 * synchronise, the same on every backend, and a resumed run continues with the same numbers. */
#pragma once

#include "core/base/philox_rounds.h"

/* One stream for each use of random numbers, so that no two uses ever share a counter. Streams from
 * EAD_STREAM_PARAMETERS on are EAD_STREAM_PARAMETERS + ead_hash_name(parameter name). */
typedef enum EadStream {
    EAD_STREAM_SPLIT = 1,      /* validation split */
    EAD_STREAM_TRAIN_ORDER,    /* order of the training images */
    EAD_STREAM_PENALTY_ORDER,  /* order of the penalty images */
    EAD_STREAM_AUGMENT,        /* colour jitter of the training image */
    EAD_STREAM_PENALTY_GRAY,   /* gray conversion of the penalty image */
    EAD_STREAM_SYNTH,          /* generated data set */
    EAD_STREAM_TEST,           /* test data */
    EAD_STREAM_DISTILL_ORDER,  /* order of the images of a distillation */
    EAD_STREAM_DISTILL_GRAY,   /* gray conversion of these */
    EAD_STREAM_PROJECTION,     /* random projection of a coreset */
    EAD_STREAM_CORESET,        /* its starting points */
    EAD_STREAM_NOISE,          /* noise on features */
    EAD_STREAM_DRAWN,          /* drawn penalty images */
    EAD_STREAM_TILE,           /* place of a tile in the training image */
    EAD_STREAM_PATCH,          /* size and place of a patch of a photograph, and whether it is gray */
    EAD_STREAM_CODES_LO,       /* codes of DSR's codebooks that begin anew */
    EAD_STREAM_CODES_HI,       /* the same of the other */
    EAD_STREAM_DISTURBANCE,    /* DSR's masks, turned images, disturbed codes */
    EAD_STREAM_DROPOUT = 1024, /* + index of the dropout layer */
} EadStream;
#define EAD_STREAM_PARAMETERS (UINT64_C(1) << 32)

/* Four independent 32-bit words for block `counter` of a stream. */
void ead_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

/* Word number `index` of a stream: word index % 4 of block index / 4. */
uint32_t ead_philox_word(uint64_t seed, uint64_t stream, uint64_t index);

/* 32-bit FNV-1a of a name. */
uint32_t ead_hash_name(const char *name);

/* Element `step` of an endless sequence that visits all of 0..count-1 once an epoch, each epoch in another
 * order. A pure function (a Feistel network on the index with cycle walking). count must be 1..2^31. */
uint32_t ead_shuffled_index(uint64_t seed, uint64_t stream, uint64_t step, uint32_t count);
