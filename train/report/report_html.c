/* The page around the parts: head, title, settings, provenance. */
#include "train/report/report_html.h"

#include "core/base/atomic_file.h"
#include "train/config/config.h"
#include "train/support/html_text.h"
#include "train/report/report_parts.h"

#include <stdlib.h>
#include <string.h>

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

/* Keys that are not as in the paper; files and folders are not worth a line. */
static void write_changed(FILE *stream, const EadConfig *defaults, const EadConfig *config) {
    int changed = 0;
    for (int key = 0; key < EAD_CONFIG_KEYS; key++) {
        char *before = NULL, *now = NULL;
        const EadValueRule *rule = &ead_config_key(key)->rule;
        bool worth =
            ead_config_matters(key) && rule->kind != EAD_KIND_PATH && rule->kind != EAD_KIND_STRING &&
            ead_config_value_text(defaults, (EadConfigKeyId)key, &before) == EAD_OK &&
            ead_config_value_text(config, (EadConfigKeyId)key, &now) == EAD_OK && strcmp(before, now) != 0;
        if (worth && changed++ == 0)
            fputs("<div class=\"card\"><table class=\"facts\">\n<tr><th>not as in the paper</th><th>here</th>"
                  "<th>default</th></tr>\n",
                  stream);
        if (worth) fprintf(stream, "<tr><td>%s</td><td>%s</td><td>%s</td></tr>\n", rule->name, now, before);
        free(before);
        free(now);
    }
    fputs(changed > 0 ? "</table></div>\n" : "<p class=\"soft\">All as in the paper.</p>\n", stream);
}

/* Nothing for a text that is no config of this version. */
static void write_differences(FILE *stream, const char *text) {
    EadConfig defaults, config;
    if (ead_config_defaults(&defaults) != EAD_OK) return;
    if (ead_config_defaults(&config) == EAD_OK &&
        ead_config_parse(text, strlen(text), "config", &config) == EAD_OK)
        write_changed(stream, &defaults, &config);
    ead_config_free(&config);
    ead_config_free(&defaults);
}

static void write_config(FILE *stream, const char *config) {
    if (!config) return;
    fputs("<h2 id=\"settings\">Settings</h2>\n", stream);
    write_differences(stream, config);
    fputs("<details class=\"card\"><summary>Effective configuration</summary><pre>", stream);
    ead_html_text(stream, config);
    fputs("</pre></details>\n", stream);
}

static EadStatus write_page(FILE *stream, const EadReport *report) {
    ead_report_head(stream, report->title, report->subtitle);
    ead_report_tiles(stream, report);
    ead_report_defects(stream, report->metrics);
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
