/* How the toy method is fitted: mean and deviation without gradient, then steps in two phases, or
 * none where train.steps is 1. */
#include "test/toy/toy.h"

#include "core/base/memory.h"
#include "core/ops/mean/mean.h"
#include "train/fit.h"
#include "train/support/progress.h"

#include <math.h>
#include <string.h>
#include <stdlib.h>

extern const EadFit ead_fit_toy;

enum { WARM_UP = 2 }; /* steps of the first phase */

typedef struct State {
    const EadRunSpec *spec;
    const EadTrainData *data;
    Toy *toy;
    double *sums, squares[3]; /* while fitting: over the images, and over all their pixels */
    uint8_t *image;
} State;

static const EadLossColumn losses[] = {{"toy_error", "toy/error"}, {NULL, NULL}};

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    if (scope >= EAD_CHECK_TRAINING && config->train_steps > 1000)
        ead_config_wrong(config, EAD_KEY_train_steps, "train.steps: a toy needs no more than 1000");
    return ead_problems_since(&config->problems, known);
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    EadSize size = spec->config->model_image_size;
    State *s = ead_new(1, sizeof *s, "a toy's training");
    if (!s) return EAD_NO_MEMORY;
    *s = (State){.spec = spec, .data = data};
    *state = s;
    s->sums = ead_new(3 * (int64_t)size.height * size.width, sizeof *s->sums, "sums");
    s->image = ead_new(3 * (int64_t)size.height * size.width, 1, "an image");
    return s->sums && s->image ? toy_new(size.height, size.width, &s->toy) : EAD_NO_MEMORY;
}

static void free_state(void *state) {
    State *s = state;
    if (s->toy) ead_model_free(&s->toy->base);
    free(s->sums);
    free(s->image);
    free(s);
}

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const EadConfig *config = ((const State *)state)->spec->config;
    int64_t steps = config->train_steps;
    out[0] = (EadPhase){"warming up", WARM_UP, "train.lr", config->train_lr, 1};
    out[1] = (EadPhase){"playing", steps - WARM_UP, "train.lr", config->train_lr, 1};
    return steps < WARM_UP ? 0 : steps == WARM_UP ? 1 : 2;
}

static void build(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const State *s = context;
    const EadConfig *config = s->spec->config;
    (void)done;
    parts->inputs[0] = ead_leaf(graph, "images", EAD_U8, 1, s->toy->base.height, s->toy->base.width, 3, NULL);
    parts->total = parts->losses[0] = ead_mean(graph, toy_distance(graph, s->toy, parts->inputs[0], true));
    parts->groups[0] =
        (EadStepGroup){&s->toy->mix, ead_adam_usual(config->train_weight_decay), {config->train_lr, 1, -1}};
    parts->group_count = 1;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    EadPlanOptions options = ead_run_plan_options(((State *)state)->spec);
    (void)phase;
    return ead_step_new(step, ead_loss_count(losses), build, state, &options);
}

static EadStatus start(void *state, const EadStep *step) {
    fprintf(stderr, "a toy, %s steps: %d training images\n", step ? "with" : "without",
            ead_image_cache_count(((State *)state)->data->train));
    return EAD_OK;
}

static double normalized(uint8_t value, int channel) {
    static const double mean[] = {.485, .456, .406}, std[] = {.229, .224, .225};
    return (value / 255.0 - mean[channel]) / std[channel];
}

static EadStatus add_image(void *context, int index) {
    State *s = context;
    EAD_TRY(ead_image_cache_read(s->data->train, index, s->image));
    for (int i = 0; i < 3 * s->toy->base.height * s->toy->base.width; i++) {
        double x = normalized(s->image[i], i % 3);
        s->sums[i] += x;
        s->squares[i % 3] += x * x;
    }
    return EAD_OK;
}

static EadStatus fit(void *state, int phase) {
    State *s = state;
    Toy *toy = s->toy;
    int count = ead_image_cache_count(s->data->train), area = toy->base.height * toy->base.width;
    EadWalk walk = {.what = "averaging", .count = count, .quiet = s->spec->quiet};
    double explained[3] = {0};
    if (phase > 0) return EAD_OK;
    EAD_TRY(ead_walk(&walk, add_image, s));
    for (int i = 0; i < 3 * area; i++) explained[i % 3] += s->sums[i] * s->sums[i] / count;
    for (int c = 0; c < 3; c++)
        toy->scale[c] = (real)(1 / sqrt((s->squares[c] - explained[c]) / count / area + 1e-6));
    for (int i = 0; i < 3 * area; i++) toy->mean[i] = (real)(s->sums[i] / count * (double)toy->scale[i % 3]);
    return EAD_OK;
}

static EadStatus next_image(void *context, uint64_t step, uint8_t *slot) {
    const EadImageCache *train = context;
    return ead_image_cache_read(train, (int)((step - 1) % (uint64_t)ead_image_cache_count(train)), slot);
}

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    (void)phase, (void)step;
    loader->slots = 2;
    loader->threads = 1;
    loader->fill = next_image;
    loader->context = ((State *)state)->data->train;
    return EAD_OK;
}

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    return ead_model_write(&((const State *)state)->toy->base, writer);
}

static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    Toy *toy = ((State *)state)->toy;
    EadModel *read;
    EAD_TRY(ead_model_read(file, &read));
    const Toy *other = (const Toy *)read;
    memcpy(toy->mix.values, other->mix.values, (size_t)toy->mix.total * sizeof(real));
    memcpy(toy->mean, other->mean, 3 * (size_t)toy->base.height * (size_t)toy->base.width * sizeof(real));
    memcpy(toy->scale, other->scale, sizeof toy->scale);
    ead_model_free(read);
    return EAD_OK;
}

static EadModel *model_of(void *state) {
    return &((State *)state)->toy->base;
}

const EadFit ead_fit_toy = {.name = "toy",
                            .model_name = "model.safetensors",
                            .scope = EAD_SAME_STEPS,
                            .losses = losses,
                            .maps_key = -1,
                            .length_key = EAD_KEY_train_steps,
                            .check = check,
                            .create = create,
                            .free = free_state,
                            .phases = phases,
                            .plan = plan,
                            .start = start,
                            .fit = fit,
                            .begin = begin,
                            .write = write_checkpoint,
                            .read = read_checkpoint,
                            .model = model_of};
