/* The loop of a training or distillation: steps, progress line, checkpoints, an end by Ctrl-C. */
#ifndef EAD_TRAIN_STEP_LOOP_H
#define EAD_TRAIN_STEP_LOOP_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EAD_STEP_NOTE = 64 }; /* bytes of a note for the progress line */

typedef struct EadStepLoop {
    const char *what;                                           /* "training", for the progress line */
    const char *output;                                         /* the run folder, for messages */
    const int64_t *done;                                        /* steps done, counted up by step */
    int64_t steps;                                              /* in all */
    int checkpoint_every;                                       /* 0: only at the end */
    bool quiet;                                                 /* no progress line */
    EadStatus (*step)(void *context, char note[EAD_STEP_NOTE]); /* does one step and writes the note */
    EadStatus (*save)(void *context);                           /* writes the checkpoint */
    void *context;
} EadStepLoop;

/* Steps until all are done or Ctrl-C, then saves. Nothing happens if all are done already. *seconds: how long
 * it took. Errors: those of step and save; EAD_INTERRUPTED, with the way to go on. */
EadStatus ead_step_loop(const EadStepLoop *loop, double *seconds);

/* Fails for a loss that is not finite. rate_key: the config key to lower, rate its value. */
EadStatus ead_check_loss(const char *output, int64_t step, double loss, const char *rate_key, double rate);

#endif
