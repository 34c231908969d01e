/* Files, repair, appending, walking. */
#include "train/journal/journal_files.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "train/journal/watch_result.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "results-%012" PRIu64 ".jsonl"
#define SCAN_NAME "results-%" SCNu64 ".jsonl%n"

EadStatus ead_journal_file(const EadJournal *journal, uint64_t first, char path[4096]) {
    char name[64];
    snprintf(name, sizeof name, FILE_NAME, first);
    return ead_path_in(path, journal->options.folder, name);
}

static EadStatus fail(const char *path, const char *what) {
    return ead_fail(EAD_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* ---- opening ---- */

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static EadStatus add_file(EadJournal *journal, uint64_t first) {
    EAD_TRY(ead_grow(&journal->firsts, &journal->capacity, journal->count, sizeof *journal->firsts,
                     "the journal's files"));
    journal->firsts[journal->count++] = first;
    return EAD_OK;
}

static EadStatus list_files(EadJournal *journal) {
    const char *folder = journal->options.folder;
    EadStatus status = EAD_OK;
    DIR *directory = opendir(folder);
    if (!directory) return fail(folder, "read this folder");
    for (struct dirent *entry; status == EAD_OK && (entry = readdir(directory)) != NULL;) {
        uint64_t first;
        int used = 0;
        if (sscanf(entry->d_name, SCAN_NAME, &first, &used) == 1 && used > 0 && !entry->d_name[used] &&
            first > 0 && first <= EAD_MOST_SEQUENCE)
            status = add_file(journal, first);
    }
    closedir(directory);
    if (journal->count > 0)
        qsort(journal->firsts, (size_t)journal->count, sizeof *journal->firsts, compare_numbers);
    return status;
}

/* Opens the file that begins with that line, new ones so that they outlast a crash. */
static EadStatus open_file(const EadJournal *journal, uint64_t first, int flags, int *descriptor) {
    EadPath path;
    EAD_TRY(ead_journal_file(journal, first, path));
    *descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0666);
    if (*descriptor < 0) return fail(path, "write");
    EadStatus status = flags ? ead_sync_folder_of(path) : EAD_OK;
    if (status == EAD_OK) return EAD_OK;
    close(*descriptor);
    *descriptor = -1;
    return status;
}

/* Where the last whole line of a text ends, and its number; 0: there is none. *strange: whole lines before that are no results. */
static size_t find_end(const char *text, size_t size, uint64_t *sequence, int *strange) {
    size_t end = 0;
    uint64_t number;
    int unknown = 0;
    for (size_t at = 0; at < size;) {
        const char *line_end = memchr(text + at, '\n', size - at);
        if (!line_end) break;
        size_t behind = (size_t)(line_end - text) + 1;
        bool known = ead_watch_result_sequence(text + at, behind - at, &number);
        unknown += !known;
        if (known) end = behind, *sequence = number, *strange = unknown;
        at = behind;
    }
    return end;
}

/* Whether this is what a crash leaves of one line, a part of it or blocks of zeros, and not lines that somebody wrote otherwise. */
static bool is_torn(const char *rest, size_t size) {
    while (size > 0 && *rest == '\n') rest++, size--;
    const char *end = memchr(rest, '\n', size);
    if (!end) return true;
    return memchr(rest, '\0', (size_t)(end - rest)) &&
           !memchr(end + 1, '\n', size - (size_t)(end - rest) - 1);
}

/* Cuts off what is no whole line at the end of the last file: a process was killed, or power failed, while it was written. */
static EadStatus repair(EadJournal *journal, EadStringList *notes) {
    EadPath path;
    char *text;
    size_t size;
    uint64_t last = 0;
    int strange = 0;
    EAD_TRY(ead_journal_file(journal, journal->firsts[journal->count - 1], path));
    EAD_TRY(ead_read_file(path, INT32_MAX - 1, &text, &size));
    size_t end = find_end(text, size, &last, &strange);
    bool torn = is_torn(text + end, size - end);
    free(text);
    if (!torn)
        return ead_fail(
            EAD_BAD_FILE,
            "%s: from byte %zu on, its lines are those of another version, or were changed; move it "
            "away, or name another --journal",
            path, end);
    if (strange > 0)
        EAD_TRY(ead_strings_print(notes, "%s: %d of its lines are damaged and passed over", path, strange));
    journal->size = journal->told = (off_t)end;
    journal->next = end > 0 ? last + 1 : journal->firsts[journal->count - 1];
    if (end == size) return EAD_OK;
    if (ftruncate(journal->descriptor, journal->size) != 0 || fsync(journal->descriptor) != 0)
        return fail(path, "repair");
    return ead_strings_print(notes, "%s: %zu bytes at its end were no whole line and are cut off", path,
                             size - end);
}

static EadStatus open_all(EadJournal *journal, EadStringList *notes) {
    EAD_TRY(ead_make_directories(journal->options.folder));
    EAD_TRY(ead_folder_lock_take(journal->options.folder, &journal->lock));
    EAD_TRY(list_files(journal));
    journal->fresh = journal->count == 0;
    journal->next = 1;
    if (journal->fresh) EAD_TRY(add_file(journal, 1));
    EAD_TRY(open_file(journal, journal->firsts[journal->count - 1], journal->fresh ? O_CREAT : 0,
                      &journal->descriptor));
    if (!journal->fresh) EAD_TRY(repair(journal, notes));
    journal->fresh = journal->next == 1;
    return EAD_OK;
}

EadStatus ead_journal_open(const EadJournalOptions *options, EadStringList *notes, EadJournal **out) {
    *out = NULL;
    EadJournal *journal = ead_new(1, sizeof *journal, "the journal");
    if (!journal) return EAD_NO_MEMORY;
    *journal = (EadJournal){.options = *options, .descriptor = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};
    EadStatus status = open_all(journal, notes);
    if (status == EAD_OK)
        *out = journal;
    else
        ead_journal_close(journal);
    return status;
}

void ead_journal_close(EadJournal *journal) {
    if (!journal) return;
    if (journal->descriptor >= 0) close(journal->descriptor);
    ead_file_lock_release(&journal->lock);
    pthread_mutex_destroy(&journal->mutex);
    free(journal->firsts);
    free(journal);
}

bool ead_journal_is_new(const EadJournal *journal) {
    return journal->fresh;
}

const char *ead_journal_folder(const EadJournal *journal) {
    return journal->options.folder;
}

uint64_t ead_journal_next(EadJournal *journal) {
    pthread_mutex_lock(&journal->mutex);
    uint64_t next = journal->next;
    pthread_mutex_unlock(&journal->mutex);
    return next;
}

/* ---- files ---- */

/* The index of the file with a line, under the mutex. */
static int file_index(const EadJournal *journal, uint64_t sequence) {
    int index = journal->count - 1;
    while (index > 0 && journal->firsts[index] > sequence) index--;
    return index;
}

uint64_t ead_journal_locate(EadJournal *journal, uint64_t sequence) {
    pthread_mutex_lock(&journal->mutex);
    uint64_t first = journal->firsts[file_index(journal, sequence)];
    pthread_mutex_unlock(&journal->mutex);
    return first;
}

uint64_t ead_journal_behind(EadJournal *journal, uint64_t first) {
    pthread_mutex_lock(&journal->mutex);
    int index = 0; /* the file itself may have been removed, when all its lines were told */
    while (index < journal->count && journal->firsts[index] <= first) index++;
    uint64_t behind = index < journal->count ? journal->firsts[index] : 0;
    pthread_mutex_unlock(&journal->mutex);
    return behind;
}

EadStatus ead_journal_extent(EadJournal *journal, uint64_t first, int descriptor, off_t *size) {
    struct stat info;
    pthread_mutex_lock(&journal->mutex);
    bool last = first == journal->firsts[journal->count - 1];
    *size = journal->told;
    pthread_mutex_unlock(&journal->mutex);
    if (last) return EAD_OK;
    if (fstat(descriptor, &info) != 0) return fail(journal->options.folder, "read its files");
    *size = info.st_size;
    return EAD_OK;
}

void ead_journal_thin_out(EadJournal *journal) {
    EadPath path;
    while (journal->count > journal->options.files) {
        EadJournalReader *reader = journal->readers;
        while (reader)
            if (ead_journal_reader_lacks(reader, &reader) < journal->firsts[1]) return;
        if (ead_journal_file(journal, journal->firsts[0], path) == EAD_OK) unlink(path);
        memmove(journal->firsts, journal->firsts + 1, (size_t)--journal->count * sizeof *journal->firsts);
    }
}

bool ead_journal_is_removed(int descriptor) {
    struct stat info;
    return fstat(descriptor, &info) == 0 && info.st_nlink == 0;
}

/* Knows the files that are there now. */
static EadStatus list_again(EadJournal *journal) {
    EadJournal found = {.options = journal->options};
    EadStatus status = list_files(&found);
    if (status == EAD_OK && found.count == 0)
        status = ead_fail(EAD_IO, "%s: is removed again and again", journal->options.folder);
    uint64_t *unused = status == EAD_OK ? journal->firsts : found.firsts;
    if (status == EAD_OK) {
        journal->firsts = found.firsts;
        journal->count = found.count;
        journal->capacity = found.capacity;
    }
    free(unused);
    return status;
}

/* Begins a file with the next line; anew: those before it may be gone. */
static EadStatus begin_file(EadJournal *journal, bool anew) {
    int descriptor;
    EAD_TRY(open_file(journal, journal->next, O_CREAT | O_TRUNC, &descriptor));
    pthread_mutex_lock(&journal->mutex);
    EadStatus status = anew ? list_again(journal) : add_file(journal, journal->next);
    if (status == EAD_OK) {
        close(journal->descriptor);
        journal->descriptor = descriptor;
        journal->size = journal->told = 0;
        ead_journal_thin_out(journal);
    }
    pthread_mutex_unlock(&journal->mutex);
    if (status != EAD_OK) close(descriptor);
    return status;
}

/* Its last file was removed under it: lines in it would be lost at the end. The folder may have gone with it, the lock, and what tells the
 * next start which lines the receivers lack. */
static EadStatus begin_anew(EadJournal *journal) {
    EadFileLock lock;
    EAD_TRY(ead_make_directories(journal->options.folder));
    EAD_TRY(ead_folder_lock_take(journal->options.folder, &lock));
    ead_file_lock_release(&journal->lock);
    journal->lock = lock;
    EAD_TRY(begin_file(journal, true));
    pthread_mutex_lock(&journal->mutex);
    for (EadJournalReader *reader = journal->readers, *following; reader; reader = following) {
        ead_journal_reader_lacks(reader, &following);
        ead_journal_reader_keep(reader);
    }
    pthread_mutex_unlock(&journal->mutex);
    return EAD_OK;
}

EadStatus ead_journal_append(EadJournal *journal, const char *line, size_t size) {
    EadPath path;
    if (ead_journal_is_removed(journal->descriptor)) EAD_TRY(begin_anew(journal));
    if (journal->size > 0 && journal->size + (off_t)size > journal->options.file_bytes)
        EAD_TRY(begin_file(journal, false));
    EAD_TRY(ead_journal_file(journal, journal->firsts[journal->count - 1], path));
    if (!ead_write_at(journal->descriptor, line, size, journal->size) ||
        fdatasync(journal->descriptor) != 0) {
        EadStatus status = fail(path, "write");
        bool cut = ftruncate(journal->descriptor, journal->size) == 0;
        (void)cut; /* else the next line is written over it */
        return status;
    }
    pthread_mutex_lock(&journal->mutex);
    journal->size += (off_t)size;
    journal->next++;
    pthread_mutex_unlock(&journal->mutex);
    return EAD_OK;
}

void ead_journal_tell(EadJournal *journal) {
    pthread_mutex_lock(&journal->mutex);
    journal->told = journal->size;
    for (EadJournalReader *reader = journal->readers, *following; reader; reader = following) {
        ead_journal_reader_lacks(reader, &following);
        ead_journal_reader_wake(reader);
    }
    pthread_mutex_unlock(&journal->mutex);
}
