/* --select, --threshold and --pixel-threshold: what a user changes about a model file without training. */
#pragma once

#include "models/method.h"
#include "train/cli/arguments.h"

/* Whether the command line says the pixel threshold; of a method that scores by the map's maximum --threshold does, too. */
bool ead_pixel_threshold_given(const EadArguments *arguments, const EadModel *model);

/* Applies them to a model; map_choice is what counts without --select. Thresholds that were chosen for other
 * maps are dropped, with a notice on stderr. Errors: EAD_BAD_ARGUMENT if the model lacks the maps. */
EadStatus ead_model_options_apply(const EadArguments *arguments, int map_choice, EadModel *model);
