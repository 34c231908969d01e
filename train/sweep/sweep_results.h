/* What the runs of a sweep have found: the manifest that `sweep` wrote and the metrics.json of every run, as
 * one array over variant, scenario, seed and metric. */
#pragma once

#include "core/base/string_list.h"

#include <stdbool.h>

enum { EAD_ALL_COLLECTIONS = -1 }; /* instead of a collection: the mean of them all */

/* A column of the tables: a metric that metrics.def shows in sweeps. For MVTec LOCO image metrics are the
 * mean of its logical and structural anomalies, and AU-PRO is AU-sPRO, as in the paper. */
typedef struct EadSweepColumn {
    int metric;       /* row of ead_metric_rows */
    const char *kind; /* "logical" or "structural": of these anomalies alone; NULL: of all */
    char key[40];     /* "image_auroc", "logical_auroc" */
    char title[96];   /* "Image AU-ROC", "Image AU-ROC, logical anomalies" */
} EadSweepColumn;

/* How long a variant's runs took for an image, scored alone in their evaluation, with all that belongs to it. */
typedef struct EadSweepSpeed {
    double milliseconds; /* the mean over the runs */
    int runs;            /* that have been measured */
    double images_per_s; /* in batches of EAD_PAPER_BATCH, of the bench's file; 0: there is none */
} EadSweepSpeed;

/* The report of a run. */
typedef struct EadSweepReport {
    int variant, scenario, seed;
    char *path; /* below the manifest's folder, owned */
} EadSweepReport;

typedef struct EadSweepResults {
    char *title, *paper;                 /* paper: "table4" or "" */
    EadStringList variants, collections; /* names, in the order of the manifest */
    EadStringList categories;            /* one a scenario */
    int *collection_of;                  /* [categories.count] */
    int collection_capacity;
    EadStringList seeds;
    EadSweepColumn *columns; /* [column_count] */
    int column_count;
    double *values;        /* [variant][scenario][seed][column], NAN where there is none */
    EadSweepSpeed *speeds; /* [variant] */
    int run_count, finished;
    EadStringList trained;   /* what runs train, each once: "70000 steps" */
    EadSweepReport *reports; /* [report_count] of finished runs that have one, in the order of the manifest */
    int report_count, report_capacity;
} EadSweepResults;

/* Reads a manifest and the metrics of all runs that ead_sweep_state() calls finished; says on stderr which others have
 * metrics and are left out, and why. Errors: EAD_IO; EAD_BAD_FILE for a manifest that is none; EAD_NO_MEMORY. Free
 * *results in every case. */
EadStatus ead_sweep_results_read(const char *manifest, EadSweepResults *results);
void ead_sweep_results_free(EadSweepResults *results);

/* Mean and standard deviation over seeds, in percent. */
typedef struct EadSummary {
    double mean;      /* NAN: nothing known */
    double deviation; /* of a sample (n - 1); NAN below two seeds */
    int seeds;        /* complete ones: all scenarios are there; the mean is over these */
    int runs;         /* with that metric */
    int expected;     /* runs in all */
} EadSummary;

/* One scenario of a variant. */
EadSummary ead_summarize_scenario(const EadSweepResults *results, int variant, int scenario, int column);

/* A collection: the mean over its scenarios, for each seed. collection -1: the mean over the collections'
 * means, as in the paper's Table 1. Where no seed is complete the mean is over what is there. */
EadSummary ead_summarize_collection(const EadSweepResults *results, int variant, int collection, int column);

/* Whether any run has the metric of a column. */
bool ead_sweep_results_have(const EadSweepResults *results, int column);

#define EAD_PAPER_LATENCY    "latency_ms"        /* of one image */
#define EAD_PAPER_THROUGHPUT "images_per_second" /* in batches of EAD_PAPER_BATCH */
enum { EAD_PAPER_BATCH = 16 };

/* What the paper reports, for comparison. */
typedef struct EadPaperNumber {
    const char *table, *variant, *collection; /* collection "all": the mean of the three */
    const char *metric;      /* key of a column, or EAD_PAPER_LATENCY, EAD_PAPER_THROUGHPUT */
    double value, deviation; /* in percent, but for the keys of speed; deviation NAN: not given */
} EadPaperNumber;

/* All rows; *count of them. Other methods of a table are rows of variants that no sweep has. */
const EadPaperNumber *ead_paper_numbers(int *count);

/* The row for a table ("table4"), or NULL. */
const EadPaperNumber *ead_paper_find(const char *table, const char *variant, const char *collection,
                                     const char *metric);

/* Number of scenarios that the paper's mean for a collection is over: 15, 5, 12, and 32 for "all"; else 0. */
int ead_paper_scenarios(const char *collection);
