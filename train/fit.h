/* How a method is fitted: one row in train/fits.def, one folder under train/, its config keys in its
 * keys.def, which train/config/config_keys.def includes. The trainer (train/trainer.c) runs any of them: it
 * opens the data, walks through the phases, logs the losses, keeps checkpoints, resumes, chooses the
 * threshold, saves and evaluates.
 *
 * A fit is, in this order: create, open, start; then for each phase (or once, if there are none) fit, plan,
 * begin and the phase's steps; then calibrate. A run that is resumed reads its state instead of fitting anew;
 * the first phase is planned before anything is written, so that what is wrong by then leaves no folder. */
#pragma once

#include "data/source/loader.h"
#include "models/method.h"
#include "train/loop/loss_log.h"
#include "train/loop/run.h"
#include "train/loop/step.h"
#include "train/loop/train_data.h"

enum { EAD_MAX_PHASES = 4 };

/* A part of a fit that is trained by steps with one graph. */
typedef struct EadPhase {
    const char *doing; /* "training", for the progress line */
    int64_t steps;
    /* The config key to lower where a loss is not finite or has grown away, and its value. */
    const char *rate_key;
    double rate;
    /* About what the loss is at first; more than a million times that is no training any more. */
    double begins;
} EadPhase;

/* What a config is checked for; each includes those before it. */
typedef enum EadCheckScope {
    EAD_CHECK_MODEL,    /* the use of a trained model */
    EAD_CHECK_TRAINING, /* keys that only training needs */
    EAD_CHECK_FILES,    /* training now and here: the files and folders that it reads are there */
} EadCheckScope;

/* Images that steps draw, each kept in the folder for caches. */
typedef struct EadFitDraws {
    const char *kind, *key, *path; /* "penalty", "penalty.path", its value */
} EadFitDraws;

/* What a method is asked; state is its own, made by create. Those marked "or NULL" need not be there. */
typedef struct EadFit {
    const char *name;
    const char *model_name; /* of the file it makes in the run folder: "model.safetensors" */
    EadCompareScope scope;  /* what a run and its checkpoint must have in common */
    /* Columns of losses.csv over all phases, the last is what is minimized; NULL: no phase has steps. */
    const EadLossColumn *losses;
    int maps_key; /* the EadConfigKeyId that chooses maps (EadMethod.maps), or -1 */
    /* What tables must say of results by this config, or NULL. Or NULL: nothing. */
    const char *(*remark)(const EadConfig *config);
    int slots;             /* steps for which is read ahead, where something comes with each */
    int64_t least_steps;   /* a model of fewer is of no use, and training says so; 0: none */
    int length_key;        /* the one that says how long it trains, in steps or epochs; -1: in one pass */
    int second_length_key; /* of another phase, which --minutes makes shorter alike; 0: none */

    /* Checks its own keys. Errors: EAD_BAD_ARGUMENT, the first of what it adds to config->problems. */
    EadStatus (*check)(EadConfig *config, EadCheckScope scope);
    /* Makes the state: a model, lists of images. Writes nothing. data: listed, not yet decoded; NULL for what
     * makes no detector. Both are borrowed until free. */
    EadStatus (*create)(const EadRunSpec *spec, EadTrainData *data, void **state);
    /* A state with random parameters and no data, as of so many training images (0: as many as is usual), for forecasts
     * and the bench: phases, plan, begin and growth work on it, and model, without phases after fit. Or NULL. */
    EadStatus (*sample)(const EadRunSpec *spec, int images, void **state);
    /* --minutes has picked the length of the config: sets, and says on stderr, what else a training so short needs; given
     * [EAD_CONFIG_KEYS]: what the command line sets, or NULL. Or NULL: nothing. */
    EadStatus (*shorten)(EadConfig *config, const bool *given);
    void (*free)(void *state);
    /* Lists the phases and returns their number. Or NULL: there are none. */
    int (*phases)(const void *state, EadPhase phases[EAD_MAX_PHASES]);
    /* Images of a step, whose losses are means over them, so that ranks can share them out: plan and begin then take
     * the share by ead_ranks_share(spec->ranks, batch), the step's parts name it, and fit, after_save and calibrate are
     * called by every rank while only the one that leads writes. Or NULL: they cannot. */
    int (*batch)(const void *state);
    /* Plans the step of a phase by ead_step_new(). */
    EadStatus (*plan)(void *state, int phase, EadStep *step);
    /* Says on stdout what the run would take; the step is planned, and may be spoiled. Writes nothing. Or NULL: it
     * cannot, and no command asks it. */
    EadStatus (*forecast)(void *state, EadStep *step);
    /* Bytes of the host that start, fit and calibrate take besides the step and, with one, a detector. Or NULL: none. */
    EadStatus (*later)(void *state, size_t *bytes);
    /* Opens what else it reads, such as caches. Or NULL. */
    EadStatus (*open)(void *state);
    /* The run folder is there: says on stderr what is going to be done. step: NULL without phases. */
    EadStatus (*start)(void *state, const EadStep *step);
    /* What needs no gradient, before a phase: statistics, a memory bank, that of a sample from drawn images. Not called
     * for a phase that is resumed. Or NULL. */
    EadStatus (*fit)(void *state, int phase);
    /* Readies the step for its first run; everything else of the state is as it will be. Where something
     * comes with each step, sets threads, fill and context of the loader. */
    EadStatus (*begin)(void *state, int phase, EadStep *step, EadLoaderSpec *loader);
    /* Parameters have been downloaded, and a detector may look at the model next: brings up to date what follows from them.
     * Or NULL: nothing does. */
    void (*ready)(void *state);
    /* Adds the state to a checkpoint, and reads it back. */
    EadStatus (*write)(const void *state, EadSafetensorsWriter *writer);
    EadStatus (*read)(void *state, const EadSafetensors *file);
    /* What fit() does with the training images, done by a sample with a few of them, so that it can be timed: looks at
     * them; then, unless NULL, chooses of these what it would keep. Nothing is written. Or NULL: it does no such thing. */
    EadStatus (*look)(void *state, const EadImageCache *few);
    EadStatus (*choose)(void *state);
    double choose_power; /* of the number of images, with which the time of choose() grows */
    /* Images that calibrate() looks at, where there are so many. Or NULL: none. */
    int (*calibrated)(const EadConfig *config, int validation, int test);
    /* The images that steps draw one by one, for ead_open_draws(); path NULL: this config's draw none. Or NULL: none do. */
    EadFitDraws (*draws)(const EadConfig *config);
    /* The file of features that fit() leaves in the folder for caches, of a sample: its bytes, and into text [160] what the
     * features depend on besides the backbone and the images in their size. Or NULL: it leaves none. */
    EadStatus (*features)(void *state, char *text, uint64_t *bytes);
    /* Bytes by which fit() and open() will make what write() adds larger. Or NULL: it has its size from the start. */
    uint64_t (*growth)(const void *state);
    /* The mean loss on the validation images, of parameters that have been downloaded, for train.until_converged.
     * Or NULL: that is refused. */
    EadStatus (*validate)(void *state, double *loss);
    /* A checkpoint has been written after `done` of all steps, and training goes on. Or NULL. */
    EadStatus (*after_save)(void *state, int64_t done);
    /* After the last step: map normalization, score statistics; without detector: writes the results. Or NULL. */
    EadStatus (*calibrate)(void *state, const EadRunFolder *folder, const char *config_text, int64_t done);
    /* The model, which belongs to the state; NULL: it makes no detector. */
    EadModel *(*model)(void *state);
} EadFit;

/* The fit of that name, or NULL. */
const EadFit *ead_fit_find(const char *name);

/* The fit of model.method. Errors: EAD_BAD_ARGUMENT, with the methods there are. */
EadStatus ead_fit_of_config(const EadConfig *config, const EadFit **out);

/* Checks a config for the training of its method. Errors: EAD_BAD_ARGUMENT, the first of what it adds to
 * config->problems. */
EadStatus ead_fit_check(EadConfig *config);

/* Adds to problems what is wrong with roi.box and roi.mask by themselves; a mask that is not there is no mistake of the config. */
void ead_fit_check_region(EadConfig *config);

/* Adds to problems what of the files that a config names, but for the data set, is not there or of no use. */
void ead_fit_check_files(const EadFit *fit, EadConfig *config);

/* Refuses to resume what is the run of another command by its checkpoint in the folder, or, where that has none yet, by
 * the config that was read from it (NULL: from elsewhere). fit: NULL for any that trains a detector. Errors: EAD_BAD_FILE,
 * saying what it is and how it goes on. */
EadStatus ead_fit_check_resumed(const EadFit *fit, const char *folder, const EadConfig *own);

/* Puts before the message of a model or step that is too large for the memory the keys that make it smaller, where they
 * are not 0, by which another size is taken; gives status back. */
EadStatus ead_fit_planned(const EadConfig *config, int count, const EadConfigKeyId keys[], EadStatus status);

/* An EadFit.calibrated: calibrate looks at all validation images. */
int ead_fit_calibrated_by_validation(const EadConfig *config, int validation, int test);

/* Adds to problems what of all that a run writes cannot be written; makes no folder. */
void ead_fit_check_outputs(const EadFit *fit, const EadConfig *config, EadProblems *problems);

/* Adds to problems what of a run cannot be done, whatever its data: the options, the folder with all that is written into
 * it, of the rank that leads. Makes no folder. */
void ead_fit_check_run(const EadFit *fit, const EadRunSpec *spec, EadProblems *problems);

/* What a training with this config does: "70000 steps", "160 epochs", "one pass". text: [64]. */
void ead_fit_trained(const EadConfig *config, char *text);

/* A sample (EadFit.sample) whose model can be used; errors: those of sample and fit. *state is to be freed in every case,
 * unless NULL. */
EadStatus ead_fit_sample(const EadFit *fit, const EadRunSpec *spec, int images, void **state);

/* Readies a step of a sample for runs on *slot, images of any bytes, which the caller frees as it does the
 * step. Errors: those of plan and begin. */
EadStatus ead_fit_sample_step(const EadFit *fit, void *state, int phase, EadStep *step, uint8_t **slot);

/* Runs a fit and fills the run folder spec->config->output: config.yaml, losses.csv, checkpoint.safetensors
 * and the model file; for a detector also events.out.tfevents.* (TensorBoard) and, where there are test
 * images, scores.csv, metrics.json, report.html, curves, and maps/ and overlays/ on request. The same config
 * gives the same bits; an interrupted and resumed run gives those of an uninterrupted one. With spec->minutes the steps
 * are picked (train/pace.h), and config.yaml and all else name those. Errors: any of
 * data, files and memory; EAD_INTERRUPTED after Ctrl-C or SIGTERM, when the checkpoint is written;
 * EAD_BAD_ARGUMENT if the folder holds a run and resume was not asked for. */
EadStatus ead_fit_run(const EadFit *fit, const EadRunSpec *spec);

/* ---- what fits on a backbone's features have in common (train/feature_fit.c) ---- */

/* What an EadFit.check says: model.backbone is there, with the features that the key `layers` names. */
EadStatus ead_fit_check_backbone(EadConfig *config, EadCheckScope scope, EadConfigKeyId layers);

/* What an EadFit.check says of model.init, where its state is read by EadFit.read: the file is a model of config's method
 * and that is `method`. */
void ead_fit_check_init(EadConfig *config, EadCheckScope scope, const char *method);

/* Reads the state from model.init, where that is set, else does nothing. Errors: those of read. */
EadStatus ead_fit_read_init(const EadConfig *config, void *state,
                            EadStatus (*read)(void *state, const EadSafetensors *file));

/* What an EadFit.read ends with: `take` moves the model of the file into the one that the steps were planned on, and says false for
 * one of other sizes. Errors: those of ead_model_read(); EAD_BAD_FILE for such a one and for another method's. */
EadStatus ead_fit_read_model(const EadSafetensors *file, EadModel *own,
                             bool (*take)(EadModel *own, const EadModel *read));

/* Runs the fit of model.method. */
EadStatus ead_train(const EadRunSpec *spec);
