/* Addresses and files of sockets. */
#include "train/serve/listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 512, FIRST_DESCRIPTOR = 3 };

static const char unix_prefix[] = "unix:";

static EadStatus no_address(const char *where) {
    return ead_fail(EAD_BAD_ARGUMENT,
                    "--listen: '%.200s' is no address: HOST:PORT, as 127.0.0.1:8080, or unix:PATH", where);
}

/* Host and port of "HOST:PORT" and "[HOST]:PORT". */
static EadStatus split(const char *where, char host[256], char port[8]) {
    const char *colon = strrchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : 0;
    bool brackets = length > 2 && where[0] == '[' && where[length - 1] == ']';
    if (brackets) where++, length -= 2;
    if (!colon || length > 255 || (!brackets && memchr(where, ':', length))) return no_address(where);
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits < 1 || digits > 5 || colon[1 + digits] || atoi(colon + 1) > 65535) return no_address(where);
    memcpy(host, where, length);
    host[length] = '\0';
    snprintf(port, 8, "%s", colon + 1);
    return EAD_OK;
}

static EadStatus resolve(const char *where, struct addrinfo **out) {
    char host[256], port[8];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    EAD_TRY(split(where, host, port));
    int code = getaddrinfo(host[0] ? host : NULL, port, &hints, out);
    return code == 0 ? EAD_OK : ead_fail(EAD_BAD_ARGUMENT, "--listen: %s: %s", where, gai_strerror(code));
}

static bool is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return address->sa_family == AF_UNIX;
}

EadStatus ead_listen_check(const char *where, bool *loopback) {
    struct addrinfo *found;
    *loopback = true;
    if (strncmp(where, unix_prefix, sizeof unix_prefix - 1) == 0) {
        size_t length = strlen(where + sizeof unix_prefix - 1);
        if (length > 0 && length < sizeof((struct sockaddr_un *)0)->sun_path) return EAD_OK;
        return ead_fail(EAD_BAD_ARGUMENT, "--listen: unix: needs a path of at most %zu bytes",
                        sizeof((struct sockaddr_un *)0)->sun_path - 1);
    }
    EAD_TRY(resolve(where, &found));
    *loopback = is_loopback(found->ai_addr);
    freeaddrinfo(found);
    return EAD_OK;
}

/* What a socket is bound to, as clients name it. */
static void describe(EadListening *out) {
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char host[INET6_ADDRSTRLEN + 1], port[8];
    if (getsockname(out->socket, (struct sockaddr *)&bound, &size) != 0) return;
    out->loopback = is_loopback((struct sockaddr *)&bound);
    out->by_address = bound.ss_family != AF_UNIX;
    if (!out->by_address)
        snprintf(out->address, sizeof out->address, "unix:%.100s", ((struct sockaddr_un *)&bound)->sun_path);
    else if (getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(out->address, sizeof out->address, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                 port);
}

static EadStatus fail(EadListening *out, const char *where) {
    EadStatus status = ead_fail(EAD_IO, "--listen: %s: %s", where, strerror(errno));
    if (out->socket >= 0) close(out->socket);
    return status;
}

static EadStatus listen_at_address(const char *where, EadListening *out) {
    struct addrinfo *found;
    int on = 1;
    EAD_TRY(resolve(where, &found));
    out->socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = out->socket >= 0 && setsockopt(out->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(out->socket, found->ai_addr, found->ai_addrlen) == 0 &&
                 listen(out->socket, BACKLOG) == 0;
    int code = errno;
    freeaddrinfo(found);
    errno = code;
    return bound ? EAD_OK : fail(out, where);
}

/* A socket's file that nobody listens at, left by a server that was killed. */
static void remove_dead(const struct sockaddr_un *address) {
    struct stat info;
    if (stat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) return;
    int trial = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (trial < 0) return;
    bool dead =
        connect(trial, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close(trial);
    if (dead) unlink(address->sun_path);
}

static EadStatus listen_at_file(const char *where, EadListening *out) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", where + sizeof unix_prefix - 1);
    remove_dead(&address);
    out->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t before = umask(0117); /* for the file: 0660 */
    bool bound =
        out->socket >= 0 && bind(out->socket, (const struct sockaddr *)&address, sizeof address) == 0;
    int code = errno;
    umask(before);
    errno = code;
    if (!bound || listen(out->socket, BACKLOG) != 0) return fail(out, where);
    snprintf(out->file, sizeof out->file, "%s", address.sun_path);
    return EAD_OK;
}

/* The socket that systemd has opened for this process. */
static bool take_from_service(EadListening *out) {
    const char *process = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (!process || !count || atol(process) != (long)getpid() || atoi(count) < 1) return false;
    out->socket = FIRST_DESCRIPTOR;
    fcntl(out->socket, F_SETFD, FD_CLOEXEC);
    return true;
}

EadStatus ead_listen(const char *where, EadListening *out) {
    bool loopback, file = strncmp(where, unix_prefix, sizeof unix_prefix - 1) == 0;
    *out = (EadListening){.socket = -1};
    EAD_TRY(ead_listen_check(where, &loopback));
    if (!take_from_service(out)) EAD_TRY(file ? listen_at_file(where, out) : listen_at_address(where, out));
    describe(out);
    return EAD_OK;
}

void ead_listen_end(const EadListening *listening) {
    if (listening->file[0]) unlink(listening->file);
}
