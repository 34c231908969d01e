/* One try: a command of the program, disturbed in one way, and what must hold afterwards. */
#pragma once

#include "test/torture/scene.h"

/* X(kind, tries of a short and of a long torture, what is done) */
#define TRY_KINDS(X)                                                                                         \
    X(kill, 24, 1000, "ended by SIGKILL, at a moment or in a call")                                          \
    X(fault, 40, 2000, "a call for files, threads or processes fails")                                       \
    X(memory, 40, 2000, "an allocation fails")                                                               \
    X(disk, 7, 70, "the disk is full")                                                                       \
    X(pair, 7, 70, "two processes in one folder")

typedef enum TryKind {
#define X(name, few, many, text) TRY_##name,
    TRY_KINDS(X)
#undef X
        TRY_KIND_COUNT
} TryKind;

typedef enum TryResult { TRY_HELD, TRY_FAILED, TRY_SKIPPED } TryResult;

enum { TRY_TEXT = 2048, HOW_SIZE = 64 };

/* What was tried and what came of it. */
typedef struct Attempt {
    TryKind kind;
    uint32_t number;
    int command;         /* index in tried_commands */
    char how[HOW_SIZE];  /* the disturbance: a fault as in TORTURE_FAULT, "SECONDS s" or "SIZE KB" */
    char what[TRY_TEXT]; /* what did not hold, or why it was skipped */
    int litter;          /* files that the disturbed process left and the next run removed */
} Attempt;

/* A kind and a number make the same try with the same seed, but for calls that threads make in another order; how: NULL,
 * or the disturbance, as an Attempt tells it. It happens in a new folder KIND-NUMBER of the scene, with the streams of
 * scene_start() beside it. */
TryResult attempt(const TortureScene *scene, uint64_t seed, TryKind kind, uint32_t number, const char *how,
                  Attempt *out);
