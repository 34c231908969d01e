/* All that predict writes besides its lines: which options name it, and whether it may be written there. */
#pragma once

#include "train/cli/arguments.h"
#include "train/evaluate/map_output.h"

typedef struct EadPredictOutputs {
    const char *folders[EAD_OUTPUT_KINDS]; /* --overlays, --maps, --masks, --copy-to; NULL: not asked for */
    const char *table, *report;            /* --csv, --report; NULL: not asked for */
    bool rows; /* --csv -: the table's rows take the place of the lines; table is NULL then */
} EadPredictOutputs;

/* As the options name them; borrowed. */
EadPredictOutputs ead_predict_outputs(const EadArguments *arguments);

/* Adds to problems, before anything is made, what of it cannot be written, is in the way, meets another output, lies in
 * one of the input folders (those of a list are looked at when their turn comes), or needs a threshold that the model
 * lacks. model: NULL: not known. A folder that cannot be written becomes NULL. */
void ead_predict_outputs_check(const EadArguments *arguments, const EadModel *model,
                               EadPredictOutputs *outputs, EadProblems *problems);
