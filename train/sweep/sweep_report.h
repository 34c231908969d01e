/* The tables and files of the command report. */
#pragma once

#include "train/sweep/sweep_results.h"

#include <stdio.h>

/* A table as texts, the same for Markdown and HTML, about one column of the results. */
typedef struct EadTextTable {
    int columns;
    EadStringList cells; /* row by row, the first is the head; "" for none */
    EadStatus status;    /* of filling it */
} EadTextTable;

/* One row a variant; for every collection, and their mean where there are several: mean ± deviation in
 * percent, and where the paper has a number, that and the difference. Other methods of the paper's table
 * follow. What is incomplete says so: "97.31 (12 of 15)". Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_collection_table(const EadSweepResults *results, int column, EadTextTable *table);

typedef EadStatus EadMakeTable(const EadSweepResults *results, int column, EadTextTable *table);

/* One row a scenario, one column a variant. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_scenario_table(const EadSweepResults *results, int column, EadTextTable *table);

/* One row a variant: what its runs took for an image and how many a second went through, where any were measured, and
 * what the paper says; then the paper's other methods. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_speed_table(const EadSweepResults *results, EadTextTable *table);

/* Whether the paper's table has speeds to compare with. Others show none: times differ from run to run. */
bool ead_sweep_has_speed(const EadSweepResults *results);

#define EAD_SWEEP_SPEED_TITLE "Speed"
#define EAD_SWEEP_SPEED_NOTE                                                                                 \
    "Here: the mean over the test images, one at a time, resizing included, as the runs' evaluations "       \
    "measured it on the machine that they ran on; images/s in batches of 16 of what efficientad bench "      \
    "infer --batch 16 --json DIR/VARIANT.bench.json measured, DIR being the folder of this table. The "      \
    "paper's: an RTX A6000 in half precision."

/* Harmless on a zeroed table. */
void ead_text_table_free(EadTextTable *table);

/* Whether the metric has a scenario table: those of image and localisation that the paper compares by. */
bool ead_sweep_by_scenario(const EadSweepResults *results, int column);

/* Whether the mean over the collections says something: several have the metric, so it is not LOCO's own. */
bool ead_sweep_has_mean(const EadSweepResults *results, int column);

/* The paper's number for a variant and a collection (-1: the mean), or NULL; *comparable is whether the
 * sweep has as many scenarios as the paper's mean. */
const EadPaperNumber *ead_sweep_paper_number(const EadSweepResults *results, int variant, int collection,
                                             int column, bool *comparable);

/* Sentences for the reader: how complete, how long trained, what may be compared; some 700 bytes. */
void ead_sweep_notes(const EadSweepResults *results, char *text, size_t size);

/* Tables in Markdown. Errors: EAD_NO_MEMORY; write errors show in ferror(). */
EadStatus ead_sweep_write_markdown(FILE *stream, const EadSweepResults *results);

/* One line a metric of a variant in a scenario, in a collection (scenario "mean") and over all (collection
 * "all"), in percent or empty. */
#define EAD_SWEEP_CSV_HEAD                                                                                   \
    "variant,collection,scenario,metric,seeds,runs,expected,mean,deviation,paper,difference"
EadStatus ead_sweep_write_csv(FILE *stream, const EadSweepResults *results);

/* The page with the same tables and charts; no outside resources. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_write_page(FILE *stream, const EadSweepResults *results);
