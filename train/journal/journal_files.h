/* Inside of the journal: its files, as the writer and the readers share them. */
#pragma once

#include "core/system/file_lock.h"
#include "train/journal/journal.h"

#include <pthread.h>
#include <sys/types.h>

struct EadJournal {
    EadJournalOptions options;
    EadFileLock lock;
    int descriptor;        /* of the last file */
    bool fresh;            /* nothing was ever in it */
    pthread_mutex_t mutex; /* of what follows */
    uint64_t *firsts;      /* [count] numbers of the files' first lines, ascending */
    int count, capacity;
    off_t size;    /* bytes of whole, synced lines in the last file */
    off_t told;    /* of them, those that readers may see */
    uint64_t next; /* number of the next line */
    EadJournalReader *readers;
};

/* Where a file lies. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_journal_file(const EadJournal *journal, uint64_t first, char path[4096]);

/* The first number of the file that holds a line, or will, or of the oldest; and of the file behind one, 0: there is none. */
uint64_t ead_journal_locate(EadJournal *journal, uint64_t sequence);
uint64_t ead_journal_behind(EadJournal *journal, uint64_t first);

/* Whether a file that is open has no name any more. */
bool ead_journal_is_removed(int descriptor);

/* Bytes of whole lines in a file that is open. Errors: EAD_IO. */
EadStatus ead_journal_extent(EadJournal *journal, uint64_t first, int descriptor, off_t *size);

/* Removes files that are too many and that no reader needs, under the mutex. */
void ead_journal_thin_out(EadJournal *journal);

/* Keeps the number of the last line that a reader has got in its file, under the mutex; in a new one where that was removed. */
void ead_journal_reader_keep(EadJournalReader *reader);

/* The first line that a reader lacks, under the mutex; the reader behind it. */
uint64_t ead_journal_reader_lacks(const EadJournalReader *reader, EadJournalReader **following);
