/* Status codes and the one error message of the calling thread.
 *
 * A fallible function returns an EadStatus; on anything but EAD_OK it has called ead_fail(), which keeps one
 * line for people: what is wrong, in which file, with which value, and how to cure it. Libraries never print
 * and never exit; only the program's main() does. Slips of our own (not the user's) are assert()s. */
#pragma once

/* X(code, what it means). The order is the numeric value, EAD_OK is 0. */
#define EAD_STATUS_LIST(X)                                                                                   \
    X(EAD_OK, "success")                                                                                     \
    X(EAD_BAD_ARGUMENT, "a value is out of range or does not fit the others")                                \
    X(EAD_BAD_SHAPE, "tensor or image sizes do not fit together")                                            \
    X(EAD_BAD_FILE, "a file's content is malformed")                                                         \
    X(EAD_IO, "a file could not be opened, read or written")                                                 \
    X(EAD_NO_MEMORY, "memory could not be had")                                                              \
    X(EAD_UNSUPPORTED, "valid, but not supported by this build or machine")                                  \
    X(EAD_INTERRUPTED, "stopped on request")                                                                 \
    X(EAD_NOT_FINITE, "a computed value is infinite or not a number")                                        \
    X(EAD_BUSY, "another process works on the same files")                                                   \
    X(EAD_OTHER_RANK, "another process of the same run failed, and says why")

typedef enum EadStatus {
#define X(code, text) code,
    EAD_STATUS_LIST(X)
#undef X
} EadStatus;

#if defined(__GNUC__)
#define EAD_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define EAD_PRINTF(text, first)
#endif

/* Sets the thread's message (printf-style, cut at 1023 bytes, made printable: core/base/printing.h) and
 * returns status, so that `return ead_fail(EAD_IO, "%s: %s", path, strerror(errno));` is all a caller
 * writes. */
EadStatus ead_fail(EadStatus status, const char *format, ...) EAD_PRINTF(2, 3);

/* Puts a prefix before the present message ("file: line 3: " ...) and returns status unchanged. */
EadStatus ead_fail_prefix(EadStatus status, const char *format, ...) EAD_PRINTF(2, 3);

/* The message of the last failure in this thread; "" before the first. Valid until the next failure.
 * Public (models/efficientad.h), hence the one symbol of core that the shared library exports. */
__attribute__((visibility("default"))) const char *ead_error_message(void);

/* A failure that is told later: by another thread, since messages are the thread's, or after what sets its message anew.
 * Zeroed: there is none. */
enum { EAD_MESSAGE_SIZE = 1024 };
typedef struct EadFailure {
    EadStatus status;
    char message[EAD_MESSAGE_SIZE];
} EadFailure;

/* Keeps a status with the thread's present message; and fails with both again. */
void ead_failure_keep(EadFailure *failure, EadStatus status);
EadStatus ead_failure_tell(const EadFailure *failure);

/* The name of a status, e.g. "EAD_BAD_SHAPE". */
const char *ead_status_name(EadStatus status);

/* Returns the status of an expression to the caller unless it is EAD_OK. */
#define EAD_TRY(expression)                                                                                  \
    do {                                                                                                     \
        EadStatus ead_try_status_ = (expression);                                                            \
        if (ead_try_status_ != EAD_OK) return ead_try_status_;                                               \
    } while (0)
