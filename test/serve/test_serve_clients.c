/* efficientad serve under clients that go wrong: they hang up, and say two lengths. Skipped where $PROGRAM is not set, or it
 * cannot serve. */
#define S "build/scratch/test_serve_clients/"
#include "test/serve/serve_client.h"
#include "test/support/sample_models.h"

#define MODEL S "tiny/model.safetensors"
#define SERVE "-m " MODEL " --listen 127.0.0.1:0 "
#define IMAGE S "image.png"

static uint8_t *image;
static size_t image_size;
static char text[TEXT_SIZE], address[128];

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

/* Sends a request as it is; what is answered is text. */
static void ask_plainly(const char *request) {
    int line = connect_to(address);
    send_all(line, request, strlen(request));
    receive_all(line, text, TEXT_SIZE);
    close(line);
}

START_TEST(a_request_names_one_host_and_no_path_ends_early) {
    NEED_SERVER();
    pid_t child = start_server(S, SERVE, address);
    ask_plainly("GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_contains(text, "HTTP/1.1 400 ");
    ask_plainly("GET /v2 HTTP/1.1\r\nHost: localhost\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_contains(text, "HTTP/1.1 400 ");
    ask_plainly("GET /v2 HTTP/1.0\r\n\r\n");
    assert_contains(text, " 200 OK");
    ask_plainly("GET /v2%00/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_contains(text, "HTTP/1.1 404 ");
    ask_plainly("GET /%762 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_contains(text, " 200 OK");
    stop_server(child, SIGTERM);
}
END_TEST

/* A proxy may go by the other length: what is left of the body would be the next one's request. */
START_TEST(a_body_has_one_length) {
    NEED_SERVER();
    static const char *const twice[] = {"Content-Length: 5\r\nContent-Length: 50\r\n\r\n12345",
                                        "Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345",
                                        ("Content-Length: 35\r\ntransfer-encoding: "
                                         "chunked\r\n\r\n0\r\n\r\nGET /v2 HTTP/1.1\r\nHost: a\r\n\r\n")};
    pid_t child = start_server(S, SERVE, address);
    for (size_t i = 0; i < COUNT(twice); i++) {
        static const char head[] = "POST /predict HTTP/1.1\r\nHost: localhost\r\n";
        int line = connect_to(address);
        send_all(line, head, sizeof head - 1);
        send_all(line, twice[i], strlen(twice[i]));
        receive_all(line, text, TEXT_SIZE); /* until the server closes it */
        close(line);
        assert_contains(text, "HTTP/1.1 400 ");
        assert_contains(text, "said twice");
        ck_assert_ptr_null(strstr(text, "200 OK"));
    }
    stop_server(child, SIGTERM);
}
END_TEST

/* Until its own socket alone is left. */
static void await_no_connections(pid_t child) {
    char line[128];
    snprintf(line, sizeof line, "test $(ls -l /proc/%d/fd | grep -c socket:) = 1", (int)child);
    for (int i = 0; shell(line) != 0; i++) {
        ck_assert_msg(i < 1500, "connections stay");
        pause_for(0.02);
    }
}

/* Of those who hang up nothing stays, and nothing is scored for them. */
START_TEST(who_hangs_up_is_not_waited_for) {
    NEED_SERVER();
    enum { CLIENTS = 8 };
    char head[256];
    int lines[CLIENTS];
    pid_t child = start_server(S, SERVE "--idle-timeout 3600 --exit-timeout 3600", address);
    snprintf(head, sizeof head, "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
             image_size);
    for (int whole = 0; whole < 2; whole++) {
        kill(child, SIGSTOP); /* so that it finds them gone */
        for (int i = 0; i < CLIENTS; i++) {
            lines[i] = connect_to(address);
            send_all(lines[i], head, strlen(head));
            send_all(lines[i], image, whole ? image_size : image_size / 2);
            close(lines[i]);
        }
        kill(child, SIGCONT);
        await_no_connections(child);
    }
    ck_assert_int_eq(get_from(address, "/metrics", text), 200);
    assert_contains(text, "efficientad_errors_total{kind=\"gone\"} 16\n");
    assert_contains(text, "efficientad_images_total{model=\"tiny\"} 0\n");
    stop_server(child, SIGTERM);
}
END_TEST

/* So that it does not send into a connection that is being closed. */
START_TEST(a_client_is_told_how_long_its_connection_stays) {
    NEED_SERVER();
    static const char request[] = "GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    pid_t child = start_server(S, SERVE "--idle-timeout 3600", address);
    int line = connect_to(address);
    for (int i = 0; i < 2; i++) {
        size_t size = 0;
        send_all(line, request, sizeof request - 1);
        for (*text = '\0'; !strstr(text, "\r\n\r\n"); text[size] = '\0') {
            ssize_t got = recv(line, text + size, TEXT_SIZE - 1 - size, 0);
            ck_assert_int_gt(got, 0);
            size += (size_t)got;
        }
        assert_contains(text, "\r\nConnection: Keep-Alive\r\n");
        assert_contains(text, "\r\nKeep-Alive: timeout=3600\r\n");
    }
    close(line);
    stop_server(child, SIGTERM);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_client_is_told_how_long_its_connection_stays);
    tcase_add_test(tests, a_request_names_one_host_and_no_path_ends_early);
    tcase_add_test(tests, a_body_has_one_length);
    tcase_add_test(tests, who_hangs_up_is_not_waited_for);
}

int main(void) {
    return run_program_suite("serve clients", S, make_scene, remove_scene, add_tests);
}
