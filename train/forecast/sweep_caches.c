/* Files by their names; what is drawn by the seeds that draw. */
#include "train/forecast/sweep_caches.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps with one seed: others with the same draw the same images. */
typedef struct SeedDraws {
    uint64_t seed;
    double images;
} SeedDraws;

/* A file of images that are drawn. */
struct EadSweepDraws {
    const EadConfig *config; /* of the first run; borrowed */
    char *path, *folder;     /* of the images; for caches */
    EadImageList list;
    SeedDraws *seeds;
    int seed_count, seed_capacity;
};

/* *fresh: whether there was no file of that name. */
static EadStatus note_file(EadSweepCaches *caches, const char *name, bool *fresh) {
    *fresh = ead_strings_find(&caches->files, name) < 0;
    return *fresh ? ead_strings_add(&caches->files, name) : EAD_OK;
}

/* ---- images that are decoded beforehand ---- */

static EadStatus add_images(EadSweepCaches *caches, const EadConfig *config, const EadStringList *files,
                            const EadRegion *region, const char *kind, EadPath path, int *decoded) {
    EadImageList list = {0};
    bool fresh = false;
    uint64_t bytes = 0;
    if (files->count == 0) return EAD_OK;
    EadStatus status = ead_image_list_add_files(&list, files);
    if (status == EAD_OK) status = ead_cache_name(config, &list, region, kind, path);
    if (status == EAD_OK) status = note_file(caches, path, &fresh);
    if (status == EAD_OK && fresh) status = ead_cache_bytes(config, &list, region, &bytes);
    if (fresh) *decoded += list.count;
    caches->bytes += (double)bytes;
    ead_image_list_free(&list);
    return status;
}

/* ---- features ---- */

/* training: the name of the file of these images, which has their size. */
static EadStatus add_features(EadSweepCaches *caches, const EadSweepFeatures *features, const char *backbone,
                              const char *training, bool *fresh) {
    char name[sizeof(EadPath) + 512];
    *fresh = true;
    if (features->bytes == 0) return EAD_OK;
    snprintf(name, sizeof name, "%s of %.300s, %s", features->text, backbone, training);
    EAD_TRY(note_file(caches, name, fresh));
    caches->bytes += *fresh ? (double)features->bytes : 0;
    return EAD_OK;
}

/* ---- images that are drawn ---- */

static EadStatus find_draws(EadSweepCaches *caches, const EadConfig *config, const char *path,
                            EadSweepDraws **out) {
    for (int i = 0; i < caches->draw_count; i++) {
        EadSweepDraws *known = *out = &caches->draws[i];
        EadSize size = config->model_image_size, other = known->config->model_image_size;
        if (strcmp(path, known->path) == 0 && size.height == other.height && size.width == other.width &&
            strcmp(config->dataset_cache, known->folder) == 0)
            return EAD_OK;
    }
    EAD_TRY(ead_grow(&caches->draws, &caches->draw_capacity, caches->draw_count, sizeof *caches->draws,
                     "a forecast"));
    EadSweepDraws *draws = *out = &caches->draws[caches->draw_count++];
    *draws = (EadSweepDraws){
        .config = config, .path = ead_strdup(path), .folder = ead_strdup(config->dataset_cache)};
    if (!draws->path || !draws->folder) return EAD_NO_MEMORY;
    EadStatus status = ead_image_list_add(&draws->list, path);
    return status == EAD_NO_MEMORY ? status : EAD_OK; /* what is not there is among what is wrong */
}

static EadStatus add_draws(EadSweepCaches *caches, const EadFit *fit, const EadConfig *config) {
    const char *path = fit->draws ? fit->draws(config).path : NULL;
    EadSweepDraws *draws;
    if (!path) return EAD_OK;
    EAD_TRY(find_draws(caches, config, path, &draws));
    double images = fmin(draws->list.count, config->train_steps + fit->slots);
    int i = 0;
    while (i < draws->seed_count && draws->seeds[i].seed != config->train_seed) i++;
    if (i == draws->seed_count) {
        EAD_TRY(ead_grow(&draws->seeds, &draws->seed_capacity, draws->seed_count, sizeof *draws->seeds,
                         "a forecast"));
        draws->seeds[draws->seed_count++] = (SeedDraws){config->train_seed, 0};
    }
    draws->seeds[i].images = fmax(draws->seeds[i].images, images);
    return EAD_OK;
}

/* An image is left out if no seed draws it. */
static double drawn(const EadSweepDraws *draws) {
    double count = draws->list.count, left = 1;
    for (int i = 0; i < draws->seed_count; i++) left *= 1 - draws->seeds[i].images / count;
    return count * (1 - left);
}

/* ---- all of a run ---- */

EadStatus ead_sweep_caches_add(EadSweepCaches *caches, const EadFit *fit, const EadConfig *config,
                               const EadDataset *dataset, const EadSweepFeatures *features,
                               EadSweepCachesNew *fresh) {
    EadRegion region = {0};
    EadPath training = "", validation;
    *fresh = (EadSweepCachesNew){.features = true};
    EadStatus status = ead_train_data_region(config, &dataset->train, &region);
    if (status == EAD_OK)
        status = add_images(caches, config, &dataset->train, &region, "training", training, &fresh->decoded);
    if (status == EAD_OK)
        status = add_images(caches, config, &dataset->validation, &region, "validation", validation,
                            &fresh->decoded);
    ead_region_free(&region);
    if (status == EAD_OK)
        status = add_features(caches, features, config->model_backbone, training, &fresh->features);
    if (status == EAD_OK) status = add_draws(caches, fit, config);
    return status;
}

EadStatus ead_sweep_caches_bytes(const EadSweepCaches *caches, double *bytes) {
    *bytes = caches->bytes;
    for (int i = 0; i < caches->draw_count; i++) {
        const EadSweepDraws *draws = &caches->draws[i];
        uint64_t kept;
        if (draws->list.count == 0) continue;
        EAD_TRY(ead_draws_bytes(draws->config, &draws->list, drawn(draws), &kept));
        *bytes += (double)kept;
    }
    return EAD_OK;
}

void ead_sweep_caches_free(EadSweepCaches *caches) {
    for (int i = 0; i < caches->draw_count; i++) {
        EadSweepDraws *draws = &caches->draws[i];
        free(draws->path), free(draws->folder), free(draws->seeds);
        ead_image_list_free(&draws->list);
    }
    free(caches->draws);
    ead_strings_free(&caches->files);
    *caches = (EadSweepCaches){0};
}
