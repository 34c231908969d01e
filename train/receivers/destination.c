/* Taking addresses apart. */
#include "train/receivers/destination.h"

#include "core/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EadStatus fail(const char *option, const char *text, const char *scheme, const char *why) {
    return ead_fail(EAD_BAD_ARGUMENT, "%s: '%.200s' %s; it must be like %s://host:port/path or %ss://...",
                    option, text, why, scheme, scheme);
}

/* Host and port, up to the path; false: they are none. */
static bool read_host(const char *text, size_t size, EadDestination *out) {
    char port[8] = "", *end;
    bool bracket = text[0] == '[';
    const char *close = bracket ? memchr(text, ']', size) : NULL;
    size_t host = bracket ? (close ? (size_t)(close - text) + 1 : 0) : strcspn(text, ":/?#");
    host = host < size ? host : size;
    if (host == 0 || host >= sizeof out->host || (bracket && host < 3)) return false;
    snprintf(out->host, sizeof out->host, "%.*s", (int)(bracket ? host - 2 : host), text + bracket);
    if (out->host[strcspn(out->host, " \t\\\"<>{}|^`")]) return false;
    if (host == size) return true;
    if (text[host] != ':' || size - host < 2 || size - host > 6) return false;
    snprintf(port, sizeof port, "%.*s", (int)(size - host - 1), text + host + 1);
    long number = strtol(port, &end, 10);
    out->port = (int)number;
    return !*end && port[0] >= '0' && port[0] <= '9' && number >= 1 && number <= 65535;
}

EadStatus ead_destination_read(const char *option, const char *text, const char *scheme, const int ports[2],
                               EadDestination *out) {
    size_t length = strlen(scheme);
    *out = (EadDestination){0};
    if (!ead_utf8_is_plain(text)) return fail(option, text, scheme, "holds what is no text");
    bool known = strncmp(text, scheme, length) == 0;
    out->secure = known && text[length] == 's';
    const char *rest = text + length + out->secure;
    if (!known || strncmp(rest, "://", 3) != 0) return fail(option, text, scheme, "has another scheme");
    rest += 3;
    size_t size = strcspn(rest, "/?#");
    if (memchr(rest, '@', size))
        return fail(option, text, scheme,
                    "holds a name or password, which others could see; those go into a file of their own");
    out->port = ports[out->secure];
    if (!read_host(rest, size, out))
        return fail(option, text, scheme, "names no host, or a port that there is not");
    out->path = rest + size + (rest[size] == '/');
    return EAD_OK;
}

bool ead_destination_is_local(const EadDestination *destination) {
    return strcmp(destination->host, "localhost") == 0 || strcmp(destination->host, "::1") == 0 ||
           strncmp(destination->host, "127.", 4) == 0;
}
