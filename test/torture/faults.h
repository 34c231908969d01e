/* What the preloaded library (preload_faults.c) lets fail, and how the driver tells it. */
#pragma once

#include <stdint.h>

/* X(kind of call, the errno of its failures): fopen() is an open, fflush() a write, link() a rename. */
#define FAULT_CALLS(X)                                                                                       \
    X(open, EMFILE)                                                                                          \
    X(read, EIO)                                                                                             \
    X(write, ENOSPC)                                                                                         \
    X(sync, EIO)                                                                                             \
    X(rename, EIO)                                                                                           \
    X(unlink, EACCES)                                                                                        \
    X(mkdir, ENOSPC)                                                                                         \
    X(map, ENOMEM)                                                                                           \
    X(lock, ENOLCK)                                                                                          \
    X(thread, EAGAIN)                                                                                        \
    X(process, EAGAIN)                                                                                       \
    X(memory, ENOMEM)

typedef enum FaultCall {
#define X(name, error) FAULT_##name,
    FAULT_CALLS(X)
#undef X
        FAULT_CALL_COUNT
} FaultCall;

/* TORTURE_FAULT="CALL N HOW": in each process, counted from 1,
 *   once    the N-th call of that kind fails
 *   from    that and all later ones
 *   short   the N-th reads or writes half of what it is asked to
 *   kill    the N-th is not done, of a write half, and the process group is killed (SIGKILL)
 * TORTURE_CALLS=FILE: each process adds a record for each of its calls at its end. */
typedef struct FaultRecord {
    uint32_t call;   /* FaultCall */
    uint32_t site;   /* a hash of the callers: where in the program it stands */
    uint32_t number; /* from 1, as N above */
} FaultRecord;
