/* A sweep: a matrix of training runs, every variant on every scenario with every seed, read from a YAML file:
 *
 *     title: What the hard feature loss brings
 *     output: runs/hard                  # every run has a folder OUTPUT/VARIANT/COLLECTION/CATEGORY/seed-N
 *     base: ../efficientad_s.yaml        # optional: a config to start from, relative to this file
 *     config:                            # optional: keys for all runs, as in a config file
 *       penalty.path: data/imagenet
 *     collections:                       # or the name of a file with such a mapping, relative to this file
 *       mvtec_ad:
 *         categories: [bottle, cable]    # omitted for a data set without categories
 *         config: {dataset.type: mvtec_ad, dataset.path: data/mvtec_ad}
 *     variants:                          # the first is the one that others are compared with
 *       full: {}
 *       no_hard_loss: {loss.hard_quantile: 0}
 *     seeds: [1, 2, 3]
 *
 * Later ones win: base, config, collection, variant, then --set. dataset.category, train.seed and output come
 * from the sweep itself. A variant named as a row of the paper's tables is shown beside it (paper: table4
 * shows all rows of Table 4; see train/sweep/paper_numbers.def). */
#pragma once

#include "core/base/paths.h"
#include "core/base/string_list.h"
#include "train/config/config.h"

#include <sys/types.h>

/* A collection or a variant. */
typedef struct EadSweepGroup {
    const char *name;         /* in the file */
    const EadYamlNode *keys;  /* config keys, in a file of the sweep; NULL: none */
    EadStringList categories; /* of a collection; empty: one run without a category */
    bool unread;              /* what is wrong with it may have named keys */
} EadSweepGroup;

typedef struct EadSweepRun {
    int variant, collection, category; /* category -1: none */
    uint64_t seed;
    char *name;       /* VARIANT/COLLECTION/CATEGORY/seed-N, owned */
    EadConfig config; /* owned; output: the run's folder */
    int source;       /* an earlier run that trains the same weights, or -1 */
    int placed;       /* of config.problems: so many say where they stand themselves */
    int gathered;     /* of these: so many are in EadSweep.problems */
} EadSweepRun;

typedef struct EadSweep {
    char *path, *name; /* of the file; name: without folder and extension */
    char *title, *output, *paper, *base;
    EadYamlNode *file, *collections_file; /* as read, owned */
    const EadYamlNode *keys;              /* config keys for all runs; NULL: none */
    EadSweepGroup *collections, *variants;
    int collection_count, variant_count;
    uint64_t *seeds;
    int seed_count;
    const char *const *settings; /* [setting_count], borrowed: "key=value" for all runs */
    int setting_count;
    EadSweepRun *runs; /* [run_count], by variant, collection, category, seed */
    int run_count;
    EadProblems problems;                  /* all that is wrong with it, for ead_problems_tell() */
    bool unread;                           /* some of these may have named keys for all runs */
    EadStatus (*check)(EadConfig *config); /* of every run's config; NULL: ead_config_check() */
    /* Of every run that is to be done: the files that it reads, but for the data set, and what it writes. The first adds
     * to config->problems. NULL: nothing. */
    void (*check_inputs)(EadConfig *config);
    void (*check_outputs)(const EadConfig *config, EadProblems *problems);
    /* What a run trains, "70000 steps", into text [EAD_TRAINED_SIZE]; NULL: as train.steps says. */
    void (*trained)(const EadConfig *config, char *text);
} EadSweep;

/* Reads the file, or the table of the paper that comes with the program by that name (table1); no runs yet. All that is wrong goes to sweep->problems, and what can be used is kept, with something
 * in place of what is missing, so that the runs can be made and more be found. Errors: the first of these: EAD_IO;
 * EAD_BAD_FILE, "FILE:LINE: ..."; EAD_NO_MEMORY, after which there is nothing more to do. Free always. */
EadStatus ead_sweep_load(const char *path, EadSweep *sweep);

/* Whether what is wrong begins with the name of a field, or quotes it, so that it may have been meant. */
bool ead_sweep_mentions(const EadSweep *sweep, const char *field);

/* Makes the runs: their names and configs, each checked for training. settings [setting_count]: "key=value",
 * applied last; output: replaces the file's, or NULL. Reads no data. Errors: the first of sweep->problems,
 * to which it adds: EAD_BAD_ARGUMENT, EAD_BAD_FILE of a layer, EAD_NO_MEMORY. */
EadStatus ead_sweep_expand(EadSweep *sweep, const char *output, const char *const *settings,
                           int setting_count);

/* Adds to sweep->problems what has been added to those of its runs: each thing once, with the number of runs that it
 * concerns. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_gather(EadSweep *sweep);

/* Harmless on a zeroed sweep. */
void ead_sweep_free(EadSweep *sweep);

enum { EAD_TRAINED_SIZE = 64 };

/* What is left to do of a run. */
typedef enum EadRunState {
    EAD_RUN_NEW,
    EAD_RUN_STARTED,  /* can be resumed */
    EAD_RUN_ACTIVE,   /* a process is at it */
    EAD_RUN_FINISHED, /* its metrics and model are there */
    EAD_RUN_DAMAGED,  /* a result or config.yaml of it cannot be used; it can be resumed */
    EAD_RUN_CHANGED,  /* made with a config that gives other metrics */
} EadRunState;

/* "new", "started", "active", "finished", "damaged", "changed". */
const char *ead_run_state_name(EadRunState state);

/* Looks at a run's folder, which need not exist; sweep and report go by what it says. config: of the run as the sweep
 * would do it; NULL: not known. EAD_RUN_CHANGED leaves the key in ead_error_message(), EAD_RUN_DAMAGED the file.
 * Errors: EAD_NO_MEMORY; EAD_IO for a config.yaml that cannot be read. */
EadStatus ead_sweep_state(const char *folder, const EadConfig *config, EadRunState *state);

/* Whether a file of that name is in the run's folder. */
bool ead_sweep_holds(const EadSweepRun *run, const char *name);

/* Writes the run's error lines from byte `start` of its log.txt on, else how its process ended (status of
 * waitpid()) and the log's last line, into text [size]. */
void ead_sweep_log_reason(const EadSweepRun *run, off_t start, int status, char *text, size_t size);

typedef struct EadSweepWork {
    int jobs;           /* runs at a time, >= 1 */
    EadShard shard;     /* only the runs of that part */
    const char *device; /* --device of the runs */
    int threads;        /* of each run; 0: as its config says, or the processors shared out among the jobs */
    EadSweep *sweep;    /* expanded */
} EadSweepWork;

/* Whether a run belongs to the shard. Runs that share a training stay together. */
bool ead_sweep_in_shard(const EadSweepWork *work, int run);

/* Looks for what the runs of the shard that are not finished read, tries what they will write, and looks at what is in
 * their folders: one that cannot be written to, or holds another run. Adds what is wrong to sweep->problems, each thing
 * once. Leaves nothing behind. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_check(const EadSweepWork *work);

/* Does what is left: starts this program's `train --resume` for every run of the shard that is not finished,
 * `jobs` at a time, reports on stderr what begins, ends and fails, and goes on after failures. Output of a
 * run goes to log.txt in its folder, which is locked as long as its process lives, so that two sweeps, or a
 * sweep and `train`, never work on the same run. Sets OMP_WAIT_POLICY=passive for the runs unless it is set.
 * Errors: EAD_BAD_ARGUMENT when all is done and some runs have failed; EAD_INTERRUPTED after Ctrl-C or
 * SIGTERM, when the runs have written their checkpoints; EAD_IO where no process can be made. */
EadStatus ead_sweep_work(const EadSweepWork *work);

/* OUTPUT/NAME.sweep.json. Errors: EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_sweep_manifest_path(const EadSweep *sweep, EadPath path);

/* Writes it: what the sweep consists of, for the command report, and the number of parts it is done in. Error: EAD_IO. */
EadStatus ead_sweep_write_manifest(const EadSweep *sweep, int parts);

/* The number of parts in that file; 0 where there is none, or no such number in it. Error: EAD_NO_MEMORY. */
EadStatus ead_sweep_begun_in(const EadSweep *sweep, int *parts);
