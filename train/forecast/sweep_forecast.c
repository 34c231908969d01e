/* Runs are sized one by one, and timed by one measurement for all that step alike. */
#include "train/forecast/sweep_forecast.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/forecast/sweep_caches.h"
#include "train/pace.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A sweep with fewer steps and images is over before it pays to measure one. */
enum { WORTH = 1000, MOST_NAMED = 10 };

/* Of what a run says of its images: a report with pictures, curves, a log for TensorBoard. With 83 test images of MVTec AD's
 * bottle it was 3.7 to 4.8 MB. */
enum { RESULT_BYTES = 4500000 };

/* What runs that step alike have in common. */
typedef struct ForecastKind {
    EadPaceSample step;
    EadPaceImages images;
    bool timed, looked; /* the step; the images */
} ForecastKind;

/* The same with one number of training images. */
typedef struct ForecastSize {
    int64_t steps;
    uint64_t model; /* bytes */
    EadSweepFeatures features;
} ForecastSize;

/* A data set; run: the first that names it. */
typedef struct ForecastSet {
    int run;
    EadDataset dataset;
    bool there;
} ForecastSet;

typedef struct Forecast {
    const EadSweep *sweep;
    const EadBackend *backend;
    EadStringList kind_names, size_names;
    ForecastKind *kinds; /* [kind_names.count] */
    ForecastSize *sizes; /* [size_names.count] */
    ForecastSet *sets;
    int kind_capacity, size_capacity, set_count, set_capacity;
    EadSweepCaches caches;
    double work, seconds;     /* of all; work: steps and images */
    double models, results;   /* bytes; of models with checkpoints that are kept, of results */
    double running;           /* bytes that the largest training takes besides while it goes on */
    double quickest, slowest; /* seconds of a step */
    int runs, taken_over, without,
        unseen;       /* without: of them, for which nothing can be said; unseen: whose images are missing */
    char reason[400]; /* of the first without */
} Forecast;

/* ---- what is known once for several runs ---- */

/* What the time of a step depends on, as text; the caller frees it. */
static EadStatus kind_of(const EadConfig *config, char **kind) {
    static const char *const sections[] = {
        "model.",     "loss.",      "autoencoder.", "train.precision",    "patchcore.",
        "patchcore_", "simplenet.", "fastflow.",    "student_teacher.",   "ast.",
        "dsr.",       "gcad.",      "tiles.",       "train.teacher_cache"};
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

/* Where in a list, whose items stand in an array of their own, the name is. */
static EadStatus place_of(const char *name, EadStringList *names, void *items, int *capacity, size_t size,
                          int *place) {
    *place = ead_strings_find(names, name);
    if (*place >= 0) return EAD_OK;
    *place = names->count;
    EAD_TRY(ead_grow(items, capacity, names->count, size, "a forecast"));
    return ead_strings_add(names, name);
}

/* *set: its number. */
static EadStatus set_of(Forecast *all, int index, int *set) {
    const EadConfig *config = &all->sweep->runs[index].config;
    for (int i = 0; i < all->set_count; i++) {
        const EadConfig *other = &all->sweep->runs[all->sets[i].run].config;
        *set = i;
        if (ead_config_same_dataset(config, other) &&
            config->train_seed == other->train_seed && /* divides it */
            config->dataset_validation_fraction == other->dataset_validation_fraction)
            return EAD_OK;
    }
    EAD_TRY(ead_grow(&all->sets, &all->set_capacity, all->set_count, sizeof *all->sets, "a forecast"));
    *set = all->set_count++;
    all->sets[*set] = (ForecastSet){.run = index};
    EadStatus status = ead_config_list_dataset(config, &all->sets[*set].dataset);
    all->sets[*set].there = status == EAD_OK;
    return status == EAD_NO_MEMORY ? status : EAD_OK; /* what else it is, is among what is wrong */
}

/* Of the file, to which what follows the steps adds little; what fills it later is not in the sample. */
static EadStatus model_bytes(const EadFit *fit, void *state, uint64_t *bytes) {
    EadSafetensorsWriter *writer;
    EAD_TRY(ead_safetensors_writer_new(&writer));
    EadStatus status = ead_model_write(fit->model(state), writer);
    *bytes = ead_safetensors_writer_bytes(writer) + (fit->growth ? fit->growth(state) : 0);
    ead_safetensors_writer_free(writer);
    return status;
}

static EadStatus measure_size(const EadFit *fit, const EadRunSpec *spec, int images, ForecastSize *size) {
    EadPhase phases[EAD_MAX_PHASES];
    void *state = NULL;
    *size = (ForecastSize){0};
    EadStatus status = fit->sample(spec, images, &state);
    if (status == EAD_OK) {
        int count = fit->phases ? fit->phases(state, phases) : 0;
        for (int p = 0; p < count; p++) size->steps += phases[p].steps;
        status = model_bytes(fit, state, &size->model);
    }
    if (status == EAD_OK && fit->features)
        status = fit->features(state, size->features.text, &size->features.bytes);
    if (state) fit->free(state);
    return status;
}

static EadStatus size_of(Forecast *all, const EadFit *fit, const EadRunSpec *spec, const char *kind,
                         int images, ForecastSize *size) {
    char *name;
    size_t length = strlen(kind) + 24;
    int known = all->size_names.count, place;
    name = ead_new((int64_t)length, 1, "a forecast");
    if (!name) return EAD_NO_MEMORY;
    snprintf(name, length, "%s%d %d", kind, spec->config->train_steps, images);
    EadStatus status =
        place_of(name, &all->size_names, &all->sizes, &all->size_capacity, sizeof *all->sizes, &place);
    free(name);
    if (status == EAD_OK && place == known) status = measure_size(fit, spec, images, &all->sizes[place]);
    if (status == EAD_OK) *size = all->sizes[place];
    return status;
}

static EadStatus time_kind(const EadFit *fit, const EadRunSpec *spec, const ForecastSet *set,
                           ForecastKind *kind) {
    int images = set->dataset.train.count;
    if (!kind->timed && fit->phases)
        EAD_TRY(ead_pace_sample(fit, spec, images, 0, EAD_PACE_STEPS, &kind->step));
    kind->timed = true;
    if (kind->looked || !set->there) return EAD_OK;
    EAD_TRY(ead_pace_images(fit, spec, &set->dataset, &kind->images));
    kind->looked = true;
    return EAD_OK;
}

/* ---- one run ---- */

typedef struct ForecastRun {
    const EadFit *fit;
    int set; /* its number */
    ForecastSize size;
    EadSweepCachesNew caches;
    int kind; /* -1: nothing can be said of it */
} ForecastRun;

static EadStatus know_run(Forecast *all, const EadRunSpec *spec, ForecastRun *sized, int *kind) {
    const ForecastSet *set = &all->sets[sized->set];
    char *name;
    if (!set->there && sized->fit->length_key != EAD_KEY_train_steps)
        return ead_fail(EAD_IO, "their length depends on missing data");
    EAD_TRY(kind_of(spec->config, &name));
    int known = all->kind_names.count;
    EadStatus status =
        place_of(name, &all->kind_names, &all->kinds, &all->kind_capacity, sizeof *all->kinds, kind);
    if (status == EAD_OK && *kind == known) all->kinds[*kind] = (ForecastKind){.timed = false};
    if (status == EAD_OK)
        status = size_of(all, sized->fit, spec, name, set->dataset.train.count, &sized->size);
    free(name);
    if (status == EAD_OK && set->there)
        status = ead_sweep_caches_add(&all->caches, sized->fit, spec->config, &set->dataset,
                                      &sized->size.features, &sized->caches);
    return status;
}

/* Runs that take over the training of another have of their model and checkpoint only a second name of that one's. */
static EadStatus size_run(Forecast *all, int index, ForecastRun *sized) {
    const EadSweepRun *run = &all->sweep->runs[index];
    EadRunSpec spec = {.config = &run->config, .backend = all->backend, .quiet = true};
    int kind = -1;
    EAD_TRY(ead_fit_of_config(&run->config, &sized->fit));
    EAD_TRY(set_of(all, index, &sized->set));
    EAD_TRY(know_run(all, &spec, sized, &kind));
    const ForecastSet *set = &all->sets[sized->set];
    const EadDataset *data = &set->dataset;
    sized->kind = kind;
    all->unseen += !set->there;
    all->results += set->there ? RESULT_BYTES : 0;
    all->work += data->train.count + data->validation.count + data->test_count;
    all->taken_over += run->source >= 0;
    if (run->source >= 0) return EAD_OK;
    all->models += (double)sized->size.model;
    all->work += (double)sized->size.steps;
    /* How large a checkpoint is, a planned step says. */
    if (run->config.train_keep == EAD_KEEP_CHOICE_ALL) all->work += WORTH;
    return EAD_OK;
}

/* A checkpoint is replaced by the next one when that is whole; until the model is written, its place is free. */
static void add_checkpoint(Forecast *all, const EadSweepRun *run, double model, double checkpoint) {
    bool kept = run->config.train_keep == EAD_KEEP_CHOICE_ALL;
    if (kept) all->models += checkpoint;
    all->running = fmax(all->running, (kept ? 1 : 2) * checkpoint - model);
}

static EadStatus time_run(Forecast *all, int index, const ForecastRun *sized) {
    const EadSweepRun *run = &all->sweep->runs[index];
    const ForecastSet *set = &all->sets[sized->set];
    const EadDataset *data = &set->dataset;
    ForecastKind *kind = &all->kinds[sized->kind];
    EadRunSpec spec = {.config = &run->config, .backend = all->backend, .quiet = true};
    EAD_TRY(time_kind(sized->fit, &spec, set, kind));
    EadPace pace = {.images = kind->images, .counted = sized->size.steps};
    ead_pace_count(sized->fit, &run->config, data->train.count, data->validation.count, data->test_count,
                   &pace);
    all->seconds += ead_pace_ending(&pace) + kind->images.decode * sized->caches.decoded;
    if (run->source >= 0) return EAD_OK;
    if (sized->caches.features) all->seconds += ead_pace_fitting(&pace);
    all->seconds += kind->step.seconds * (double)pace.counted + ead_pace_looks(&pace, &run->config);
    add_checkpoint(all, run, (double)sized->size.model, (double)(sized->size.model + kind->step.optimizer));
    if (sized->fit->phases) all->quickest = fmin(all->quickest, kind->step.seconds);
    all->slowest = fmax(all->slowest, kind->step.seconds);
    return EAD_OK;
}

/* What cannot be sized or timed is left out, with the reason of the first. */
static void leave_out(Forecast *all) {
    if (all->without++ == 0) snprintf(all->reason, sizeof all->reason, "%s", ead_error_message());
}

/* sized [runs]: of those to do. */
static void add_runs(Forecast *all, const bool *to_do, ForecastRun *sized) {
    for (int i = 0; i < all->sweep->run_count; i++) {
        sized[i].kind = -1;
        if (!to_do[i]) continue;
        all->runs++;
        if (size_run(all, i, &sized[i]) != EAD_OK) leave_out(all);
    }
    for (int i = 0; i < all->sweep->run_count && all->work >= WORTH; i++)
        if (sized[i].kind >= 0 && time_run(all, i, &sized[i]) != EAD_OK) leave_out(all);
}

/* ---- telling ---- */

static void tell_times(const Forecast *all) {
    char whole[EAD_DURATION_SIZE], quickest[EAD_DURATION_SIZE], slowest[EAD_DURATION_SIZE];
    int kinds = all->kind_names.count;
    ead_print(stderr, "they take about %s here, one at a time; measured for %d kind%s of model",
              ead_duration_text(all->seconds, whole), kinds, kinds == 1 ? "" : "s");
    if (all->slowest > 0)
        ead_print(stderr, ", a step %s to %s", ead_duration_text(all->quickest, quickest),
                  ead_duration_text(all->slowest, slowest));
    if (all->unseen > 0)
        ead_print(stderr, "; of %d of them, whose images are missing, the steps alone", all->unseen);
    fputc('\n', stderr);
}

/* What a training takes for a while is worth telling where it is more than a tenth of what stays. */
static EadStatus tell_bytes(const Forecast *all) {
    double caches, all_bytes;
    EAD_TRY(ead_sweep_caches_bytes(&all->caches, &caches));
    all_bytes = all->models + caches + all->results;
    ead_print(stderr, "their models take %.3g GB on the disk", 1e-9 * all->models);
    if (caches + all->results > 0)
        ead_print(stderr, ", caches %.3g GB, reports and tables about %.2g GB", 1e-9 * caches,
                  1e-9 * all->results);
    if (all->running > 0.1 * all_bytes)
        ead_print(stderr, "; a training up to %.2g GB more while it goes on", 1e-9 * all->running);
    if (all->taken_over > 0)
        ead_print(stderr, "; %d of them share their weights with others", all->taken_over);
    fputc('\n', stderr);
    return EAD_OK;
}

static EadStatus tell(const Forecast *all) {
    if (all->without > 0)
        ead_print(stderr, "the estimate leaves out %d of the runs: %s\n", all->without, all->reason);
    if (all->runs == all->without) return EAD_OK;
    if (all->work >= WORTH) tell_times(all);
    return tell_bytes(all);
}

static void tell_problems(const EadSweep *sweep) {
    const EadStringList *lines = &sweep->problems.lines;
    for (int i = 0; i < lines->count && i < MOST_NAMED; i++)
        ead_print(stderr, "not ready yet: %s\n", lines->items[i]);
    if (lines->count > MOST_NAMED) ead_print(stderr, "not ready yet: %d more\n", lines->count - MOST_NAMED);
}

EadStatus ead_sweep_forecast(const EadSweep *sweep, const bool *to_do, const EadBackend *backend) {
    Forecast all = {.sweep = sweep, .backend = backend, .quickest = INFINITY};
    tell_problems(sweep);
    ForecastRun *sized = ead_new(sweep->run_count, sizeof *sized, "a forecast");
    if (!sized) return EAD_NO_MEMORY;
    if (backend) add_runs(&all, to_do, sized);
    EadStatus status = backend && all.runs > 0 ? tell(&all) : EAD_OK;
    ead_strings_free(&all.kind_names);
    ead_strings_free(&all.size_names);
    for (int i = 0; i < all.set_count; i++) ead_dataset_free(&all.sets[i].dataset);
    ead_sweep_caches_free(&all.caches);
    free(all.kinds), free(all.sizes), free(all.sets), free(sized);
    return status;
}
