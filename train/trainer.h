/* Training of student and autoencoder (EfficientAD, Algorithm 1), from a config to a run folder. */
#ifndef EAD_TRAIN_TRAINER_H
#define EAD_TRAIN_TRAINER_H

#include "core/backend.h"
#include "train/config.h"

typedef struct EadTrainSpec {
    const EadConfig *config; /* complete and checked for training */
    const EadBackend *backend;
    bool no_capture; /* CUDA: launch kernel by kernel; the same bits */
    int streams;     /* CUDA: of EadPlanOptions; 0: its default */
    bool resume;     /* continue from the run folder's checkpoint; without one, start from step 1 */
    bool quiet;      /* no progress line */
} EadTrainSpec;

/* Trains, measures the maps, evaluates where there are test images, and fills the run folder config->output:
 * config.yaml, losses.csv, events.out.tfevents.* (TensorBoard), checkpoint.safetensors, model.safetensors,
 * scores.csv, metrics.json, report.html, and maps/ and overlays/ on request. The same config gives the same
 * bits; an interrupted and resumed run gives those of an uninterrupted one. Errors: any of data, files and
 * memory; EAD_INTERRUPTED after Ctrl-C or SIGTERM, when the checkpoint is written; EAD_BAD_ARGUMENT if the
 * folder holds a run and resume was not asked for. */
EadStatus ead_train(const EadTrainSpec *spec);

#endif
