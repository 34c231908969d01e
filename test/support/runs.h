/* Training runs and runs of the program ($PROGRAM) as its user starts it: their configs, what they said, and what they
 * left in their folders. */
#pragma once

#include "core/file/safetensors.h"
#include "test/support/scratch.h"
#include "train/config/config.h"

#include <sys/types.h>

/* A config of YAML, the run's folder and "key=value key=value ...". */
void configure_run(EadConfig *config, const char *base, const char *run, const char *settings);

/* Reads exactly `count` rows of losses.csv, numbered from 1: values [count][columns] without the step. */
void read_loss_rows(const char *run, const char *header, int count, int columns, double *values);

/* Whether two model files hold the same tensors, bit for bit. Their metadata differ: they name the folder. */
bool same_tensors(const char *a, const char *b);

/* Whether those of a are in b, which may hold more. */
bool tensors_within(const char *a, const char *b);

/* Whether the runs in two folders (names end in a slash) gave the same bits. */
bool same_runs(const char *a, const char *b);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

#define NEED_PROGRAM() SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set")

enum { TEXT_SIZE = 16384, EXIT_KILLED = -1 };

typedef struct Outcome {
    int code; /* EXIT_KILLED after a signal */
    char out[TEXT_SIZE], err[TEXT_SIZE];
    int lines, complaints; /* of err; complaints begin with "efficientad: " */
} Outcome;

/* The folder (a slash at its end) for the streams of the program, before the first start. */
void program_runs_in(const char *folder);

/* The start of a file, as text[TEXT_SIZE]. */
void read_into(const char *path, char *text);

/* Starts the program with these words of a shell; waits for its end; both. limit: bytes that a file may grow to, as if
 * the disk were then full; 0: none. run_well(): it must succeed without complaints. */
pid_t start(const char *words, long limit);
void await(pid_t child, Outcome *outcome);
void run(const char *words, long limit, Outcome *outcome);
void run_well(const char *words);

/* A data set drawn anew with these options of synth, without some kinds of defects. */
void draw_parts(const char *folder, const char *options, const char *left_out);

/* Removes these kinds of defects, "chip doubled ...", from a category's folder. */
void remove_defects(const char *category, const char *kinds);

/* Waits until a file is there, which a child that still runs makes. */
void await_file(const char *path, pid_t child);

/* What main() of a suite of runs does: the suite has one case, `add_tests` fills it; `make` and
 * `remove_all` make and remove what they share in `folder`, which is that of program_runs_in(). */
int run_program_suite(const char *name, const char *folder, void (*make)(void), void (*remove_all)(void),
                      void (*add_tests)(TCase *tests));

/* Runs the program with these arguments (and what follows them in the shell), its streams in files of the
 * folder. Gives its exit code. */
int run_program(const char *folder, const char *arguments);
