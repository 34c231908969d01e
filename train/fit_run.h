/* A run of a fit while it goes on: what its prepare and steps (train/trainer.c) and its end (train/fit_end.c) share. */
#pragma once

#include "train/fit.h"
#include "train/loop/convergence.h"
#include "train/loop/run_files.h"
#include "train/evaluate/threshold_file.h"
#include "train/pace.h"
#include "train/training_board.h"

/* report.html until there is a report. */
typedef struct EadFitPage {
    EadPath path;         /* empty: not written */
    int64_t first;        /* steps done at its beginning, */
    double begun;         /* which was then, in ead_clock_seconds() */
    double written, took; /* the last time, and how long that lasted */
} EadFitPage;

typedef struct EadFitRun {
    const EadFit *fit;
    const EadRunSpec *spec; /* the caller's, but for the config */
    EadRunSpec own_spec;
    EadConfig *config; /* a copy, in which steps may be picked */
    EadConfig own_config;
    EadPace pace; /* with spec->minutes */
    double begun;
    char *config_text;
    EadRunFolder folder;
    EadRunBegun made;
    EadTrainData data; /* of a detector */
    void *state;       /* the method's */
    EadModel *model;   /* in the state; NULL: no detector */
    EadPhase phases[EAD_MAX_PHASES];
    int phase_count, phase;     /* the present phase */
    int64_t before, steps;      /* steps of the phases before it; of all phases */
    EadSafetensors *checkpoint; /* to resume from; NULL: from the start */
    EadStep step;
    size_t later_step_bytes; /* the most that the step of a later phase takes; 0: there is none */
    EadLoader *loader;       /* NULL: nothing comes with a step */
    EadLossLog log;
    EadLossLog scores_log, tests_log; /* validation.csv, test.csv */
    EadTrainingBoard board;           /* TensorBoard; empty where that is off */
    EadFitPage page;
    float losses[EAD_MAX_LOSSES + 1]; /* the last ones read */
    EadThresholds thresholds;
    EadImageScores validation; /* once measured */
    bool stop;                 /* a rank was asked to */
    EadConvergence convergence;
    int64_t limit;        /* train.steps of the config, with until_converged */
    int64_t converged_at; /* steps; 0: not yet */
    bool converges;       /* it has this moment: the last steps are to be planned */
    char ended[64];       /* why, with until_converged */
    double seconds;       /* of the steps in this process */
    int64_t steps_here;
} EadFitRun;

/* Steps of all phases that have been started. */
static inline int64_t ead_fit_steps_done(const EadFitRun *run) {
    return run->before + run->step.done;
}

/* Whether this process writes. */
static inline bool ead_fit_leads(const EadFitRun *run) {
    return ead_ranks_leads(run->spec->ranks);
}

/* What is known before any work, when the phases are listed: warns of few images, measures how long the steps will take,
 * where that is asked or worth it, and says so. Errors: those of ead_pace_measure(). */
EadStatus ead_fit_forecast(EadFitRun *run);

/* Plans the phases after the present one and gives them up: one that the memory does not hold fails before the work, and what the
 * largest takes is known. No step is planned before or after. Errors: those of EadFit.plan. */
EadStatus ead_fit_try_later_phases(EadFitRun *run);

/* When the step is planned: says what it and what follows take, and fails before the work what would fail when the first
 * maps are drawn. Errors: EAD_NO_MEMORY. */
EadStatus ead_fit_check_memory(EadFitRun *run);

/* Readies what validation.csv and test.csv hold up to step `done`; writes what is kept, where there will be rows; closes
 * both, harmless on a zeroed run. Errors: those of train/loop/loss_log.h. */
EadStatus ead_fit_watch_prepare(EadFitRun *run, int64_t done);
EadStatus ead_fit_watch_open(EadFitRun *run);
void ead_fit_watch_close(EadFitRun *run);

/* Whether train.validate_every or train.test_every is due after the present step; the same for all ranks. */
bool ead_fit_watch_is_due(const EadFitRun *run);

/* Measures it and adds rows, by the rank that leads; losses are read and parameters downloaded. What fails is told. */
void ead_fit_watch(EadFitRun *run);

/* The page of a training that goes on, by the rank that leads: begins it where a detector has steps to do, brings it up to date
 * when that is due, says that the steps are done, and of a run that has failed or was interrupted, with the message of the
 * error, why it ended. What fails is told. Errors of the first: EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_fit_page_open(EadFitRun *run);
void ead_fit_page_step(EadFitRun *run);
void ead_fit_page_evaluates(EadFitRun *run);
void ead_fit_page_close(EadFitRun *run, EadStatus status);

/* After the last step: calibration; of a detector threshold, model file, evaluation. Errors: any of these. */
EadStatus ead_fit_end(EadFitRun *run);
