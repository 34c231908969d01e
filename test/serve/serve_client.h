/* A client of the program's server: plain sockets, so that it can also be slow, rude and wrong. */
#pragma once

#include "test/support/runs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

/* Whether the program was built with HTTP: it says so first of all. */
static inline bool can_serve(void) {
    Outcome outcome;
    run("serve -m no/such/model --listen unix:no/such/folder/socket", 0, &outcome);
    return strstr(outcome.err, "built without") == NULL;
}

#define NEED_SERVER()                                                                                        \
    NEED_PROGRAM();                                                                                          \
    SKIP_UNLESS(can_serve(), "the program was built without libmicrohttpd")

/* Connects to "unix:PATH" or "127.0.0.1:PORT"; -1 where nobody listens. */
static inline int connect_to(const char *address) {
    struct sockaddr_un file = {.sun_family = AF_UNIX};
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool local = strncmp(address, "unix:", 5) == 0;
    if (local)
        snprintf(file.sun_path, sizeof file.sun_path, "%.100s", address + 5);
    else
        port.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    int line = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(line, 0);
    int code = local ? connect(line, (struct sockaddr *)&file, sizeof file)
                     : connect(line, (struct sockaddr *)&port, sizeof port);
    if (code == 0) return line;
    close(line);
    return -1;
}

/* false: the other side has closed. */
static inline bool send_all(int line, const void *bytes, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(line, (const char *)bytes + at, size - at, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += (size_t)sent;
    }
    return true;
}

/* Reads until the other side closes, or `most` bytes have come; ends with a 0. */
static inline void receive_all(int line, char *text, size_t most) {
    size_t size = 0;
    ssize_t got;
    while (size + 1 < most && (got = recv(line, text + size, most - 1 - size, 0)) > 0) size += (size_t)got;
    text[size] = '\0';
}

/* One request on a connection of its own, whose body follows (NULL: it is only promised); the reply as text[TEXT_SIZE].
 * Gives its code, 0: none. */
static inline int request_bytes(const char *address, const char *head, const void *body, size_t size,
                                char *text) {
    char line[1024];
    int connection = connect_to(address);
    ck_assert_int_ge(connection, 0);
    snprintf(line, sizeof line, "%s\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             head, size);
    send_all(connection, line, strlen(line));
    if (body) send_all(connection, body, size);
    receive_all(connection, text, TEXT_SIZE);
    close(connection);
    return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
}

static inline int get_from(const char *address, const char *path, char *text) {
    char head[256];
    snprintf(head, sizeof head, "GET %s HTTP/1.1", path);
    return request_bytes(address, head, NULL, 0, text);
}

/* Starts the program with these words behind "serve", and waits until it listens; its address as it says it. */
static inline pid_t start_server(const char *folder, const char *words, char address[128]) {
    char line[1024], path[256], said[TEXT_SIZE] = "";
    const char *found = NULL;
    snprintf(path, sizeof path, "%serr", folder);
    unlink(path);
    snprintf(line, sizeof line, "serve %s", words);
    pid_t child = start(line, 0);
    for (int i = 0; i < 3000 && !found; i++) {
        pause_for(0.02);
        read_into(path, said);
        found = strstr(said, "listening at ");
        if (found && !strchr(found, '\n')) found = NULL;
        if (waitpid(child, NULL, WNOHANG) == child) ck_abort_msg("serve %s ended: %s", words, said);
    }
    ck_assert_msg(found != NULL, "serve %s: %s", words, said);
    ck_assert_int_eq(sscanf(found, "listening at %127s", address), 1);
    return child;
}

/* Asks it to end, which it does with exit code 0. */
static inline void stop_server(pid_t child, int number) {
    Outcome outcome;
    kill(child, number);
    await(child, &outcome);
    ck_assert_msg(outcome.code == 0, "exit %d: %s", outcome.code, outcome.err);
}
