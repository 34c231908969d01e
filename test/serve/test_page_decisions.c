/* What people decide on the live page, and the file that it goes to. */
#include "test/serve/page_scene.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define S         "build/scratch/test_page_decisions/"
#define DECISIONS S "decisions.jsonl"

static EadLivePageOptions options;
static EadModel model;

static void make_scene(void) {
    shell_ok("rm -rf " S " && mkdir -p " S);
    options = page_options(DECISIONS);
    model = shown_model(0.5f);
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

static EadServeReply decide(EadLivePage *page, const char *body) {
    EadServeReply reply = {0};
    EadServeRequest request = request_of("POST", "/page/decisions", body, strlen(body));
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
    ASSERT_OK(ead_live_page_new(&options, &page));
    add_image(page, &model, "a\n.png", 0.75f);
    add_image(page, &model, "b.png", 0.1f);
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
    ASSERT_OK(ead_live_page_new(&options, &page));
    add_image(page, &model, "a.png", 0.1f);
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
    EadLivePageOptions shut = options;
    shut.may_decide = false;
    ASSERT_OK(ead_live_page_new(&shut, &page));
    add_image(page, &model, "a.png", 0.1f);
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
    ASSERT_OK(ead_live_page_new(&options, &page));
    add_image(page, &model, "a.png", 0.1f);
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

/* Another process has the file locked and does not let go. */
static pid_t lock_decisions(void) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int file = open(DECISIONS, O_RDWR | O_CREAT, 0644);
        if (fcntl(file, F_SETLK, &lock) == 0) write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]), close(ready[1]);
    return child;
}

START_TEST(a_file_that_others_hold_is_not_waited_for_for_ever) {
    EadLivePage *page;
    ASSERT_OK(ead_live_page_new(&options, &page));
    add_image(page, &model, "a.png", 0.1f);
    unlink(DECISIONS);
    pid_t holder = lock_decisions();
    EadServeReply reply = decide(page, "{\"sequence\": 1, \"decision\": \"good\"}");
    assert_refused(&reply, EAD_HTTP_UNAVAILABLE, "locked; try again");
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    reply = decide(page, "{\"sequence\": 1, \"decision\": \"good\"}");
    json_decref(json_of(&reply, EAD_HTTP_OK));
    assert_file_holds(DECISIONS, "\"decision\":\"good\"");
    ead_live_page_free(page);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("page decisions");
    TCase *tests = tcase_create("decisions");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, decisions_are_kept);
    tcase_add_test(tests, wrong_decisions_are_refused);
    tcase_add_test(tests, what_cannot_be_written_is_not_decided);
    tcase_add_test(tests, a_file_that_others_hold_is_not_waited_for_for_ever);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
