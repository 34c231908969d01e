/* Reading what is sent; appending to the file. */
#include "train/page/decisions.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/file/json_text.h"
#include "core/file/output_check.h"
#include "core/system/clock.h"
#include "train/support/json_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const names[EAD_DECISIONS] = {"none", "good", "defect"};

const char *ead_decision_name(EadDecision decision) {
    return names[decision];
}

EadStatus ead_decision_read(const char *text, size_t size, int64_t *sequence, EadDecision *out) {
    json_error_t error;
    json_t *root;
    EadStatus status = ead_json_parse("the decision", text, size, JSON_REJECT_DUPLICATES, &root, &error);
    if (status == EAD_BAD_FILE)
        return ead_fail(EAD_BAD_ARGUMENT, "the decision is no JSON: line %d: %s", error.line, error.text);
    EAD_TRY(status);
    const json_t *number = json_object_get(root, "sequence");
    const char *word = json_string_value(json_object_get(root, "decision"));
    int found = word ? EAD_DECISIONS - 1 : -1;
    while (found >= 0 && strcmp(names[found], word) != 0) found--;
    bool fits = found >= 0 && json_is_integer(number);
    if (fits) *sequence = json_integer_value(number), *out = (EadDecision)found;
    json_decref(root);
    return fits ? EAD_OK
                : ead_fail(EAD_BAD_ARGUMENT, "a decision is {\"sequence\": the image's number, \"decision\": "
                                             "\"good\", \"defect\" or \"none\"}");
}

/* ---- the file ---- */

EadStatus ead_decisions_check(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: is no regular file; --decisions names another place", path);
    return ead_check_replaced(path, "--decisions", "{\"time\":", "\"decision\":");
}

static void write_time(EadJson *json, const char *key, double seconds) {
    time_t whole = (time_t)seconds;
    struct tm utc;
    char text[64] = "", date[40] = "";
    if (gmtime_r(&whole, &utc)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof text, "%s.%03dZ", date, (int)(1e3 * (seconds - (double)whole)));
    ead_json_string(json, key, text);
}

static EadStatus write_line(const EadDecisionRecord *record, bool begun, char **line, size_t *size) {
    struct timespec now;
    FILE *stream = open_memstream(line, size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory for a decision");
    EadJson json = {.stream = stream, .compact = true};
    clock_gettime(CLOCK_REALTIME, &now);
    if (begun) putc('\n', stream);
    ead_json_open(&json, NULL, '{');
    write_time(&json, "time", (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    ead_json_integer(&json, "sequence", record->sequence);
    ead_json_string(&json, "source", record->source);
    ead_json_string(&json, "model", record->model);
    ead_json_string(&json, "sha256", record->sha256);
    write_time(&json, "scored", record->scored);
    ead_json_float(&json, "score", record->score);
    if (!isnan(record->threshold)) {
        ead_json_float(&json, "threshold", record->threshold);
        ead_json_flag(&json, "anomalous", record->score >= record->threshold);
    }
    ead_json_string(&json, "decision", names[record->decision]);
    ead_json_close(&json, '}');
    putc('\n', stream);
    return ead_memory_stream_close(stream, line, "a decision");
}

/* So that a new file's name is on the disk, too. */
static void sync_folder(const char *folder) {
    int descriptor = open(folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

/* Another server may write to the file, too. What keeps its lock for longer must not keep this server from answering. */
static EadStatus lock_file(int descriptor, const char *path) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    double end = ead_clock_seconds() + EAD_DECISION_PATIENCE;
    while (fcntl(descriptor, F_SETLK, &lock) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return EAD_OK; /* there are no locks here */
        if (ead_clock_seconds() > end)
            return ead_fail(EAD_BUSY, "%s: another program holds this file locked; try again", path);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return EAD_OK;
}

/* All of the line or nothing of it. */
static EadStatus append(int descriptor, const char *path, const EadDecisionRecord *record) {
    struct stat info;
    char *line = NULL, last = '\n';
    size_t size;
    if (fstat(descriptor, &info) != 0) return ead_fail(EAD_IO, "%s: %s", path, strerror(errno));
    if (info.st_size > 0 && !ead_read_at(descriptor, &last, 1, info.st_size - 1))
        return ead_fail(EAD_IO, "%s: cannot be read", path);
    EAD_TRY(write_line(record, last != '\n', &line, &size));
    bool written = ead_write_at(descriptor, line, size, info.st_size) && fsync(descriptor) == 0;
    int code = errno;
    free(line);
    if (written) return EAD_OK;
    if (ftruncate(descriptor, info.st_size) != 0) code = errno;
    return ead_fail(EAD_IO, "%s: the decision cannot be written: %s", path, strerror(code));
}

EadStatus ead_decisions_append(const char *path, const EadDecisionRecord *record) {
    EadPath folder;
    EAD_TRY(ead_decisions_check(path));
    EAD_TRY(ead_path_folder(folder, path));
    EAD_TRY(ead_make_directories(folder));
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
    if (descriptor < 0)
        return ead_fail(EAD_IO, "%s: the decision cannot be written: %s; --decisions names another place",
                        path, strerror(errno));
    EadStatus status = lock_file(descriptor, path);
    if (status == EAD_OK) status = append(descriptor, path, record);
    close(descriptor);
    if (status == EAD_OK) sync_folder(folder);
    return status;
}
