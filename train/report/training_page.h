/* What report.html says while a training goes on: how far it is, its losses, what validation.csv and test.csv hold. The page
 * loads itself again from time to time, until the report replaces it, or a last one says why the training ended. */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

typedef struct EadTrainingPage {
    const char *title;   /* of the data set */
    const char *doing;   /* "training"; NULL: it has ended */
    const char *ended;   /* then: why, and how it goes on */
    int64_t step, steps; /* done; of all */
    double seconds_left; /* NAN: not known */
    int refresh;         /* seconds after which the page loads itself again */
    const char *losses;  /* paths of losses.csv, */
    const char *scores;  /* validation.csv, */
    const char *tests;   /* and test.csv; those that are not there are left out */
    const char *config;  /* as text */
    int64_t written;     /* seconds since 1970 */
} EadTrainingPage;

/* Writes atomically. Errors: EAD_IO, EAD_NO_MEMORY; EAD_BAD_FILE of a table. */
EadStatus ead_training_page_write(const char *path, const EadTrainingPage *page);
