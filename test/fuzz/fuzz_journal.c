/* libFuzzer target: any bytes as the file of a journal. What is opened takes a line and gives it back after all that was there; what
 * is refused is left as it was. */
#include "core/base/file_bytes.h"
#include "train/journal/journal.h"
#include "train/journal/watch_result.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

static const char *scratch_folder(void) {
    static char shared[] = "/dev/shm/fuzz_journal_XXXXXX", other[] = "/tmp/fuzz_journal_XXXXXX";
    static const char *folder;
    if (!folder && !(folder = mkdtemp(shared))) require((folder = mkdtemp(other)) != NULL);
    return folder;
}

typedef struct Seen {
    int lines;
    uint64_t last;
} Seen;

static bool see(void *context, const char *line, size_t size) {
    Seen *seen = context;
    json_t *root;
    EadPath path;
    seen->lines++;
    if (!ead_watch_result_sequence(line, size, &seen->last)) seen->last = 0;
    if (ead_watch_result_read(line, size, &root) != EAD_OK) return true;
    if (ead_result_path_read(root, "path", path)) require(strlen(path) < sizeof path);
    json_decref(root);
    return true;
}

/* Opens it and looks at all lines; NULL: it is refused. */
static EadJournal *open_journal(Seen *seen) {
    EadJournalOptions options = {.folder = scratch_folder(), .file_bytes = 1 << 20, .files = 2};
    EadStringList notes = {0};
    EadJournal *journal;
    EadStatus status = ead_journal_open(&options, &notes, &journal);
    *seen = (Seen){0};
    require(status == EAD_OK ? journal != NULL : !journal && ead_error_message()[0] != '\0');
    if (journal) require(ead_journal_walk(journal, see, seen) == EAD_OK);
    ead_strings_free(&notes);
    return journal;
}

static void require_unchanged(const char *path, const uint8_t *bytes, size_t size) {
    char *text;
    size_t length;
    require(ead_read_file(path, INT32_MAX - 1, &text, &length) == EAD_OK);
    require(length == size && memcmp(text, bytes, size) == 0);
    free(text);
}

static void add_line(EadJournal *journal, uint64_t sequence) {
    char line[128];
    int length = snprintf(line, sizeof line, "{\"schema\":%d,\"sequence\":%" PRIu64 ",\"path\":\"a.png\"}\n",
                          EAD_RESULT_SCHEMA, sequence);
    require(ead_journal_append(journal, line, (size_t)length) == EAD_OK);
    ead_journal_tell(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char path[64];
    Seen before, after;
    snprintf(path, sizeof path, "%s/results-000000000001.jsonl", scratch_folder());
    FILE *file = fopen(path, "wb");
    require(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    EadJournal *journal = open_journal(&before);
    if (!journal) {
        require_unchanged(path, bytes, size);
        return 0;
    }
    uint64_t next = ead_journal_next(journal);
    bool room = next <= EAD_MOST_SEQUENCE;
    if (room) add_line(journal, next);
    ead_journal_close(journal);
    if (!room) return 0;
    require((journal = open_journal(&after)) != NULL);
    require(ead_journal_next(journal) == next + 1 && after.last == next && after.lines == before.lines + 1);
    ead_journal_close(journal);
    return 0;
}
