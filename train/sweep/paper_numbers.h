/* What the paper reports, for comparison. */
#ifndef EAD_TRAIN_PAPER_NUMBERS_H
#define EAD_TRAIN_PAPER_NUMBERS_H

#include "train/sweep/sweep_results.h"

typedef struct EadPaperNumber {
    const char *table, *variant, *collection; /* collection "all": the mean of the three */
    EadTableMetric metric;
    double percent, deviation; /* deviation NAN: not given */
} EadPaperNumber;

/* All rows; *count of them. Other methods of a table are rows of variants that no sweep has. */
const EadPaperNumber *ead_paper_numbers(int *count);

/* The row for a table ("table4"), or NULL. */
const EadPaperNumber *ead_paper_find(const char *table, const char *variant, const char *collection,
                                     EadTableMetric metric);

/* Number of scenarios that the paper's mean for a collection is over: 15, 5, 12, and 32 for "all"; else 0. */
int ead_paper_scenarios(const char *collection);

#endif
