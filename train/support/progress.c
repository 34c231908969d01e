/* Formatting and pacing of the progress line; walks. */
#define _DEFAULT_SOURCE
#include "train/support/progress.h"

#include "core/base/minmax.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/ordered_work.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_PERIOD 0.2 /* seconds between two writes */
#define LOG_PERIOD      30.0
enum { LINE_SIZE = 256, DEFAULT_COLUMNS = 80 };

void ead_progress_start(EadProgress *progress, const char *what, int64_t first, int64_t total, bool quiet) {
    bool terminal = isatty(STDERR_FILENO) == 1;
    double now = ead_clock_seconds();
    struct winsize window = {0};
    bool known = terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    *progress = (EadProgress){.what = what,
                              .first = first,
                              .total = total,
                              .done = first,
                              .quiet = quiet,
                              .terminal = terminal,
                              .start = now,
                              .shown = now,
                              .columns = known      ? window.ws_col
                                         : terminal ? DEFAULT_COLUMNS
                                                    : LINE_SIZE};
}

/* 75 -> "1:15", 3675 -> "1:01:15". */
static void format_duration(double seconds, char *text, size_t size) {
    long whole = seconds < 0 ? 0 : seconds < 3.6e8 ? (long)(seconds + 0.5) : 360000000L;
    if (whole < 3600)
        snprintf(text, size, "%ld:%02ld", whole / 60, whole % 60);
    else
        snprintf(text, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

void ead_progress_format(const EadProgress *progress, double elapsed, const char *note, char *line,
                         size_t size) {
    char spent[24], left[24] = "?", speed[32] = "-/s";
    int64_t since = progress->done - progress->first, remaining = progress->total - progress->done;
    if (since > 0 && elapsed > 0) {
        double rate = (double)since / elapsed;
        snprintf(speed, sizeof speed, rate >= 1 ? "%.1f/s" : "%.2f s each", rate >= 1 ? rate : 1 / rate);
        format_duration((double)remaining / rate, left, sizeof left);
    }
    format_duration(elapsed, spent, sizeof spent);
    double percent = progress->total > 0 ? 100.0 * (double)progress->done / (double)progress->total : 100;
    snprintf(line, size, "%s %lld/%lld %.0f%%  %s  %s, %s left%s%s", progress->what,
             (long long)progress->done, (long long)progress->total, percent, speed, spent, left,
             note ? "  " : "", note ? note : "");
}

const char *ead_duration_text(double seconds, char text[EAD_DURATION_SIZE]) {
    if (seconds > 0 && seconds < 0.9995)
        snprintf(text, EAD_DURATION_SIZE, "%.3g ms", 1e3 * seconds);
    else if (seconds < 120)
        snprintf(text, EAD_DURATION_SIZE, "%.3g s", seconds);
    else if (seconds < 7200) /* 9.96 minutes are 10 */
        snprintf(text, EAD_DURATION_SIZE, "%.*f minutes", seconds < 597 ? 1 : 0, seconds / 60);
    else if (seconds < 172800)
        snprintf(text, EAD_DURATION_SIZE, "%.1f hours", seconds / 3600);
    else
        snprintf(text, EAD_DURATION_SIZE, "%.1f days", seconds / 86400);
    return text;
}

static void show(EadProgress *progress, double now, const char *note) {
    char line[LINE_SIZE];
    ead_progress_format(progress, now - progress->start, note, line, sizeof line);
    ead_make_printable(line);
    progress->shown = now;
    if (!progress->terminal) {
        fprintf(stderr, "%s\n", line);
        return;
    }
    /* A line that wraps could not be rewritten; what a longer line left behind is blanked. */
    int length = ead_min((int64_t)strlen(line), progress->columns - 1);
    int blanks = progress->length > length ? progress->length - length : 0;
    fprintf(stderr, "\r%.*s%*s", length, line, blanks, "");
    fflush(stderr);
    progress->length = length;
}

void ead_progress_update(EadProgress *progress, int64_t done, const char *note) {
    progress->done = done;
    if (progress->quiet) return;
    double now = ead_clock_seconds();
    if (now - progress->shown < (progress->terminal ? TERMINAL_PERIOD : LOG_PERIOD)) return;
    show(progress, now, note);
}

void ead_progress_clear(EadProgress *progress) {
    if (progress->quiet || progress->length == 0) return;
    fprintf(stderr, "\r%*s\r", progress->length, "");
    progress->length = 0;
}

void ead_progress_finish(EadProgress *progress) {
    if (progress->quiet) return;
    show(progress, ead_clock_seconds(), NULL);
    if (progress->terminal) fputc('\n', stderr);
    progress->quiet = true;
}

/* What a walk's pieces have in common. */
typedef struct WalkRun {
    const EadWalk *walk;
    const EadWalkWork *work;
    void *context;
    EadProgress progress;
    int next;
    bool stopped;
} WalkRun;

/* The caller's piece lies behind it. */
typedef struct WalkPiece {
    const WalkRun *run;
    int index;
    _Alignas(max_align_t) unsigned char own[];
} WalkPiece;

static EadStatus take_piece(void *context, void *memory, bool *found) {
    WalkRun *run = context;
    WalkPiece *piece = memory;
    const EadWalk *walk = run->walk;
    *found = run->next < walk->count;
    run->stopped = *found && run->next > walk->first && (walk->stop ? walk->stop() : ead_interrupted());
    if (run->stopped) *found = false;
    if (!*found) return EAD_OK;
    piece->run = run;
    piece->index = run->next++;
    return run->work->begin ? run->work->begin(run->context, piece->index, piece->own) : EAD_OK;
}

static EadStatus work_on_piece(void *context, void *memory) {
    const WalkRun *run = context;
    WalkPiece *piece = memory;
    return run->work->work ? run->work->work(run->context, piece->index, piece->own) : EAD_OK;
}

static EadStatus deliver_piece(void *context, void *memory, EadStatus status) {
    WalkRun *run = context;
    WalkPiece *piece = memory;
    EAD_TRY(run->work->deliver(run->context, piece->index, piece->own, status));
    ead_progress_update(&run->progress, piece->index + 1, NULL);
    return EAD_OK;
}

static void release_piece(void *memory) {
    WalkPiece *piece = memory;
    if (piece->run && piece->run->work->release) piece->run->work->release(piece->own);
}

EadStatus ead_walk_side_by_side(const EadWalk *walk, const EadWalkWork *work, int threads, void *context) {
    WalkRun run = {.walk = walk, .work = work, .context = context, .next = walk->first};
    EadOrderedWork pieces = {.piece_bytes = sizeof(WalkPiece) + work->piece_bytes,
                             .take = take_piece,
                             .work = work_on_piece,
                             .deliver = deliver_piece,
                             .release = release_piece,
                             .context = &run};
    ead_progress_start(&run.progress, walk->what, walk->first, walk->count, walk->quiet);
    EadStatus status = ead_work_in_order(&pieces, threads);
    ead_progress_finish(&run.progress);
    if (status != EAD_OK || !run.stopped) return status;
    return ead_fail(EAD_INTERRUPTED, "stopped while %s, after %d of %d%s%s", walk->what, run.next,
                    walk->count, walk->hint ? "; " : "", walk->hint ? walk->hint : "");
}

/* A walk whose pieces are nothing but visits. */
typedef struct Visits {
    EadStatus (*visit)(void *context, int index);
    void *context;
} Visits;

static EadStatus visit_one(void *context, int index, void *piece, EadStatus status) {
    const Visits *visits = context;
    (void)piece, (void)status;
    return visits->visit(visits->context, index);
}

EadStatus ead_walk(const EadWalk *walk, EadStatus (*visit)(void *context, int index), void *context) {
    Visits visits = {visit, context};
    return ead_walk_side_by_side(walk, &(EadWalkWork){.deliver = visit_one}, 1, &visits);
}
