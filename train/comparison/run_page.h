/* The report of a run read back: what report.c wrote into report.html, to put runs side by side. No file is believed
 * before it is checked. */
#pragma once

#include "core/base/paths.h"
#include "train/config/config.h"

#include <jansson.h>

typedef struct EadRunPage {
    const char *folder; /* borrowed: as the user named it */
    EadPath path;       /* of its report.html */
    json_t *data;       /* an object, as train/report/report.h says */
    json_t *images;     /* of its gallery, in data: an array of objects with path and score; NULL: none */
    EadConfig
        config; /* of the run, where `configured`: a page of another version may have one that cannot be read */
    bool configured;
} EadRunPage;

/* Reads FOLDER/report.html. Errors: EAD_IO; EAD_BAD_FILE, with the cure, for what is no report of a run whose images
 * were measured or shown; EAD_NO_MEMORY. Free in every case. */
EadStatus ead_run_page_read(const char *folder, EadRunPage *page);

/* What the data set calls an image: its path below dataset.path, where that is known. Borrowed. */
const char *ead_run_page_image(const EadRunPage *page, const json_t *image);

void ead_run_page_free(EadRunPage *page);
