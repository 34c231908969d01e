/* The tables of a sweep's report as texts, the same for Markdown and HTML. */
#ifndef EAD_TRAIN_SWEEP_TABLES_H
#define EAD_TRAIN_SWEEP_TABLES_H

#include "train/sweep/sweep_results.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct EadTextTable {
    int rows, columns; /* row 0 is the head */
    char **cells;      /* [rows][columns], owned; "" for none */
} EadTextTable;

/* One row a variant; for every collection, and their mean where there are several: mean ± deviation in
 * percent, and where the paper has a number, that and the difference. Other methods of the paper's table
 * follow. What is incomplete says so: "97.31 (12 of 15)". Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_collection_table(const EadSweepResults *results, EadTableMetric metric,
                                     EadTextTable *table);

/* One row a scenario, one column a variant. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_scenario_table(const EadSweepResults *results, EadTableMetric metric,
                                   EadTextTable *table);

/* Harmless on a zeroed table. */
void ead_text_table_free(EadTextTable *table);

/* Whether the metric has a scenario table: those of image and localisation that the paper compares by. */
bool ead_sweep_by_scenario(const EadSweepResults *results, EadTableMetric metric);

/* Whether the mean over the collections says something: there are several, and the metric is none of LOCO's
 * own. */
bool ead_sweep_has_mean(const EadSweepResults *results, EadTableMetric metric);

/* The paper's number for a variant and a collection (-1: the mean), or NULL; *comparable is whether the
 * sweep has as many scenarios as the paper's mean. */
const struct EadPaperNumber *ead_sweep_paper_number(const EadSweepResults *results, int variant,
                                                    int collection, EadTableMetric metric, bool *comparable);

/* Sentences for the reader: how complete, how long trained, what may be compared;
 * some 700 bytes. */
void ead_sweep_notes(const EadSweepResults *results, char *text, size_t size);

#endif
