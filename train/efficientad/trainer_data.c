/* Opening of everything that a training reads. */
#include "train/efficientad/trainer_data.h"

#include "core/base/philox.h"
#include "data/source/skipped_images.h"
#include "core/base/paths.h"
#include "train/support/progress.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 8, LOADER_THREADS = 2 };

/* What the cache's callback needs: a progress line for one list of images. */
static bool show_decoding(void *context, int done, int total) {
    EadProgress *progress = context;
    progress->total = total;
    ead_progress_update(progress, done, NULL);
    return !ead_interrupted();
}

/* A name for the cache file that differs for other images: runs may share a folder of caches. */
static char *cache_file(const EadConfig *config, const EadImageList *list, const char *kind) {
    uint32_t hash = 0;
    for (int i = 0; i < list->count; i++) hash = hash * 31 + ead_hash_name(list->items[i].name);
    char name[96];
    snprintf(name, sizeof name, "%s_%dx%d_%08x.cache", kind, config->model_image_size.height,
             config->model_image_size.width, (unsigned)hash);
    if (config->dataset_cache[0]) return ead_path_join(config->dataset_cache, name);
    char *folder = ead_path_join(config->output, "cache");
    char *file = folder ? ead_path_join(folder, name) : NULL;
    free(folder);
    return file;
}

static EadStatus make_cache_folder(const EadConfig *config) {
    if (config->dataset_cache[0]) return ead_make_directories(config->dataset_cache);
    char *folder = ead_path_join(config->output, "cache");
    EadStatus status = folder ? ead_make_directories(folder) : EAD_NO_MEMORY;
    free(folder);
    return status;
}

/* skipped: NULL where an image that cannot be decoded is an error. */
static EadStatus open_cache(const EadConfig *config, const EadImageList *list, const char *kind,
                            EadSkippedImages *skipped, bool quiet, EadImageCache **out) {
    EadProgress progress;
    char what[64], *file = cache_file(config, list, kind);
    if (!file) return EAD_NO_MEMORY;
    snprintf(what, sizeof what, "decoding %s images", kind);
    ead_progress_start(&progress, what, 0, list->count, quiet);
    EadCacheSpec spec = {.width = config->model_image_size.width,
                         .height = config->model_image_size.height,
                         .mode = skipped ? EAD_FIT_CENTER_CROP : EAD_FIT_RESIZE,
                         .file = file,
                         .threads = config->train_threads,
                         .skipped = skipped,
                         .progress = show_decoding,
                         .context = &progress};
    EadStatus status = ead_image_cache_open(list, &spec, out);
    ead_progress_finish(&progress);
    free(file);
    return status;
}

static EadStatus open_files(const EadConfig *config, const EadStringList *files, const char *kind, bool quiet,
                            EadImageCache **out) {
    EadImageList list = {0};
    EadStatus status = ead_image_list_add_files(&list, files);
    if (status == EAD_OK) status = open_cache(config, &list, kind, NULL, quiet, out);
    ead_image_list_free(&list);
    return status;
}

static EadStatus open_penalty(const EadConfig *config, bool quiet, EadTrainerData *data) {
    EadSkippedImages *skipped;
    EAD_TRY(ead_skipped_images_new(data->penalty_list.count, &skipped));
    EadStatus status = open_cache(config, &data->penalty_list, "penalty", skipped, quiet, &data->penalty);
    if (status == EAD_BAD_FILE) ead_fail_prefix(status, "penalty.path: ");
    ead_skipped_images_print(skipped, "penalty.path", stderr);
    ead_skipped_images_free(skipped);
    return status;
}

static EadStatus list_penalty(const EadConfig *config, EadImageList *list) {
    if (!config->loss_penalty) return EAD_OK;
    EadStatus status = ead_image_list_add(list, config->penalty_path);
    if (status != EAD_OK) return ead_fail_prefix(status, "penalty.path: ");
    if (list->count > 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "penalty.path: %s holds no images", config->penalty_path);
}

EadStatus ead_trainer_data_list(const EadConfig *config, EadTrainerData *data) {
    *data = (EadTrainerData){0};
    EAD_TRY(ead_config_open_dataset(config, &data->dataset));
    EAD_TRY(list_penalty(config, &data->penalty_list));
    return ead_dataset_check_masks(&data->dataset);
}

EadStatus ead_trainer_data_open(const EadConfig *config, bool quiet, EadTrainerData *data) {
    const EadDataset *dataset = &data->dataset;
    EAD_TRY(make_cache_folder(config));
    EAD_TRY(open_files(config, &dataset->train, "training", quiet, &data->train));
    EAD_TRY(open_files(config, &dataset->validation, "validation", quiet, &data->validation));
    if (config->loss_penalty) EAD_TRY(open_penalty(config, quiet, data));
    data->images = (EadTrainingImages){.train = data->train,
                                       .penalty = data->penalty,
                                       .seed = config->train_seed,
                                       .augment = config->augment_enabled};
    data->slots = ead_batch_slots(config->loss_penalty, config->autoencoder_enabled);
    return EAD_OK;
}

EadStatus ead_trainer_data_start(EadTrainerData *data, const EadResidentData *tables, int64_t first_step) {
    bool all = tables->rows[EAD_TABLE_TRAIN] && (!data->penalty || tables->rows[EAD_TABLE_PENALTY]);
    if (all) return EAD_OK;
    EadBatchSlots slots = data->slots;
    if (tables->rows[EAD_TABLE_TRAIN] > 0) slots = (EadBatchSlots){0, -1, -1, 1};
    data->images.penalty_at = slots.penalty;
    data->images.train_at = slots.train;
    data->images.augmented_at = slots.augmented;
    data->images.count = slots.count;
    EadLoaderSpec spec = {.slot_bytes = ead_training_images_slot_bytes(&data->images),
                          .slots = SLOTS,
                          .threads = LOADER_THREADS,
                          .first_step = (uint64_t)first_step,
                          .fill = ead_training_images_fill,
                          .context = &data->images};
    return ead_loader_open(&spec, &data->loader);
}

void ead_trainer_data_close(EadTrainerData *data) {
    ead_loader_close(data->loader);
    ead_image_cache_close(data->train);
    ead_image_cache_close(data->validation);
    ead_image_cache_close(data->penalty);
    ead_image_list_free(&data->penalty_list);
    ead_dataset_free(&data->dataset);
    *data = (EadTrainerData){0};
}
