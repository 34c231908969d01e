/* Addresses and files of sockets. */
#define _GNU_SOURCE /* O_PATH */
#include "train/serve/listening.h"

#include "core/base/paths.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
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

/* ---- addresses ---- */

static const char *cure_of(int code) {
    if (code == EADDRINUSE)
        return "; another process listens there (ss -ltnp tells which): end it, or name another port (0: one "
               "that is "
               "free)";
    if (code == EADDRNOTAVAIL) return "; name an address of this machine (ip address)";
    return code == EACCES ? "; name a port from 1024 on, or let the service manager open it (LISTEN_FDS)"
                          : "";
}

static EadStatus bind_address(const char *where, EadListening *out) {
    struct addrinfo *found;
    int on = 1;
    EAD_TRY(resolve(where, &found));
    out->loopback = is_loopback(found->ai_addr);
    out->socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = out->socket >= 0 && setsockopt(out->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(out->socket, found->ai_addr, found->ai_addrlen) == 0;
    int code = errno;
    freeaddrinfo(found);
    return bound ? EAD_OK : ead_fail(EAD_IO, "--listen: %s: %s%s", where, strerror(code), cure_of(code));
}

/* ---- files ---- */

/* The address of "unix:PATH", with ~ for the home folder. */
static EadStatus file_address(const char *where, struct sockaddr_un *address) {
    char *path;
    EAD_TRY(ead_path_expand(where + sizeof unix_prefix - 1, &path));
    size_t length = strlen(path);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    bool fits = length > 0 && length < sizeof address->sun_path;
    if (fits) memcpy(address->sun_path, path, length);
    free(path);
    return fits ? EAD_OK
                : ead_fail(EAD_BAD_ARGUMENT, "--listen: unix: needs a path of at most %zu bytes",
                           sizeof address->sun_path - 1);
}

/* Whether one of the kernel's sockets, bytes [size], is that of the file; the kernel has 12 and 20 bits of its device. */
static bool is_socket_of(const char *bytes, size_t size, const struct stat *file) {
    struct rtattr attribute;
    struct unix_diag_vfs vfs;
    unsigned device = major(file->st_dev) << 20 | minor(file->st_dev);
    for (size_t at = NLMSG_LENGTH(sizeof(struct unix_diag_msg)); at + sizeof attribute <= size;
         at += RTA_ALIGN(attribute.rta_len)) {
        memcpy(&attribute, bytes + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute) return false;
        if (attribute.rta_type != UNIX_DIAG_VFS || at + RTA_LENGTH(sizeof vfs) > size) continue;
        memcpy(&vfs, bytes + at + RTA_LENGTH(0), sizeof vfs);
        if (vfs.udiag_vfs_ino == (uint32_t)file->st_ino && vfs.udiag_vfs_dev == device) return true;
    }
    return false;
}

/* Whether a process has a socket of that file, also one that is not listened at yet; false where the kernel does not say. */
static bool is_bound(const struct stat *file) {
    struct {
        struct nlmsghdr head;
        struct unix_diag_req ask;
    } request = {.head = {.nlmsg_len = sizeof request,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .ask = {.sdiag_family = AF_UNIX, .udiag_states = UINT32_MAX, .udiag_show = UDIAG_SHOW_VFS}};
    char reply[1 << 15];
    bool found = false, more = true;
    int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (kernel < 0) return false;
    setsockopt(kernel, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 1}, sizeof(struct timeval));
    send(kernel, &request, sizeof request, 0);
    while (more && !found) {
        struct nlmsghdr head = {0};
        ssize_t got = recv(kernel, reply, sizeof reply, 0);
        size_t size = got > 0 ? (size_t)got : 0, at = 0;
        more = size > 0;
        for (; more && !found && at + sizeof head <= size; at += NLMSG_ALIGN(head.nlmsg_len)) {
            memcpy(&head, reply + at, sizeof head);
            more = head.nlmsg_type == SOCK_DIAG_BY_FAMILY && head.nlmsg_len >= sizeof head &&
                   head.nlmsg_len <= size - at;
            found = more && is_socket_of(reply + at, head.nlmsg_len, file);
        }
    }
    close(kernel);
    return found;
}

/* Whether a socket's file is left over from a process that was killed. A connection is tried since the kernel lists the
 * sockets of this network namespace alone; a server that has no room for it is not waited for. */
static bool is_dead(const struct sockaddr_un *address, const struct stat *file) {
    int trial = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (trial < 0) return false;
    bool refused =
        connect(trial, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close(trial);
    return refused && !is_bound(file);
}

/* *dead: there is a file that may be removed. */
static EadStatus check_file(const char *where, const struct sockaddr_un *address, bool *dead) {
    struct stat file;
    EadPath folder;
    const char *path = address->sun_path;
    *dead = false;
    EAD_TRY(ead_path_folder(folder, path));
    if (access(*folder ? folder : ".", W_OK | X_OK) != 0)
        return ead_fail(EAD_IO, "--listen: %s: no socket can be made in this folder: %s", where,
                        strerror(errno));
    if (lstat(path, &file) != 0 && errno == ENOENT) return EAD_OK;
    if (!S_ISSOCK(file.st_mode))
        return ead_fail(EAD_IO, "--listen: %s: is no socket, and in the way; remove it, or name another path",
                        where);
    *dead = is_dead(address, &file);
    if (*dead) return EAD_OK;
    return ead_fail(EAD_IO, "--listen: %s: another process has this socket; end it, or name another path",
                    where);
}

static EadStatus bind_file(const char *where, EadListening *out) {
    struct sockaddr_un address;
    bool dead;
    EAD_TRY(file_address(where, &address));
    EAD_TRY(check_file(where, &address, &dead));
    if (dead) unlink(address.sun_path);
    out->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t before = umask(0117); /* for the file: 0660 */
    bool bound =
        out->socket >= 0 && bind(out->socket, (const struct sockaddr *)&address, sizeof address) == 0;
    int code = errno;
    umask(before);
    if (!bound) return ead_fail(EAD_IO, "--listen: %s: %s", where, strerror(code));
    out->made = open(address.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    snprintf(out->file, sizeof out->file, "%s", address.sun_path);
    return EAD_OK;
}

void ead_listen_end(EadListening *listening) {
    struct stat made, there;
    if (!listening->file[0]) return;
    if (fstat(listening->made, &made) == 0 && lstat(listening->file, &there) == 0 &&
        made.st_dev == there.st_dev && made.st_ino == there.st_ino)
        unlink(listening->file);
    if (listening->made >= 0) close(listening->made);
    listening->file[0] = '\0';
}

/* ---- both ---- */

static bool names_file(const char *where) {
    return strncmp(where, unix_prefix, sizeof unix_prefix - 1) == 0;
}

/* Whether systemd has opened a socket for this process. */
static bool is_from_service(void) {
    const char *process = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    return process && count && atol(process) == (long)getpid() && atoi(count) >= 1;
}

static EadStatus take_from_service(EadListening *out) {
    int listens = 0, type = 0;
    socklen_t size = sizeof listens, type_size = sizeof type;
    out->socket = FIRST_DESCRIPTOR;
    if (getsockopt(out->socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens ||
        getsockopt(out->socket, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "LISTEN_FDS: descriptor %d is no stream socket that is listened at; the service manager "
            "opens one by ListenStream=, with Accept=no",
            (int)FIRST_DESCRIPTOR);
    fcntl(out->socket, F_SETFD, FD_CLOEXEC);
    describe(out);
    return EAD_OK;
}

EadStatus ead_listen_check(const char *where, EadListening *out) {
    struct sockaddr_un address;
    bool dead;
    *out = (EadListening){.socket = -1, .loopback = true};
    snprintf(out->address, sizeof out->address, "%s", where);
    if (is_from_service()) return take_from_service(out);
    if (names_file(where)) {
        EAD_TRY(file_address(where, &address));
        return check_file(where, &address, &dead);
    }
    EadStatus status = bind_address(where, out);
    if (out->socket >= 0) close(out->socket);
    return status;
}

EadStatus ead_listen(const char *where, EadListening *out) {
    *out = (EadListening){.socket = -1};
    if (is_from_service()) return take_from_service(out);
    EadStatus status = names_file(where) ? bind_file(where, out) : bind_address(where, out);
    if (status == EAD_OK && listen(out->socket, BACKLOG) != 0)
        status = ead_fail(EAD_IO, "--listen: %s: %s%s", where, strerror(errno), cure_of(errno));
    if (status == EAD_OK)
        describe(out);
    else if (out->socket >= 0)
        close(out->socket);
    return status;
}
