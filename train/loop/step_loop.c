/* Counting of steps and checkpoints. */
#include "train/loop/step_loop.h"

#include "core/base/clock.h"
#include "train/support/progress.h"

#include <math.h>

static EadStatus do_step(const EadStepLoop *loop, EadProgress *progress) {
    char note[EAD_STEP_NOTE] = "";
    EAD_TRY(loop->step(loop->context, note));
    ead_progress_update(progress, *loop->done, note);
    bool last = *loop->done >= loop->steps; /* the end saves */
    if (last || loop->checkpoint_every == 0 || *loop->done % loop->checkpoint_every != 0) return EAD_OK;
    ead_progress_clear(progress); /* save may have something to tell */
    return loop->save(loop->context);
}

EadStatus ead_step_loop(const EadStepLoop *loop, double *seconds) {
    EadProgress progress;
    double start = ead_clock_seconds();
    EadStatus status = EAD_OK;
    if (*loop->done >= loop->steps) return EAD_OK;
    ead_progress_start(&progress, loop->what, *loop->done, loop->steps, loop->quiet);
    while (status == EAD_OK && *loop->done < loop->steps && !ead_interrupted())
        status = do_step(loop, &progress);
    ead_progress_finish(&progress);
    *seconds = ead_clock_seconds() - start;
    if (status == EAD_OK) status = loop->save(loop->context);
    if (status == EAD_OK && *loop->done < loop->steps)
        return ead_fail(EAD_INTERRUPTED,
                        "stopped after step %lld of %lld; continue with --resume --output %s",
                        (long long)*loop->done, (long long)loop->steps, loop->output);
    return status;
}

EadStatus ead_check_loss(const char *output, int64_t step, double loss, const char *rate_key, double rate) {
    if (isfinite(loss)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: the loss of step %lld is %g; lower %s (now %g) and start anew with another --output",
                    output, (long long)step, loss, rate_key, rate);
}
