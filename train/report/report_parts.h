/* The parts of report.html, each in its own file; head and style serve a sweep's page too. All write to the
 * stream of the page; write errors show in ferror(). */
#ifndef EAD_TRAIN_REPORT_PARTS_H
#define EAD_TRAIN_REPORT_PARTS_H

#include "train/report/report_html.h"

#include <stdio.h>

/* Everything from the doctype to the headline; </main></body></html> is to follow. title and subtitle may be
 * NULL. */
void ead_report_head(FILE *stream, const char *title, const char *subtitle);

/* The style sheet: a <style> element. */
void ead_report_style(FILE *stream);

/* Tiles with the main metrics, and the table per kind of defect. */
void ead_report_tiles(FILE *stream, const EadReport *report);
void ead_report_defects(FILE *stream, const EadMetrics *metrics);

/* Loss curves, histogram, ROC and PRO curves. Errors: EAD_NO_MEMORY. */
EadStatus ead_report_plots(FILE *stream, const EadReport *report);

/* Heat maps. Errors: EAD_NO_MEMORY, EAD_BAD_SHAPE. */
EadStatus ead_report_gallery(FILE *stream, const EadReport *report);

/* The threshold that mistakes are told by: the model's, else the one of the best F1 (*is_set is 0), else NAN.
 */
double ead_report_threshold(const EadMetrics *metrics, int *is_set);

#endif
