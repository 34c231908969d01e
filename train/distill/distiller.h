/* Distillation of a teacher (EfficientAD, Appendix A.2, Algorithm 3), from a config to a run folder. */
#ifndef EAD_TRAIN_DISTILLER_H
#define EAD_TRAIN_DISTILLER_H

#include "train/loop/run_spec.h"

/* Distils, judges the teacher on the held-out images (also at every checkpoint, on stderr) and fills the run
 * folder spec->config->output: config.yaml, losses.csv, checkpoint.safetensors, teacher.safetensors (weights
 * in half precision, and so judged), metrics.json. The same config gives the same bits; an interrupted and
 * resumed run gives those of an uninterrupted one. Errors: any of data, files and memory; EAD_INTERRUPTED
 * after Ctrl-C or SIGTERM, when the checkpoint is written; EAD_BAD_ARGUMENT if the folder holds a run and
 * resume was not asked for. */
EadStatus ead_distill(const EadRunSpec *spec);

#endif
