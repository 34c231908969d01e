/* report.html while the steps go on. Nothing of the training depends on it: it is written now and then by the clock, so
 * seldom that it takes no time to speak of, and a page that cannot be written costs itself. */
#include "train/fit_run.h"

#include "core/base/printing.h"
#include "core/system/clock.h"
#include "train/report/training_page.h"
#include "train/support/page_kind.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static const double LEAST_SECONDS = 10; /* between two pages, */
static const double LEAST_FACTOR = 400; /* and so many times what the last one took */

static double seconds_left(const EadFitRun *run) {
    const EadFitPage *page = &run->page;
    int64_t done = ead_fit_steps_done(run);
    double passed = ead_clock_seconds() - page->begun;
    if (done <= page->first) return (double)NAN;
    return passed / (double)(done - page->first) * (double)(run->steps - done);
}

static EadStatus write_page(const EadFitRun *run, const char *doing, const char *ended) {
    EadTrainingPage page = {.title = ead_config_dataset_name(run->config),
                            .doing = doing,
                            .ended = ended,
                            .step = ead_fit_steps_done(run),
                            .steps = run->steps,
                            .seconds_left = seconds_left(run),
                            .refresh = (int)ceil(fmax(LEAST_SECONDS, LEAST_FACTOR * run->page.took)),
                            .losses = run->folder.losses,
                            .scores = run->folder.validation,
                            .tests = run->folder.test,
                            .config = run->config_text,
                            .written = (int64_t)time(NULL)};
    return ead_training_page_write(run->page.path, &page);
}

/* Tells once what keeps it from being written. */
static void refresh(EadFitRun *run, const char *doing) {
    double start = ead_clock_seconds();
    EadStatus status = run->log.stream ? ead_loss_log_flush(&run->log) : EAD_OK;
    if (status == EAD_OK) status = write_page(run, doing, NULL);
    run->page.written = ead_clock_seconds();
    run->page.took = run->page.written - start;
    if (status == EAD_OK) return;
    ead_print(stderr, "warning: %s; the page is not written again before the end\n", ead_error_message());
    run->page.path[0] = '\0';
}

EadStatus ead_fit_page_open(EadFitRun *run) {
    if (!run->model || run->phase_count == 0 || ead_fit_steps_done(run) >= run->steps) return EAD_OK;
    EAD_TRY(ead_path_in(run->page.path, run->config->output, "report.html"));
    run->page.first = ead_fit_steps_done(run);
    run->page.begun = ead_clock_seconds();
    refresh(run, run->phases[run->phase].doing);
    return EAD_OK;
}

void ead_fit_page_step(EadFitRun *run) {
    const EadFitPage *page = &run->page;
    if (!page->path[0]) return;
    double passed = ead_clock_seconds() - page->written;
    if (passed > LEAST_SECONDS && passed > LEAST_FACTOR * page->took)
        refresh(run, run->phases[run->phase].doing);
}

void ead_fit_page_evaluates(EadFitRun *run) {
    if (run->page.path[0]) refresh(run, "all steps are done, what follows them is under way");
}

/* Where the report has not taken its place. */
void ead_fit_page_close(EadFitRun *run, EadStatus status) {
    EadFailure failure;
    if (status == EAD_OK || !run->page.path[0] || !ead_training_page_is(run->page.path)) return;
    ead_failure_keep(&failure, status);
    (void)write_page(run, NULL, failure.message);
    (void)ead_failure_tell(&failure);
}
