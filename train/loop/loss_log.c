/* Writing of losses.csv, which outlives interruptions. */
#include "train/loop/loss_log.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE = 1 << 30, LINE_SIZE = 512 };

int ead_loss_count(const EadLossColumn *columns) {
    int count = 0;
    while (columns[count].name) count++;
    return count;
}

static EadStatus fail(const char *path, const char *what) {
    return ead_fail(EAD_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* Copies the header and rows 1..done of the old file. */
static EadStatus copy_rows(FILE *from, FILE *to, const char *path, const char *header, int64_t done) {
    char line[LINE_SIZE];
    int64_t row = -1;
    while (row < done && fgets(line, sizeof line, from)) {
        row++;
        bool expected = row == 0 ? strcmp(line, header) == 0 : strtoll(line, NULL, 10) == row;
        if (!expected || !strchr(line, '\n')) break;
        if (fputs(line, to) == EOF) return fail(path, "write");
    }
    if (row == done) return EAD_OK;
    return ead_fail(EAD_BAD_FILE,
                    "%s: does not hold steps 1 to %lld that the checkpoint has done; delete the run and "
                    "start again",
                    path, (long long)done);
}

static EadStatus keep_rows(const char *path, const char *header, int64_t done) {
    char *text;
    size_t size;
    EAD_TRY(ead_read_text(path, MAX_FILE, &text, &size));
    EadAtomicFile file;
    FILE *old = fmemopen(text, size ? size : 1, "r");
    EadStatus status =
        old ? ead_atomic_file_open(&file, path) : ead_fail(EAD_NO_MEMORY, "no memory to read %s", path);
    if (status == EAD_OK) {
        status = copy_rows(old, file.stream, path, header, done);
        if (status == EAD_OK)
            status = ead_atomic_file_commit(&file);
        else
            ead_atomic_file_discard(&file);
    }
    if (old) fclose(old);
    free(text);
    return status;
}

EadStatus ead_loss_log_open(EadLossLog *log, const char *path, const EadLossColumn *columns, int64_t done) {
    char header[LINE_SIZE];
    struct stat info;
    *log = (EadLossLog){0};
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) /* reading a FIFO would wait for ever */
        return ead_fail(EAD_IO, "%s: is not a regular file; move it away", path);
    size_t used = (size_t)snprintf(header, LINE_SIZE, "step"); /* step,NAME,...,lr */
    for (; columns->name && used < LINE_SIZE; columns++)
        used += (size_t)snprintf(header + used, LINE_SIZE - used, ",%s", columns->name);
    if (used < LINE_SIZE) snprintf(header + used, LINE_SIZE - used, ",lr\n");
    if (done > 0) EAD_TRY(keep_rows(path, header, done));
    log->path = ead_strdup(path);
    if (!log->path) return EAD_NO_MEMORY;
    log->stream = fopen(path, done > 0 ? "ae" : "we");
    if (!log->stream || (done == 0 && fputs(header, log->stream) == EOF)) {
        EadStatus status = fail(path, "write");
        ead_loss_log_close(log);
        return status;
    }
    return EAD_OK;
}

EadStatus ead_loss_log_append(EadLossLog *log, int64_t step, const float *values, int count) {
    bool written = fprintf(log->stream, "%lld", (long long)step) > 0;
    for (int i = 0; i < count; i++) written &= fprintf(log->stream, ",%.9g", (double)values[i]) > 0;
    written &= putc('\n', log->stream) != EOF;
    return written ? EAD_OK : fail(log->path, "write");
}

EadStatus ead_loss_log_flush(EadLossLog *log) {
    return fflush(log->stream) == 0 && !ferror(log->stream) ? EAD_OK : fail(log->path, "write");
}

void ead_loss_log_close(EadLossLog *log) {
    if (log->stream) fclose(log->stream);
    free(log->path);
    *log = (EadLossLog){0};
}
