/* Threads that follow the journal. */
#include "train/receivers/receivers.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/worker_threads.h"

#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { KINDS = 4, MOST_LINES = 64 };

static const double first_pause = 0.25, longest_pause = 30, look_around = 1;

typedef EadStatus OpenReceiver(const EadReceiverOptions *options, EadReceiver *out);

/* A receiver with its thread. */
typedef struct Following {
    EadReceiver receiver;
    EadJournalReader *reader;
    EadWorkers thread;
    atomic_bool *ending;
    atomic_bool ended;
    bool failing; /* was said */
} Following;

struct EadReceivers {
    Following list[KINDS];
    int count;
    atomic_bool ending;
};

/* Until the event comes, or `seconds` have passed; takes the event. */
static void wait_for(int event, double seconds) {
    uint64_t taken;
    struct pollfd wanted = {.fd = event, .events = POLLIN};
    if (poll(&wanted, 1, (int)(1e3 * seconds)) > 0 && read(event, &taken, sizeof taken) < 0) return;
}

/* Nothing but time and the end ends this pause. */
static void pause_before_retry(const Following *f, double seconds) {
    double end = ead_clock_seconds() + seconds;
    while (!atomic_load(f->ending) && ead_clock_seconds() < end)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static void tell_failure(Following *f) {
    if (!f->failing)
        ead_print(stderr, "efficientad: %s: %s; tried again\n", f->receiver.name, ead_error_message());
    f->failing = true;
}

static void tell_recovery(Following *f) {
    if (f->failing) ead_print(stderr, "%s: works again\n", f->receiver.name);
    f->failing = false;
}

/* Tells what there is. *none: nothing. */
static EadStatus tell_lines(Following *f, bool *none) {
    const EadJournalLine *lines;
    int count, told = 0;
    EAD_TRY(ead_journal_reader_lines(f->reader, MOST_LINES, &lines, &count));
    *none = count == 0;
    if (count == 0) return EAD_OK;
    EadStatus status = f->receiver.tell(f->receiver.state, lines, count, &told);
    ead_journal_reader_sent(f->reader, told);
    return status;
}

static void *follow(void *context) {
    Following *f = context;
    int event = ead_journal_reader_event(f->reader);
    double pause = first_pause;
    for (;;) {
        bool none = false, ending = atomic_load(f->ending);
        EadStatus status = tell_lines(f, &none);
        if (status == EAD_OK && !none) tell_recovery(f);
        if (ending && (none || status != EAD_OK)) break;
        if (status != EAD_OK) {
            tell_failure(f);
            pause_before_retry(f, pause);
            pause = 2 * pause < longest_pause ? 2 * pause : longest_pause;
            continue;
        }
        pause = first_pause;
        if (!none) continue;
        if (f->receiver.rest) f->receiver.rest(f->receiver.state, event, look_around);
        wait_for(event, f->receiver.rest ? 0 : look_around);
    }
    atomic_store(&f->ended, true);
    return NULL;
}

static EadStatus add(EadReceivers *all, EadJournal *journal, const EadReceiverOptions *options,
                     OpenReceiver *open) {
    Following *f = &all->list[all->count];
    uint64_t sent;
    *f = (Following){.ending = &all->ending};
    EAD_TRY(open(options, &f->receiver));
    EadStatus status = f->receiver.last ? f->receiver.last(f->receiver.state, &sent) : EAD_OK;
    if (status == EAD_OK)
        status =
            ead_journal_reader_open(journal, f->receiver.name, f->receiver.last ? &sent : NULL, &f->reader);
    if (status == EAD_OK) status = ead_workers_start(&f->thread, 1, follow, f);
    if (status == EAD_OK) all->count++;
    if (status != EAD_OK) ead_journal_reader_close(f->reader);
    if (status != EAD_OK) f->receiver.close(f->receiver.state);
    return status;
}

/* The kinds, and which of them are wanted. */
static int list_wanted(const EadReceiverOptions *options, OpenReceiver *open[KINDS]) {
    int count = 0;
    if (options->table) open[count++] = ead_receiver_table;
    if (options->command) open[count++] = ead_receiver_command;
    if (options->mqtt) open[count++] = ead_receiver_mqtt;
    if (options->webhook) open[count++] = ead_receiver_webhook;
    return count;
}

void ead_receivers_check(const EadReceiverOptions *options, EadProblems *problems) {
    OpenReceiver *open[KINDS];
    int count = list_wanted(options, open);
    for (int i = 0; i < count; i++) {
        EadReceiver receiver;
        EadStatus status = open[i](options, &receiver);
        if (status == EAD_OK) receiver.close(receiver.state);
        ead_problems_add(problems, status);
    }
}

EadStatus ead_receivers_start(const EadReceiverOptions *options, EadJournal *journal, EadReceivers **out) {
    OpenReceiver *open[KINDS];
    int count = list_wanted(options, open);
    *out = ead_new(1, sizeof **out, "those who are told");
    if (!*out) return EAD_NO_MEMORY;
    for (int i = 0; i < count; i++) EAD_TRY(add(*out, journal, options, open[i]));
    return EAD_OK;
}

bool ead_receivers_end(EadReceivers *all, double deadline) {
    bool ended = true;
    if (!all) return true;
    atomic_store(&all->ending, true);
    for (int i = 0; i < all->count; i++) ead_journal_reader_wake(all->list[i].reader);
    for (int i = 0; i < all->count; i++) {
        Following *f = &all->list[i];
        while (!atomic_load(&f->ended) && ead_clock_seconds() < deadline)
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        uint64_t behind = ead_journal_reader_behind(f->reader);
        if (behind > 0)
            ead_print(stderr,
                      "%s: %" PRIu64
                      " lines of the journal are still to be told, which the next start does\n",
                      f->receiver.name, behind);
        ended = ended && atomic_load(&f->ended);
    }
    if (!ended) return false; /* a thread waits for somebody, and ends with the process */
    for (int i = 0; i < all->count; i++) {
        Following *f = &all->list[i];
        ead_workers_join(&f->thread);
        f->receiver.close(f->receiver.state);
        ead_journal_reader_close(f->reader);
    }
    free(all);
    return true;
}
