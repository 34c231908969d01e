/* What the runs of a sweep have found: the manifest that `sweep` wrote and the metrics.json of every run, as
 * one array over variant, scenario, seed and metric. */
#ifndef EAD_TRAIN_SWEEP_RESULTS_H
#define EAD_TRAIN_SWEEP_RESULTS_H

#include "core/base/string_list.h"

#include <stdbool.h>
#include <stdint.h>

/* The metrics of the paper's tables. For MVTec LOCO image_auroc is the mean of its logical and structural
 * anomalies, and the AU-PRO metrics are AU-sPRO (PAPER: section "Data sets and protocol"). */
typedef enum EadTableMetric {
    EAD_FIGURE_IMAGE_AUROC,
    EAD_FIGURE_LOGICAL_AUROC,
    EAD_FIGURE_STRUCTURAL_AUROC,
    EAD_FIGURE_AU_PRO_30,
    EAD_FIGURE_AU_PRO_05,
    EAD_TABLE_FIGURES
} EadTableMetric;

/* "image_auroc" for CSV, "Image AU-ROC" for people. */
const char *ead_table_metric_key(EadTableMetric metric);
const char *ead_table_metric_title(EadTableMetric metric);

typedef struct EadSweepResults {
    char *title, *paper;                 /* paper: "table4" or "" */
    EadStringList variants, collections; /* names, in the order of the manifest */
    EadStringList categories;            /* one a scenario */
    int *collection_of;                  /* [categories.count] */
    EadStringList seeds;
    double *values; /* [variant][scenario][seed][EAD_TABLE_FIGURES], NAN where there is none */
    int run_count, finished;
    int least_steps, max_steps;
} EadSweepResults;

/* Reads a manifest and the metrics of all runs that have some. Errors: EAD_IO; EAD_BAD_FILE for a manifest
 * or a metrics.json that is none; EAD_NO_MEMORY. Free *results in every case. */
EadStatus ead_sweep_results_read(const char *manifest, EadSweepResults *results);
void ead_sweep_results_free(EadSweepResults *results);

/* The metrics [EAD_TABLE_FIGURES] of one run, fractions of 1. */
double *ead_sweep_results_at(const EadSweepResults *results, int variant, int scenario, int seed);

/* Mean and standard deviation over seeds, in percent. */
typedef struct EadSummary {
    double mean;      /* NAN: nothing known */
    double deviation; /* of a sample (n - 1); NAN below two seeds */
    int seeds;        /* complete ones: all scenarios are there; the mean is over these */
    int runs;         /* with that metric */
    int expected;     /* runs in all */
} EadSummary;

/* One scenario of a variant. */
EadSummary ead_summarize_scenario(const EadSweepResults *results, int variant, int scenario,
                                  EadTableMetric metric);

/* A collection: the mean over its scenarios, for each seed. collection -1: the mean over the collections'
 * means, as in the paper's Table 1. Where no seed is complete the mean is over what is there. */
EadSummary ead_summarize_collection(const EadSweepResults *results, int variant, int collection,
                                    EadTableMetric metric);

/* Whether any run has the metric. */
bool ead_sweep_results_have(const EadSweepResults *results, EadTableMetric metric);

#endif
