/* The live page without a browser: who gets what, what is kept and what goes, and decisions on the disk. */
#include "test/serve/serve_scene.h"
#include "train/page/live_page.h"
#include "train/serve/serve_documents.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#define S         "build/scratch/test_serve_page/"
#define MODEL     S "model.safetensors"
#define DECISIONS S "decisions.jsonl"
#define DECIDE    "/page/decisions"

enum { WIDTH = 40, HEIGHT = 30, SIDE = 16, MEGABYTE = 1 << 20 };

static EadServer server;
static EadLivePageOptions options;
static EadModel model; /* of what is added without being scored */

static void write_no_models(void *context, EadJson *json) {
    (void)context;
    (void)json;
}

static void open_page(EadLivePage **page, int64_t memory) {
    options = (EadLivePageOptions){
        .memory = memory, .decisions = DECISIONS, .may_decide = true, .write_models = write_no_models};
    ASSERT_OK(ead_live_page_new(&options, page));
}

static void make_scene(void) {
    shell_ok("rm -rf " S);
    save_tiny_model(MODEL, 0.25f, NULL);
    open_server(MODEL, 1, &server);
    open_page(&server.page, MEGABYTE);
    model = ead_model_new("efficientad", SIDE, SIDE);
    model.threshold = model.pixel_threshold = 0.5f;
}

static void remove_scene(void) {
    close_server(&server);
    ead_live_page_free(server.page);
    shell_ok("rm -rf " S);
}

/* Adds an image with its score all over its map. */
static void add_image(EadLivePage *page, const char *source, float score) {
    uint8_t pixels[WIDTH * HEIGHT * 3];
    float map[SIDE * SIDE];
    fill_noise(pixels, sizeof pixels, 3);
    for (int i = 0; i < SIDE * SIDE; i++) map[i] = score;
    ead_live_page_add(page, &(EadLiveImage){.source = source,
                                            .name = "made",
                                            .sha256 = "0123456789abcdef",
                                            .model = &model,
                                            .pixels = pixels,
                                            .width = WIDTH,
                                            .height = HEIGHT,
                                            .channels = 3,
                                            .map = map,
                                            .score = score,
                                            .seconds = 0.05,
                                            .network = 0.04});
}

static json_t *news_of(EadLivePage *page, const char *after) {
    EadServeReply reply = {0};
    ead_live_page_tell_news(page, after, &reply);
    return json_of(&reply, EAD_HTTP_OK);
}

static json_int_t whole(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static const json_t *image_of(const json_t *news, size_t index) {
    return json_array_get(json_object_get(news, "images"), index);
}

/* ---- the page ---- */

START_TEST(the_page_is_one_small_text) {
    EadServeReply reply = ask(&server, "GET", "/", NULL);
    ck_assert_int_eq(reply.code, EAD_HTTP_OK);
    ck_assert_str_eq(reply.type, "text/html; charset=utf-8");
    ck_assert_uint_lt(reply.size, 60000);
    ck_assert_uint_gt(reply.size, 20000);
    ck_assert_ptr_null(strstr(reply.body, "http://"));
    ck_assert_ptr_null(strstr(reply.body, "https://"));
    ck_assert_ptr_null(strstr(reply.body, " style="));
    ck_assert_ptr_null(strstr(reply.body, " onclick="));
    ck_assert_ptr_null(strstr(reply.body, "innerHTML"));
    ck_assert_ptr_null(strstr(reply.body, "name=\"guard\""));
    ck_assert_ptr_null(strstr(reply.body, "@css@"));
    ck_assert_ptr_null(strstr(reply.body, "@guard@"));
    ead_reply_free(&reply);
}
END_TEST

/* The hash that a policy names for what stands between two tags; openssl is the judge. */
static void assert_hash(const char *page, const char *policy, const char *kind, const char *open,
                        const char *close) {
    char command[400], said[200] = "", wanted[200];
    const char *begin = strstr(page, open) + strlen(open);
    write_bytes(S "inline", begin, (size_t)(strstr(begin, close) - begin));
    snprintf(command, sizeof command,
             "openssl dgst -sha256 -binary " S "inline | openssl base64 -A >" S "hash");
    shell_ok(command);
    char *hash = read_text(S "hash");
    snprintf(said, sizeof said, "%s", hash);
    snprintf(wanted, sizeof wanted, "%s 'sha256-%s'; ", kind, said);
    assert_contains(policy, wanted);
    free(hash);
}

START_TEST(nothing_else_may_run) {
    EadServeReply page = ask(&server, "GET", "/", NULL), news = ask(&server, "GET", "/page/news", NULL);
    ck_assert_ptr_nonnull(page.policy);
    assert_contains(page.policy, "default-src 'none'; ");
    assert_contains(page.policy, "connect-src 'self'; ");
    assert_contains(page.policy, "frame-ancestors 'none'");
    ck_assert_ptr_null(strstr(page.policy, "unsafe"));
    ck_assert_str_eq(news.policy, "default-src 'none'; frame-ancestors 'none'");
    if (shell("command -v openssl >/dev/null") == 0) {
        assert_hash(page.body, page.policy, "script-src", "<script>", "</script>");
        assert_hash(page.body, page.policy, "style-src", "<style>", "</style>");
    }
    ead_reply_free(&page);
    ead_reply_free(&news);
}
END_TEST

static const char *const routes[] = {"/page/about", "/page/news", "/page/image/1", "/page/heat/1"};

START_TEST(without_the_token_nothing_is_told) {
    EadServeGuard guard = {.token = (char[]){"secret"}};
    EadServeReply reply = {0};
    EadLivePage *guarded;
    EadServeRequest page = request_of("GET", "/", NULL, 0), decide = request_of("POST", DECIDE, "{}", 2);
    ck_assert(ead_serve_admit(&guard, &page, &reply)); /* it has to ask for the token */
    for (int i = 0; i < COUNT(routes); i++) {
        EadServeRequest request = request_of("GET", routes[i], NULL, 0);
        ck_assert(!ead_serve_admit(&guard, &request, &reply));
        assert_refused(&reply, EAD_HTTP_UNAUTHORIZED, "token");
        request.authorization = "Bearer secret";
        ck_assert(ead_serve_admit(&guard, &request, &reply));
    }
    ck_assert(!ead_serve_admit(&guard, &decide, &reply));
    assert_refused(&reply, EAD_HTTP_UNAUTHORIZED, "token");
    options.guarded = true;
    ASSERT_OK(ead_live_page_new(&options, &guarded));
    options.guarded = false;
    ead_live_page_tell(guarded, &reply);
    assert_contains(reply.body, "<meta name=\"guard\" content=\"token\">");
    ck_assert_ptr_null(strstr(reply.body, "tiny"));
    ead_reply_free(&reply);
    ead_live_page_free(guarded);
}
END_TEST

/* A browser here sends what any web page wants sent; but it says for whom. */
START_TEST(pages_of_others_are_refused) {
    static const char *const wrong[] = {"http://evil.example", "null",           "http://localhost:9090",
                                        "http://localhost",    "localhost:8080", ""};
    EadServeGuard local = {.loopback_host = true}, guarded = {.token = (char[]){"secret"}};
    EadServeRequest request = request_of("POST", DECIDE, "{}", 2);
    EadServeReply reply = {0};
    request.host = "localhost:8080";
    for (int i = 0; i < COUNT(wrong); i++) {
        request.origin = wrong[i];
        ck_assert_msg(!ead_serve_admit(&local, &request, &reply), "%s", wrong[i]);
        assert_refused(&reply, EAD_HTTP_FORBIDDEN, "not this server's");
    }
    request.origin = "http://localhost:8080";
    ck_assert(ead_serve_admit(&local, &request, &reply));
    request.origin = "https://line.example"; /* through a proxy that knows the token */
    request.authorization = "Bearer secret";
    ck_assert(ead_serve_admit(&guarded, &request, &reply));
}
END_TEST

START_TEST(without_a_page_there_is_none) {
    EadLivePage *page = server.page;
    server.page = NULL;
    EadServeReply reply = ask(&server, "GET", "/", NULL);
    assert_refused(&reply, EAD_HTTP_NOT_FOUND, "nothing at /");
    for (int i = 0; i < COUNT(routes); i++) {
        reply = ask(&server, "GET", routes[i], NULL);
        assert_refused(&reply, EAD_HTTP_NOT_FOUND, "nothing at");
    }
    server.page = page;
    reply = ask(&server, "GET", DECIDE, NULL);
    assert_refused(&reply, EAD_HTTP_BAD_METHOD, "POST only");
}
END_TEST

/* ---- what is shown ---- */

START_TEST(what_is_scored_is_shown) {
    EadImage image;
    uint8_t *png;
    size_t size;
    fill_image(&image, WIDTH, HEIGHT, 3, 90);
    ASSERT_OK(ead_png_encode(&image, &png, &size));
    ead_image_free(&image);
    EadServeRequest request = request_of("POST", "/predict", png, size);
    request.name = "a <b>.png";
    EadServeReply reply = ask_with(&server, &request);
    json_t *answer = json_of(&reply, EAD_HTTP_OK);
    reply = ask(&server, "POST", "/predict", "no image");
    assert_refused(&reply, EAD_HTTP_BAD_REQUEST, "the image");
    json_t *news = news_of(server.page, NULL);
    const json_t *shown = image_of(news, 0), *count = json_array_get(json_object_get(news, "counts"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(shown, "source")), "a <b>.png");
    ck_assert_str_eq(json_string_value(json_object_get(shown, "model")), "tiny");
    ck_assert(json_equal(json_object_get(shown, "score"), json_object_get(answer, "score")));
    ck_assert_int_eq(whole(shown, "width"), WIDTH);
    ck_assert(json_is_true(json_object_get(shown, "picture")));
    ck_assert_int_eq(whole(count, "images"), 1);
    ck_assert_int_eq(whole(count, "failed"), 1);
    static const char *const pictures[] = {"/page/image/1", "/page/heat/1"};
    for (int i = 0; i < 2; i++) {
        reply = ask(&server, "GET", pictures[i], NULL);
        ck_assert_int_eq(reply.code, EAD_HTTP_OK);
        ASSERT_OK(ead_image_decode((uint8_t *)reply.body, reply.size, "picture", &image));
        ck_assert_int_eq(image.width, WIDTH);
        ck_assert_int_eq(image.height, HEIGHT);
        ead_image_free(&image);
        ead_reply_free(&reply);
    }
    static const char *const missing[] = {"/page/image/2", "/page/heat/0", "/page/image/x", "/page/image/-1"};
    for (int i = 0; i < COUNT(missing); i++) {
        reply = ask(&server, "GET", missing[i], NULL);
        assert_refused(&reply, EAD_HTTP_NOT_FOUND, "no picture");
    }
    json_decref(news);
    json_decref(answer);
    free(png);
}
END_TEST

START_TEST(models_are_described_with_their_scores) {
    float scores[] = {0.3f, 0.1f, 0.2f};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    EadJson json = {.stream = stream, .compact = true};
    ead_live_page_write_model(&json, "made", "00ff", "a model", &model, scores, 3);
    fclose(stream);
    assert_contains(text, "\"threshold\":0.5,");
    assert_contains(text, "\"validation\":{\"count\":3,\"sorted\":[0.1");
    free(text);
    options.write_models = ead_serve_write_models;
    options.context = server.models;
    EadLivePage *page;
    ASSERT_OK(ead_live_page_new(&options, &page));
    EadServeReply reply = {0};
    ead_live_page_tell_about(page, &reply);
    json_t *about = json_of(&reply, EAD_HTTP_OK),
           *first = json_array_get(json_object_get(about, "models"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(first, "name")), "tiny");
    ck_assert_int_eq(whole(json_object_get(first, "validation"), "count"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(about, "decisions")), "decisions.jsonl");
    json_decref(about);
    ead_live_page_free(page);
}
END_TEST

/* ---- bounds ---- */

START_TEST(lines_and_pictures_have_bounds) {
    EadLivePage *page;
    char text[32];
    open_page(&page, 1);
    add_image(page, "first", 0.1f);
    json_t *news = news_of(page, NULL);
    ck_assert(
        json_is_true(json_object_get(image_of(news, 0), "picture"))); /* the newest, whatever it takes */
    json_decref(news);
    for (int i = 0; i < EAD_RECENT_IMAGES + 10; i++) add_image(page, "later", 0.1f);
    for (int i = 0; i < 2; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL); /* for a picture of the next ones */
        add_image(page, "last", 0.1f);
    }
    news = news_of(page, NULL);
    const json_t *images = json_object_get(news, "images");
    int pictures = 0;
    for (size_t i = 0; i < json_array_size(images); i++)
        pictures += json_is_true(json_object_get(json_array_get(images, i), "picture"));
    ck_assert_uint_eq(json_array_size(images), EAD_RECENT_IMAGES);
    ck_assert_int_eq(pictures, 1);
    ck_assert_int_eq(whole(image_of(news, 0), "sequence"), 14);
    ck_assert_int_eq(whole(news, "pictures"), EAD_RECENT_IMAGES + 13);
    snprintf(text, sizeof text, "%lld", (long long)whole(news, "stamp"));
    json_decref(news);
    news = news_of(page, text);
    ck_assert_uint_eq(json_array_size(json_object_get(news, "images")), 0);
    json_decref(news);
    ead_live_page_free(page);
}
END_TEST

/* Pictures take time: of good images there are so many a second, and bad ones do not suffer for it. */
START_TEST(a_flood_of_images_gets_few_pictures) {
    EadLivePage *page;
    open_page(&page, MEGABYTE);
    for (int i = 0; i < 50; i++) add_image(page, "good", 0.1f);
    add_image(page, "bad", 0.9f);
    json_t *news = news_of(page, NULL);
    int pictures = 0;
    for (size_t i = 0; i < 50; i++) pictures += json_is_true(json_object_get(image_of(news, i), "picture"));
    ck_assert_int_lt(pictures, 20);
    ck_assert(json_is_true(json_object_get(image_of(news, 50), "picture")));
    json_decref(news);
    ead_live_page_free(page);
}
END_TEST

START_TEST(names_of_any_kind_are_text) {
    static char name[1000];
    EadLivePage *page;
    open_page(&page, MEGABYTE);
    for (int i = 0; i < 498; i++) memcpy(name + 2 * i, "\xc3\xa4", 2);
    memcpy(name + 996, "end", 4);
    add_image(page, name, 0.1f);
    add_image(page, "\xff\"<script>", 0.1f);
    add_image(page, NULL, 0.1f);
    json_t *news = news_of(page, NULL);
    const char *kept = json_string_value(json_object_get(image_of(news, 0), "source"));
    ck_assert_uint_lt(strlen(kept), EAD_RECENT_NAME);
    ck_assert_str_eq(kept + strlen(kept) - 3, "end");
    ck_assert_str_eq(json_string_value(json_object_get(image_of(news, 1), "source")), "\\xff\"<script>");
    ck_assert_str_eq(json_string_value(json_object_get(image_of(news, 2), "source")), "");
    json_decref(news);
    ead_live_page_free(page);
}
END_TEST

/* ---- decisions ---- */

static EadServeReply decide(EadLivePage *page, const char *body) {
    EadServeReply reply = {0};
    EadServeRequest request = request_of("POST", DECIDE, body, strlen(body));
    ead_live_page_decide(page, &request, &reply);
    return reply;
}

/* The line number `index` of the file. */
static json_t *decision_at(int index) {
    char *text = read_text(DECISIONS), *at = text;
    for (; index > 0; index--) at = strchr(at, '\n') + 1;
    *strchr(at, '\n') = '\0';
    json_t *root = json_loads(at, 0, NULL);
    ck_assert_msg(root != NULL, "%s", at);
    free(text);
    return root;
}

START_TEST(decisions_are_kept) {
    EadLivePage *page;
    unlink(DECISIONS);
    open_page(&page, MEGABYTE);
    add_image(page, "a\n.png", 0.75f);
    add_image(page, "b.png", 0.1f);
    EadServeReply reply = decide(page, "{\"sequence\": 1, \"decision\": \"defect\"}");
    json_decref(json_of(&reply, EAD_HTTP_OK));
    reply = decide(page, "{\"sequence\": 1, \"decision\": \"none\"}");
    json_decref(json_of(&reply, EAD_HTTP_OK));
    write_text(S "cut", "{\"time\":\"2026\",\"decision\":\"go");
    shell_ok("cat " S "cut >>" DECISIONS); /* a crash */
    reply = decide(page, "{\"sequence\": 2, \"decision\": \"good\"}");
    json_decref(json_of(&reply, EAD_HTTP_OK));
    json_t *first = decision_at(0), *second = decision_at(1), *last = decision_at(3);
    ck_assert_str_eq(json_string_value(json_object_get(first, "source")), "a\n.png");
    ck_assert_str_eq(json_string_value(json_object_get(first, "model")), "made");
    ck_assert_str_eq(json_string_value(json_object_get(first, "decision")), "defect");
    ck_assert_double_eq(json_number_value(json_object_get(first, "score")), 0.75);
    ck_assert(json_is_true(json_object_get(first, "anomalous")));
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(first, "time"))), 24);
    ck_assert_str_eq(json_string_value(json_object_get(second, "decision")), "none");
    ck_assert_int_eq(whole(last, "sequence"), 2);
    json_t *news = news_of(page, "2"); /* those whose decision is new to who has seen both */
    ck_assert_uint_eq(json_array_size(json_object_get(news, "images")), 2);
    ck_assert_str_eq(json_string_value(json_object_get(image_of(news, 1), "decision")), "good");
    json_decref(news), json_decref(first), json_decref(second), json_decref(last);
    ead_live_page_free(page);
}
END_TEST

START_TEST(wrong_decisions_are_refused) {
    static const struct {
        const char *body;
        int code;
    } wrong[] = {{"", EAD_HTTP_BAD_REQUEST},
                 {"[]", EAD_HTTP_BAD_REQUEST},
                 {"{\"sequence\": 1}", EAD_HTTP_BAD_REQUEST},
                 {"{\"sequence\": \"1\", \"decision\": \"good\"}", EAD_HTTP_BAD_REQUEST},
                 {"{\"sequence\": 1, \"decision\": \"maybe\"}", EAD_HTTP_BAD_REQUEST},
                 {"{\"sequence\": 1.5, \"decision\": \"good\"}", EAD_HTTP_BAD_REQUEST},
                 {"{\"sequence\": 7, \"decision\": \"good\"}", EAD_HTTP_NOT_FOUND}};
    EadLivePage *page;
    char *large = calloc(5001, 1);
    unlink(DECISIONS);
    open_page(&page, MEGABYTE);
    add_image(page, "a.png", 0.1f);
    for (int i = 0; i < COUNT(wrong); i++) {
        EadServeReply reply = decide(page, wrong[i].body);
        json_decref(json_of(&reply, wrong[i].code));
    }
    memset(large, ' ', 5000);
    EadServeReply reply = decide(page, large);
    assert_refused(&reply, EAD_HTTP_TOO_LARGE, "at most 4096");
    free(large);
    ck_assert(!exists(DECISIONS));
    ead_live_page_free(page);
    options.may_decide = false;
    ASSERT_OK(ead_live_page_new(&options, &page));
    add_image(page, "a.png", 0.1f);
    reply = decide(page, "{\"sequence\": 1, \"decision\": \"good\"}");
    assert_refused(&reply, EAD_HTTP_FORBIDDEN, "--token-file");
    ck_assert(!exists(DECISIONS));
    ead_live_page_free(page);
}
END_TEST

/* Nothing is decided that is not on the disk, and no file of the user is touched. */
START_TEST(what_cannot_be_written_is_not_decided) {
    EadLivePage *page;
    struct rlimit before, small = {.rlim_cur = 150};
    open_page(&page, MEGABYTE);
    add_image(page, "a.png", 0.1f);
    write_text(DECISIONS, "my notes\n");
    EadServeReply reply = decide(page, "{\"sequence\": 1, \"decision\": \"good\"}");
    assert_refused(&reply, EAD_HTTP_FAILED, "not written by this program");
    assert_file_holds(DECISIONS, "my notes");
    unlink(DECISIONS);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0); /* the disk is full in the middle of the line */
    reply = decide(page, "{\"sequence\": 1, \"decision\": \"good\"}");
    setrlimit(RLIMIT_FSIZE, &before);
    assert_refused(&reply, EAD_HTTP_FAILED, "cannot be written");
    struct stat info;
    ck_assert(stat(DECISIONS, &info) == 0 && info.st_size == 0);
    json_t *news = news_of(page, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(image_of(news, 0), "decision")), "none");
    json_decref(news);
    ead_live_page_free(page);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("serve page");
    TCase *tests = tcase_create("page");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, the_page_is_one_small_text);
    tcase_add_test(tests, nothing_else_may_run);
    tcase_add_test(tests, without_the_token_nothing_is_told);
    tcase_add_test(tests, pages_of_others_are_refused);
    tcase_add_test(tests, without_a_page_there_is_none);
    tcase_add_test(tests, what_is_scored_is_shown);
    tcase_add_test(tests, models_are_described_with_their_scores);
    tcase_add_test(tests, lines_and_pictures_have_bounds);
    tcase_add_test(tests, a_flood_of_images_gets_few_pictures);
    tcase_add_test(tests, names_of_any_kind_are_text);
    tcase_add_test(tests, decisions_are_kept);
    tcase_add_test(tests, wrong_decisions_are_refused);
    tcase_add_test(tests, what_cannot_be_written_is_not_decided);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
