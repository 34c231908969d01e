/* Opening of what a training reads. */
#include "train/loop/train_data.h"

#include "core/base/paths.h"
#include "core/base/philox.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "data/cache/cache_key.h"
#include "train/support/problems.h"
#include "train/support/progress.h"

#include <stdio.h>

/* What the cache's callback needs: a progress line for one list of images. */
static bool show_decoding(void *context, int done, int total) {
    EadProgress *progress = context;
    progress->total = total;
    ead_progress_update(progress, done, NULL);
    return !ead_interrupted();
}

EadStatus ead_train_data_cache(const EadConfig *config, EadPath folder) {
    bool named = config->dataset_cache[0] != '\0';
    return ead_path_in(folder, named ? "" : config->output, named ? config->dataset_cache : "cache");
}

EadTiles ead_config_tiles(const EadConfig *config) {
    return (EadTiles){config->tiles_size, config->tiles_overlap, config->tiles_scale,
                      config->tiles_whole_image};
}

/* The key of what of the images is kept, besides their size. */
static uint64_t part_key(const EadConfig *config, const EadRegion *region) {
    EadTiles tiles = ead_config_tiles(config);
    uint64_t part = region ? ead_cache_region_key(region) : 0;
    return region && tiles.size ? ead_cache_checksum(part, &tiles.scale, sizeof tiles.scale) : part;
}

/* Other images, and other regions of them, take another file: runs may share a folder. */
static EadStatus name_of_size(const EadConfig *config, const EadImageList *list, const EadRegion *region,
                              const char *kind, int height, int width, EadPath path) {
    EadPath folder;
    char name[96];
    uint64_t part = part_key(config, region);
    uint32_t hash = (uint32_t)(part ^ part >> 32);
    for (int i = 0; i < list->count; i++) hash = hash * 31 + ead_hash_name(list->items[i].name);
    snprintf(name, sizeof name, "%s_%dx%d_%08x.cache", kind, height, width, (unsigned)hash);
    EAD_TRY(ead_train_data_cache(config, folder));
    return ead_path_in(path, folder, name);
}

EadStatus ead_cache_name(const EadConfig *config, const EadImageList *list, const EadRegion *region,
                         const char *kind, EadPath path) {
    EadSize size = config->model_image_size;
    return name_of_size(config, list, region, kind, size.height, size.width, path);
}

static EadStatus make_folder(const EadConfig *config) {
    EadPath folder;
    EAD_TRY(ead_train_data_cache(config, folder));
    return ead_make_directories(folder);
}

/* tiles: the config's, borrowed. */
static EadCacheSpec cache_spec(const EadConfig *config, const EadRegion *region, const EadTiles *tiles) {
    return (EadCacheSpec){.width = config->model_image_size.width,
                          .height = config->model_image_size.height,
                          .tiles = tiles->size ? tiles : NULL,
                          .region = region,
                          .rules = ead_config_image_rules(config),
                          .threads = config->train_threads};
}

EadStatus ead_open_cache(const EadConfig *config, const EadImageList *list, const EadRegion *region,
                         const char *kind, bool quiet, EadImageCache **out) {
    EadProgress progress;
    EadPath file;
    char what[64];
    EadTiles tiles = ead_config_tiles(config);
    EadCacheSpec spec = cache_spec(config, region, &tiles);
    EAD_TRY(ead_cache_name(config, list, region, kind, file));
    EAD_TRY(make_folder(config));
    EAD_TRY(ead_image_notes_new(&spec.rules.notes));
    snprintf(what, sizeof what, "decoding %s images", kind);
    ead_progress_start(&progress, what, 0, list->count, quiet);
    spec.file = file;
    spec.progress = show_decoding;
    spec.context = &progress;
    EadStatus status = ead_image_cache_open(list, &spec, out);
    if (status != EAD_OK && config->dataset_cache[0])
        status = ead_name_cache_folder(status, config->dataset_cache, "dataset.cache");
    ead_progress_finish(&progress);
    ead_image_notes_print(spec.rules.notes, stderr);
    ead_image_notes_free(spec.rules.notes);
    return status;
}

EadStatus ead_open_in_memory(const EadConfig *config, const EadImageList *few, const EadRegion *region,
                             EadImageCache **out) {
    EadTiles tiles = ead_config_tiles(config);
    EadCacheSpec spec = cache_spec(config, region, &tiles);
    EAD_TRY(ead_image_notes_new(&spec.rules.notes));
    EadStatus status = ead_image_cache_open(few, &spec, out);
    ead_image_notes_free(spec.rules.notes);
    return status;
}

EadStatus ead_cache_bytes(const EadConfig *config, const EadImageList *list, const EadRegion *region,
                          uint64_t *bytes) {
    EadTiles tiles = ead_config_tiles(config);
    EadCacheSpec spec = cache_spec(config, region, &tiles);
    return ead_image_cache_bytes(list, &spec, bytes);
}

EadImageFit ead_penalty_fit(const EadConfig *config) {
    EadSize size = config->model_image_size;
    return (EadImageFit){EAD_FIT_CENTER_CROP, size.width, size.height, NULL};
}

static EadImageDrawsSpec draws_spec(const EadConfig *config, const EadImageList *list, EadImageFit fit) {
    return (EadImageDrawsSpec){
        .images = list, .fit = fit, .budget = (uint64_t)config->dataset_cache_mb * 1000000};
}

EadStatus ead_draws_bytes(const EadConfig *config, const EadImageList *list, double drawn, uint64_t *bytes) {
    EadImageDrawsSpec spec = draws_spec(config, list, ead_penalty_fit(config));
    return ead_image_draws_kept(&spec, drawn, bytes);
}

EadStatus ead_open_draws(const EadConfig *config, const EadImageList *list, EadImageFit fit, const char *kind,
                         const char *key, int64_t number, EadImageDraws **out) {
    EadPath file;
    EadImageDrawsSpec spec = draws_spec(config, list, fit);
    spec.key = key;
    spec.most = number < list->count ? (int)number : list->count;
    if (number > list->count || config->dataset_cache[0]) {
        EAD_TRY(name_of_size(config, list, NULL, kind, fit.height, fit.width, file));
        EAD_TRY(make_folder(config));
        spec.file = file;
    }
    EadStatus status = ead_image_draws_open(&spec, out);
    if (status == EAD_OK || !config->dataset_cache[0]) return status;
    return ead_name_cache_folder(status, config->dataset_cache, "dataset.cache");
}

EadStatus ead_train_data_mask(const EadConfig *config, EadImageNotes *notes, EadRegion *region) {
    EadImage mask = {0};
    EadStatus status = ead_mask_load_with(config->roi_mask, &(EadImageRules){.notes = notes}, &mask);
    if (status == EAD_OK)
        status = ead_region_set_mask(region, &mask, config->model_image_size.width,
                                     config->model_image_size.height);
    if (status == EAD_BAD_ARGUMENT || status == EAD_BAD_SHAPE)
        ead_fail_prefix(status, "%s: ", config->roi_mask);
    ead_image_free(&mask);
    return status;
}

/* What does not fit the first training image is wrong with the region; a later image that differs is wrong itself. */
static EadStatus check_first(const EadConfig *config, const EadStringList *images, const EadRegion *region) {
    int width, height;
    const char *first = images->count > 0 ? images->items[0] : NULL;
    if (!first || ead_image_size(first, NULL, &width, &height) != EAD_OK)
        return EAD_OK; /* told with all that cannot be read */
    EadStatus status = ead_region_check(region, width, height);
    if (status == EAD_OK) return EAD_OK;
    return ead_fail_prefix(status, "%s: %s: ", config->roi_mask[0] ? "roi.mask" : "roi.box", first);
}

static EadStatus open_region(const EadConfig *config, const EadStringList *images, EadImageNotes *notes,
                             EadRegion *region) {
    EadStatus status = ead_region_set_box(region, config->roi_box);
    if (status != EAD_OK) return ead_fail_prefix(status, "roi.box: ");
    if (config->roi_mask[0]) status = ead_train_data_mask(config, notes, region);
    if (status != EAD_OK) return ead_fail_prefix(status, "roi.mask: ");
    return ead_region_is_whole(region) ? EAD_OK : check_first(config, images, region);
}

EadStatus ead_train_data_region(const EadConfig *config, const EadStringList *images, EadRegion *region) {
    return open_region(config, images, NULL, region);
}

EadStatus ead_train_data_try_region(const EadConfig *config) {
    EadDataset dataset;
    EadRegion region = {0};
    bool whole = !config->roi_box[0] && !config->roi_mask[0];
    if (whole || ead_config_list_dataset(config, &dataset) != EAD_OK) return EAD_OK;
    EadStatus status = open_region(config, &dataset.train, NULL, &region);
    ead_region_free(&region);
    ead_dataset_free(&dataset);
    return status;
}

/* Opens the region, and says what there is to say of the mask. */
static EadStatus list_region(const EadConfig *config, EadTrainData *data) {
    EadImageNotes *notes;
    EAD_TRY(ead_image_notes_new(&notes));
    EadStatus status = open_region(config, &data->dataset.train, notes, &data->region);
    if (status == EAD_OK) ead_image_notes_print(notes, stderr);
    ead_image_notes_free(notes);
    if (status == EAD_OK && config->roi_mask[0] && !ead_region_masks(&data->region))
        ead_print(stderr,
                  "warning: roi.mask: %s leaves nothing out: no pixel of it is 0 there; an alpha channel "
                  "does not count\n",
                  config->roi_mask);
    return status;
}

EadStatus ead_train_data_list(const EadConfig *config, EadTrainData *data) {
    *data = (EadTrainData){0};
    EAD_TRY(ead_config_open_dataset(config, false, &data->dataset));
    EAD_TRY(ead_image_list_add_files(&data->train_list, &data->dataset.train));
    EAD_TRY(list_region(config, data));
    return ead_config_check_tests(config, &data->dataset);
}

EadStatus ead_train_data_others(const EadConfig *config, const char *key, const char *path, const char *takes,
                                const EadDrawOrder *order, const EadTrainData *data, EadImageList *out) {
    EadStringList doubts = {0};
    EadStatus status = ead_image_list_add(out, path);
    if (status != EAD_OK) return ead_fail_prefix(status, "%s: ", key);
    if (out->count == 0) { /* perhaps because of what is left out */
        EAD_TRY(ead_left_out_print(&out->left_out, key, stderr));
        return ead_fail(EAD_BAD_ARGUMENT, "%s: %s holds no images", key, path);
    }
    status = ead_dataset_check_others(&data->dataset, out, order, key, takes, &doubts);
    if (status == EAD_OK) status = ead_check_output_apart(&out->left_out, config->output);
    if (status == EAD_OK) status = ead_left_out_print(&out->left_out, key, stderr);
    if (status == EAD_OK)
        status = ead_config_tell_doubts(config, &doubts, order ? 0 : ead_left_out_missed(&out->left_out));
    ead_strings_free(&doubts);
    return status;
}

EadStatus ead_train_data_open(const EadConfig *config, bool quiet, EadTrainData *data) {
    EadImageList list = {0};
    EadProblems unreadable = {0}; /* of both */
    EadStatus status =
        ead_open_cache(config, &data->train_list, &data->region, "training", quiet, &data->train);
    if (status == EAD_INTERRUPTED || status == EAD_NO_MEMORY) return status;
    ead_problems_add(&unreadable, status);
    status = ead_image_list_add_files(&list, &data->dataset.validation);
    if (status == EAD_OK)
        status = ead_open_cache(config, &list, &data->region, "validation", quiet, &data->validation);
    ead_image_list_free(&list);
    ead_problems_add(&unreadable, status);
    status = ead_problems_tell(&unreadable, stderr);
    ead_problems_free(&unreadable);
    return status;
}

void ead_train_data_close(EadTrainData *data) {
    ead_image_cache_close(data->train);
    ead_image_cache_close(data->validation);
    ead_image_list_free(&data->train_list);
    ead_region_free(&data->region);
    ead_dataset_free(&data->dataset);
    *data = (EadTrainData){0};
}
