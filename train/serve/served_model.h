/* The models that are served, by name. A model that is in use stays until its last user has released it, so that a changed
 * file takes its place between two requests. */
#pragma once

#include "core/base/string_list.h"
#include "core/file/sha256.h"
#include "train/serve/detector_pool.h"
#include "train/support/problems.h"

#include <stdio.h>

typedef struct EadServedModel {
    const char *name, *path; /* the registry's */
    EadSafetensors *file;    /* without data: its metadata */
    EadModel *model;
    EadDetectorPool *pool;
    char sha256[EAD_SHA256_TEXT], description[128];
    float *validation; /* [validation_count] scores of its validation images; 0: its file has none */
    int validation_count;
    int users; /* under the registry's mutex; the registry is one */
} EadServedModel;

/* How detectors are made. */
typedef struct EadServeDetectors {
    EadPlanOptions plan;
    int count, threads, batch;                           /* of each model */
    EadStatus (*adjust)(void *context, EadModel *model); /* changes one that was opened; NULL: none does */
    void *context;
} EadServeDetectors;

typedef struct EadModelRegistry EadModelRegistry;

/* An empty one. Errors: EAD_NO_MEMORY. */
EadStatus ead_model_registry_new(const EadServeDetectors *detectors, EadModelRegistry **out);

/* "NAME=FILE" or "FILE", whose name then is that of the file without its ending, or of the folder of a model.safetensors; the name, new
 * memory, and where the path begins. Errors: EAD_BAD_ARGUMENT for a name that does not fit into an address. */
EadStatus ead_model_registry_split(const char *text, char **name, const char **path);

/* Adds the model that such a text names; ~ is the home folder. Errors: those of splitting and adding. */
EadStatus ead_model_registry_add_named(EadModelRegistry *registry, const char *text);

/* Adds a model, of whose file the header is read. Errors: EAD_BAD_ARGUMENT for a name that is taken; those of opening. */
EadStatus ead_model_registry_add(EadModelRegistry *registry, const char *name, const char *path);

/* Opens those that were added, and adds what is wrong with them to the problems; without any all may be taken. */
void ead_model_registry_open(EadModelRegistry *registry, EadProblems *problems);

/* The model of that name, for ead_model_registry_release(); NULL: there is none. name NULL: the first. */
EadServedModel *ead_model_registry_take(EadModelRegistry *registry, const char *name);
void ead_model_registry_release(EadModelRegistry *registry, EadServedModel *model);

/* Their names, in order; they last as long as the registry. */
const EadStringList *ead_model_registry_names(const EadModelRegistry *registry);

/* Writes a line about each: what it is, and its threshold. */
void ead_model_registry_tell(EadModelRegistry *registry, FILE *stream);

/* Opens again every model whose file has other bytes now, and puts it in the old one's place. One that cannot be opened stays as it
 * was, and why is added to the problems. Gives how many are new. */
int ead_model_registry_reload(EadModelRegistry *registry, EadProblems *problems);

/* The same, told on stderr: each that could not be opened, and unless quiet the models that are there now, or that nothing has changed. */
void ead_model_registry_reload_told(EadModelRegistry *registry, bool quiet);

/* When nobody uses a model any more; harmless on NULL. */
void ead_model_registry_free(EadModelRegistry *registry);
