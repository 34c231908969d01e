/* Who is told of each line of the journal: a broker of MQTT, a webhook, a command, a table of SQLite. Each has a thread, which follows the
 * journal at its own pace: lines go in order, each at least once, and what cannot be told now is told later, also by the next process. */
#pragma once

#include "train/support/problems.h"
#include "train/journal/journal.h"

/* As the options name them; borrowed; NULL: not wanted. */
typedef struct EadReceiverOptions {
    const char *mqtt, *webhook; /* addresses */
    const char *login;          /* file: user in the first line, password in the second; for MQTT */
    const char *token;          /* of the webhook: Authorization: Bearer */
    const char *authority, *certificate, *key; /* files (PEM), for both */
    const char *command;                       /* a program, for anomalous images */
    const char *table;                         /* a file of SQLite */
    double patience;                           /* seconds that a network may be silent */
} EadReceiverOptions;

/* A kind of receiver, at work. */
typedef struct EadReceiver {
    const char *name; /* "mqtt": of its file in the journal, and in messages */
    void *state;
    /* Opens what knows itself which line it got last; NULL: the journal keeps that. */
    EadStatus (*last)(void *state, uint64_t *sent);
    /* Tells lines, `count` of them, in order; *told: how many from the first on it surely has. Errors: any; the rest is told later. */
    EadStatus (*tell)(void *state, const EadJournalLine *lines, int count, int *told);
    /* While there is nothing to tell: until `event` is readable, at most `seconds`. NULL: nothing needs to be done meanwhile. */
    void (*rest)(void *state, int event, double seconds);
    void (*close)(void *state);
} EadReceiver;

/* Each looks at all that can be known to be wrong, connects to nothing yet, and makes nothing. Errors: EAD_UNSUPPORTED in a build without the library
 * (receivers.mk); EAD_BAD_ARGUMENT, EAD_IO, EAD_NO_MEMORY. `out` is to be closed only after EAD_OK. */
EadStatus ead_receiver_mqtt(const EadReceiverOptions *options, EadReceiver *out);
EadStatus ead_receiver_webhook(const EadReceiverOptions *options, EadReceiver *out);
EadStatus ead_receiver_command(const EadReceiverOptions *options, EadReceiver *out);
EadStatus ead_receiver_table(const EadReceiverOptions *options, EadReceiver *out);

typedef struct EadReceivers EadReceivers;

/* Adds what is wrong with those that are named. */
void ead_receivers_check(const EadReceiverOptions *options, EadProblems *problems);

/* Begins to tell them the journal's lines. Errors: those above, and of the journal; *out is to be ended all the same. */
EadStatus ead_receivers_start(const EadReceiverOptions *options, EadJournal *journal, EadReceivers **out);

/* Tells what is left, as far as that goes until then (ead_clock_seconds()); a receiver that cannot be reached is given up at once. What was
 * not told is told on stderr in numbers, and stays in the journal. Harmless on NULL. Returns whether all threads have ended: else the
 * journal must stay open. */
bool ead_receivers_end(EadReceivers *receivers, double deadline);

/* The body of the four in a build without a library. */
#define EAD_RECEIVER_WITHOUT(function, option, library, package)                                             \
    EadStatus function(const EadReceiverOptions *options, EadReceiver *out) {                                \
        (void)options, (void)out;                                                                            \
        return ead_fail(EAD_UNSUPPORTED, option ": this program was built without " library                  \
                                                "; install it (" package ") and build again");               \
    }
