/* The thread-local error message behind ead_fail(). */
#include "core/base/status.h"

#include "core/base/printing.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 1024 };

static _Thread_local char message[MESSAGE_SIZE];

EadStatus ead_fail(EadStatus status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ead_make_printable(message); /* it quotes hostile files, and goes to terminals and logs */
    return status;
}

EadStatus ead_fail_prefix(EadStatus status, const char *format, ...) {
    char old[MESSAGE_SIZE];
    memcpy(old, message, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (written >= 0 && written < MESSAGE_SIZE)
        snprintf(message + written, sizeof message - (size_t)written, "%s", old);
    ead_make_printable(message); /* it quotes hostile files, and goes to terminals and logs */
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
