/* Training of student and autoencoder (EfficientAD, Algorithm 1), from a config to a run folder. */
#ifndef EAD_TRAIN_TRAINER_H
#define EAD_TRAIN_TRAINER_H

#include "train/loop/run_spec.h"

/* Trains, measures the maps, evaluates where there are test images, and fills the run folder
 * spec->config->output: config.yaml, losses.csv, events.out.tfevents.* (TensorBoard), checkpoint.safetensors,
 * model.safetensors, scores.csv, metrics.json, report.html, and maps/ and overlays/ on request. The same
 * config gives the same bits; an interrupted and resumed run gives those of an uninterrupted one. Errors: any
 * of data, files and memory; EAD_INTERRUPTED after Ctrl-C or SIGTERM, when the checkpoint is written;
 * EAD_BAD_ARGUMENT if the folder holds a run and resume was not asked for. */
EadStatus ead_train(const EadRunSpec *spec);

#endif
