/* A page that puts runs side by side, from their reports: the same images with the maps and scores of all, those that the
 * runs judge most differently first, and what of metrics and settings differs. It needs neither models nor data. */
#pragma once

#include "train/comparison/run_page.h"

/* What the page shows, for a line on the terminal. */
typedef struct EadComparison {
    int images;    /* that all runs have, */
    int pictured;  /* with pictures, */
    int disagreed; /* and with different decisions */
    int deciding;  /* runs that have a threshold, and so decide */
    int lone;      /* that some run lacks; these are named in the page */
} EadComparison;

/* Writes the page of runs [count], 2 or more, atomically; its pictures, those of the reports as they are, keep to 16 MB.
 * An image is known by its path in the data set. Scores of methods differ in scale, so images are ordered by the
 * decisions, each at its own run's threshold, and then by the difference of their ranks among the common images.
 * Errors: EAD_BAD_ARGUMENT where no image is in all runs; EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_comparison_write(const char *path, const EadRunPage *runs, int count,
                               EadComparison *comparison);
