/* The images of predict on their way: taken, scored side by side, delivered in order as lines, rows and files. */
#pragma once

#include "core/base/atomic_file.h"
#include "train/command/predict_outputs.h"
#include "train/evaluate/predict_lines.h"
#include "train/evaluate/prediction_report.h"
#include "train/evaluate/scorer.h"
#include "train/support/progress.h"

typedef struct EadPredictor {
    EadModel *model;
    EadScorer *scorer;
    EadPredictInputs inputs;
    EadMapOutput output;
    EadPredictOutputs outputs;
    EadAtomicFile table; /* --csv; its stream is NULL without */
    EadPredictionReport report;
    EadImageRules rules;
    EadProgress progress;
    int64_t images; /* in all; -1: a list comes in */
    int64_t done, scored, failed;
    int64_t replaced; /* files of an earlier run */
    bool quiet, stopped;
} EadPredictor;

/* Handles all inputs. An input that cannot be scored, or whose files cannot be written, gets its line all the same.
 * Errors: EAD_INTERRUPTED, saying how far it came; EAD_IO where a line cannot be printed; those of the inputs. */
EadStatus ead_predict_all(EadPredictor *predictor);
