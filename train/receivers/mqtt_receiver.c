/* MQTT by libmosquitto: each line a message of quality of service 1 at TOPIC, "online" or "offline" retained at TOPIC/state, the latter by
 * the last will too. A connection lives as long as it works: what failed on it is told again on a new one. */
#include "train/receivers/receivers.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/base/text.h"
#include "core/system/clock.h"
#include "train/receivers/destination.h"
#include "train/support/service.h"

#include <assert.h>
#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_MESSAGES = 64, KEEP_ALIVE = 20, MOST_LOGIN = 4096, LOOP_MS = 100, TOPIC = 1024, RELIABLE = 1 };

static const char option[] = "--mqtt";

typedef struct MqttBroker {
    const EadReceiverOptions *options;
    EadDestination place;
    char *user, *password; /* NULL: none */
    char state_topic[TOPIC + 8],
        name[48]; /* of the client: the same after a restart, which then takes over the old connection */
    struct mosquitto *client;          /* NULL: not connected */
    int answer;                        /* to the connection; -1: none yet */
    int messages[MOST_MESSAGES], sent; /* their numbers */
    bool arrived[MOST_MESSAGES];
} MqttBroker;

/* ---- connection ---- */

static void on_connect(struct mosquitto *client, void *context, int code) {
    (void)client;
    ((MqttBroker *)context)->answer = code;
}

static void on_publish(struct mosquitto *client, void *context, int number) {
    MqttBroker *b = context;
    (void)client;
    for (int i = 0; i < b->sent; i++) b->arrived[i] |= b->messages[i] == number;
}

static EadStatus fail(MqttBroker *b, const char *what, int code) {
    EadStatus status = ead_fail(EAD_IO, "%s:%d: %s: %s", b->place.host, b->place.port, what,
                                code == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(code));
    if (b->client) mosquitto_destroy(b->client);
    b->client = NULL;
    return status;
}

static int configure(MqttBroker *b) {
    const EadReceiverOptions *o = b->options;
    static const char gone[] = "offline";
    mosquitto_connect_callback_set(b->client, on_connect);
    mosquitto_publish_callback_set(b->client, on_publish);
    int code = mosquitto_will_set(b->client, b->state_topic, (int)strlen(gone), gone, RELIABLE, true);
    if (code == 0 && b->user) code = mosquitto_username_pw_set(b->client, b->user, b->password);
    if (code == 0 && b->place.secure && !o->authority)
        code = mosquitto_int_option(b->client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    if (code == 0 && b->place.secure && (o->authority || o->certificate))
        code = mosquitto_tls_set(b->client, o->authority, o->authority ? NULL : "/etc/ssl/certs",
                                 o->certificate, o->key, NULL);
    return code;
}

/* Runs the connection until something is true, or the patience is at its end. */
static int run_until(MqttBroker *b, bool (*done)(const MqttBroker *b)) {
    double end = ead_clock_seconds() + b->options->patience;
    while (!done(b)) {
        if (ead_clock_seconds() > end) return MOSQ_ERR_CONN_LOST;
        int code = mosquitto_loop(b->client, LOOP_MS, 1);
        if (code != MOSQ_ERR_SUCCESS) return code;
    }
    return MOSQ_ERR_SUCCESS;
}

static bool is_answered(const MqttBroker *b) {
    return b->answer >= 0;
}

static bool all_arrived(const MqttBroker *b) {
    int count = 0;
    while (count < b->sent && b->arrived[count]) count++;
    return count == b->sent;
}

static int publish(MqttBroker *b, const char *topic, const char *text, size_t size, bool stays) {
    b->arrived[b->sent] = false;
    int code = mosquitto_publish(b->client, &b->messages[b->sent], topic, (int)size, text, RELIABLE, stays);
    b->sent += code == MOSQ_ERR_SUCCESS;
    return code;
}

static EadStatus say_state(MqttBroker *b, const char *state) {
    b->sent = 0;
    int code = publish(b, b->state_topic, state, strlen(state), true);
    if (code == MOSQ_ERR_SUCCESS) code = run_until(b, all_arrived);
    return code == MOSQ_ERR_SUCCESS ? EAD_OK : fail(b, "telling its state", code);
}

static EadStatus connect_broker(MqttBroker *b) {
    b->answer = -1;
    b->client = mosquitto_new(b->name, true, b);
    if (!b->client) return ead_fail(EAD_NO_MEMORY, "no memory for a connection");
    int code = configure(b);
    if (code == MOSQ_ERR_SUCCESS)
        code = mosquitto_connect_async(b->client, b->place.host, b->place.port, KEEP_ALIVE);
    if (code == MOSQ_ERR_SUCCESS) code = run_until(b, is_answered);
    if (code != MOSQ_ERR_SUCCESS) return fail(b, "cannot connect", code);
    if (b->answer == 0) return say_state(b, "online");
    EadStatus status = ead_fail(EAD_IO, "%s:%d: the broker refuses: %s", b->place.host, b->place.port,
                                mosquitto_connack_string(b->answer));
    mosquitto_destroy(b->client);
    b->client = NULL;
    return status;
}

/* ---- lines ---- */

static EadStatus tell_broker(void *state, const EadJournalLine *lines, int count, int *told) {
    MqttBroker *b = state;
    if (!b->client) EAD_TRY(connect_broker(b));
    int code = MOSQ_ERR_SUCCESS;
    assert(count <= MOST_MESSAGES);
    b->sent = 0;
    for (int i = 0; i < count && code == MOSQ_ERR_SUCCESS; i++)
        code = publish(b, b->place.path, lines[i].text, lines[i].size, false);
    if (code == MOSQ_ERR_SUCCESS) code = run_until(b, all_arrived);
    *told = 0;
    while (*told < b->sent && b->arrived[*told]) ++*told;
    return code == MOSQ_ERR_SUCCESS ? EAD_OK : fail(b, "the connection is lost", code);
}

/* Keeps the connection alive. Without one, a new one is tried when there is something to tell, or at once if there never was. */
static void rest_broker(void *state, int event, double seconds) {
    MqttBroker *b = state;
    int line = b->client ? mosquitto_socket(b->client) : -1;
    struct pollfd wanted[] = {{.fd = event, .events = POLLIN}, {.fd = line, .events = POLLIN}};
    if (line >= 0 && mosquitto_want_write(b->client)) wanted[1].events |= POLLOUT;
    poll(wanted, 2, (int)(1e3 * seconds));
    if (!b->client && !wanted[0].revents) {
        connect_broker(b);
    } else if (b->client) {
        int code = mosquitto_loop(b->client, 0, 1);
        if (code != MOSQ_ERR_SUCCESS) fail(b, "the connection is lost", code);
    }
}

static void close_broker(void *state) {
    MqttBroker *b = state;
    if (b->client && say_state(b, "offline") == EAD_OK) {
        mosquitto_disconnect(b->client);
        mosquitto_loop(b->client, 0, 1);
    }
    if (b->client) mosquitto_destroy(b->client);
    mosquitto_lib_cleanup();
    free(b->user);
    free(b);
}

/* ---- before the work ---- */

static EadStatus read_login(MqttBroker *b) {
    if (!b->options->login) return EAD_OK;
    EAD_TRY(ead_secret_text("--mqtt-login", b->options->login, MOST_LOGIN, &b->user));
    char *end = strchr(b->user, '\n');
    if (end) {
        *end = '\0';
        b->password = end + 1;
        b->password[strcspn(b->password, "\r\n")] = '\0';
    }
    b->user[strcspn(b->user, "\r")] = '\0';
    if (*b->user && b->password && *b->password) return EAD_OK;
    return ead_fail(EAD_BAD_FILE,
                    "--mqtt-login: %s: holds a user in its first line and the password in its second",
                    b->options->login);
}

static EadStatus check_topic(const MqttBroker *b) {
    size_t length = strlen(b->place.path);
    if (length > 0 && length < TOPIC && b->place.path[0] != '$' && b->place.path[0] != '/' &&
        b->place.path[length - 1] != '/' && !strpbrk(b->place.path, "+#?"))
        return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: '%.200s' needs a topic behind the host, without + # ? and not beginning with $: "
                    "mqtt://HOST/line1/results",
                    option, b->options->mqtt);
}

/* From the machine and what is told there: two programs that tell different topics have different names. */
static void name_client(MqttBroker *b) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(b->name, sizeof b->name, "efficientad-%08x%08x", (unsigned)ead_hash_name(host),
             (unsigned)ead_hash_name(b->options->mqtt));
}

EadStatus ead_receiver_mqtt(const EadReceiverOptions *options, EadReceiver *out) {
    static const int ports[] = {1883, 8883};
    MqttBroker *b = ead_new(1, sizeof *b, "a broker");
    if (!b) return EAD_NO_MEMORY;
    *b = (MqttBroker){.options = options};
    mosquitto_lib_init();
    EadStatus status = ead_destination_read(option, options->mqtt, "mqtt", ports, &b->place);
    if (status == EAD_OK) status = check_topic(b);
    if (status == EAD_OK) status = read_login(b);
    if (status != EAD_OK) {
        close_broker(b);
        return status;
    }
    snprintf(b->state_topic, sizeof b->state_topic, "%s/state", b->place.path);
    name_client(b);
    *out = (EadReceiver){
        .name = "mqtt", .state = b, .tell = tell_broker, .rest = rest_broker, .close = close_broker};
    return EAD_OK;
}
