/* The page of efficientad watch: it shows and counts what was scored, takes decisions, and is in nobody's way. Skipped where $PROGRAM is not
 * set, or it cannot serve. */
#define _GNU_SOURCE /* prlimit */
#define S           "build/scratch/test_watch_page/"
#include "core/base/printing.h"
#include "test/serve/serve_client.h"
#include "test/watch/watch_scene.h"

#include <math.h>
#include <sys/resource.h>

#define DECISIONS JOURNAL "/decisions.jsonl"
#define LISTEN    "--listen 127.0.0.1:0 "

static json_t *lines[MOST_LINES];
static Outcome outcome;
static char text[TEXT_SIZE], address[128];

/* Starts watch with these words and its page, whose address it says. */
static pid_t start_page(const char *words) {
    char all[512], said[TEXT_SIZE];
    snprintf(all, sizeof all, LISTEN "%s", words);
    pid_t child = start_watch(all, 0);
    read_into(S "err", said);
    const char *found = strstr(said, "listening at ");
    ck_assert_msg(found != NULL, "%s", said);
    ck_assert_int_eq(sscanf(found, "listening at %127s", address), 1);
    return child;
}

static int get(const char *path) {
    return get_from(address, path, text);
}

/* The JSON that stands at a path. */
static json_t *get_json(const char *path) {
    ck_assert_msg(get(path) == 200, "%s: %s", path, text);
    json_t *root = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
    ck_assert_msg(root != NULL, "%s: %s", path, text);
    return root;
}

/* Waits until the page counts so many images, with those that failed. */
static void await_shown(int images) {
    for (int i = 0; i < 6000; i++, pause_for(0.02)) {
        json_t *news = get_json("/page/news?after=1000000000");
        const json_t *count = json_array_get(json_object_get(news, "counts"), 0);
        json_int_t got = json_integer_value(json_object_get(count, "images")) +
                         json_integer_value(json_object_get(count, "failed"));
        json_decref(news);
        if (got == images) return;
    }
    ck_abort_msg("the page does not show %d images", images);
}

static double number_in(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

/* Of the images that image1.png and image2.png become, the one by which the other is good. */
static double choose_threshold(void) {
    EadDetector *detector;
    float scores[2];
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int i = 0; i < 2; i++) {
        write_noise_png(S "image.png", 40, 30, 3, (uint32_t)i + 1);
        free(library_map(detector, S "image.png", &scores[i]));
    }
    ead_detector_close(detector);
    return (double)fmaxf(scores[0], scores[1]);
}

START_TEST(what_is_scored_is_shown) {
    NEED_SERVER();
    char words[256], metric[128], number[EAD_NUMBER_TEXT];
    double threshold = choose_threshold();
    empty_folders();
    shell_ok("mkdir " FOLDER "/camera1");
    snprintf(words, sizeof words, "-r --move-to " DONE " --threshold %.9g", threshold);
    pid_t child = start_page(words);
    ck_assert_int_eq(get("/"), 200);
    assert_contains(text, "Content-Security-Policy: default-src 'none'; script-src 'sha256-");
    ck_assert_int_eq(get("/v2/health/ready"), 200);
    put_image("camera1/a.png", 1);
    await_lines(1);
    write_text(FOLDER "/broken.png", "no image");
    await_lines(2);
    pause_for(0.11); /* for its picture */
    put_image("b.png", 2);
    await_lines(3);
    await_shown(3);
    ck_assert_int_eq(read_journal(lines), 3);
    json_t *news = get_json("/page/news?after=0"), *images = json_object_get(news, "images");
    ck_assert_uint_eq(json_array_size(images), 2);
    static const char *const names[] = {"camera1/a.png", "b.png"};
    for (int i = 0; i < 2; i++) {
        const json_t *image = json_array_get(images, (size_t)i), *line = lines[2 * i];
        ck_assert_int_eq(json_integer_value(json_object_get(image, "sequence")), 2 * i + 1);
        ck_assert_str_eq(text_of(image, "source"), names[i]);
        ck_assert_float_eq((float)number_in(image, "score"), (float)number_in(line, "score"));
        ck_assert_float_eq((float)number_in(image, "threshold"), (float)threshold);
        ck_assert(json_is_true(json_object_get(image, "picture")));
    }
    json_decref(news);
    free_lines(lines, 3);
    json_t *about = get_json("/page/about");
    ck_assert_float_eq((float)number_in(json_array_get(json_object_get(about, "models"), 0), "threshold"),
                       (float)threshold);
    ck_assert_str_eq(text_of(about, "decisions"), "decisions.jsonl");
    json_decref(about);
    ck_assert_int_eq(get("/page/image/1"), 200);
    ck_assert_int_eq(get("/page/heat/3"), 200);
    ck_assert_int_eq(get("/page/image/2"), 404); /* the one that failed */
    ck_assert_int_eq(get("/metrics"), 200);
    assert_contains(text, "efficientad_images_total{model=\"tiny\"} 2\n");
    assert_contains(text, "efficientad_anomalous_total{model=\"tiny\"} 1\n");
    assert_contains(text, "efficientad_stage_seconds_count{model=\"tiny\",stage=\"detector\"} 2\n");
    snprintf(metric, sizeof metric, "efficientad_model_threshold{model=\"tiny\"} %s\n",
             ead_float_text((float)threshold, number));
    assert_contains(text, metric);
    stop_watch(child, &outcome);
    ck_assert_int_eq(connect_to(address), -1);
}
END_TEST

START_TEST(decisions_name_lines_of_the_journal) {
    NEED_SERVER();
    static const char first[] = "{\"sequence\": 1, \"decision\": \"good\"}",
                      second[] = "{\"sequence\": 2, \"decision\": \"defect\"}",
                      post[] = "POST /page/decisions HTTP/1.1";
    empty_folders();
    pid_t child = start_page("");
    put_image("a.png", 1);
    await_shown(1);
    ck_assert_int_eq(request_bytes(address, post, first, sizeof first - 1, text), 200);
    stop_watch(child, &outcome);
    child = start_page("");
    ck_assert_int_eq(request_bytes(address, post, first, sizeof first - 1, text), 404); /* not kept */
    put_image("b.png", 2);
    await_shown(1);
    ck_assert_int_eq(request_bytes(address, post, second, sizeof second - 1, text), 200);
    char *large = calloc(1, 100000);
    ck_assert_int_eq(request_bytes(address, post, large, 100000, text), 413);
    ck_assert_ptr_null(strstr(text, "--max-body")); /* which it has not */
    free(large);
    stop_watch(child, &outcome);
    shell_ok("test $(wc -l <" DECISIONS ") = 2");
    assert_file_holds(DECISIONS, "\"sequence\":1,\"source\":\"a.png\"");
    assert_file_holds(DECISIONS, "\"sequence\":2,\"source\":\"b.png\"");
}
END_TEST

/* It looks; whoever wants images scored asks serve. */
START_TEST(nothing_else_is_answered) {
    NEED_SERVER();
    static const char *const paths[] = {"/v2", "/v2/models/tiny", "/v2/models/tiny/ready", "/page/image/x",
                                        "/v2/repository/index"};
    empty_folders();
    write_text(S "token", "a-secret\n");
    pid_t child = start_page("--token-file " S "token");
    ck_assert_int_eq(get("/page/news"), 401);
    ck_assert_int_eq(get("/metrics"), 401);
    ck_assert_int_eq(get("/v2/health/live"), 200);
    for (int i = 0; i < COUNT(paths); i++) {
        char head[256];
        snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nAuthorization: Bearer a-secret", paths[i]);
        ck_assert_msg(request_bytes(address, head, NULL, 0, text) == 404, "%s: %s", paths[i], text);
    }
    static const char *const posts[] = {"/predict", "/v2/models/tiny/infer", "/reload"};
    for (int i = 0; i < COUNT(posts); i++) {
        char head[256];
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nAuthorization: Bearer a-secret", posts[i]);
        ck_assert_msg(request_bytes(address, head, "x", 1, text) == 404, "%s: %s", posts[i], text);
    }
    stop_watch(child, &outcome);
    child = start_page("--page-memory 0"); /* metrics alone */
    ck_assert_int_eq(get("/"), 404);
    put_image("a.png", 1);
    await_lines(1);
    for (int i = 0; i < 500 && !strstr(text, "efficientad_images_total{model=\"tiny\"} 1\n"); i++) {
        ck_assert_int_eq(get("/metrics"), 200);
        pause_for(0.01);
    }
    assert_contains(text, "efficientad_images_total{model=\"tiny\"} 1\n");
    stop_watch(child, &outcome);
}
END_TEST

/* Those who look ask for all of it and read nothing; images come faster than pictures are made. */
START_TEST(who_looks_is_in_nobodys_way) {
    NEED_SERVER();
    enum { LOOKERS = 20, FLOOD = 150 };
    static const char *const asked[] = {"GET /page/heat/1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                        "GET /page/news HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                        "POST /page/decisions HTTP/1.1\r\nHost: localhost\r\n"};
    int lookers[LOOKERS];
    char name[32];
    empty_folders();
    pid_t child = start_page("");
    for (int i = 0; i < LOOKERS; i++) lookers[i] = connect_to(address);
    for (int i = 0; i < FLOOD; i++) {
        snprintf(name, sizeof name, "%03d.png", i);
        put_image(name, (uint32_t)i + 1);
        const char *request = asked[i % COUNT(asked)];
        send_all(lookers[i % LOOKERS], request, strlen(request));
    }
    await_lines(FLOOD);
    await_shown(FLOOD);
    ck_assert_int_eq(read_journal(lines), FLOOD);
    for (int i = 0; i < FLOOD; i++) {
        snprintf(name, sizeof name, "%03d.png", i);
        assert_contains(text_of(lines[i], "path"), name);
    }
    free_lines(lines, FLOOD);
    stop_watch(child, &outcome);
    for (int i = 0; i < LOOKERS; i++) close(lookers[i]);
}
END_TEST

static void await_ready(int code) {
    for (int i = 0; get("/v2/health/ready") != code; i++) {
        ck_assert_msg(i < 1500, "%s", text);
        pause_for(0.02);
    }
}

START_TEST(a_full_disk_is_no_readiness) {
    NEED_SERVER();
    struct rlimit limit;
    empty_folders();
    pid_t child = start_page("");
    ck_assert_int_eq(prlimit(child, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = 1; /* bytes that a file may have */
    ck_assert_int_eq(prlimit(child, RLIMIT_FSIZE, &limit, NULL), 0);
    put_image("a.png", 1);
    await_ready(503);
    assert_contains(text, "the journal cannot be written; images wait");
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(prlimit(child, RLIMIT_FSIZE, &limit, NULL), 0);
    await_ready(200);
    await_lines(1);
    stop_watch(child, &outcome);
}
END_TEST

START_TEST(a_changed_model_keeps_the_threshold) {
    NEED_SERVER();
    char sha256[80];
    empty_folders();
    copy_file(MODEL, S "changing.safetensors");
    unlink(S "err");
    pid_t child = start("watch -m " S "changing.safetensors --threshold 0.5 --journal " JOURNAL
                        " --listen unix:" S "socket " FOLDER,
                        0);
    await_shell("grep -q 'watching ' " S "err");
    strcpy(address, "unix:" S "socket");
    json_t *about = get_json("/page/about");
    snprintf(sha256, sizeof sha256, "%s",
             text_of(json_array_get(json_object_get(about, "models"), 0), "sha256"));
    json_decref(about);
    save_tiny_model(S "changing.safetensors", 0.75f, NULL);
    kill(child, SIGHUP);
    await_shell("test $(grep -c 'threshold 0.5$' " S "err) = 2");
    about = get_json("/page/about");
    const json_t *model = json_array_get(json_object_get(about, "models"), 0);
    ck_assert_str_ne(text_of(model, "sha256"), sha256);
    ck_assert_double_eq(number_in(model, "threshold"), 0.5);
    json_decref(about);
    stop_watch(child, &outcome);
    ck_assert(!exists(S "socket"));
}
END_TEST

START_TEST(what_is_wrong_with_it_is_said_before_the_work) {
    NEED_SERVER();
    static const char *const wrong[][2] = {
        {"--listen 0.0.0.0:0", "--token-file"},
        {"--listen nowhere", "HOST:PORT"},
        {"--token-file " S "token", "give --listen"},
        {"--decisions " S "decisions", "give --listen"},
        {LISTEN "--listen-cert " S "token", "--listen-cert and --listen-key go together"},
        {LISTEN "--listen-cert " S "token --listen-key " S "token", "of PEM"},
        {LISTEN "--listen-cert " S "token --listen-key " S "locked.key", "openssl pkey -in " S "locked.key"},
        {LISTEN "--listen-client-ca " S "token", "--listen-client-ca needs --listen-cert"},
        {"--listen 0.0.0.0:0", "--listen-client-ca"},
        {LISTEN "--token-file " S "token --no-token", "contradict"},
        {LISTEN "--decisions " MODEL, "not written by this program"}};
    char words[512];
    empty_folders();
    write_text(S "token", "a-secret\n");
    write_text(S "locked.key",
               "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n");
    put_image("a.png", 1);
    for (int i = 0; i < COUNT(wrong); i++) {
        snprintf(words, sizeof words, WATCH "%s " FOLDER, wrong[i][0]);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code == 1 || outcome.code == 2, "%s: exit %d", words, outcome.code);
        assert_contains(outcome.err, wrong[i][1]);
        ck_assert_msg(!exists(JOURNAL), "%s", words);
    }
    pid_t child = start_page("");
    await_lines(1);
    snprintf(words, sizeof words, "watch -m " MODEL " --journal " S "other --listen %s " FOLDER, address + 7);
    run(words, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "another process listens there");
    ck_assert(!exists(S "other"));
    stop_watch(child, &outcome);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, what_is_scored_is_shown);
    tcase_add_test(tests, decisions_name_lines_of_the_journal);
    tcase_add_test(tests, nothing_else_is_answered);
    tcase_add_test(tests, who_looks_is_in_nobodys_way);
    tcase_add_test(tests, a_full_disk_is_no_readiness);
    tcase_add_test(tests, a_changed_model_keeps_the_threshold);
    tcase_add_test(tests, what_is_wrong_with_it_is_said_before_the_work);
}

int main(void) {
    return run_program_suite("watch page", S, make_folders_and_model, remove_scene, add_tests);
}
