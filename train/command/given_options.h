/* What a user gives to several commands alike: --select, --threshold and --pixel-threshold, which change a model file without training, and
 * keys by --set, some of which may have no effect. */
#pragma once

#include "models/method.h"
#include "train/cli/arguments.h"
#include "train/fit.h"

/* Whether the command line says the pixel threshold; of a method that scores by the map's maximum --threshold does, too. */
bool ead_pixel_threshold_given(const EadArguments *arguments, const EadModel *model);

/* Applies them to a model; map_choice is what counts without --select. Thresholds that were chosen for other
 * maps are dropped, with a notice on stderr. Errors: EAD_BAD_ARGUMENT if the model lacks the maps. */
EadStatus ead_model_options_apply(const EadArguments *arguments, int map_choice, EadModel *model);

/* Tells on stderr of each key set by --set that is_idle says to change nothing; why: how the message goes on behind
 * "--set KEY has no effect". */
void ead_tell_idle_keys(const EadArguments *arguments, const EadFit *fit, const EadConfig *config,
                        bool (*is_idle)(const EadFit *fit, const EadConfig *config, int key), const char *why,
                        ...) EAD_PRINTF(5, 6);
