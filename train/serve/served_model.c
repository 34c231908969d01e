/* Opening, lending and exchanging models. */
#include "train/serve/served_model.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/file_role.h"
#include "train/evaluate/threshold_file.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct EadModelRegistry {
    EadServeDetectors detectors;
    EadStringList names, paths;
    EadServedModel **models; /* [names.count] */
    int capacity;
    pthread_mutex_t mutex;   /* of the places in models and of users */
    pthread_mutex_t loading; /* one at a time */
};

EadStatus ead_model_registry_new(const EadServeDetectors *detectors, EadModelRegistry **out) {
    *out = ead_new(1, sizeof **out, "the models");
    if (!*out) return EAD_NO_MEMORY;
    **out = (EadModelRegistry){
        .detectors = *detectors, .mutex = PTHREAD_MUTEX_INITIALIZER, .loading = PTHREAD_MUTEX_INITIALIZER};
    return EAD_OK;
}

/* ---- names ---- */

static bool fits_address(const char *name) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    return name[0] && name[0] != '.' && name[strspn(name, letters)] == '\0' && strlen(name) <= 100;
}

/* What a file is called by without being asked. */
static EadStatus name_of_file(const char *path, char **name) {
    EadPath folder;
    const char *base = ead_path_base(path);
    if (strcmp(base, "model.safetensors") == 0) {
        EAD_TRY(ead_path_folder(folder, path));
        if (fits_address(ead_path_base(folder)))
            return (*name = ead_strdup(ead_path_base(folder))) ? EAD_OK : EAD_NO_MEMORY;
    }
    *name = ead_strdup(base);
    if (!*name) return EAD_NO_MEMORY;
    (*name)[ead_path_stem(base)] = '\0';
    return EAD_OK;
}

EadStatus ead_model_registry_split(const char *text, char **name, const char **path) {
    const char *equal = access(text, F_OK) == 0 ? NULL : strchr(text, '=');
    *name = NULL;
    *path = equal ? equal + 1 : text;
    if (!**path) return ead_fail(EAD_BAD_ARGUMENT, "--model: '%.200s' names no file", text);
    if (equal)
        *name = strndup(text, (size_t)(equal - text));
    else
        EAD_TRY(name_of_file(text, name));
    if (!*name) return ead_fail(EAD_NO_MEMORY, "no memory for a name");
    if (fits_address(*name)) return EAD_OK;
    EadStatus status =
        ead_fail(EAD_BAD_ARGUMENT,
                 "--model: '%.200s' as the name of a model: letters, digits, _ . - only, since it stands in "
                 "addresses; name it: NAME=%.200s",
                 *name, *path);
    free(*name);
    *name = NULL;
    return status;
}

/* ---- models ---- */

static void close_model(EadServedModel *model) {
    if (!model) return;
    ead_detector_pool_free(model->pool);
    ead_model_free(model->model);
    ead_safetensors_close(model->file);
    free(model->validation);
    free(model);
}

static EadStatus open_model(const EadModelRegistry *registry, const char *name, const char *path,
                            EadServedModel **out) {
    const EadServeDetectors *d = &registry->detectors;
    *out = NULL;
    EadServedModel *served = ead_new(1, sizeof *served, "a model");
    if (!served) return EAD_NO_MEMORY;
    *served = (EadServedModel){.name = name, .path = path, .users = 1};
    EadStatus status = ead_file_sha256(path, served->sha256);
    if (status == EAD_OK) status = ead_model_open_file(path, &served->file, &served->model);
    if (status == EAD_OK && d->adjust) status = d->adjust(d->context, served->model);
    if (status == EAD_OK)
        status = ead_validation_scores(served->file, &served->validation, &served->validation_count);
    if (status == EAD_OK) ead_safetensors_drop_data(served->file);
    if (status == EAD_OK)
        served->model->method->functions->describe(served->model, served->description,
                                                   sizeof served->description);
    if (status == EAD_OK)
        status =
            ead_detector_pool_new(served->model, &d->plan, d->count, d->threads, d->batch, &served->pool);
    if (status == EAD_OK)
        *out = served;
    else
        close_model(served);
    return status;
}

/* Sooner than all of it is read, for which others may be waited for. */
static EadStatus check_file(const char *path) {
    EadSafetensors *file;
    EAD_TRY(ead_file_expect(path, EAD_ROLE(MODEL), "a model"));
    EAD_TRY(ead_safetensors_open_header(path, &file));
    ead_safetensors_close(file);
    return EAD_OK;
}

EadStatus ead_model_registry_add(EadModelRegistry *registry, const char *name, const char *path) {
    EadStringList *names = &registry->names;
    if (ead_strings_find(names, name) >= 0)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--model: two models are called '%s'; name one of them otherwise: NAME=%s", name,
                        path);
    EAD_TRY(check_file(path));
    EAD_TRY(ead_grow(&registry->models, &registry->capacity, names->count, sizeof *registry->models,
                     "the models"));
    EAD_TRY(ead_strings_add(&registry->paths, path));
    registry->models[names->count] = NULL;
    return ead_strings_add(names, name);
}

EadStatus ead_model_registry_add_named(EadModelRegistry *registry, const char *text) {
    char *name, *expanded;
    const char *path;
    EAD_TRY(ead_model_registry_split(text, &name, &path));
    EadStatus status = ead_path_expand(path, &expanded);
    if (status == EAD_OK) status = ead_model_registry_add(registry, name, expanded);
    free(expanded);
    free(name);
    return status;
}

void ead_model_registry_open(EadModelRegistry *registry, EadProblems *problems) {
    for (int i = 0; i < registry->names.count; i++)
        ead_problems_add(problems, open_model(registry, registry->names.items[i], registry->paths.items[i],
                                              &registry->models[i]));
}

EadServedModel *ead_model_registry_take(EadModelRegistry *registry, const char *name) {
    EadServedModel *found = NULL;
    int index = name ? ead_strings_find(&registry->names, name) : 0;
    if (index < 0) return NULL;
    pthread_mutex_lock(&registry->mutex);
    found = registry->models[index];
    found->users++;
    pthread_mutex_unlock(&registry->mutex);
    return found;
}

void ead_model_registry_release(EadModelRegistry *registry, EadServedModel *model) {
    pthread_mutex_lock(&registry->mutex);
    bool last = --model->users == 0;
    pthread_mutex_unlock(&registry->mutex);
    if (last) close_model(model);
}

const EadStringList *ead_model_registry_names(const EadModelRegistry *registry) {
    return &registry->names;
}

void ead_model_registry_tell(EadModelRegistry *registry, FILE *stream) {
    for (int i = 0; i < registry->names.count; i++) {
        EadServedModel *model = ead_model_registry_take(registry, registry->names.items[i]);
        ead_print(stream, "%s: %s, ", model->name, model->description);
        if (isnan(model->model->threshold))
            ead_print(stream, "no threshold\n");
        else
            ead_print(stream, "threshold %.4g\n", (double)model->model->threshold);
        ead_model_registry_release(registry, model);
    }
}

/* ---- reloading ---- */

static EadStatus reload_one(EadModelRegistry *registry, int index, int *changed) {
    EadServedModel *old = registry->models[index], *fresh;
    char sha256[EAD_SHA256_TEXT];
    EAD_TRY(ead_file_sha256(old->path, sha256));
    if (strcmp(sha256, old->sha256) == 0) return EAD_OK;
    EAD_TRY(open_model(registry, old->name, old->path, &fresh));
    pthread_mutex_lock(&registry->mutex);
    registry->models[index] = fresh;
    pthread_mutex_unlock(&registry->mutex);
    ead_model_registry_release(registry, old);
    ++*changed;
    return EAD_OK;
}

int ead_model_registry_reload(EadModelRegistry *registry, EadProblems *problems) {
    int changed = 0;
    pthread_mutex_lock(&registry->loading);
    for (int i = 0; i < registry->names.count; i++)
        ead_problems_add(problems, reload_one(registry, i, &changed));
    pthread_mutex_unlock(&registry->loading);
    return changed;
}

void ead_model_registry_reload_told(EadModelRegistry *registry, bool quiet) {
    EadProblems problems = {0};
    int changed = ead_model_registry_reload(registry, &problems);
    for (int i = 0; i < problems.lines.count; i++)
        ead_print(stderr, "efficientad: %s; the model before it stays\n", problems.lines.items[i]);
    if (!quiet && changed > 0) ead_model_registry_tell(registry, stderr);
    if (!quiet && changed == 0 && problems.status == EAD_OK) ead_print(stderr, "no model file has changed\n");
    ead_problems_free(&problems);
}

void ead_model_registry_free(EadModelRegistry *registry) {
    if (!registry) return;
    for (int i = 0; i < registry->names.count; i++) close_model(registry->models[i]);
    free(registry->models);
    ead_strings_free(&registry->names);
    ead_strings_free(&registry->paths);
    pthread_mutex_destroy(&registry->mutex);
    pthread_mutex_destroy(&registry->loading);
    free(registry);
}
