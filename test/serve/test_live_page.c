/* The live page in a browser, served as the program serves it: what comes is shown, the slider judges the list anew, the keyboard
 * reaches and decides everything, every text can be read, light and dark, on a desk and on a phone; and nothing that an image is
 * called by becomes markup. */
#include "core/base/memory.h"
#include "test/report/browser.h"
#include "test/serve/page_scene.h"
#include "train/metrics/threshold_rule.h"
#include "train/serve/http_server.h"
#include "train/serve/listening.h"

#define S         "build/scratch/test_live_page/"
#define MODEL     S "model.safetensors"
#define DECISIONS S "decisions.jsonl"

enum { IMAGES = 12, VALIDATION = 21 };
enum { KEY_TAB = 9, KEY_END = 35, KEY_HOME = 36, KEY_UP = 38, KEY_DOWN = 40 };

/* What runs beside the browser. */
typedef struct LiveScene {
    EadServer server;
    EadHttpServer *http;
    EadListening listening;
    EadModel models[2];
    bool validated; /* the first model's file holds validation scores */
    char url[160];
    Browser browser;
} LiveScene;

static const char *const names[] = {"line", "<b>other"};

/* Both models; validation scores are 0.02, 0.04, ... 0.42. */
static void write_models(void *context, EadJson *json) {
    LiveScene *scene = context;
    float scores[VALIDATION];
    for (int i = 0; i < VALIDATION; i++) scores[i] = 0.02f * (float)(i + 1);
    ead_live_page_write_model(json, names[0], SHOWN_SHA256, "EfficientAD-S at 256x256", &scene->models[0],
                              scores, scene->validated ? VALIDATION : 0);
    ead_live_page_write_model(json, names[1], SHOWN_SHA256, "another", &scene->models[1], NULL, 0);
}

static void show_image(LiveScene *scene, int model, const char *source, float score) {
    pause_for(0.105); /* for its picture */
    add_image_of(scene->server.page, &scene->models[model], names[model], source, score);
}

/* Scores are 0.05, 0.1, ... 0.6. */
static void add_images(LiveScene *scene) {
    for (int i = 0; i < IMAGES; i++) {
        char source[64];
        snprintf(source, sizeof source, "part %02d <img src=x onerror=alert(1)>.png", i + 1);
        show_image(scene, 0, source, 0.05f * (float)(i + 1));
    }
}

/* token NULL: none. false: this build has no HTTP. */
static bool open_scene(LiveScene *scene, const char *token, bool validated) {
    *scene = (LiveScene){.validated = validated};
    unlink(DECISIONS);
    open_server(MODEL, 1, &scene->server);
    for (int i = 0; i < 2; i++) scene->models[i] = shown_model(i ? NAN : 0.45f);
    EadLivePageOptions options = page_options(DECISIONS);
    options.guarded = token != NULL;
    options.write_models = write_models;
    options.context = scene;
    ASSERT_OK(ead_live_page_new(&options, &scene->server.page));
    scene->server.guard = (EadServeGuard){.token = token ? ead_strdup(token) : NULL, .loopback_host = !token};
    ASSERT_OK(ead_listen("127.0.0.1:0", &scene->listening));
    EadHttpOptions http = {.socket = scene->listening.socket,
                           .most_body = 1 << 20,
                           .most_connections = 64,
                           .most_of_address = 64,
                           .timeout = 30,
                           .idle = 30};
    if (ead_http_start(&scene->server, &http, &scene->http) == EAD_UNSUPPORTED) return false;
    snprintf(scene->url, sizeof scene->url, "http://%s/", scene->listening.address);
    return true;
}

static void close_scene(LiveScene *scene) {
    browser_close(&scene->browser);
    ead_server_end(&scene->server);
    ead_http_stop(scene->http);
    free(scene->server.guard.token);
    close_server(&scene->server);
    ead_live_page_free(scene->server.page);
}

#define OPEN_SCENE(scene, token, validated)                                                                  \
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");                                            \
    SKIP_UNLESS(open_scene(scene, token, validated), "built without libmicrohttpd");                         \
    browser_open(&(scene)->browser, S "home")

/* Waits until a script comes to true, 20 seconds at most. */
static void wait_until(Browser *b, const char *condition) {
    char script[1000];
    snprintf(
        script, sizeof script,
        "new Promise(done => { let left = 400; const look = () => { if (%s) done('yes'); else if (--left) "
        "setTimeout(look, 50); else done('no'); }; look(); })",
        condition);
    json_t *said = browser_value(b, script);
    ck_assert_msg(strcmp(json_string_value(said), "yes") == 0, "never: %s", condition);
    json_decref(said);
    browser_settle(b);
}

#define LISTED "document.querySelectorAll('#list li:not([hidden])').length"
#define NG                                                                                                   \
    "[...document.querySelectorAll('#list li')].filter(e => e.querySelector('.tag').textContent === "        \
    "'NG').length"
#define SHOWN                                                                                                \
    "document.querySelector('#photo').complete && document.querySelector('#photo').naturalWidth === 40"

static void visit(LiveScene *scene, int window, bool dark) {
    browser_window(&scene->browser, browser_windows[window].width, browser_windows[window].height, dark);
    browser_load(&scene->browser, "about:blank");
    browser_load(&scene->browser, scene->url);
    wait_until(&scene->browser, LISTED " === 12 && " SHOWN);
}

static void click(Browser *b, const char *id) {
    char script[200];
    snprintf(script, sizeof script, "document.querySelector('#%s').click()", id);
    json_decref(browser_value(b, script));
    browser_settle(b);
}

static void assert_silent(const Browser *b) {
    ck_assert_msg(!b->message[0], "console: %s", b->message);
}

START_TEST(what_comes_is_shown) {
    static LiveScene scene;
    Browser *b = &scene.browser;
    OPEN_SCENE(&scene, NULL, true);
    add_images(&scene);
    visit(&scene, 1, false);
    browser_expect(b, "document.title", "line – EfficientAD");
    browser_expect(b, "document.querySelector('#state').textContent", "live");
    browser_expect(b, "document.querySelector('#photo').alt",
                   "part 12 <img src=x onerror=alert(1)>.png, NG, score 0.6");
    ck_assert_double_eq(browser_number(b, "document.querySelectorAll('#list img, #list b b').length"), 0);
    ck_assert_double_eq(browser_number(b, "document.querySelectorAll('#plots .cross').length"), 4);
    ck_assert_double_eq(browser_number(b, "Number(document.querySelector('#heat').naturalWidth)"),
                        SHOWN_WIDTH);
    show_image(&scene, 0, "the next", 0.5f);
    wait_until(b, LISTED " === 13 && document.querySelector('#photo').alt === 'the next, NG, score 0.5'");
    ck_assert_double_eq(browser_number(b, IN_TEXT("13")), 1);
    /* Who looks at an image is not taken away from it. */
    browser_press(b, "ArrowDown", KEY_DOWN);
    show_image(&scene, 0, "one more", 0.1f);
    wait_until(b, LISTED " === 14");
    wait_until(b, "document.querySelector('#photo').alt.startsWith('part 12')");
    browser_press(b, "l", 'L');
    wait_until(b, "document.querySelector('#photo').alt === 'one more, OK, score 0.1'");
    /* One without a picture, as of a flood, takes nobody's place. */
    ead_live_page_add(scene.server.page, &(EadLiveImage){.source = "unseen",
                                                         .name = names[0],
                                                         .sha256 = SHOWN_SHA256,
                                                         .model = &scene.models[0],
                                                         .width = SHOWN_WIDTH,
                                                         .height = SHOWN_HEIGHT,
                                                         .channels = 3,
                                                         .score = 0.2f});
    wait_until(b, LISTED " === 15");
    browser_expect(b, "document.querySelector('#photo').alt", "one more, OK, score 0.1");
    assert_silent(b);
    close_scene(&scene);
}
END_TEST

START_TEST(slider_judges_the_list_anew) {
    static LiveScene scene;
    Browser *b = &scene.browser;
    double low, high;
    char interval[200];
    OPEN_SCENE(&scene, NULL, true);
    add_images(&scene);
    visit(&scene, 1, true);
    ck_assert_double_eq(browser_number(b, NG), 4);
    ck_assert_double_eq(browser_number(b, IN_TEXT("4 NG, 8 OK of 12 listed")), 1);
    ck_assert_double_eq(browser_number(b, IN_TEXT("0 reach 0.45: a false-alarm rate of 0 to 16.1 %")), 1);
    json_decref(browser_value(b, "document.querySelector('#threshold-number').select()"));
    browser_do(b, "Input.insertText", json_pack("{s:s}", "text", "0.27"));
    browser_settle(b);
    ck_assert_double_eq(browser_number(b, NG), 7);
    ead_clopper_pearson(8, VALIDATION, 0.95, &low, &high);
    snprintf(interval, sizeof interval, IN_TEXT("8 reach 0.27: a false-alarm rate of %.3g to %.3g %%"),
             100 * low, 100 * high);
    ck_assert_double_eq(browser_number(b, interval), 1);
    ck_assert_double_eq(browser_number(b, IN_TEXT("the model keeps 0.45")), 1);
    json_decref(browser_value(b, "document.querySelector('#threshold').focus()"));
    browser_press(b, "End", KEY_END);
    ck_assert_double_eq(browser_number(b, NG), 0);
    browser_press(b, "Home", KEY_HOME);
    ck_assert_double_eq(browser_number(b, NG), IMAGES);
    click(b, "threshold-back");
    ck_assert_double_eq(browser_number(b, NG), 4);
    click(b, "show-NG");
    ck_assert_double_eq(browser_number(b, LISTED), 4);
    json_decref(browser_value(b, "document.querySelector('#search').focus()"));
    browser_do(b, "Input.insertText", json_pack("{s:s}", "text", "PART 11"));
    browser_settle(b);
    ck_assert_double_eq(browser_number(b, LISTED), 1);
    assert_silent(b);
    close_scene(&scene);
}
END_TEST

START_TEST(a_model_without_scores_says_so) {
    static LiveScene scene;
    Browser *b = &scene.browser;
    OPEN_SCENE(&scene, NULL, false);
    add_images(&scene);
    show_image(&scene, 1, "of the other", 3);
    visit(&scene, 1, false);
    ck_assert_double_eq(browser_number(b, IN_TEXT("holds no scores of validation images")), 1);
    json_decref(browser_value(b, "document.querySelector('#model').value = '<b>other', "
                                 "document.querySelector('#model').dispatchEvent(new Event('change'))"));
    wait_until(b, LISTED " === 1");
    browser_expect(b, "document.querySelector('#title').textContent", "<b>other");
    browser_expect(b, "document.querySelector('#threshold-summary').textContent", "no threshold");
    browser_expect(b, "document.querySelector('#list .tag').textContent", "–");
    assert_silent(b);
    close_scene(&scene);
}
END_TEST

/* The last line of the file. */
static json_t *last_decision(void) {
    char *text = read_text(DECISIONS);
    text[strlen(text) - 1] = '\0';
    char *line = strrchr(text, '\n');
    json_t *root = json_loads(line ? line + 1 : text, 0, NULL);
    ck_assert_msg(root != NULL, "%s", text);
    free(text);
    return root;
}

static void assert_decided(Browser *b, const char *word, const char *name) {
    char condition[200];
    snprintf(condition, sizeof condition,
             "document.querySelector('#list .selected .decision').textContent.endsWith('%s') && "
             "(%d || !document.querySelector('#list .selected .decision').textContent)",
             word, word[0] != '\0');
    wait_until(b, condition);
    json_t *line = last_decision();
    ck_assert_str_eq(json_string_value(json_object_get(line, "decision")), word[0] ? word : "none");
    ck_assert_int_eq(strncmp(json_string_value(json_object_get(line, "source")), name, strlen(name)), 0);
    json_decref(line);
}

START_TEST(the_keyboard_decides) {
    static LiveScene scene;
    Browser *b = &scene.browser;
    OPEN_SCENE(&scene, NULL, true);
    add_images(&scene);
    visit(&scene, 1, false);
    browser_press(b, "x", 'X');
    assert_decided(b, "defect", "part 12");
    browser_press(b, "ArrowDown", KEY_DOWN);
    browser_press(b, "ArrowDown", KEY_DOWN);
    browser_press(b, "o", 'O');
    assert_decided(b, "good", "part 10");
    browser_press(b, "ArrowUp", KEY_UP);
    browser_press(b, "o", 'O');
    assert_decided(b, "good", "part 11");
    browser_press(b, "u", 'U');
    assert_decided(b, "", "part 11");
    click(b, "show-undecided");
    ck_assert_double_eq(browser_number(b, LISTED), IMAGES - 2);
    browser_press(b, "h", 'H');
    browser_expect(b, "document.querySelector('#heat').style.opacity", "0");
    unlink(DECISIONS);
    make_folders(DECISIONS "/"); /* now it cannot be written */
    browser_do(b, "Log.disable",
               json_object()); /* that the server refuses it is said by the browser itself */
    browser_press(b, "x", 'X');
    wait_until(b, "document.querySelector('#trouble').textContent.includes('no regular file')");
    shell_ok("rmdir " DECISIONS);
    assert_silent(b);
    close_scene(&scene);
}
END_TEST

START_TEST(the_token_is_asked_for_and_stays_in_the_tab) {
    static LiveScene scene;
    Browser *b = &scene.browser;
    OPEN_SCENE(&scene, "a-secret", true);
    add_images(&scene);
    browser_window(b, 390, 844, false);
    browser_load(b, scene.url);
    wait_until(b, "!document.querySelector('#gate').hidden && document.querySelector('#line').hidden");
    assert_readable(b, 390, false);
    assert_silent(b); /* nothing was asked without it */
    browser_do(b, "Log.disable", json_object());
    browser_do(b, "Input.insertText", json_pack("{s:s}", "text", "wrong"));
    browser_press(b, "Enter", 13);
    wait_until(b, "document.querySelector('#gate-text').textContent.includes('not the token')");
    browser_do(b, "Input.insertText", json_pack("{s:s}", "text", "a-secret"));
    browser_press(b, "Enter", 13);
    wait_until(b, "document.querySelector('#gate').hidden && " LISTED " === 12 && " SHOWN);
    browser_expect(b, "String(sessionStorage.length + localStorage.length) + document.cookie", "1");
    browser_press(b, "o", 'O');
    assert_decided(b, "good", "part 12");
    close_scene(&scene);
}
END_TEST

START_TEST(every_text_is_readable) {
    static LiveScene scene;
    Browser *b = &scene.browser;
    OPEN_SCENE(&scene, NULL, true);
    add_images(&scene);
    for (int i = 0; i < 2 * WINDOWS; i++) {
        visit(&scene, i / 2, i % 2);
        assert_readable(b, browser_windows[i / 2].width, i % 2);
        if (browser_windows[i / 2].width >= 1000) /* all of it is seen at once */
            ck_assert_double_le(browser_number(b, "document.documentElement.scrollHeight"),
                                browser_windows[i / 2].height);
        assert_silent(b);
    }
    close_scene(&scene);
}
END_TEST

START_TEST(tab_reaches_all_controls) {
    static LiveScene scene;
    Browser *b = &scene.browser;
    OPEN_SCENE(&scene, NULL, true);
    add_images(&scene);
    visit(&scene, 2, false);
    json_decref(browser_value(b, "window.reached = new Set()"));
    for (int i = 0; i < 30; i++) {
        browser_press(b, "Tab", KEY_TAB);
        json_decref(browser_value(b, "void reached.add(document.activeElement)"));
    }
    browser_expect(
        b,
        "[...document.querySelectorAll('#line :is(input, select, button:not(:disabled), [tabindex=\"0\"])')]"
        ".filter(e => !reached.has(e) && !(e.type === 'radio' && !e.checked)).map(e => e.outerHTML).join()",
        "");
    browser_expect(
        b,
        "[...document.querySelectorAll('#line :is(input, select)')].filter(e => !e.labels.length && "
        "!e.getAttribute('aria-label')).map(e => e.id).join()",
        "");
    assert_silent(b);
    close_scene(&scene);
}
END_TEST

static void make_model(void) {
    shell_ok("rm -rf " S);
    save_tiny_model(MODEL, 0.25f, NULL);
}

static void remove_model(void) {
    shell_ok("rm -rf " S);
}

int main(void) {
    Suite *suite = suite_create("live page");
    TCase *tests = tcase_create("live page");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make_model, remove_model);
    tcase_add_test(tests, what_comes_is_shown);
    tcase_add_test(tests, slider_judges_the_list_anew);
    tcase_add_test(tests, a_model_without_scores_says_so);
    tcase_add_test(tests, the_keyboard_decides);
    tcase_add_test(tests, the_token_is_asked_for_and_stays_in_the_tab);
    tcase_add_test(tests, every_text_is_readable);
    tcase_add_test(tests, tab_reaches_all_controls);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
