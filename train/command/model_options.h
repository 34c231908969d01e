/* --select and --threshold: what a user changes about a model file without training. */
#pragma once

#include "models/method.h"
#include "train/cli/arguments.h"

/* Applies both to a model; map_choice is what counts without --select. A threshold that was chosen for other
 * maps is dropped, with a notice on stderr. Errors: EAD_BAD_ARGUMENT if the model lacks the maps. */
EadStatus ead_model_options_apply(const EadArguments *arguments, int map_choice, EadModel *model);
