/* Reading the journal while it grows, for receivers and at the start. */
#include "train/journal/journal_files.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "train/journal/watch_result.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 18, MOST_LINE = 1 << 24, NUMBER_TEXT = 32, SENT_NAME = 128 };

/* A place in the journal, and the lines behind it. */
typedef struct JournalCursor {
    EadJournal *journal;
    int descriptor; /* -1: no file is open */
    uint64_t first; /* that begins with this line */
    off_t at;       /* of the first line that is not passed */
    char *bytes;    /* [capacity + 1], of them `size` from there on */
    size_t capacity, size;
} JournalCursor;

struct EadJournalReader {
    JournalCursor cursor;
    uint64_t next;         /* number of the first line that the receiver lacks; under the journal's mutex */
    int event;             /* eventfd */
    char file[SENT_NAME];  /* "NAME.sent"; "": the receiver knows itself what it has */
    int kept;              /* that file, or -1; under the mutex */
    EadJournalLine *lines; /* [count], of which some are sent */
    off_t *ends;           /* [count] */
    int count, capacity, end_capacity;
    struct EadJournalReader *following; /* in the journal's list */
};

static void close_cursor(JournalCursor *cursor) {
    if (cursor->descriptor >= 0) close(cursor->descriptor);
    cursor->descriptor = -1;
    free(cursor->bytes);
    cursor->bytes = NULL;
}

static EadStatus open_cursor(JournalCursor *cursor, uint64_t first) {
    EadPath path;
    EAD_TRY(ead_journal_file(cursor->journal, first, path));
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    if (cursor->descriptor >= 0) close(cursor->descriptor);
    cursor->descriptor = descriptor;
    cursor->first = first;
    cursor->at = 0;
    return EAD_OK;
}

/* Reads whole lines from the cursor's place on, at least one if there is one in this file. */
static EadStatus fill(JournalCursor *cursor) {
    off_t end;
    cursor->size = 0;
    EAD_TRY(ead_journal_extent(cursor->journal, cursor->first, cursor->descriptor, &end));
    for (size_t wanted = PIECE_BYTES; cursor->at < end && cursor->size == 0; wanted *= 2) {
        size_t left = (size_t)(end - cursor->at), size = left < wanted ? left : wanted;
        if (size > MOST_LINE) return ead_fail(EAD_BAD_FILE, "the journal holds a line without end");
        if (size > cursor->capacity) {
            free(cursor->bytes);
            cursor->capacity = 0;
            cursor->bytes = ead_new((int64_t)size + 1, 1, "lines of the journal");
            if (!cursor->bytes) return EAD_NO_MEMORY;
            cursor->capacity = size;
        }
        if (!ead_read_at(cursor->descriptor, cursor->bytes, size, cursor->at))
            return ead_fail(EAD_IO, "%s: cannot read the journal: %s", cursor->journal->options.folder,
                            errno ? strerror(errno) : "it is shorter than it was");
        while (size > 0 && cursor->bytes[size - 1] != '\n') size--;
        cursor->size = size;
        if (size == 0 && left <= wanted) cursor->at = end; /* an end without a line */
    }
    return EAD_OK;
}

/* The same, in the files behind this one if it holds no more. */
static EadStatus fill_on(JournalCursor *cursor) {
    for (;;) {
        uint64_t behind =
            ead_journal_behind(cursor->journal, cursor->first); /* before: what is then last may grow */
        EAD_TRY(fill(cursor));
        if (cursor->size > 0 || behind == 0) return EAD_OK;
        EAD_TRY(open_cursor(cursor, behind));
    }
}

/* ---- receivers ---- */

/* Lines from next on among those that were read. */
static EadStatus find_lines(EadJournalReader *reader, int most) {
    JournalCursor *cursor = &reader->cursor;
    for (size_t at = 0; at < cursor->size && reader->count < most;) {
        char *text = cursor->bytes + at, *end = memchr(text, '\n', cursor->size - at);
        size_t size = (size_t)(end - text);
        uint64_t sequence;
        at += size + 1;
        if (!ead_watch_result_sequence(text, size, &sequence) || sequence < reader->next) {
            if (reader->count == 0) cursor->at += (off_t)size + 1; /* is passed */
            continue;
        }
        EAD_TRY(ead_grow(&reader->lines, &reader->capacity, reader->count, sizeof *reader->lines, "lines"));
        EAD_TRY(ead_grow(&reader->ends, &reader->end_capacity, reader->count, sizeof *reader->ends, "lines"));
        *end = '\0';
        reader->lines[reader->count] = (EadJournalLine){text, size, sequence};
        reader->ends[reader->count++] = (off_t)at;
    }
    return EAD_OK;
}

EadStatus ead_journal_reader_lines(EadJournalReader *reader, int most, const EadJournalLine **lines,
                                   int *count) {
    JournalCursor *cursor = &reader->cursor;
    reader->count = *count = 0;
    do {
        EAD_TRY(fill_on(cursor));
        off_t base = cursor->at;
        EAD_TRY(find_lines(reader, most));
        for (int i = 0; i < reader->count; i++) reader->ends[i] += base;
    } while (reader->count == 0 && cursor->size > 0);
    *lines = reader->lines;
    *count = reader->count;
    return EAD_OK;
}

static EadStatus open_sent(EadJournalReader *reader, EadPath path, int *descriptor) {
    EAD_TRY(ead_path_in(path, reader->cursor.journal->options.folder, reader->file));
    *descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    return *descriptor >= 0 ? EAD_OK
                            : ead_fail(EAD_IO, "%s: cannot read and write: %s", path, strerror(errno));
}

/* Where the whole folder was removed it may be another process's by now, until the journal begins anew. */
static void replace_removed(EadJournalReader *reader) {
    EadPath path;
    int descriptor;
    if (!ead_journal_is_removed(reader->kept) || ead_journal_is_removed(reader->cursor.journal->descriptor) ||
        open_sent(reader, path, &descriptor) != EAD_OK)
        return;
    close(reader->kept);
    reader->kept = descriptor;
}

void ead_journal_reader_keep(EadJournalReader *reader) {
    char text[NUMBER_TEXT];
    if (reader->kept < 0) return;
    replace_removed(reader);
    int length = snprintf(text, sizeof text, "%020" PRIu64 "\n", reader->next - 1);
    bool kept = ead_write_at(reader->kept, text, (size_t)length, 0);
    (void)kept; /* else some lines are sent again after the next start */
}

void ead_journal_reader_sent(EadJournalReader *reader, int count) {
    if (count == 0) return;
    EadJournal *journal = reader->cursor.journal;
    pthread_mutex_lock(&journal->mutex);
    reader->next = reader->lines[count - 1].sequence + 1;
    ead_journal_reader_keep(reader);
    ead_journal_thin_out(journal);
    pthread_mutex_unlock(&journal->mutex);
    reader->cursor.at = reader->ends[count - 1];
}

/* The number in NAME.sent; one that is not there, or damaged, is as if it were new, or knew nothing. */
static EadStatus open_kept(EadJournalReader *reader, const char *name) {
    EadPath path;
    char text[NUMBER_TEXT] = "";
    uint64_t sent;
    snprintf(reader->file, sizeof reader->file, "%.100s.sent", name);
    EAD_TRY(open_sent(reader, path, &reader->kept));
    ssize_t got = pread(reader->kept, text, sizeof text - 1, 0);
    if (got < 0) return ead_fail(EAD_IO, "%s: cannot read and write: %s", path, strerror(errno));
    text[got] = '\0';
    bool known = sscanf(text, "%" SCNu64, &sent) == 1;
    if (known && sent < reader->next) reader->next = sent + 1;
    if (!known && got > 0) reader->next = 1;
    ead_journal_reader_keep(reader);
    return EAD_OK;
}

EadStatus ead_journal_reader_open(EadJournal *journal, const char *name, const uint64_t *known,
                                  EadJournalReader **out) {
    *out = NULL;
    EadJournalReader *reader = ead_new(1, sizeof *reader, "a reader of the journal");
    if (!reader) return EAD_NO_MEMORY;
    *reader = (EadJournalReader){.cursor = {.journal = journal, .descriptor = -1},
                                 .next = ead_journal_next(journal),
                                 .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                 .kept = -1};
    EadStatus status = reader->event >= 0 ? EAD_OK : ead_fail(EAD_IO, "eventfd: %s", strerror(errno));
    if (status == EAD_OK && known && *known >= reader->next)
        status =
            ead_fail(EAD_BAD_ARGUMENT,
                     "%s: has line %" PRIu64 ", which the journal %s does not have yet: it is of another one",
                     name, *known, journal->options.folder);
    if (known) reader->next = *known + 1;
    if (status == EAD_OK && !known) status = open_kept(reader, name);
    if (status == EAD_OK) status = open_cursor(&reader->cursor, ead_journal_locate(journal, reader->next));
    pthread_mutex_lock(&journal->mutex);
    reader->following = journal->readers;
    journal->readers = reader;
    pthread_mutex_unlock(&journal->mutex);
    if (status == EAD_OK)
        *out = reader;
    else
        ead_journal_reader_close(reader);
    return status;
}

void ead_journal_reader_close(EadJournalReader *reader) {
    if (!reader) return;
    EadJournal *journal = reader->cursor.journal;
    pthread_mutex_lock(&journal->mutex);
    EadJournalReader **place = &journal->readers;
    while (*place != reader) place = &(*place)->following;
    *place = reader->following;
    pthread_mutex_unlock(&journal->mutex);
    close_cursor(&reader->cursor);
    if (reader->event >= 0) close(reader->event);
    if (reader->kept >= 0) close(reader->kept);
    free(reader->lines);
    free(reader->ends);
    free(reader);
}

int ead_journal_reader_event(const EadJournalReader *reader) {
    return reader->event;
}

void ead_journal_reader_wake(EadJournalReader *reader) {
    uint64_t one = 1;
    bool told = write(reader->event, &one, sizeof one) == sizeof one;
    (void)told; /* else it is readable already */
}

uint64_t ead_journal_reader_lacks(const EadJournalReader *reader, EadJournalReader **following) {
    *following = reader->following;
    return reader->next;
}

uint64_t ead_journal_reader_behind(EadJournalReader *reader) {
    EadJournal *journal = reader->cursor.journal;
    pthread_mutex_lock(&journal->mutex);
    uint64_t behind = journal->next - reader->next;
    pthread_mutex_unlock(&journal->mutex);
    return behind;
}

/* ---- all lines ---- */

EadStatus ead_journal_walk(EadJournal *journal, bool (*see)(void *context, const char *line, size_t size),
                           void *context) {
    JournalCursor cursor = {.journal = journal, .descriptor = -1};
    bool more = true;
    EadStatus status = open_cursor(&cursor, ead_journal_locate(journal, 0));
    while (status == EAD_OK && more) {
        status = fill_on(&cursor);
        if (cursor.size == 0) break;
        for (size_t at = 0; status == EAD_OK && more && at < cursor.size;) {
            const char *text = cursor.bytes + at, *end = memchr(text, '\n', cursor.size - at);
            uint64_t sequence;
            size_t size = (size_t)(end - text);
            at += size + 1;
            if (ead_watch_result_sequence(text, size, &sequence)) more = see(context, text, size);
        }
        cursor.at += (off_t)cursor.size;
    }
    close_cursor(&cursor);
    return status;
}
