/* efficientad serve over real sockets: addresses, limits, slow and rude clients, changed models, and its end. Skipped where $PROGRAM is not set, or
 * it cannot serve. */
#define S "build/scratch/test_serve_program/"
#include "test/serve/serve_client.h"
#include "test/support/sample_models.h"

#include <jansson.h>
#include <sys/stat.h>

#define MODEL   S "tiny/model.safetensors"
#define ADDRESS "unix:" S "socket"
#define SERVE   "-m " MODEL " --listen " ADDRESS " "
#define IMAGE   S "image.png"

static uint8_t *image;
static size_t image_size;
static char text[TEXT_SIZE];

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    save_tiny_model(MODEL, 0.25f, NULL);
    write_noise_png(IMAGE, 60, 40, 3, 5);
    image = read_bytes(IMAGE, &image_size);
}

static void remove_scene(void) {
    free(image);
    shell_ok("rm -rf " S);
}

static int predict(const char *address) {
    return request_bytes(address, "POST /predict?name=a.png HTTP/1.1", image, image_size, text);
}

/* The score in the last reply. */
static double score_of_reply(void) {
    const char *body = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    json_t *root = json_loads(body + 4, 0, NULL);
    ck_assert_msg(root != NULL, "%s", text);
    double score = json_number_value(json_object_get(root, "score"));
    json_decref(root);
    return score;
}

START_TEST(answers_and_ends) {
    NEED_SERVER();
    char address[128];
    float score;
    EadDetector *detector;
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    free(library_map(detector, IMAGE, &score));
    ead_detector_close(detector);
    pid_t child = start_server(S, "-m " MODEL " --listen 127.0.0.1:0", address);
    ck_assert_int_eq(strncmp(address, "http://127.0.0.1:", 17), 0);
    ck_assert_int_eq(get_from(address, "/v2/health/ready", text), 200);
    ck_assert_int_eq(get_from(address, "/v2/models/tiny", text), 200);
    ck_assert_int_eq(get_from(address, "/v2/models/tiny/%2e%2e/%2e%2e/etc/passwd", text), 404);
    ck_assert_int_eq(get_from(address, "/../../../../etc/passwd", text), 404);
    ck_assert_int_eq(predict(address), 200);
    ck_assert_float_eq((float)score_of_reply(), score);
    ck_assert_int_eq(
        request_bytes(address, "POST /predict HTTP/1.1\r\nContent-Encoding: gzip", image, image_size, text),
        415);
    stop_server(child, SIGTERM);
    ck_assert_int_eq(connect_to(address), -1);
}
END_TEST

START_TEST(what_others_reach_needs_a_token) {
    NEED_SERVER();
    Outcome outcome;
    char address[128];
    static const char *const wrong[][2] = {
        {"--listen 0.0.0.0:0", "--token-file"},
        {"--listen :0", "--token-file"},
        {"--listen nowhere", "HOST:PORT"},
        {"--listen 127.0.0.1:99999", "HOST:PORT"},
        {"--listen unix:", "needs a path"},
        {"--token-file " S "missing", "missing"},
        {"--token-file " S "secret --no-token", "contradict"},
        {"--token-file " S "zero", "zero byte"},
        {"-m z=/dev/zero", "/dev/zero: not a regular file"},
        {"-m " S "fifo", "fifo: not a regular file"},
        {"-m f=" S "tiny", "tiny: is a folder"},
        {"--listen unix:" IMAGE, "is no socket"},
        {"--listen unix:" S "tiny", "is no socket"},
        {"--listen unix:" S "dangling", "is no socket"},
        {"--listen unix:" S "no/socket", "in this folder"},
        {"--listen 192.0.2.1:8080 --no-token", "an address of this machine"},
        {"-m " MODEL " --listen " ADDRESS, "two models are called 'tiny'"},
        {"-m x/y=" MODEL, "as the name of a model"},
        {"-m other=" S "missing", "missing"},
        {"--queue 0", "--queue"}};
    write_text(S "secret", "a-secret\n");
    write_bytes(S "zero", "a\0b\n", 4);
    shell_ok("mkfifo " S "fifo; ln -s nowhere " S "dangling");
    for (int i = 0; i < COUNT(wrong); i++) {
        char words[512];
        snprintf(words, sizeof words, "serve -m " MODEL " %s", wrong[i][0]);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code == 1 || outcome.code == 2, "%s: exit %d", words, outcome.code);
        assert_contains(outcome.err, wrong[i][1]);
    }
    copy_file(S "secret", S "token");
    chmod(S "token", 0604);
    pid_t child = start_server(S, SERVE "--token-file " S "token", address);
    assert_file_holds(S "err", "every account of this machine can read " S "token");
    ck_assert_int_eq(get_from(address, "/v2/health/live", text), 200);
    ck_assert_int_eq(get_from(address, "/v2", text), 401);
    assert_contains(text, "WWW-Authenticate: Bearer");
    ck_assert_int_eq(predict(address), 401);
    ck_assert_int_eq(request_bytes(address, "POST /predict HTTP/1.1\r\nAuthorization: Bearer a-secret", image,
                                   image_size, text),
                     200);
    struct stat info;
    ck_assert_int_eq(stat(S "socket", &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0660);
    kill(child, SIGKILL);
    await(child, &outcome);
    child = start_server(S, SERVE, address); /* over the socket's file that was left */
    stop_server(child, SIGINT);
    ck_assert(!exists(S "socket"));
}
END_TEST

/* What needs no model is told without waiting for one, all of it. */
START_TEST(mistakes_are_told_at_once) {
    NEED_SERVER();
    Outcome outcome;
    write_bytes(S "zero", "a\0b\n", 4);
    run("serve -m " MODEL " -m " S "missing -m f=" S "tiny --listen unix:" IMAGE " --token-file " S
        "zero --tls-cert " S "nothing --tls-key " IMAGE,
        0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "missing: cannot open");
    assert_contains(outcome.err, "tiny: is a folder");
    assert_contains(outcome.err, "is no socket");
    assert_contains(outcome.err, "--token-file: " S "zero");
    assert_contains(outcome.err, "--tls-cert: " S "nothing");
    assert_contains(outcome.err, "--tls-key: " IMAGE);
    assert_contains(outcome.err, "6 mistakes; nothing was started");
    ck_assert_int_eq(outcome.complaints, outcome.lines); /* no model was loaded and told of */
    char words[512];
    int port = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in bound = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof bound;
    ck_assert(bind(port, (struct sockaddr *)&bound, size) == 0 && listen(port, 1) == 0);
    getsockname(port, (struct sockaddr *)&bound, &size);
    snprintf(words, sizeof words, "serve -m " MODEL " --listen 127.0.0.1:%d", ntohs(bound.sin_port));
    run(words, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "another process listens there");
    ck_assert_int_eq(outcome.complaints, outcome.lines);
    close(port);
    snprintf(words, sizeof words,
             "sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec \"$PROGRAM\" serve -m " MODEL "' 3</dev/null 2>" S
             "handed");
    ck_assert_int_eq(shell(words), 1);
    assert_file_holds(S "handed", "LISTEN_FDS: descriptor 3");
}
END_TEST

static int bind_file(const char *path) {
    struct sockaddr_un file = {.sun_family = AF_UNIX};
    snprintf(file.sun_path, sizeof file.sun_path, "%s", path);
    int line = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(line, (struct sockaddr *)&file, sizeof file), 0);
    return line;
}

/* Files of others in the socket's place stay, whoever puts them there and when. */
START_TEST(the_sockets_of_others_stay) {
    NEED_SERVER();
    char address[128];
    Outcome outcome;
    pid_t child = start_server(S, SERVE, address);
    unlink(S "socket");
    write_text(S "socket", "mine");
    stop_server(child, SIGTERM);
    assert_file_holds(S "socket", "mine");
    unlink(S "socket");
    /* A server that is being stopped, and its successor. */
    child = start_server(S, SERVE, address);
    int line = connect_to(address);
    static const char head[] = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
    send_all(line, head, sizeof head - 1);
    pause_for(0.3);
    kill(child, SIGTERM);
    for (int i = 0; i < 500 && exists(S "socket"); i++) pause_for(0.02);
    pid_t next = start_server(S, SERVE, address);
    close(line);
    await(child, &outcome);
    ck_assert_int_eq(get_from(address, "/v2/health/ready", text), 200);
    run("serve -m " MODEL " --listen " ADDRESS, 0, &outcome);
    assert_contains(outcome.err, "another process has this socket");
    stop_server(next, SIGUSR1);
    ck_assert(!exists(S "socket"));
    /* Bound and not listened at; then listened at, and without room for another. */
    int other = bind_file(S "socket");
    run("serve -m " MODEL " --listen " ADDRESS, 0, &outcome);
    assert_contains(outcome.err, "another process has this socket");
    ck_assert(exists(S "socket"));
    ck_assert_int_eq(listen(other, 0), 0);
    int waiting = connect_to(ADDRESS);
    run("serve -m " MODEL " --listen " ADDRESS, 0, &outcome);
    assert_contains(outcome.err, "another process has this socket");
    close(waiting);
    close(other);
    child = start_server(S, SERVE, address);
    stop_server(child, SIGTERM);
}
END_TEST

/* What is cut off is told of; and a signal ends it also while something is waited for at its start. */
START_TEST(it_ends_in_its_time) {
    NEED_SERVER();
    char address[128], word[256];
    Outcome outcome;
    pid_t child = start_server(S, SERVE "--exit-timeout 1", address);
    int line = connect_to(address);
    static const char head[] = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
    send_all(line, head, sizeof head - 1);
    pause_for(0.3);
    stop_server(child, SIGTERM);
    close(line);
    assert_file_holds(S "err", "requests that were cut off: 1");
    copy_file(MODEL, S "changing.safetensors");
    child = start_server(S, "-m a=" S "changing.safetensors --listen " ADDRESS, address);
    unlink(S "changing.safetensors");
    ck_assert_int_eq(mkfifo(S "changing.safetensors", 0600), 0);
    for (int i = 0; i < 5; i++) kill(child, SIGHUP), pause_for(0.1);
    ck_assert_int_eq(predict(address), 200);
    stop_server(child, SIGTERM);
    assert_file_holds(S "err", "changing.safetensors: is a FIFO");
    unlink(S "changing.safetensors");
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0); /* a token that never comes */
    snprintf(word, sizeof word, "serve -m " MODEL " --listen " ADDRESS " --token-file /dev/fd/%d", ends[0]);
    child = start(word, 0);
    pause_for(1);
    kill(child, SIGTERM);
    await(child, &outcome);
    ck_assert_int_eq(outcome.code, EXIT_KILLED);
    close(ends[0]), close(ends[1]);
}
END_TEST

START_TEST(large_and_wrong_requests_are_refused) {
    NEED_SERVER();
    char address[128];
    enum { SIZE = 3 << 20 };
    char *body = calloc(SIZE, 1);
    pid_t child = start_server(S, SERVE "--max-body 1", address);
    ck_assert_int_eq(request_bytes(address, "POST /predict HTTP/1.1", NULL, 2000000000, text), 413);
    assert_contains(text, "--max-body");
    int line = connect_to(address); /* of a length that is not told */
    static const char chunked[] =
        "POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n";
    send_all(line, chunked, sizeof chunked - 1);
    send_all(line, body, SIZE);
    send_all(line, "\r\n0\r\n\r\n", 7);
    pause_for(0.2);
    shutdown(line, SHUT_WR);
    receive_all(line, text, TEXT_SIZE);
    assert_contains(text, " 413 ");
    close(line);
    line = connect_to(address); /* a header without end */
    memset(body, 'a', SIZE);
    send_all(line, "GET /v2 HTTP/1.1\r\nX: ", 21);
    send_all(line, body, SIZE);
    receive_all(line, text, TEXT_SIZE);
    close(line);
    ck_assert_int_eq(get_from(address, "/v2", text), 200);
    stop_server(child, SIGTERM);
    free(body);
}
END_TEST

START_TEST(slow_clients_cost_their_connection_alone) {
    NEED_SERVER();
    enum { SLOW = 200 };
    char address[128], byte;
    int lines[SLOW], closed = 0;
    static const char head[] = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
    pid_t child = start_server(S, SERVE "--idle-timeout 2", address);
    for (int i = 0; i < SLOW; i++) {
        lines[i] = connect_to(address);
        send_all(lines[i], head, i % 2 ? sizeof head - 1 : 20); /* in the body, and in the header */
    }
    ck_assert_int_eq(predict(address), 200);
    for (int turn = 0; turn < 8; turn++) {
        for (int i = 0; i < SLOW; i++) send_all(lines[i], "x", 1);
        ck_assert_int_eq(get_from(address, "/v2/health/ready", text), 200);
        pause_for(0.5);
    }
    ck_assert_int_eq(predict(address), 200);
    for (int i = 0; i < SLOW; i++) {
        closed += recv(lines[i], &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
        close(lines[i]);
    }
    ck_assert_int_eq(closed, SLOW);
    stop_server(child, SIGTERM);
}
END_TEST

START_TEST(a_changed_model_takes_over) {
    NEED_SERVER();
    char address[128];
    copy_file(MODEL, S "changing.safetensors");
    pid_t child = start_server(S, "-m a=" S "changing.safetensors --listen " ADDRESS, address);
    ck_assert_int_eq(predict(address), 200);
    assert_contains(text, "\"anomalous\"");
    save_tiny_model(S "changing.safetensors", NAN, NULL);
    kill(child, SIGHUP);
    for (int i = 0; i < 500 && strstr(text, "\"anomalous\""); i++) {
        pause_for(0.02);
        ck_assert_int_eq(predict(address), 200);
    }
    ck_assert_ptr_null(strstr(text, "\"anomalous\""));
    write_text(S "changing.safetensors", "no model");
    kill(child, SIGHUP);
    pause_for(0.3);
    ck_assert_int_eq(predict(address), 200);
    stop_server(child, SIGTERM);
    read_into(S "err", text);
    assert_contains(text, "changing.safetensors");
    assert_contains(text, "the model before it stays");
}
END_TEST

START_TEST(what_is_under_way_is_finished) {
    NEED_SERVER();
    enum { CLIENTS = 8 };
    char address[128];
    int lines[CLIENTS], idle;
    char head[256];
    pid_t child = start_server(S, SERVE, address);
    idle = connect_to(address);
    snprintf(head, sizeof head, "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             image_size);
    for (int i = 0; i < CLIENTS; i++) {
        lines[i] = connect_to(address);
        send_all(lines[i], head, strlen(head));
        send_all(lines[i], image, image_size - 1);
    }
    pause_for(0.3);
    for (int i = 0; i < CLIENTS; i += 2) send_all(lines[i], image + image_size - 1, 1);
    pause_for(0.1);
    kill(child, SIGTERM);
    pause_for(0.3);
    ck_assert_int_eq(connect_to(address), -1);
    for (int i = 1; i < CLIENTS; i += 2) send_all(lines[i], image + image_size - 1, 1);
    for (int i = 0; i < CLIENTS; i++) {
        receive_all(lines[i], text, TEXT_SIZE);
        assert_contains(text, i % 2 ? "HTTP/1.1 503" : "HTTP/1.1 200");
        if (i % 2) assert_contains(text, "Retry-After: 1");
        if (i % 2) assert_contains(text, "Connection: close");
        close(lines[i]);
    }
    Outcome outcome;
    await(child, &outcome);
    ck_assert_msg(outcome.code == 0, "exit %d: %s", outcome.code, outcome.err);
    close(idle);
}
END_TEST

/* Who sends steadily may take longer than who says nothing at all. */
START_TEST(large_bodies_have_their_time) {
    NEED_SERVER();
    enum { PIECE = 100000, PIECES = 25 };
    char address[128], *body = calloc(PIECE, 1), head[256];
    pid_t child = start_server(S, SERVE "--idle-timeout 1", address);
    int line = connect_to(address);
    snprintf(head, sizeof head,
             "POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n",
             PIECE * PIECES);
    send_all(line, head, strlen(head));
    for (int i = 0; i < PIECES; i++) {
        ck_assert(send_all(line, body, PIECE));
        pause_for(0.1);
    }
    receive_all(line, text, TEXT_SIZE);
    assert_contains(text, "HTTP/1.1 400");
    close(line);
    stop_server(child, SIGTERM);
    free(body);
}
END_TEST

START_TEST(the_page_is_served_and_decided_on) {
    NEED_SERVER();
    char address[128];
    Outcome outcome;
    static const char decision[] = "{\"sequence\": 1, \"decision\": \"defect\"}";
    write_text(S "notes", "my notes\n");
    run("serve -m " MODEL " --listen unix:" S "x --decisions " S "notes", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "not written by this program");
    run("serve -m " MODEL " --listen unix:" S "x --decisions " S "notes/below", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "--decisions");
    pid_t child = start_server(S, SERVE "--decisions " S "made/decisions.jsonl", address);
    ck_assert_int_eq(get_from(address, "/", text), 200);
    assert_contains(text, "Content-Security-Policy: default-src 'none'; script-src 'sha256-");
    assert_contains(text, "Cache-Control: no-store");
    ck_assert_int_eq(predict(address), 200);
    ck_assert_ptr_null(strstr(text, "Content-Security-Policy"));
    ck_assert_int_eq(get_from(address, "/page/heat/1", text), 200);
    ck_assert_int_eq(get_from(address, "/page/news?after=0", text), 200);
    assert_contains(text, "\"source\":\"a.png\"");
    ck_assert_int_eq(
        request_bytes(address, "POST /page/decisions HTTP/1.1", decision, sizeof decision - 1, text), 200);
    ck_assert_int_eq(request_bytes(address, "POST /page/decisions HTTP/1.1\r\nOrigin: http://evil.example",
                                   decision, sizeof decision - 1, text),
                     403);
    ck_assert_int_eq(get_from(address, "/metrics", text), 200);
    assert_contains(text, "efficientad_request_seconds_count 1\n"); /* the page's requests do not count */
    stop_server(child, SIGTERM);
    assert_file_holds(S "made/decisions.jsonl", "\"decision\":\"defect\"");
    child = start_server(S, SERVE "--page-memory 0", address);
    ck_assert_int_eq(get_from(address, "/", text), 404);
    stop_server(child, SIGTERM);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, answers_and_ends);
    tcase_add_test(tests, what_others_reach_needs_a_token);
    tcase_add_test(tests, mistakes_are_told_at_once);
    tcase_add_test(tests, the_sockets_of_others_stay);
    tcase_add_test(tests, it_ends_in_its_time);
    tcase_add_test(tests, large_and_wrong_requests_are_refused);
    tcase_add_test(tests, slow_clients_cost_their_connection_alone);
    tcase_add_test(tests, large_bodies_have_their_time);
    tcase_add_test(tests, the_page_is_served_and_decided_on);
    tcase_add_test(tests, a_changed_model_takes_over);
    tcase_add_test(tests, what_is_under_way_is_finished);
}

int main(void) {
    return run_program_suite("serve program", S, make_scene, remove_scene, add_tests);
}
