/* A broker of our own (mosquitto) on this machine alone, and one who listens to it (mosquitto_sub). */
#pragma once

#include "test/watch/watch_scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

typedef struct Broker {
    int port;
    pid_t process, subscriber; /* 0: none */
} Broker;

static inline bool have_broker(void) {
    return shell("PATH=$PATH:/usr/sbin; command -v mosquitto >/dev/null && command -v mosquitto_sub "
                 ">/dev/null") == 0;
}

/* A port of the loopback that nobody listens at; bound is -1, or a socket that listens at it. */
static inline int free_port(int *bound) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int line = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(line, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(line, 16), 0);
    ck_assert_int_eq(getsockname(line, (struct sockaddr *)&address, &size), 0);
    if (bound)
        *bound = line;
    else
        close(line);
    return ntohs(address.sin_port);
}

/* more: lines of its configuration. It keeps what it has over a stop. */
static inline void start_broker(Broker *broker, const char *more) {
    char text[2048], wait[128];
    if (!broker->port) broker->port = free_port(NULL);
    snprintf(text, sizeof text,
             "listener %d 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location " S
             "\nautosave_interval 1\nmax_queued_messages 0\nlog_dest none\nuser root\n%s",
             broker->port, more);
    write_text(S "broker.conf", text);
    broker->process = spawn_shell("PATH=$PATH:/usr/sbin; exec mosquitto -c " S "broker.conf >/dev/null 2>&1");
    snprintf(wait, sizeof wait, "bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d' 2>/dev/null", broker->port);
    await_shell(wait);
}

/* Writes what comes at `topic` into S told, a line each; with what came while nobody listened. */
static inline void start_subscriber(Broker *broker, const char *topic, const char *options) {
    char command[1024];
    snprintf(command, sizeof command,
             "while :; do mosquitto_sub -h 127.0.0.1 -p %d -q 1 -c -i subscriber -t '%s' %s >>" S
             "told 2>/dev/null; sleep 0.1; done",
             broker->port, topic, options);
    broker->subscriber = spawn_shell(command);
}

static inline void end_broker(Broker *broker) {
    end_shell(&broker->subscriber, SIGKILL);
    end_shell(&broker->process, SIGTERM);
}
