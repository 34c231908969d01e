/* Keys that a command line sets without effect. */
#pragma once

#include "train/cli/arguments.h"
#include "train/fit.h"

/* The method in whose section a key lies; NULL: it is of no method alone. */
const EadMethod *ead_method_of_key(int key);

/* Tells on stderr of each key set by --set that is_idle says to change nothing; why: how the message goes on behind
 * "--set KEY has no effect". */
void ead_tell_idle_keys(const EadArguments *arguments, const EadFit *fit, const EadConfig *config,
                        bool (*is_idle)(const EadFit *fit, const EadConfig *config, int key), const char *why,
                        ...) EAD_PRINTF(5, 6);
