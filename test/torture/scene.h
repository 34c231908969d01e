/* What all tries share, in one folder: data, models, configs, and for each command what it leaves when nothing
 * goes wrong, with the calls that it makes meanwhile. */
#pragma once

#include "test/torture/faults.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SCENE_PATH = 512 };

/* A command of the program as it is tried, in a folder of its own beside the shared ones. */
typedef struct TriedCommand {
    const char *name, *words, *again; /* again: what continues it; NULL: the same words */
    int inputs;                       /* that may each have an error line of their own */
    bool anew;                        /* the next run wants an empty folder */
    int weight;                       /* of all tries */
} TriedCommand;

enum { COMMANDS = 7 };
extern const TriedCommand tried_commands[COMMANDS];

/* The calls of a command's undisturbed run, sorted by kind, place in the program, and number. */
typedef struct CallList {
    FaultRecord *items; /* [count] */
    size_t count;
    uint32_t sites[FAULT_CALL_COUNT]; /* places in the program */
} CallList;

/* The call `which` (modulo their number) of those from place `site` of the program, 0 .. sites[call] - 1. */
const FaultRecord *scene_call(const CallList *calls, FaultCall call, uint32_t site, uint32_t which);

typedef struct TortureScene {
    char folder[SCENE_PATH], program[SCENE_PATH], preload[SCENE_PATH];
    CallList calls[COMMANDS];
    double seconds[COMMANDS];  /* of an undisturbed run */
    long long bytes[COMMANDS]; /* that it leaves */
} TortureScene;

/* Makes it all; ends the process with a message where that fails. */
void scene_make(TortureScene *scene);

/* Starts the program in a folder, as the leader of a new process group. Its streams go to STREAMS.out and STREAMS.err.
 * fault: NULL or TORTURE_FAULT's value; calls: NULL or TORTURE_CALLS's. */
pid_t scene_start(const TortureScene *scene, const char *folder, const char *streams, const char *words,
                  const char *fault, const char *calls);

/* Ends the process with a message. */
_Noreturn void scene_fail(const char *format, ...);

/* A folder of the scene. */
void scene_path(const TortureScene *scene, const char *name, char path[SCENE_PATH]);

double scene_clock(void);
