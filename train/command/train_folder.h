/* What `efficientad train FOLDER` means: a data set of one's own images, a run folder named after it, and drawn penalty
 * images where no photographs are named. */
#pragma once

#include "train/cli/arguments.h"
#include "train/fit.h"

/* Before the config is made of the file and --set, which may say otherwise: output is runs/<name of the folder>, of
 * photos/good and photos/train/good "photos". Errors: EAD_NO_MEMORY, EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_train_folder_begin(const EadArguments *arguments, EadConfig *config);

/* After it: the folder is the data set; fit: NULL where that is not known. What contradicts it, and a command line that
 * names no images at all, is added to config->problems. Errors: EAD_NO_MEMORY. */
EadStatus ead_train_folder_apply(const EadArguments *arguments, const EadFit *fit, EadConfig *config);
