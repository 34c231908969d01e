/* DSR as a row of train/fits.def: a phase for the codebooks, unless they come from a file, one for restoring and detecting, one for
 * refining. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/base/text.h"
#include "data/loader/disturbed_images.h"
#include "models/networks/params_file.h"
#include "train/dsr/dsr_step.h"
#include "train/fit.h"
#include "train/loop/checkpoint.h"

#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_dsr;

enum { LOADER_THREADS = 2 };

#define PHOTOGRAPHS "photographs"

static const double DROP = 0.8, SPARED = 0.05;

typedef struct DsrFit {
    const EadRunSpec *run;
    const EadConfig *config;
    const EadTrainData *data; /* NULL: a sample */
    EadDsr *model;
    EadParams averages; /* empty where the codebooks come from a file */
    EadImageList photograph_list;
    EadImageDraws *photographs;
    EadPhotographBatch batch;
    EadDisturbedImages images;
} DsrFit;

static bool learns_codes(const DsrFit *s) {
    return s->config->dsr_codebook[0] == '\0';
}

/* ---- the model ---- */

/* What is too large names what makes it smaller. */
static EadStatus planned(const DsrFit *s, EadStatus status) {
    static const EadConfigKeyId keys[] = {EAD_KEY_dsr_batch, EAD_KEY_dsr_channels, EAD_KEY_dsr_unet,
                                          EAD_KEY_dsr_codes, EAD_KEY_dsr_codebook_batch};
    return ead_fit_planned(s->config, sizeof keys / sizeof *keys, keys, status);
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, void **state) {
    const EadConfig *config = spec->config;
    DsrFit *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (DsrFit){.run = spec, .config = config, .data = data};
    *state = s;
    EadDsrSpec sizes = {.height = config->model_image_size.height,
                        .width = config->model_image_size.width,
                        .channels = config->dsr_channels,
                        .codes = config->dsr_codes,
                        .unet = config->dsr_unet};
    EAD_TRY(planned(s, ead_dsr_new(&sizes, &s->model)));
    return learns_codes(s) ? planned(s, ead_dsr_averages_new(&sizes, &s->averages)) : EAD_OK;
}

static EadStatus list_photographs(DsrFit *s) {
    EadDrawOrder order = {s->config->train_seed, EAD_STREAM_DISTILL_ORDER};
    EAD_TRY(ead_train_data_others(s->config, "dsr.images", s->config->dsr_images, PHOTOGRAPHS, &order,
                                  s->data, &s->photograph_list));
    s->photograph_list.rules.max_pixels = s->config->dataset_max_pixels;
    return EAD_OK;
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    EAD_TRY(new_state(spec, data, state));
    return learns_codes(*state) ? list_photographs(*state) : EAD_OK;
}

static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    (void)images;
    EAD_TRY(new_state(spec, NULL, state));
    ead_dsr_initialize(((DsrFit *)*state)->model, spec->config->train_seed);
    return EAD_OK;
}

static void free_state(void *state) {
    DsrFit *s = state;
    ead_image_draws_print(s->photographs, stderr);
    ead_image_draws_close(s->photographs);
    ead_image_list_free(&s->photograph_list);
    ead_params_free(&s->averages);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

/* ---- the phases ---- */

typedef enum DsrPhase { CODEBOOKS, RESTORING, REFINING } DsrPhase;

/* Which one phase number `phase` is. */
static DsrPhase phase_of(const DsrFit *s, int phase) {
    return (DsrPhase)(phase + (learns_codes(s) ? CODEBOOKS : RESTORING));
}

static int64_t refining_steps(const EadConfig *config) {
    double steps = config->dsr_refining * config->dsr_steps;
    return steps > 1 ? (int64_t)steps : 1;
}

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const DsrFit *s = state;
    const EadConfig *config = s->config;
    const EadPhase all[] = {
        {"training the codebooks", config->dsr_codebook_steps, "dsr.codebook_lr", config->dsr_codebook_lr, 1},
        {"training", config->dsr_steps, "dsr.lr", config->dsr_lr, 10},
        {"training the refinement", refining_steps(config), "dsr.lr", config->dsr_lr, 1}};
    int first = phase_of(s, 0), count = REFINING + 1 - first;
    for (int i = 0; i < count; i++) out[i] = all[first + i];
    return count;
}

static EadStatus plan_codebooks(DsrFit *s, const EadPlanOptions *plan_options, EadStep *step) {
    const EadConfig *config = s->config;
    EadDsrCodebookOptions options = {.batch = config->dsr_codebook_batch,
                                     .rate = config->dsr_codebook_lr,
                                     .commitment = config->dsr_commitment,
                                     .decay = config->dsr_decay,
                                     .least_use = config->dsr_least_use,
                                     .seed = config->train_seed};
    return ead_dsr_codebook_step_new(s->model, &s->averages, &options, plan_options, step);
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    DsrFit *s = state;
    EadPlanOptions plan_options = ead_run_plan_options(s->run);
    EadDsrOptions options = {.batch = s->config->dsr_batch, .rate = s->config->dsr_lr, .drop = -1};
    if (phase_of(s, phase) == CODEBOOKS) return planned(s, plan_codebooks(s, &plan_options, step));
    if (phase_of(s, phase) == REFINING)
        return planned(s, ead_dsr_refining_step_new(s->model, &options, &plan_options, step));
    options.drop = ead_run_drop_step(DROP, s->config->dsr_steps);
    return planned(s, ead_dsr_restoring_step_new(s->model, &options, &plan_options, step));
}

static EadStatus open_photographs(void *state) {
    DsrFit *s = state;
    const EadConfig *config = s->config;
    if (!learns_codes(s)) return EAD_OK;
    EAD_TRY(ead_open_draws(config, &s->photograph_list, ead_penalty_fit(config), PHOTOGRAPHS, "dsr.images",
                           (int64_t)config->dsr_codebook_steps * config->dsr_codebook_batch,
                           &s->photographs));
    return ead_image_draws_try(s->photographs);
}

static EadStatus start(void *state, const EadStep *step) {
    const DsrFit *s = state;
    const EadConfig *config = s->config;
    char text[256];
    (void)step;
    s->model->base.method->functions->describe(&s->model->base, text, sizeof text);
    ead_print(
        stderr,
        "%s, on %s, %s: %d training, %d validation, %d test images; %d steps of %d, then %lld to refine\n",
        text, s->run->backend->name, ead_run_precision_name(s->run), s->data->dataset.train.count,
        ead_image_cache_count(s->data->validation), s->data->dataset.test_count, config->dsr_steps,
        config->dsr_batch, (long long)refining_steps(config));
    if (learns_codes(s))
        ead_print(stderr, "the codebooks are trained first, in %d steps of %d of %d photographs\n",
                  config->dsr_codebook_steps, config->dsr_codebook_batch, s->photograph_list.count);
    return EAD_OK;
}

static EadStatus read_codebook(DsrFit *s) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open(s->config->dsr_codebook, &file));
    EadStatus status = ead_dsr_read_codebooks(s->model, file);
    ead_safetensors_close(file);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "dsr.codebook: ");
}

static EadStatus fit(void *state, int phase) {
    DsrFit *s = state;
    if (phase > 0) return EAD_OK;
    ead_dsr_initialize(s->model, s->config->train_seed);
    return learns_codes(s) ? EAD_OK : read_codebook(s);
}

/* ---- steps ---- */

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    DsrFit *s = state;
    const EadConfig *config = s->config;
    bool refines = phase_of(s, phase) == REFINING;
    (void)step;
    loader->threads = LOADER_THREADS;
    if (!s->data) return EAD_OK;
    if (phase_of(s, phase) == CODEBOOKS) {
        s->batch = (EadPhotographBatch){s->photographs, config->dsr_codebook_batch, config->train_seed};
        loader->fill = ead_photograph_batch_fill;
        loader->context = &s->batch;
        return EAD_OK;
    }
    s->images = (EadDisturbedImages){.train = s->data->train,
                                     .height = s->model->base.height,
                                     .width = s->model->base.width,
                                     .batch = config->dsr_batch,
                                     .seed = config->train_seed,
                                     .codes = config->dsr_codes,
                                     .turned = refines ? config->dsr_refining_turn_probability
                                                       : config->dsr_turn_probability,
                                     .least_reach = config->dsr_least_reach,
                                     .spared = SPARED};
    loader->fill = refines ? ead_smudged_images_fill : ead_disturbed_images_fill;
    loader->context = &s->images;
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    const DsrFit *s = state;
    if (learns_codes(s)) {
        EAD_TRY(ead_params_write(writer, &s->averages, EAD_FILE_F32));
        EAD_TRY(ead_checkpoint_write_list(writer, PHOTOGRAPHS, &s->photograph_list));
    }
    return ead_model_write(&s->model->base, writer);
}

static bool take(EadModel *own, const EadModel *read) {
    return ead_dsr_copy((EadDsr *)own, (const EadDsr *)read);
}

/* The model of a finished run has no averages. */
static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    DsrFit *s = state;
    if (learns_codes(s)) ead_checkpoint_compare_list(file, PHOTOGRAPHS, &s->photograph_list);
    if (learns_codes(s) && ead_safetensors_find(file, s->averages.items[0].name))
        EAD_TRY(ead_params_read_all(file, &s->averages));
    return ead_fit_read_model(file, &s->model->base, take);
}

static EadModel *model_of(void *state) {
    return &((DsrFit *)state)->model->base;
}

/* ---- the config ---- */

/* Whether the file has books of the config's sizes, as far as its header tells. */
static EadStatus judge_codebook(const EadConfig *config) {
    EadSafetensors *file;
    int channels, codes;
    EAD_TRY(ead_safetensors_open_header(config->dsr_codebook, &file));
    EadStatus status = ead_dsr_codebook_sizes(file, &channels, &codes);
    if (status == EAD_OK && (channels != config->dsr_channels || codes != config->dsr_codes))
        status = ead_fail(EAD_BAD_ARGUMENT,
                          "%s has books of %d codes of %d numbers; set dsr.codes and dsr.channels to that",
                          config->dsr_codebook, codes, channels);
    ead_safetensors_close(file);
    return status;
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    EadSize size = config->model_image_size;
    ead_config_judge(config, EAD_KEY_model_image_size, ead_dsr_check_size(size.height, size.width));
    if (config->dsr_channels % 2)
        ead_config_wrong(config, EAD_KEY_dsr_channels, "dsr.channels: %d is odd; set it to an even number",
                         config->dsr_channels);
    if (scope >= EAD_CHECK_TRAINING && !config->dsr_images[0] && !config->dsr_codebook[0])
        ead_config_wrong(
            config, EAD_KEY_dsr_images,
            "dsr.images is not set; set it to a folder or .tar archive of varied photographs, or "
            "dsr.codebook to a file whose codebooks to take");
    if (scope < EAD_CHECK_FILES) return ead_problems_since(&config->problems, known);
    if (!config->dsr_codebook[0] && ead_config_is_there(config, EAD_KEY_dsr_images))
        ead_config_judge(config, EAD_KEY_dsr_images, ead_image_source_check(config->dsr_images));
    if (ead_config_is_there(config, EAD_KEY_dsr_codebook))
        ead_config_judge(config, EAD_KEY_dsr_codebook, judge_codebook(config));
    return ead_problems_since(&config->problems, known);
}

const EadFit ead_fit_dsr = {.name = "dsr",
                            .model_name = "model.safetensors",
                            .scope = EAD_SAME_STEPS,
                            .losses = ead_dsr_losses,
                            .maps_key = -1,
                            .slots = 2,
                            .length_key = EAD_KEY_dsr_steps,
                            .second_length_key = EAD_KEY_dsr_codebook_steps,
                            .check = check,
                            .create = create,
                            .sample = sample,
                            .free = free_state,
                            .phases = phases,
                            .plan = plan,
                            .open = open_photographs,
                            .start = start,
                            .fit = fit,
                            .begin = begin,
                            .write = write_checkpoint,
                            .read = read_checkpoint,
                            .model = model_of};
