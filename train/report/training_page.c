/* The JSON in that page; training.js draws it. */
#include "train/report/training_page.h"

#include "core/base/atomic_file.h"
#include "train/report/report.h"
#include "train/support/page_kind.h"

#include <stdio.h>

static EadStatus write_table(EadJson *json, const char *key, const char *path) {
    EadLossHistory rows;
    EAD_TRY(ead_loss_history_read(path, &rows));
    ead_losses_json(json, key, &rows);
    ead_loss_history_free(&rows);
    return EAD_OK;
}

static EadStatus write_page(FILE *stream, const EadTrainingPage *page) {
    EadJson json;
    ead_page_begin(&json, stream);
    ead_json_string(&json, "kind", EAD_TRAINING_PAGE_KIND);
    ead_json_string(&json, "title", page->title);
    ead_json_string(&json, "doing", page->doing);
    ead_json_string(&json, "ended", page->ended);
    ead_json_integer(&json, "step", page->step);
    ead_json_integer(&json, "steps", page->steps);
    ead_json_number(&json, "seconds_left", page->seconds_left, 6);
    ead_json_integer(&json, "refresh", page->refresh);
    ead_json_integer(&json, "written", page->written);
    ead_json_string(&json, "config", page->config);
    EadStatus status = write_table(&json, "losses", page->losses);
    if (status == EAD_OK) status = write_table(&json, "validation_scores", page->scores);
    if (status == EAD_OK) status = write_table(&json, "tests", page->tests);
    ead_page_end(&json);
    return status;
}

EadStatus ead_training_page_write(const char *path, const EadTrainingPage *page) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadStatus status = write_page(file.stream, page);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}
