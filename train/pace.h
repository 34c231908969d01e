/* How long a training takes, from the times of its parts on this machine; train --minutes: how many steps it may take. */
#pragma once

#include "train/fit.h"

/* How many of the validation images are scored while a training goes on: at most 50, in tiles 5. */
enum { EAD_WATCHED_IMAGES = 50, EAD_WATCHED_IN_TILES = 5 };
int ead_watched_images(const EadConfig *config, int validation);

/* Seconds of all that is done with images besides the steps, each for one image; choice: for so many together. */
typedef struct EadPaceImages {
    double decode;  /* a training or validation image, into a cache */
    double look;    /* a training image, by what the fit does before the steps */
    double score;   /* to read an image and to score it, several side by side */
    double measure; /* a test image that is scored, by the pixel metrics */
    double
        choice; /* to choose what is kept of `chosen_of` training images: it grows with power `choice_power` of them */
    double choice_power;
    int chosen_of;
} EadPaceImages;

typedef struct EadPace {
    double begun;                /* the clock at the start of the run */
    double steps;                /* seconds that the steps of the config would take */
    double looks;                /* of these: at validation and test images in between */
    EadPaceImages images;        /* seconds */
    int64_t counted;             /* steps of the config, over all phases */
    int train, validation, test; /* images */
    int calibrated;              /* times that one of them is looked at for the calibration */
} EadPace;

/* Whether the steps of a run can be picked. Errors: EAD_BAD_ARGUMENT for a fit without steps, for a run with its steps
 * set on the command line (spec->given) or continued; EAD_UNSUPPORTED for several ranks. */
EadStatus ead_pace_check(const EadFit *fit, const EadRunSpec *spec);

/* Times a few steps of every phase on a sample of the fit, and a few images, and forgets the sample; writes nothing;
 * begun as in EadPace. Errors: EAD_BAD_ARGUMENT if spec->minutes, unless 0, are too few, with a number that is enough. */
EadStatus ead_pace_measure(const EadFit *fit, const EadRunSpec *spec, const EadDataset *dataset,
                           const EadPhase *phases, int count, double begun, EadPace *pace);

/* Whether a run of so many steps is worth a measurement, only to tell its length: a new one in this process alone, of 100 steps
 * or more, beside which that takes no time to speak of. */
bool ead_pace_is_worth_telling(const EadFit *fit, const EadRunSpec *spec, int64_t steps);

/* One step of a phase of a sample of the fit as of so many training images, and what a checkpoint takes beside the model:
 * timed for two seconds or about as many steps as are named, and forgotten. Errors: those of the sample and its plan. */
typedef struct EadPaceSample {
    double seconds;
    uint64_t optimizer; /* bytes */
} EadPaceSample;

enum { EAD_PACE_STEPS = 1 << 20 }; /* more than two seconds have */

EadStatus ead_pace_sample(const EadFit *fit, const EadRunSpec *spec, int images, int phase, int64_t steps,
                          EadPaceSample *sample);

/* Does all that with a few training images of a data set, as a training does it, and times it; writes nothing
 * (train/pace_images.c). Errors: those of the sample and of data/. */
EadStatus ead_pace_images(const EadFit *fit, const EadRunSpec *spec, const EadDataset *dataset,
                          EadPaceImages *images);

/* Sets the numbers of images of a data set. */
void ead_pace_count(const EadFit *fit, const EadConfig *config, int train, int validation, int test,
                    EadPace *pace);

/* Seconds of the looks at images between the steps, as often as the config says; and of all besides the steps: decoding, what
 * the fit does before its steps, and what follows them, of which the validation images take a part, for calibration and for
 * their scores. Of images, counted and the numbers of images. */
double ead_pace_validation(const EadPace *pace);
double ead_pace_looks(const EadPace *pace, const EadConfig *config);
double ead_pace_decoding(const EadPace *pace);
double ead_pace_fitting(const EadPace *pace);
double ead_pace_ending(const EadPace *pace);

/* "70000 steps will take about 5.4 hours here (275 ms a step, 0.9 % for scoring images in between), all else 40 s; --minutes 60 would do about 12900 of the 70000
 * steps"; what: how the config names its steps, "70000 steps", "160 epochs". */
enum { EAD_PACE_SIZE = 256 };
void ead_pace_describe(const EadPace *pace, const char *what, char text[EAD_PACE_SIZE]);

/* What is left of the minutes when the steps are about to begin: sets the fit's length_key in the config so that
 * they and what follows them (calibration, threshold, evaluation) fit in, and says so on stderr. At least the minimum. Makes
 * train.validate_every smaller for a short run, unless the command line or until_converged needs it as it is; the times of
 * *pace follow. The fit may set more (EadFit.shorten). Errors: EAD_NO_MEMORY. */
EadStatus ead_pace_pick(EadPace *pace, const EadFit *fit, const EadRunSpec *spec, EadConfig *config);

/* The factor by which the config's steps are multiplied, where so many seconds are left for them; at least that of
 * the minimum: 100 steps, or those of the config if these are fewer. */
double ead_pace_factor(const EadPace *pace, double seconds);
