/* What tells the page of a training that goes on, or has ended without results, from a report: both are report.html. */
#pragma once

#include <stdbool.h>

/* The value of "kind" in the JSON of such a page. */
#define EAD_TRAINING_PAGE_KIND "training"

/* Whether a file is such a page, and no report; false where it cannot be read. */
bool ead_training_page_is(const char *path);
