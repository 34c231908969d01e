/* Times of a sample; steps from them. */
#include "train/pace.h"

#include "core/base/minmax.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* To tell a run's length, one of so many of its steps is timed: a short run is not to wait for it. */
enum { MIN_STEPS = 100, WARM_UP = 2, ONE_OF = 200 };

static const double TIMED_SECONDS = 2; /* of each phase */

/* ---- measuring ---- */

static EadStatus run_steps(EadStep *step, const uint8_t *slot, int count) {
    float rows[EAD_LOSS_ROWS * (EAD_MAX_LOSSES + 1)];
    for (int i = 0; i < count; i++) ead_step_run(step, slot);
    return ead_step_losses(step, rows, &count);
}

/* Each batch of steps is as long as those before it together: a device is seldom waited for, a slow step is not repeated.
 * No more than `enough` are timed, but for those of the last batch. */
static EadStatus time_step(EadStep *step, const uint8_t *slot, int64_t enough, double *seconds) {
    int64_t done = 0;
    EAD_TRY(run_steps(step, slot, ead_min(WARM_UP, enough)));
    double start = ead_clock_seconds(), passed = 0;
    for (; passed < TIMED_SECONDS && done < enough; passed = ead_clock_seconds() - start) {
        int count = done == 0 ? 1 : ead_min(done, EAD_LOSS_ROWS);
        EAD_TRY(run_steps(step, slot, count));
        done += count;
    }
    *seconds = passed / (double)done;
    return EAD_OK;
}

/* Two moments of each parameter that is trained. */
static uint64_t optimizer_bytes(const EadStep *step) {
    uint64_t bytes = 0;
    for (int g = 0; g < step->parts.group_count; g++)
        bytes += 2 * sizeof(real) * (uint64_t)step->optimizers[g].count;
    return bytes;
}

EadStatus ead_pace_sample(const EadFit *fit, const EadRunSpec *run, int images, int phase, int64_t steps,
                          EadPaceSample *sample) {
    EadRunSpec spec = *run;
    EadStep step = {0};
    void *state = NULL;
    uint8_t *slot = NULL;
    spec.quiet = true;
    *sample = (EadPaceSample){0};
    EadStatus status = fit->sample(&spec, images, &state);
    if (status == EAD_OK) status = ead_fit_sample_step(fit, state, phase, &step, &slot);
    if (status == EAD_OK) status = time_step(&step, slot, steps > 1 ? steps : 1, &sample->seconds);
    if (status == EAD_OK) sample->optimizer = optimizer_bytes(&step);
    ead_step_free(&step);
    if (state) fit->free(state);
    free(slot);
    return status;
}

/* ---- what there is to do besides the steps ---- */

void ead_pace_count(const EadFit *fit, const EadConfig *config, int train, int validation, int test,
                    EadPace *pace) {
    pace->train = train;
    pace->validation = validation;
    pace->test = test;
    pace->calibrated = fit->calibrated ? fit->calibrated(config, validation, test) : 0;
}

double ead_pace_decoding(const EadPace *pace) {
    return pace->images.decode * (pace->train + pace->validation);
}

double ead_pace_fitting(const EadPace *pace) {
    const EadPaceImages *images = &pace->images;
    double seconds = images->look * pace->train;
    if (images->choice <= 0) return seconds;
    return seconds + images->choice * pow((double)pace->train / images->chosen_of, images->choice_power);
}

double ead_pace_validation(const EadPace *pace) {
    return pace->images.score * (pace->calibrated + pace->validation);
}

/* Also scores and metrics of the test images, beside which the report takes little. */
double ead_pace_ending(const EadPace *pace) {
    return ead_pace_validation(pace) + (pace->images.score + pace->images.measure) * pace->test;
}

static double seconds_before(const EadPace *pace) {
    return ead_pace_decoding(pace) + ead_pace_fitting(pace);
}

static double least_factor(const EadPace *pace) {
    return fmin(1, MIN_STEPS / (double)pace->counted);
}

double ead_pace_factor(const EadPace *pace, double seconds) {
    return fmax(least_factor(pace), seconds / pace->steps);
}

static EadStatus check_minutes(const EadPace *pace, const EadRunSpec *spec) {
    if (spec->minutes <= 0) return EAD_OK;
    double passed = ead_clock_seconds() - pace->begun;
    double least = passed + seconds_before(pace) + least_factor(pace) * pace->steps + ead_pace_ending(pace);
    if (least <= 60 * spec->minutes) return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "--minutes %g is too short: %.0f steps, with all that comes before and after them, take %.1f "
        "minutes here",
        spec->minutes, least_factor(pace) * (double)pace->counted, ceil(least / 6) / 10);
}

EadStatus ead_pace_check(const EadFit *fit, const EadRunSpec *spec) {
    int ranks = ead_ranks_count(spec->ranks);
    if (!fit->sample || fit->length_key < 0)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--minutes picks a number of steps, and %s is fitted without; leave it out",
                        fit->name);
    const char *key = ead_config_key(fit->length_key)->rule.name;
    if (spec->resume)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "--minutes picks the steps of a new run; --resume goes on with those in its config.yaml; "
            "leave one of the two out");
    if (ranks > 1)
        return ead_fail(EAD_UNSUPPORTED, "--minutes measures one process, not %d; set %s instead", ranks,
                        key);
    if (spec->given && spec->given[fit->length_key])
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--minutes picks %s, which --set names, too; leave one of the two out", key);
    return EAD_OK;
}

int ead_watched_images(const EadConfig *config, int validation) {
    return ead_min(validation, config->tiles_size ? EAD_WATCHED_IN_TILES : EAD_WATCHED_IMAGES);
}

double ead_pace_looks(const EadPace *pace, const EadConfig *config) {
    int64_t scores = config->train_validate_every, tests = config->train_test_every;
    double images = 0;
    if (scores > 0) images += (double)(pace->counted / scores) * ead_watched_images(config, pace->validation);
    if (tests > 0) images += (double)(pace->counted / tests) * pace->test;
    return pace->images.score * images;
}

EadStatus ead_pace_measure(const EadFit *fit, const EadRunSpec *spec, const EadDataset *dataset,
                           const EadPhase *phases, int count, double begun, EadPace *pace) {
    *pace = (EadPace){.begun = begun};
    ead_pace_count(fit, spec->config, dataset->train.count, dataset->validation.count, dataset->test_count,
                   pace);
    for (int p = 0; p < count; p++) {
        EadPaceSample sample;
        int64_t enough = spec->minutes > 0 ? EAD_PACE_STEPS : phases[p].steps / ONE_OF;
        EAD_TRY(ead_pace_sample(fit, spec, dataset->train.count, p, enough, &sample));
        pace->steps += sample.seconds * (double)phases[p].steps;
        pace->counted += phases[p].steps;
    }
    EAD_TRY(ead_pace_images(fit, spec, dataset, &pace->images));
    pace->looks = ead_pace_looks(pace, spec->config);
    pace->steps += pace->looks;
    return check_minutes(pace, spec);
}

/* ---- telling ---- */

bool ead_pace_is_worth_telling(const EadFit *fit, const EadRunSpec *spec, int64_t steps) {
    bool alone = ead_ranks_count(spec->ranks) == 1;
    return fit->sample && fit->length_key >= 0 && alone && !spec->resume && !spec->quiet &&
           steps >= MIN_STEPS;
}

/* The longest of a few round numbers of minutes that is no more than a quarter; 0: none. */
static int shorter_minutes(double seconds) {
    static const int minutes[] = {5, 10, 20, 60, 120, 240, 600, 1200};
    int found = 0;
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++)
        if (60.0 * minutes[i] <= seconds / 4) found = minutes[i];
    return found;
}

void ead_pace_describe(const EadPace *pace, const char *what, char text[EAD_PACE_SIZE]) {
    char steps[EAD_DURATION_SIZE], step[EAD_DURATION_SIZE], others[EAD_DURATION_SIZE], looks[64] = "";
    double besides = seconds_before(pace) + ead_pace_ending(pace), counted = (double)pace->counted,
           one = pace->steps / counted;
    int minutes = shorter_minutes(pace->steps + besides);
    if (pace->looks > 0)
        snprintf(looks, sizeof looks, ", %.2g %% for scoring images in between",
                 100 * pace->looks / pace->steps);
    size_t used =
        (size_t)snprintf(text, EAD_PACE_SIZE, "%s will take about %s here (%s a step%s), all else %s", what,
                         ead_duration_text(pace->steps, steps), ead_duration_text(one, step), looks,
                         ead_duration_text(besides, others));
    if (minutes > 0)
        snprintf(text + used, EAD_PACE_SIZE - used, "; --minutes %d would do about %.0f of the %.0f steps",
                 minutes, counted * ead_pace_factor(pace, 60.0 * minutes - besides), counted);
}

/* ---- picking ---- */

/* Epochs are whole; so are steps. */
static EadStatus scale_key(EadConfig *config, int key, double factor) {
    char text[32];
    int before = *(const int *)ead_config_member(config, key);
    double value = fmin(floor(before * factor + 1e-6), 1e8);
    snprintf(text, sizeof text, "%.0f", fmax(value, 1));
    return ead_config_set_key(config, key, text);
}

/* A run of a few minutes would end before train.validate_every: it looks at its validation images ten times, or as often as
 * a small share of the seconds allows, and never more seldom than the config says. */
static EadStatus look_often(EadPace *pace, const EadRunSpec *spec, double seconds, EadConfig *config) {
    enum { LOOKS = 10 };
    static const double SHARE = 1 / 30.0;
    int every = config->train_validate_every;
    bool given = spec->given && spec->given[EAD_KEY_train_validate_every];
    if (every == 0 || given || config->train_until_converged) return EAD_OK;
    double look = pace->images.score * ead_watched_images(config, pace->validation);
    double looks = floor(fmin(LOOKS, SHARE * seconds / look));
    double steps = (1 - SHARE) * (double)pace->counted * ead_pace_factor(pace, seconds);
    if (!(looks > steps / every)) return EAD_OK;
    char text[32];
    snprintf(text, sizeof text, "%.0f", fmax(floor(steps / looks), 1));
    EAD_TRY(ead_config_set_key(config, EAD_KEY_train_validate_every, text));
    pace->steps -= pace->looks;
    pace->looks = ead_pace_looks(pace, config);
    pace->steps += pace->looks;
    return EAD_OK;
}

EadStatus ead_pace_pick(EadPace *pace, const EadFit *fit, const EadRunSpec *spec, EadConfig *config) {
    double before = ead_clock_seconds() - pace->begun, after = ead_pace_ending(pace);
    double seconds = 60 * spec->minutes - before - after;
    int key = fit->length_key;
    char start[EAD_DURATION_SIZE], step[EAD_DURATION_SIZE], end[EAD_DURATION_SIZE], *value;
    EAD_TRY(look_often(pace, spec, seconds, config));
    EAD_TRY(scale_key(config, key, ead_pace_factor(pace, seconds)));
    int second = fit->second_length_key;
    if (second > 0 && !(spec->given && spec->given[second]))
        EAD_TRY(scale_key(config, second, ead_pace_factor(pace, seconds)));
    EAD_TRY(ead_config_value_text(config, (EadConfigKeyId)key, &value));
    ead_print(stderr,
              "--minutes %g: the start took %s, a step takes %s, the end will take about %s: %s is %s\n",
              spec->minutes, ead_duration_text(before, start),
              ead_duration_text(pace->steps / (double)pace->counted, step), ead_duration_text(after, end),
              ead_config_key(key)->rule.name, value);
    free(value);
    return fit->shorten ? fit->shorten(config, spec->given) : EAD_OK;
}
