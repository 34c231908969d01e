/* The member `gallery` of a page's data: pictures as JPEG, as many as the page has room for. */
#pragma once

#include "train/report/gallery.h"
#include "train/report/overlay.h"
#include "train/support/json_writer.h"

/* Writes a gallery that holds something, for a page in `folder` ("": the current one) whose data json writes.
 * threshold  of the score, for the order of the images; NAN: none
 * heat       colours of the maps; high not above low: chosen by the maps
 * What is written until now counts for the budgets. Errors: EAD_NO_MEMORY; then json stands within the gallery. */
EadStatus ead_report_write_gallery(EadJson *json, const char *folder, const EadGallery *gallery,
                                   double threshold, EadHeat heat);
