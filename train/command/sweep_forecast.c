/* One measurement for all runs that step alike. */
#include "train/command/sweep_forecast.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/pace.h"
#include "train/support/progress.h"

#include <stdlib.h>
#include <string.h>

/* Sweeps whose runs have fewer steps are over before it pays to measure one. */
enum { WORTH_STEPS = 1000, MOST_NAMED = 10 };

/* What the time of a step depends on, as text; the caller frees it. */
static EadStatus kind_of(const EadConfig *config, char **kind) {
    static const char *const sections[] = {"model.", "loss.", "autoencoder.", "train.precision"};
    size_t size;
    FILE *stream = open_memstream(kind, &size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for a forecast");
    EadStatus status = EAD_OK;
    for (int key = 0; key < EAD_CONFIG_KEYS && status == EAD_OK; key++) {
        const char *name = ead_config_key(key)->rule.name;
        char *value = NULL;
        bool counts = false;
        for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
            counts = counts || strncmp(name, sections[i], strlen(sections[i])) == 0;
        if (!counts) continue;
        status = ead_config_value_text(config, (EadConfigKeyId)key, &value);
        if (status == EAD_OK) fprintf(stream, "%s ", value);
        free(value);
    }
    EadStatus closed = ead_memory_stream_close(stream, kind, "a forecast");
    return status == EAD_OK ? closed : status;
}

typedef struct Forecast {
    EadStringList kinds;
    EadPaceSample *samples; /* [kinds.count] */
    int capacity;
    double seconds, bytes, lowest, highest; /* of all; of a step */
    int runs, unmeasured, taken_over;
} Forecast;

static EadStatus sample_of(Forecast *all, const EadFit *fit, const EadConfig *config,
                           const EadBackend *backend, const EadPaceSample **sample) {
    char *kind = NULL;
    EAD_TRY(kind_of(config, &kind));
    int known = ead_strings_find(&all->kinds, kind);
    EadStatus status = EAD_OK;
    if (known < 0) {
        EadRunSpec spec = {.config = config, .backend = backend, .quiet = true};
        known = all->kinds.count;
        status = ead_grow(&all->samples, &all->capacity, known, sizeof *all->samples, "a forecast");
        if (status == EAD_OK) status = ead_pace_sample(fit, &spec, 0, &all->samples[known]);
        if (status == EAD_OK) status = ead_strings_add(&all->kinds, kind);
    }
    free(kind);
    if (status == EAD_OK) *sample = &all->samples[known];
    return status;
}

/* Runs that take over the training of another have no steps of their own, and of their model and checkpoint only a second
 * name of that one's. A checkpoint that goes with the end of its run is not counted. */
static EadStatus add_run(Forecast *all, const EadSweepRun *run, const EadBackend *backend) {
    const EadFit *fit;
    const EadPaceSample *sample;
    EAD_TRY(ead_fit_of_config(&run->config, &fit));
    all->runs++;
    if (fit->length_key != EAD_KEY_train_steps) {
        all->unmeasured++;
        return EAD_OK;
    }
    EAD_TRY(sample_of(all, fit, &run->config, backend, &sample));
    if (run->source >= 0) {
        all->taken_over++;
        return EAD_OK;
    }
    all->bytes += (double)sample->model;
    if (run->config.train_keep == EAD_KEEP_CHOICE_ALL) all->bytes += (double)sample->checkpoint;
    all->seconds += sample->seconds * run->config.train_steps;
    if (all->lowest <= 0 || sample->seconds < all->lowest) all->lowest = sample->seconds;
    if (sample->seconds > all->highest) all->highest = sample->seconds;
    return EAD_OK;
}

static void tell(const Forecast *all) {
    char whole[EAD_DURATION_SIZE], lowest[EAD_DURATION_SIZE], highest[EAD_DURATION_SIZE];
    int measured = all->runs - all->unmeasured, kinds = all->kinds.count;
    char shared[64] = "";
    if (all->taken_over > 0)
        snprintf(shared, sizeof shared, ", of which %d share their weights with others", all->taken_over);
    if (measured > 0)
        ead_print(stderr,
                  "%d of them: steps of about %s here, one run at a time (%s to %s a step, measured for %d "
                  "kind%s of model), "
                  "reading and evaluation not counted; %.1f GB of models%s\n",
                  measured, ead_duration_text(all->seconds, whole), ead_duration_text(all->lowest, lowest),
                  ead_duration_text(all->highest, highest), kinds, kinds == 1 ? "" : "s", 1e-9 * all->bytes,
                  shared);
    if (all->unmeasured > 0)
        ead_print(stderr, "%d of them, of other methods: not measured, their steps depend on their data\n",
                  all->unmeasured);
}

static void tell_problems(const EadSweep *sweep) {
    const EadStringList *lines = &sweep->problems.lines;
    for (int i = 0; i < lines->count && i < MOST_NAMED; i++)
        ead_print(stderr, "not ready yet: %s\n", lines->items[i]);
    if (lines->count > MOST_NAMED) ead_print(stderr, "not ready yet: %d more\n", lines->count - MOST_NAMED);
}

EadStatus ead_sweep_forecast(const EadSweep *sweep, const bool *to_do, const EadBackend *backend) {
    Forecast all = {.samples = NULL};
    bool worth = false;
    tell_problems(sweep);
    for (int i = 0; i < sweep->run_count; i++)
        worth = worth || (to_do[i] && sweep->runs[i].config.train_steps >= WORTH_STEPS);
    EadStatus status = EAD_OK;
    for (int i = 0; i < sweep->run_count && worth && backend && status == EAD_OK; i++)
        if (to_do[i]) status = add_run(&all, &sweep->runs[i], backend);
    if (status == EAD_OK) tell(&all);
    ead_strings_free(&all.kinds);
    free(all.samples);
    return status;
}
