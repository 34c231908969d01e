/* The files of the command report. */
#ifndef EAD_TRAIN_SWEEP_REPORT_H
#define EAD_TRAIN_SWEEP_REPORT_H

#include "train/sweep/sweep_results.h"

#include <stdio.h>

/* Tables in Markdown. Errors: EAD_NO_MEMORY; write errors show in ferror(). */
EadStatus ead_sweep_write_markdown(FILE *stream, const EadSweepResults *results);

/* One line a metric of a variant in a scenario, in a collection (scenario "mean") and over all (collection
 * "all"): variant,collection,scenario,metric,seeds,runs,expected,mean,deviation,paper,difference, in percent,
 * empty where there is none. */
EadStatus ead_sweep_write_csv(FILE *stream, const EadSweepResults *results);

/* The page with the same tables and charts; no outside resources. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_write_page(FILE *stream, const EadSweepResults *results);

#endif
