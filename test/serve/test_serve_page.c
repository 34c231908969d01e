/* The live page without a browser: who gets what, what is kept and what goes. */
#include "core/system/clock.h"
#include "test/serve/page_scene.h"
#include "train/serve/serve_documents.h"

#define S      "build/scratch/test_serve_page/"
#define MODEL  S "model.safetensors"
#define DECIDE "/page/decisions"

static EadServer server;
static EadLivePageOptions options;
static EadModel model; /* of what is added without being scored */

static void make_scene(void) {
    shell_ok("rm -rf " S);
    save_tiny_model(MODEL, 0.25f, NULL);
    open_server(MODEL, 1, &server);
    options = page_options(S "decisions.jsonl");
    ASSERT_OK(ead_live_page_new(&options, &server.page));
    model = shown_model(0.5f);
}

static void remove_scene(void) {
    close_server(&server);
    ead_live_page_free(server.page);
    shell_ok("rm -rf " S);
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
    char command[400], wanted[200];
    const char *begin = strstr(page, open) + strlen(open);
    write_bytes(S "inline", begin, (size_t)(strstr(begin, close) - begin));
    snprintf(command, sizeof command,
             "openssl dgst -sha256 -binary " S "inline | openssl base64 -A >" S "hash");
    shell_ok(command);
    char *hash = read_text(S "hash");
    snprintf(wanted, sizeof wanted, "%s 'sha256-%s'; ", kind, hash);
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
    fill_image(&image, SHOWN_WIDTH, SHOWN_HEIGHT, 3, 90);
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
    ck_assert_int_eq(whole(shown, "width"), SHOWN_WIDTH);
    ck_assert(json_is_true(json_object_get(shown, "picture")));
    ck_assert_int_eq(whole(count, "images"), 1);
    ck_assert_int_eq(whole(count, "failed"), 1);
    static const char *const pictures[] = {"/page/image/1", "/page/heat/1"};
    for (int i = 0; i < 2; i++) {
        reply = ask(&server, "GET", pictures[i], NULL);
        ck_assert_int_eq(reply.code, EAD_HTTP_OK);
        ASSERT_OK(ead_image_decode((uint8_t *)reply.body, reply.size, "picture", &image));
        ck_assert_int_eq(image.width, SHOWN_WIDTH);
        ck_assert_int_eq(image.height, SHOWN_HEIGHT);
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

/* How far two pictures are from each other, on average, in columns from..to. */
static double difference(const EadImage *a, const EadImage *b, int from, int to) {
    double sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int i = 3 * from; i < 3 * to; i++)
            sum += abs(a->pixels[3 * y * a->width + i] - b->pixels[3 * y * a->width + i]);
    return sum / (3.0 * a->height * (to - from));
}

/* Large, gray, and inspected in a box at its right alone. */
START_TEST(heat_lies_where_the_model_looks) {
    enum { WIDE = 1500, HIGH = 750, BOX = 900 };
    EadImage gray, image, heat;
    EadLivePicture picture;
    EadModel boxed = model;
    uint8_t *jpeg;
    size_t size;
    float map[MAP_SIDE * MAP_SIDE];
    boxed.region = (EadRegion){.x = BOX, .width = WIDE - BOX, .height = HIGH};
    fill_image(&gray, WIDE, HIGH, 1, 100);
    for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) map[i] = i < MAP_SIDE ? 0 : 0.45f;
    ASSERT_OK(ead_live_picture_make(&(EadLiveImage){.model = &boxed,
                                                    .pixels = gray.pixels,
                                                    .width = WIDE,
                                                    .height = HIGH,
                                                    .channels = 1,
                                                    .map = map,
                                                    .score = 0.45f},
                                    &picture));
    ASSERT_OK(ead_image_decode(picture.jpeg, picture.size, "image", &image));
    ASSERT_OK(ead_live_picture_heat(&picture, &jpeg, &size));
    ASSERT_OK(ead_image_decode(jpeg, size, "heat", &heat));
    ck_assert_int_eq(heat.width, EAD_LIVE_SIDE);
    ck_assert_int_eq(heat.height, 256);
    ck_assert_int_eq(image.width, heat.width);
    ck_assert_double_lt(difference(&image, &heat, 0, 300), 3); /* the box begins at 307 */
    ck_assert_double_gt(difference(&image, &heat, 314, 512), 20);
    ead_live_picture_free(&picture);
    ead_image_free(&gray), ead_image_free(&image), ead_image_free(&heat);
    free(jpeg);
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
    EadLivePageOptions narrow = options;
    narrow.memory = 1;
    ASSERT_OK(ead_live_page_new(&narrow, &page));
    add_image(page, &model, "first", 0.1f);
    json_t *news = news_of(page, NULL);
    ck_assert(
        json_is_true(json_object_get(image_of(news, 0), "picture"))); /* the newest, whatever it takes */
    json_decref(news);
    for (int i = 0; i < EAD_RECENT_IMAGES + 10; i++) add_image(page, &model, "later", 0.1f);
    for (int i = 0; i < 2; i++) {
        pause_for(0.11); /* for a picture of the next ones */
        add_image(page, &model, "last", 0.1f);
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
    ASSERT_OK(ead_live_page_new(&options, &page));
    for (int i = 0; i < 50; i++) add_image(page, &model, "good", 0.1f);
    add_image(page, &model, "bad", 0.9f);
    json_t *news = news_of(page, NULL);
    int pictures = 0;
    for (size_t i = 0; i < 50; i++) pictures += json_is_true(json_object_get(image_of(news, i), "picture"));
    ck_assert_int_lt(pictures, 10);
    ck_assert(json_is_true(json_object_get(image_of(news, 50), "picture")));
    json_decref(news);
    ead_live_page_free(page);
}
END_TEST

/* Adds a good image and a bad one, and says whether there are pictures of them. */
static void add_both(EadLivePage *page, bool pictures[2]) {
    add_image(page, &model, "good", 0.1f);
    add_image(page, &model, "bad", 0.9f);
    json_t *news = news_of(page, NULL);
    size_t count = json_array_size(json_object_get(news, "images"));
    for (size_t i = 0; i < 2; i++)
        pictures[i] = json_is_true(json_object_get(image_of(news, count - 2 + i), "picture"));
    json_decref(news);
}

/* Where nobody looks there is one a second of good images; bad ones will be looked for. Again where the machine was too busy to
 * do all of it within that second. */
START_TEST(good_images_that_nobody_sees_have_few_pictures) {
    bool unseen[2], seen[2];
    double began, done;
    do {
        EadLivePage *page;
        ASSERT_OK(ead_live_page_new(&options, &page));
        began = ead_clock_seconds();
        add_image(page, &model, "good", 0.1f);
        add_image(page, &model, "bad", 0.9f);
        pause_for(0.15);
        add_both(page, unseen);
        pause_for(0.15);
        add_both(page, seen); /* now somebody has asked */
        done = ead_clock_seconds();
        ead_live_page_free(page);
    } while (done - began > 1.0 / EAD_RECENT_UNSEEN);
    ck_assert(!unseen[0] && unseen[1]);
    ck_assert(seen[0] && seen[1]);
}
END_TEST

START_TEST(names_of_any_kind_are_text) {
    static char name[1000];
    EadLivePage *page;
    ASSERT_OK(ead_live_page_new(&options, &page));
    for (int i = 0; i < 498; i++) memcpy(name + 2 * i, "\xc3\xa4", 2);
    memcpy(name + 996, "end", 4);
    add_image(page, &model, name, 0.1f);
    add_image(page, &model, "\xff\"<script>", 0.1f);
    add_image(page, &model, NULL, 0.1f);
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
    tcase_add_test(tests, heat_lies_where_the_model_looks);
    tcase_add_test(tests, models_are_described_with_their_scores);
    tcase_add_test(tests, lines_and_pictures_have_bounds);
    tcase_add_test(tests, a_flood_of_images_gets_few_pictures);
    tcase_add_test(tests, good_images_that_nobody_sees_have_few_pictures);
    tcase_add_test(tests, names_of_any_kind_are_text);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
