/* The result table for people. */
#ifndef EAD_TRAIN_FIGURES_TABLE_H
#define EAD_TRAIN_FIGURES_TABLE_H

#include "train/evaluation.h"

#include <stdio.h>

/* Prints a table of the figures, one line for all images and one for each kind of defect; fractions of 1 as
 * in metrics.json, "-" where undefined. */
void ead_print_figures(FILE *stream, const EadFigures *figures);

#endif
