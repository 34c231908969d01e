/* The thread-local error message behind ead_fail(). */
#include "core/base/status.h"

#include "core/base/printing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = EAD_MESSAGE_SIZE, END_SIZE = MESSAGE_SIZE / 2 };

static _Thread_local char message[MESSAGE_SIZE];

/* Puts a text with an end. What is too long loses its middle: a message begins with a file, whose name may be
 * of any length, and ends with the reason and the cure. Of no memory for a long one its start must do. */
static void put(const char *format, va_list values, const char *end) {
    char start[MESSAGE_SIZE], *whole = NULL;
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(start, sizeof start, format, values);
    size_t size = (size_t)(length < 0 ? 0 : length) + strlen(end);
    if (size >= MESSAGE_SIZE && (whole = malloc(size + 1)) != NULL) {
        vsnprintf(whole, size + 1, format, again);
        strcat(whole, end);
        snprintf(message, sizeof message, "%.*s...%s", MESSAGE_SIZE - 1 - END_SIZE - 3, whole,
                 whole + size - END_SIZE);
    } else
        snprintf(message, sizeof message, "%s%s", start, end);
    va_end(again);
    free(whole);
    ead_make_printable(message); /* it quotes hostile files, and goes to terminals and logs */
}

EadStatus ead_fail(EadStatus status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put(format, arguments, "");
    va_end(arguments);
    return status;
}

EadStatus ead_fail_prefix(EadStatus status, const char *format, ...) {
    char old[MESSAGE_SIZE];
    memcpy(old, message, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    put(format, arguments, old);
    va_end(arguments);
    return status;
}

const char *ead_error_message(void) {
    return message;
}

const char *ead_status_name(EadStatus status) {
    static const char *const names[] = {
#define X(code, text) #code,
        EAD_STATUS_LIST(X)
#undef X
    };
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown status";
}

void ead_failure_keep(EadFailure *failure, EadStatus status) {
    failure->status = status;
    memcpy(failure->message, message, sizeof message);
}

EadStatus ead_failure_tell(const EadFailure *failure) {
    return failure->status == EAD_OK ? EAD_OK : ead_fail(failure->status, "%s", failure->message);
}
