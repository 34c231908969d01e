/* The journal of what was found: a folder with files of lines, each line synced before anybody is told of it. It is also the store from which
 * every receiver is served: each keeps the number of the last line that it has, so that none loses a line while it is away.
 *
 * results-000000000001.jsonl begins with line 1; a new file begins when one is full, and is named by its first line. Of the oldest ones
 * those go that are too many, unless a receiver lacks lines of them. A line that a crash cut off is taken out at the next start, and its
 * number is given anew. Locked: one process at a time. */
#pragma once

#include "core/base/string_list.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct EadJournal EadJournal;

typedef struct EadJournalOptions {
    const char *folder; /* made where it is missing */
    int64_t file_bytes; /* of a file, about */
    int files;          /* that are kept */
} EadJournalOptions;

/* Opens or makes it. `notes`: for people, what was repaired. Errors: EAD_BUSY, EAD_IO, EAD_BAD_ARGUMENT, EAD_NO_MEMORY. */
EadStatus ead_journal_open(const EadJournalOptions *options, EadStringList *notes, EadJournal **out);

/* Harmless on NULL; readers are closed before. */
void ead_journal_close(EadJournal *journal);

/* Whether it holds no line and never did. */
bool ead_journal_is_new(const EadJournal *journal);
const char *ead_journal_folder(const EadJournal *journal);

/* The number that the next line must have. */
uint64_t ead_journal_next(EadJournal *journal);

/* Adds a line [size] that ends with \n and has that number, and syncs it; readers see it only after ead_journal_tell(), before which
 * its image can be moved. One thread. Errors: EAD_IO, with nothing of it left. */
EadStatus ead_journal_append(EadJournal *journal, const char *line, size_t size);
void ead_journal_tell(EadJournal *journal);

/* Calls see() for each line, from the oldest on, as long as that returns true. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_journal_walk(EadJournal *journal, bool (*see)(void *context, const char *line, size_t size),
                           void *context);

/* ---- receivers ---- */

typedef struct EadJournalLine {
    const char *text; /* [size], without its \n, but with a 0 behind it */
    size_t size;
    uint64_t sequence;
} EadJournalLine;

/* Follows the journal; owned by one thread. */
typedef struct EadJournalReader EadJournalReader;

/* For the receiver `name`, whose file NAME.sent in the folder has the number of the last line it got; one that is new begins behind
 * the present end. known: the receiver itself knows the number (SQLite): *sent, and there is no file. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_journal_reader_open(EadJournal *journal, const char *name, const uint64_t *known,
                                  EadJournalReader **out);
void ead_journal_reader_close(EadJournalReader *reader); /* harmless on NULL */

/* The next lines, up to `most`, valid until the next call; *count 0: there are none. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_journal_reader_lines(EadJournalReader *reader, int most, const EadJournalLine **lines,
                                   int *count);

/* The receiver has the first `count` of them. */
void ead_journal_reader_sent(EadJournalReader *reader, int count);

/* A descriptor (eventfd) that becomes readable when a line is added; and makes it so, from any thread. */
int ead_journal_reader_event(const EadJournalReader *reader);
void ead_journal_reader_wake(EadJournalReader *reader);

/* How many lines the receiver lacks. */
uint64_t ead_journal_reader_behind(EadJournalReader *reader);
