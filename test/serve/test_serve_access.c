/* Who gets to efficientad serve: TLS, clients by their certificates, and how many connections an address may have. Skipped where $PROGRAM is not
 * set, or it cannot serve. */
#define S "build/scratch/test_serve_access/"
#include "test/serve/serve_client.h"
#include "test/support/sample_models.h"

#define MODEL S "tiny/model.safetensors"
#define SERVE "-m " MODEL " --listen 127.0.0.1:0 "
#define TLS   SERVE "--tls-cert " S "server.pem --tls-key " S "server.key "

static char text[TEXT_SIZE], address[128];

/* Two issuers; of the first a server, a client, and what may not be one. */
static void make_certificates(void) {
    shell_ok(
        "cd " S
        " && for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=$ca -days 2 -keyout "
        "$ca.key -out $ca.pem; done 2>/dev/null && "
        "make() { openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout $1.key -out $1.csr && "
        "printf \"extendedKeyUsage=$3\" >$1.ext && openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key "
        "-CAcreateserial "
        "-days 2 -extfile $1.ext -out $1.pem; } && "
        "(make server ca serverAuth && make client ca clientAuth && make stranger other clientAuth) "
        "2>/dev/null");
}

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    save_tiny_model(MODEL, 0.25f, NULL);
    if (shell("command -v openssl >/dev/null") == 0) make_certificates();
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

#define NEED_CERTIFICATES()                                                                                  \
    NEED_SERVER();                                                                                           \
    SKIP_UNLESS(exists(S "stranger.pem"), "openssl is not here")

/* What is said to a client with these options of openssl, in S said. */
static void ask_secretly(const char *options) {
    char command[512];
    snprintf(command, sizeof command,
             "(printf 'GET /v2 HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'; sleep 1) | "
             "openssl s_client -quiet -verify_return_error -CAfile " S "ca.pem %s -connect %s >" S
             "said 2>/dev/null",
             options, address + 8);
    shell_ok(command);
}

START_TEST(tls_hides_what_is_said) {
    NEED_CERTIFICATES();
    Outcome outcome;
    run("serve " SERVE "--tls-cert " S "server.pem", 0, &outcome);
    assert_contains(outcome.err, "go together");
    run("serve " SERVE "--tls-cert " S "server.pem --tls-key " S "client.key", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "--tls-cert, --tls-key: the key is not that");
    pid_t child = start_server(S, TLS, address);
    ck_assert_int_eq(strncmp(address, "https://127.0.0.1:", 18), 0);
    ask_secretly("");
    assert_file_holds(S "said", "binary_tensor_data");
    ck_assert_int_eq(get_from(address, "/v2", text), 0); /* plain text is not answered */
    stop_server(child, SIGTERM);
}
END_TEST

START_TEST(clients_are_known_by_their_certificates) {
    NEED_CERTIFICATES();
    Outcome outcome;
    static const char *const strangers[] = {"", "-cert " S "stranger.pem -key " S "stranger.key",
                                            "-cert " S "server.pem -key " S "server.key"};
    run("serve " SERVE "--tls-client-ca " S "ca.pem", 0, &outcome);
    assert_contains(outcome.err, "--tls-client-ca needs --tls-cert");
    run("serve " TLS "--tls-client-ca " S "ca.key", 0, &outcome);
    assert_contains(outcome.err, "--tls-client-ca: " S "ca.key");
    write_text(S "damaged", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    run("serve " TLS "--tls-client-ca " S "damaged", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "issuers are damaged");
    pid_t child = start_server(S, TLS "--tls-client-ca " S "ca.pem", address);
    ask_secretly("-cert " S "client.pem -key " S "client.key");
    assert_file_holds(S "said", "binary_tensor_data");
    for (int i = 0; i < COUNT(strangers); i++) {
        ask_secretly(strangers[i]);
        assert_file_holds(S "said", "HTTP/1.1 403");
        assert_file_holds(S "said", "show a certificate of an issuer");
    }
    stop_server(child, SIGTERM);
    /* It stands for a token. */
    child = start_server(S,
                         "-m " MODEL " --listen 0.0.0.0:0 --tls-cert " S "server.pem --tls-key " S
                         "server.key --tls-client-ca " S "ca.pem",
                         address);
    stop_server(child, SIGTERM);
}
END_TEST

/* A connection from another address of this machine. */
static int connect_from(const char *source) {
    struct sockaddr_in port = {.sin_family = AF_INET}, from = {.sin_family = AF_INET};
    inet_pton(AF_INET, source, &from.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &port.sin_addr);
    port.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    int line = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(line, (struct sockaddr *)&from, sizeof from), 0);
    ck_assert_int_eq(connect(line, (struct sockaddr *)&port, sizeof port), 0);
    return line;
}

/* Whether the server answers on a connection, which stays open. */
static bool is_answered(int line) {
    static const char request[] = "GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    ssize_t got = send_all(line, request, sizeof request - 1) ? recv(line, text, TEXT_SIZE - 1, 0) : 0;
    return got > 12 && memcmp(text, "HTTP/1.1 200", 12) == 0;
}

START_TEST(an_address_has_a_part_of_the_connections) {
    NEED_SERVER();
    enum { PART = 3 };
    int lines[PART];
    pid_t child = start_server(S, SERVE "--connections 6", address); /* the half of them */
    for (int i = 0; i < PART; i++) {
        lines[i] = connect_from("127.0.0.1");
        ck_assert(is_answered(lines[i]));
    }
    int more = connect_from("127.0.0.1"), other = connect_from("127.0.0.2");
    ck_assert(!is_answered(more));
    ck_assert(is_answered(other));
    close(more), close(other), close(lines[0]);
    bool answered = false;
    for (int i = 0; i < 500 && !answered; i++, pause_for(0.02)) {
        more = connect_from("127.0.0.1");
        answered = is_answered(more);
        close(more);
    }
    ck_assert(answered);
    for (int i = 1; i < PART; i++) close(lines[i]);
    stop_server(child, SIGTERM);
    child = start_server(S, SERVE "--connections 6 --connections-per-address 1", address);
    lines[0] = connect_from("127.0.0.1");
    ck_assert(is_answered(lines[0]));
    more = connect_from("127.0.0.1");
    ck_assert(!is_answered(more));
    close(more), close(lines[0]);
    stop_server(child, SIGTERM);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, tls_hides_what_is_said);
    tcase_add_test(tests, clients_are_known_by_their_certificates);
    tcase_add_test(tests, an_address_has_a_part_of_the_connections);
}

int main(void) {
    return run_program_suite("serve access", S, make_scene, remove_scene, add_tests);
}
