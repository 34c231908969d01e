/* Writing of losses.csv, which outlives interruptions. */
#include "train/loop/loss_log.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/support/loss_rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ead_loss_count(const EadLossColumn *columns) {
    int count = 0;
    while (columns[count].name) count++;
    return count;
}

void ead_loss_header(const EadLossColumn *columns, char header[EAD_LOSS_HEADER]) {
    size_t used = (size_t)snprintf(header, EAD_LOSS_HEADER, "step");
    for (int i = 0; i <= ead_loss_count(columns) && used < EAD_LOSS_HEADER; i++)
        used += (size_t)snprintf(header + used, EAD_LOSS_HEADER - used, ",%s",
                                 columns[i].name ? columns[i].name : "lr");
}

static EadStatus fail(const char *path, const char *what) {
    return ead_fail(EAD_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static bool write_row(FILE *stream, int64_t step, const float *values, int count) {
    char text[EAD_NUMBER_TEXT];
    bool written = fprintf(stream, "%lld", (long long)step) > 0;
    for (int i = 0; i < count; i++) written &= fprintf(stream, ",%s", ead_float_text(values[i], text)) > 0;
    return written & (putc('\n', stream) != EOF);
}

static EadStatus check_names(const EadLossRows *rows, const EadLossColumn *columns, const char *path) {
    int count = ead_loss_count(columns);
    bool same = rows->names.count == count;
    for (int i = 0; i < count && same; i++) same = strcmp(rows->names.items[i], columns[i].name) == 0;
    return same ? EAD_OK : ead_fail(EAD_BAD_FILE, "%s:1: these are not the losses of this training", path);
}

/* Copies the rows up to step `done`. They may begin later than with step 1, where a file has been moved
 * away. Those behind are read, too: an earlier step among them would be lost. */
static EadStatus copy_rows(EadLossRows *rows, const char *path, int64_t done, bool sparse, FILE *to) {
    int64_t last = 0;
    bool found = true, any = false, gap = false;
    for (;; any = true) {
        EAD_TRY(ead_loss_rows_next(rows, &found));
        if (!found) break;
        gap = gap || (last > 0 && last < done && rows->step != last + 1);
        if (rows->step > done) continue;
        write_row(to, rows->step, rows->values, rows->names.count + 1);
        last = rows->step;
    }
    if (sparse || (!gap && (last == done || (last == 0 && any)))) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: lacks steps up to %lld, which the checkpoint has done", path,
                    (long long)done);
}

/* What an earlier run has written up to step `done`. */
static EadStatus keep_rows(const char *path, const EadLossColumn *columns, int64_t done, bool sparse,
                           FILE *to) {
    EadLossRows rows;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        if (!sparse)
            ead_print(stderr, "%s: is not there; it begins again after step %lld\n", path, (long long)done);
        return EAD_OK;
    }
    EadStatus status = ead_loss_rows_open(path, &rows);
    if (status == EAD_OK) status = check_names(&rows, columns, path);
    if (status == EAD_OK) status = copy_rows(&rows, path, done, sparse, to);
    ead_loss_rows_close(&rows);
    if (status != EAD_BAD_FILE) return status;
    return ead_fail(status, "%s; move the file away, and it begins again after step %lld",
                    ead_error_message(), (long long)done);
}

static EadStatus prepare(EadLossLog *log, const char *path, const EadLossColumn *columns, int64_t done,
                         bool sparse) {
    char header[EAD_LOSS_HEADER];
    size_t size;
    *log = (EadLossLog){0};
    EAD_TRY(ead_check_regular(path));
    FILE *kept = open_memstream(&log->kept, &size);
    log->path = ead_strdup(path);
    if (!kept) return ead_fail(EAD_NO_MEMORY, "no memory for the losses");
    ead_loss_header(columns, header);
    fprintf(kept, "%s\n", header);
    EadStatus status = !log->path ? EAD_NO_MEMORY
                       : done > 0 ? keep_rows(path, columns, done, sparse, kept)
                                  : EAD_OK;
    EadStatus closed = ead_memory_stream_close(kept, &log->kept, "the losses");
    if (status == EAD_OK) status = closed;
    if (status != EAD_OK) ead_loss_log_close(log);
    return status;
}

EadStatus ead_loss_log_prepare(EadLossLog *log, const char *path, const EadLossColumn *columns,
                               int64_t done) {
    return prepare(log, path, columns, done, false);
}

EadStatus ead_loss_log_prepare_sparse(EadLossLog *log, const char *path, const EadLossColumn *columns,
                                      int64_t done) {
    return prepare(log, path, columns, done, true);
}

EadStatus ead_loss_log_open(EadLossLog *log) {
    EAD_TRY(ead_atomic_file_write_text(log->path, log->kept));
    free(log->kept);
    log->kept = NULL;
    log->stream = fopen(log->path, "ae");
    return log->stream ? EAD_OK : fail(log->path, "write");
}

EadStatus ead_loss_log_append(EadLossLog *log, int64_t step, const float *values, int count) {
    return write_row(log->stream, step, values, count) ? EAD_OK : fail(log->path, "write");
}

EadStatus ead_loss_log_flush(EadLossLog *log) {
    return fflush(log->stream) == 0 && !ferror(log->stream) ? EAD_OK : fail(log->path, "write");
}

void ead_loss_log_close(EadLossLog *log) {
    if (log->stream) fclose(log->stream);
    free(log->path);
    free(log->kept);
    *log = (EadLossLog){0};
}
