/* The page around the parts: head, title, settings, provenance. */
#include "train/report_html.h"

#include "core/atomic_file.h"
#include "train/html_text.h"
#include "train/report_parts.h"

void ead_report_head(FILE *stream, const char *title, const char *subtitle) {
    if (!title) title = "EfficientAD";
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          stream);
    ead_html_text(stream, title);
    fputs("</title>\n", stream);
    ead_report_style(stream);
    fputs("</head>\n<body>\n<main>\n<header><h1>", stream);
    ead_html_text(stream, title);
    fputs("</h1>", stream);
    if (subtitle) {
        fputs("<p>", stream);
        ead_html_text(stream, subtitle);
        fputs("</p>", stream);
    }
    fputs("</header>\n", stream);
}

static void write_facts(FILE *stream, const char *title, const EadKeyValue *facts, int count) {
    if (count == 0) return;
    fprintf(stream, "<div><h2>%s</h2>\n<div class=\"card\"><table class=\"facts\">\n", title);
    for (int i = 0; i < count; i++) {
        fputs("<tr><td>", stream);
        ead_html_text(stream, facts[i].key);
        fputs("</td><td>", stream);
        ead_html_text(stream, facts[i].value);
        fputs("</td></tr>\n", stream);
    }
    fputs("</table></div></div>\n", stream);
}

static void write_config(FILE *stream, const char *config) {
    if (!config) return;
    fputs("<h2>Settings</h2>\n<details class=\"card\"><summary>Effective configuration</summary><pre>",
          stream);
    ead_html_text(stream, config);
    fputs("</pre></details>\n", stream);
}

static EadStatus write_page(FILE *stream, const EadReport *report) {
    ead_report_head(stream, report->title, report->subtitle);
    ead_report_tiles(stream, report);
    ead_report_defects(stream, report->figures);
    EAD_TRY(ead_report_plots(stream, report));
    EAD_TRY(ead_report_gallery(stream, report));
    if (report->provenance_count > 0 || report->timing_count > 0) {
        fputs("<div class=\"columns\">\n", stream);
        write_facts(stream, "Provenance", report->provenance, report->provenance_count);
        write_facts(stream, "Timings", report->timings, report->timing_count);
        fputs("</div>\n", stream);
    }
    write_config(stream, report->config);
    fputs("</main>\n</body>\n</html>\n", stream);
    return EAD_OK;
}

EadStatus ead_report_write(const char *path, const EadReport *report) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadStatus status = write_page(file.stream, report);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}
