/* Those whom watch tells: a broker, also by TLS and with a password, a webhook that fails, refuses and is away, a table. */
#define S "build/scratch/test_receivers/"
#include "test/watch/broker.h"

#include <pthread.h>

static Outcome outcome;

/* ---- webhook ---- */

/* Answers the requests that come in with these codes, the last one again and again, and keeps the bodies. */
typedef struct Hook {
    int socket, port, codes[8], answers;
    pthread_t thread;
    pthread_mutex_t mutex;
    char bodies[TEXT_SIZE], head[2048]; /* of those that were confirmed; of the last request */
} Hook;

static bool answer_one(Hook *hook, int line) {
    char text[4096] = "";
    size_t size = 0;
    ssize_t got;
    const char *body = NULL;
    long length = 0;
    while ((!body || strlen(body) < (size_t)length) && size + 1 < sizeof text &&
           (got = recv(line, text + size, sizeof text - 1 - size, 0)) > 0) {
        text[size += (size_t)got] = '\0';
        const char *found = strstr(text, "Content-Length: ");
        if (found) length = atol(found + 16);
        if ((body = strstr(text, "\r\n\r\n")) != NULL) body += 4;
    }
    if (!body) return false;
    pthread_mutex_lock(&hook->mutex);
    int code = hook->codes[hook->answers];
    if (hook->codes[hook->answers + 1]) hook->answers++;
    snprintf(hook->head, sizeof hook->head, "%.*s", (int)(body - text), text);
    if (code == 200) strcat(strcat(hook->bodies, body), "\n");
    pthread_mutex_unlock(&hook->mutex);
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok", code);
    return send(line, text, strlen(text), MSG_NOSIGNAL) > 0;
}

static void *answer_all(void *context) {
    Hook *hook = context;
    for (int line; (line = accept(hook->socket, NULL, NULL)) >= 0; close(line))
        while (answer_one(hook, line)) continue;
    return NULL;
}

static void start_hook(Hook *hook) {
    pthread_mutex_init(&hook->mutex, NULL);
    hook->port = free_port(&hook->socket);
    ck_assert_int_eq(pthread_create(&hook->thread, NULL, answer_all, hook), 0);
}

static void end_hook(Hook *hook) {
    shutdown(hook->socket, SHUT_RDWR);
    pthread_join(hook->thread, NULL);
    close(hook->socket);
}

static bool built_without(const char *words) {
    char line[512];
    snprintf(line, sizeof line, WATCH "%s " S "missing", words);
    run(line, 0, &outcome);
    return strstr(outcome.err, "built without") != NULL;
}

static void await_body(Hook *hook, const char *part) {
    bool there = false;
    for (int i = 0; i < 3000 && !there; i++) {
        pause_for(0.01);
        pthread_mutex_lock(&hook->mutex);
        there = strstr(hook->bodies, part) != NULL;
        pthread_mutex_unlock(&hook->mutex);
    }
    ck_assert_msg(there, "not told: %s", part);
}

START_TEST(a_webhook_gets_each_line_once_it_answers_well) {
    NEED_PROGRAM();
    SKIP_UNLESS(!built_without("--webhook http://localhost/"), "the program was built without libcurl");
    static Hook hook = {.codes = {503, 200, 422, 200}};
    char words[256];
    empty_folders();
    start_hook(&hook);
    write_text(S "token", "a-secret\n");
    snprintf(words, sizeof words, "--webhook http://127.0.0.1:%d/line?a=b --webhook-token " S "token",
             hook.port);
    pid_t child = start_watch(words, 0);
    put_image("a.png", 1);
    await_body(&hook, "a.png");
    put_image("b.png", 2); /* is refused for good */
    await_lines(2);
    put_image("c.png", 3);
    await_body(&hook, "c.png");
    stop_watch(child, &outcome);
    ck_assert_ptr_null(strstr(hook.bodies, "b.png"));
    assert_contains(outcome.err, "503");
    assert_contains(outcome.err, "refuses line 2");
    assert_contains(hook.head, "POST /line?a=b HTTP/1.1");
    assert_contains(hook.head, "Authorization: Bearer a-secret");
    assert_contains(hook.head, "Content-Type: application/json");
    shell_ok("grep -c . " JOURNAL "/results-* | grep -qx 3 && grep -qx 0*3 " JOURNAL "/webhook.sent");
    end_hook(&hook);
    /* Away, over a restart: the next one that answers gets it. */
    child = start_watch(words, 0);
    put_image("d.png", 4);
    await_lines(4);
    await_shell("grep -q 'tried again' " S "err");
    stop_watch(child, &outcome);
    assert_contains(outcome.err, "1 lines of the journal are still to be told");
    hook.codes[0] = 200, hook.codes[1] = 0, hook.answers = 0, hook.bodies[0] = '\0';
    start_hook(&hook);
    snprintf(words, sizeof words, "--webhook http://127.0.0.1:%d/", hook.port);
    child = start_watch(words, 0);
    await_body(&hook, "d.png");
    stop_watch(child, &outcome);
    ck_assert_ptr_null(strstr(hook.bodies, "c.png"));
    end_hook(&hook);
}
END_TEST

/* ---- MQTT ---- */

START_TEST(a_broker_gets_each_line_and_the_state) {
    NEED_PROGRAM();
    SKIP_UNLESS(!built_without("--mqtt mqtt://localhost/a"), "the program was built without libmosquitto");
    SKIP_UNLESS(have_broker(), "no mosquitto");
    Broker broker = {0};
    char words[256];
    empty_folders();
    write_text(S "login", "someone\r\nsecret\r\n");
    shell_ok("rm -f " S "told && mosquitto_passwd -b -c " S
             "passwords someone secret && mosquitto_passwd -b " S "passwords listener heard");
    const char *guarded = "password_file " S "passwords\n";
    start_broker(&broker, guarded);
    start_subscriber(&broker, "line/#", "-u listener -P heard -v");
    snprintf(words, sizeof words, "--mqtt mqtt://127.0.0.1:%d/line/results --mqtt-login " S "login",
             broker.port);
    pid_t child = start_watch(words, 0);
    await_shell("grep -qx 'line/results/state online' " S "told");
    put_image("a.png", 1);
    await_shell("grep -q '^line/results {.*a\\.png' " S "told");
    end_shell(&broker.process, SIGTERM);
    put_image("b.png", 2);
    await_lines(2);
    start_broker(&broker, guarded);
    await_shell("grep -q '^line/results {.*b\\.png' " S "told");
    kill(child, SIGKILL);
    await(child, &outcome);
    await_shell("tail -n 1 " S "told | grep -qx 'line/results/state offline'"); /* by the last will */
    child = start_watch(words, 0);
    await_shell("tail -n 1 " S "told | grep -qx 'line/results/state online'");
    stop_watch(child, &outcome);
    await_shell("tail -n 1 " S "told | grep -qx 'line/results/state offline'");
    write_text(S "login", "someone\nwrong\n");
    child = start_watch(words, 0);
    put_image("c.png", 3);
    await_shell("grep -q 'mqtt: .*tried again' " S "err");
    stop_watch(child, &outcome);
    end_broker(&broker);
}
END_TEST

START_TEST(a_login_that_is_not_there_is_told_once) {
    NEED_PROGRAM();
    SKIP_UNLESS(!built_without("--mqtt mqtt://localhost/a"), "the program was built without libmosquitto");
    run(WATCH "--mqtt mqtt://localhost/a --mqtt-login " S "missing " FOLDER, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "--mqtt-login: " S "missing");
    ck_assert_ptr_eq(strchr(outcome.err, '\n'), outcome.err + strlen(outcome.err) - 1); /* a line */
}
END_TEST

START_TEST(a_broker_is_known_by_its_certificate) {
    NEED_PROGRAM();
    SKIP_UNLESS(!built_without("--mqtt mqtt://localhost/a"), "the program was built without libmosquitto");
    SKIP_UNLESS(have_broker() && shell("openssl version >/dev/null 2>&1") == 0, "no mosquitto or no openssl");
    Broker broker = {.port = free_port(NULL)};
    char words[256], more[512];
    int secure = free_port(NULL);
    empty_folders();
    shell_ok("rm -f " S "told; cd " S
             " && for name in broker other; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
             "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout $name.key -out $name.pem "
             "2>/dev/null || "
             "exit 1; done");
    snprintf(more, sizeof more, "listener %d 127.0.0.1\ncertfile " S "broker.pem\nkeyfile " S "broker.key\n",
             secure);
    start_broker(&broker, more);
    start_subscriber(&broker, "line", "");
    snprintf(words, sizeof words, "--mqtt mqtts://localhost:%d/line --tls-ca " S "other.pem", secure);
    pid_t child = start_watch(words, 0);
    put_image("a.png", 1);
    await_shell("grep -q 'mqtt: .*tried again' " S "err");
    stop_watch(child, &outcome);
    snprintf(words, sizeof words, "--mqtt mqtts://localhost:%d/line --tls-ca " S "broker.pem", secure);
    child = start_watch(words, 0);
    await_shell("grep -q a.png " S "told"); /* what was not told before */
    stop_watch(child, &outcome);
    end_broker(&broker);
}
END_TEST

/* ---- SQLite ---- */

START_TEST(a_table_has_each_line_once) {
    NEED_PROGRAM();
    SKIP_UNLESS(!built_without("--sqlite " S "a.db"), "the program was built without SQLite");
    SKIP_UNLESS(shell("python3 -c 'import sqlite3' 2>/dev/null") == 0, "no Python with sqlite3");
    empty_folders();
    pid_t child = start_watch("", 0);
    put_image("a.png", 1);
    await_lines(1);
    stop_watch(child, &outcome);
    child = start_watch("--sqlite " S "made/results.db", 0);
    write_text(FOLDER "/b.png", "no image");
    put_image("c'.png", 3);
    await_lines(3);
    kill(child, SIGKILL);
    await(child, &outcome);
    child = start_watch("--sqlite " S "made/results.db", 0);
    stop_watch(child, &outcome);
    write_text(
        S "look.py",
        "import json, sqlite3\n"
        "rows = list(sqlite3.connect('" S
        "made/results.db').execute('SELECT * FROM results ORDER BY sequence'))\n"
        "assert [row[0] for row in rows] == [1, 2, 3], rows\n"
        "for row in rows:\n"
        "    line = json.loads(row[10])\n"
        "    assert row[3] == line['path'] and row[7] == line.get('score') and row[6] == line.get('error')\n"
        "    assert row[9] == line.get('anomalous'), row\n"
        "assert rows[1][7] is None and 'b.png' in rows[1][6] and rows[2][3].endswith(\"c'.png\")\n");
    shell_ok("python3 " S "look.py");
    shell_ok("rm -rf " JOURNAL); /* another journal's numbers would replace what is there */
    run(WATCH "--sqlite " S "made/results.db " FOLDER, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "of another one");
    shell_ok("python3 -c \"import sqlite3; sqlite3.connect('" S
             "other.db').execute('CREATE TABLE mine (a)')\"");
    run(WATCH "--sqlite " S "other.db " FOLDER, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "another program");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_webhook_gets_each_line_once_it_answers_well);
    tcase_add_test(tests, a_broker_gets_each_line_and_the_state);
    tcase_add_test(tests, a_login_that_is_not_there_is_told_once);
    tcase_add_test(tests, a_broker_is_known_by_its_certificate);
    tcase_add_test(tests, a_table_has_each_line_once);
}

int main(void) {
    return run_program_suite("receivers", S, make_folders_and_model, remove_scene, add_tests);
}
