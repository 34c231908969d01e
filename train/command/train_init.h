/* What `efficientad train --init MODEL` and `--add FOLDER` mean: a new run that goes on from a model, by its settings and
 * with its data set, and more good images. */
#pragma once

#include "train/cli/arguments.h"

/* Before the config is made of the file and --set, which may say otherwise: with --init the config in the model file, the
 * model to start from, and a run folder of its own, runs/NAME-2 for a model in NAME. Where the data set of that config is
 * gone, and nothing else names one, which is told, the images of --add take its place; where it has other images than the
 * model was trained on, that is told. What is wrong is added to config->problems. Errors: EAD_NO_MEMORY. */
EadStatus ead_train_init_begin(const EadArguments *arguments, EadConfig *config);

/* After it: the folders of --add come behind those that dataset.add names, or are the data set where there is none. What
 * contradicts it is added to config->problems. Errors: EAD_NO_MEMORY, EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_train_init_apply(const EadArguments *arguments, EadConfig *config);
