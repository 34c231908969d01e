/* Evaluation of a model, or of maps that another program made: over the test images of a data set. What a run folder holds of the results
 * is written by train/evaluate/result_files.h. */
#pragma once

#include "core/plan/plan.h"
#include "data/dataset/dataset.h"
#include "models/method.h"
#include "train/evaluate/given_results.h"
#include "train/evaluate/threshold_file.h"
#include "train/metrics/metrics.h"
#include "train/metrics/rounding.h"
#include "train/report/report.h"

/* Everything is borrowed. */
typedef struct EadEvaluateSpec {
    const EadModel *model;        /* NULL: none, the maps are given */
    const EadGivenResults *given; /* of the same data set; NULL: the model makes them */
    EadPlanOptions plan;          /* of the detector */
    const EadDataset *dataset;
    EadImageRules rules; /* how its images are read; notes are told at the end, on stderr */
    const float
        *validation_scores; /* [validation_count] of the model's validation images, for the report; NULL:
                                        not known */
    int validation_count;
    const EadThresholds
        *thresholds;     /* the model's with their false-alarm rates; NULL: these are not known. Without a
                                        model they must be there */
    const char *ended;   /* why the training did, for metrics.json; NULL: after all its steps */
    const char *output;  /* folder, made if missing */
    bool validation;     /* the images are those held back from training, for the report */
    bool maps, overlays; /* also write maps/<defect>/<image>.tiff, overlays/<defect>/<image>.png */
    double pro_limit;    /* a further limit for AU-PRO, or 0 */
    size_t
        pixel_memory;   /* bytes for pixels of all test images, from which on they lie in files without a name
                                      in output; 0: a quarter of the memory that this process may have */
    bool check_only;    /* reads all and tells what cannot be read; there are no figures */
    bool quiet;         /* no progress line */
    bool (*stop)(void); /* asked after every image, true ends with EAD_INTERRUPTED; see EadWalk */
    const char *stopped;  /* what holds then, for its message; or NULL */
    const char *title;    /* of the data set, for the report and errors */
    const char *subtitle; /* of the report; NULL: describes the model, which then must be there */
    const char *losses;   /* losses.csv for the loss curves, which may be missing; NULL: the one in output */
    const char *config;   /* the next five are for the report; may be NULL and 0 */
    const EadKeyValue *provenance;
    int provenance_count;
    const EadKeyValue *timings; /* shown before those measured here */
    int timing_count;
} EadEvaluateSpec;

/* What an evaluation finds. */
typedef struct EadResults {
    EadEvaluation *evaluation; /* scores and maps of all images */
    EadMetrics metrics;
    EadGallery gallery;
    EadStringList unscored, unwritten; /* why a test image has no score, or a picture of one is missing */
    int lacking;                       /* test images for which EadGivenResults tells that nothing is given */
    char *unmeasured; /* why there are no pixel metrics, where pixels could not be kept; or NULL */
    double decoding_seconds,
        inference_seconds;  /* of all images, each by itself; several are worked on side by side */
    double total_seconds;   /* until all are done */
    double latency_seconds; /* a network's and its map's time for an image alone */
    float *
        seconds; /* [timed] each image's, while `threads` were worked on side by side; NULL without a model */
    int timed, threads;
    int resized;                                /* maps that were given in another size than their image's */
    char *first_resized;                        /* the first of them, "FILE, 256 x 256"; or NULL */
    EadRounding score_rounding, pixel_rounding; /* of what is given */
} EadResults;

/* Scores every test image at its own size, writing maps and overlays into spec->output as they come (names:
 * train/evaluate/map_output.h). An image that cannot be read, or a map that cannot be written, costs itself and
 * is told in results; where given ones can all not be read there are no figures. Errors: EAD_BAD_FILE where rounding what is given to 32 bits changes AU-ROC or AP; EAD_BAD_ARGUMENT without
 * test images; those of reading an image if a model can score none, and of reading a mask, which name it; EAD_INTERRUPTED; EAD_IO, EAD_NO_MEMORY. Free *results in every
 * case. */
EadStatus ead_evaluate(const EadEvaluateSpec *spec, EadResults *results);

/* For the end, when all is written that can be: writes results' unscored and unwritten to stderr, a line each.
 * Errors: EAD_BAD_FILE or EAD_IO if there are any, or pixel metrics are missing. */
EadStatus ead_results_complete(const EadResults *results);
void ead_results_free(EadResults *results);
