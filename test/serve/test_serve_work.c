/* Requests that wait, come too late, or come from many at once; models that change under them; and what is counted of it all. */
#include "core/system/worker_threads.h"
#include "test/serve/serve_scene.h"

#include <semaphore.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define S     "build/scratch/test_serve_work/"
#define MODEL S "model.safetensors"

enum { WIDTH = 32, HEIGHT = 24, BYTES = 3 * WIDTH * HEIGHT, IMAGES = 6 };

static uint8_t pixels[IMAGES][BYTES];
static float scores[IMAGES];

static void make_scene(void) {
    EadDetector *detector;
    shell_ok("rm -rf " S);
    save_tiny_model(MODEL, 0.25f, NULL);
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int i = 0; i < IMAGES; i++) {
        fill_noise(pixels[i], BYTES, (uint32_t)i + 1);
        ASSERT_OK(
            (EadStatus)ead_detector_run(detector, pixels[i], WIDTH, HEIGHT, 3 * WIDTH, NULL, &scores[i]));
    }
    ead_detector_close(detector);
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

/* ---- the queue ---- */

static sem_t begun, go;
static int answered, refused_jobs;

static void answer_slowly(void *context, EadServeJob *job) {
    (void)context;
    sem_post(&begun);
    sem_wait(&go);
    job->reply.code = ++answered;
}

static void refuse(void *context, EadServeJob *job) {
    (void)context;
    job->reply.code = -1;
    refused_jobs++;
}

static void done(EadServeJob *job) {
    *(int *)job->context = job->reply.code;
}

START_TEST(the_queue_has_a_bound_and_an_order) {
    EadJobQueue *queue;
    EadServeJob jobs[5];
    int codes[5] = {0};
    sem_init(&begun, 0, 0), sem_init(&go, 0, 0);
    ASSERT_OK(ead_job_queue_new(1, 2, answer_slowly, NULL, &queue));
    for (int i = 0; i < 5; i++) jobs[i] = (EadServeJob){.answered = done, .context = &codes[i]};
    ck_assert(ead_job_queue_add(queue, &jobs[0]));
    sem_wait(&begun); /* it waits no more */
    ck_assert(ead_job_queue_add(queue, &jobs[1]));
    ck_assert(ead_job_queue_add(queue, &jobs[2]));
    ck_assert_int_eq(ead_job_queue_length(queue), 2);
    ck_assert(!ead_job_queue_add(queue, &jobs[3]));
    sem_post(&go);
    sem_wait(&begun);
    ck_assert(ead_job_queue_add(queue, &jobs[4]));
    sem_post(&go); /* for the second, which is under way while the queue closes */
    sem_post(&go);
    sem_post(&go);
    ead_job_queue_close(queue, refuse);
    ck_assert_int_eq(codes[0], 1);
    ck_assert_int_eq(codes[1], 2);
    ck_assert_int_eq(codes[3], 0);
    ck_assert_int_eq(answered + refused_jobs, 4);
    ck_assert(!ead_job_queue_add(queue, &jobs[3]));
    ead_job_queue_free(queue);
}
END_TEST

/* ---- deadlines ---- */

static EadServeRequest request_of_image(int index, const char *path, uint8_t **png) {
    size_t size;
    EadImage image = {WIDTH, HEIGHT, 3, pixels[index]};
    ASSERT_OK(ead_png_encode(&image, png, &size));
    return request_of("POST", path, *png, size);
}

START_TEST(what_comes_too_late_is_not_begun) {
    EadServer server;
    uint8_t *png;
    open_server(MODEL, 1, &server);
    EadServeRequest request = request_of_image(0, "/predict", &png);
    request.deadline = request.arrived - 1;
    EadServeReply reply = ask_with(&server, &request);
    assert_refused(&reply, EAD_HTTP_LATE, "deadline");
    reply = ask(&server, "POST", "/v2/models/tiny/infer",
                "{\"parameters\": {\"timeout\": 1}, \"inputs\": [{\"name\": \"image\", \"datatype\": "
                "\"UINT8\", \"shape\": [1, 1, 1, 3], "
                "\"data\": [1, 2, 3]}]}");
    assert_refused(&reply, EAD_HTTP_LATE, "deadline");
    ck_assert_uint_eq(ead_serve_metrics_totals(server.metrics, "tiny").failures, 2);
    atomic_store(&server.draining, true);
    reply = ask(&server, "GET", "/v2/health/ready", NULL);
    ck_assert_int_eq(reply.retry_after, 1);
    assert_refused(&reply, EAD_HTTP_UNAVAILABLE, "stopped");
    reply = ask(&server, "GET", "/v2/health/live", NULL);
    ck_assert_int_eq(reply.code, EAD_HTTP_OK);
    ead_reply_free(&reply);
    free(png);
    close_server(&server);
}
END_TEST

/* ---- many at once ---- */

enum { CALLERS = 4, CALLS = 3, TOGETHER = 3 };

static EadDetectorPool *pool;
static atomic_int next_caller, wrong;

static void *call(void *unused) {
    unsigned seed = (unsigned)atomic_fetch_add(&next_caller, 1);
    (void)unused;
    for (int k = 0; k < CALLS; k++) {
        EadPoolImage images[TOGETHER];
        int which[TOGETHER];
        for (int i = 0; i < TOGETHER; i++) {
            which[i] = (int)((seed * 5 + (unsigned)(k * 3 + i)) % IMAGES);
            images[i] =
                (EadPoolImage){.pixels = pixels[which[i]], .width = WIDTH, .height = HEIGHT, .channels = 3};
        }
        EadStatus status = ead_detector_pool_score(pool, images, TOGETHER, INFINITY);
        for (int i = 0; i < TOGETHER; i++)
            wrong += status != EAD_OK ||
                     fabsf(images[i].score - scores[which[i]]) > 1e-5f * fabsf(scores[which[i]]);
    }
    return NULL;
}

/* Batches of several callers' images, by two detectors. */
START_TEST(everyone_gets_his_own_scores) {
    EadModel *model;
    EadWorkers callers;
    ASSERT_OK(ead_model_open(MODEL, &model));
    ASSERT_OK(ead_detector_pool_new(model, &(EadPlanOptions){0}, 2, 1, 4, &pool));
    ASSERT_OK(ead_workers_start(&callers, CALLERS, call, NULL));
    ead_workers_join(&callers);
    ck_assert_int_eq(wrong, 0);
    EadPoolImage late = {.pixels = pixels[0], .width = WIDTH, .height = HEIGHT, .channels = 3};
    ASSERT_FAILS(ead_detector_pool_score(pool, &late, 1, ead_clock_seconds() - 1), EAD_INTERRUPTED,
                 "deadline");
    ead_detector_pool_free(pool);
    ead_model_free(model);
}
END_TEST

/* ---- changes ---- */

START_TEST(a_model_in_use_outlives_its_file) {
    EadServer server;
    EadProblems problems = {0};
    copy_file(MODEL, S "changing.safetensors");
    open_server(S "changing.safetensors", 1, &server);
    EadServedModel *old = ead_model_registry_take(server.models, "tiny");
    ck_assert_int_eq(ead_model_registry_reload(server.models, &problems), 0);
    save_tiny_model(S "changing.safetensors", 0.75f, NULL);
    ck_assert_int_eq(ead_model_registry_reload(server.models, &problems), 1);
    ASSERT_OK(ead_problems_since(&problems, 0));
    EadServedModel *fresh = ead_model_registry_take(server.models, "tiny");
    ck_assert_float_eq(fresh->model->threshold, 0.75f);
    EadPoolImage image = {.pixels = pixels[0], .width = WIDTH, .height = HEIGHT, .channels = 3};
    ASSERT_OK(ead_detector_pool_score(old->pool, &image, 1, INFINITY));
    ck_assert_float_eq(image.score, scores[0]);
    ead_model_registry_release(server.models, old);
    ead_model_registry_release(server.models, fresh);
    write_text(S "changing.safetensors", "no model");
    ck_assert_int_eq(ead_model_registry_reload(server.models, &problems), 0);
    ASSERT_FAILS(ead_problems_since(&problems, 0), EAD_BAD_FILE, "changing.safetensors");
    ead_problems_free(&problems);
    fresh = ead_model_registry_take(server.models, "tiny");
    ck_assert_float_eq(fresh->model->threshold, 0.75f);
    ead_model_registry_release(server.models, fresh);
    close_server(&server);
}
END_TEST

/* Each is told, and costs no other. */
START_TEST(all_that_cannot_be_opened_again_is_told) {
    static const char *const names[] = {"first", "second", "third"};
    EadServer server = {.guard.token = (char[]){"secret"}};
    EadServeDetectors detectors = {.count = 1, .threads = 1, .batch = 1};
    EadProblems problems = {0};
    char path[128];
    ASSERT_OK(ead_model_registry_new(&detectors, &server.models));
    for (int i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, S "%s.safetensors", names[i]);
        copy_file(MODEL, path);
        ASSERT_OK(ead_model_registry_add(server.models, names[i], path));
    }
    ead_model_registry_open(server.models, &problems);
    ASSERT_OK(ead_problems_since(&problems, 0));
    ASSERT_OK(ead_server_start(&server, 1, 1));
    write_text(S "first.safetensors", "no model");
    unlink(S "second.safetensors");
    ck_assert_int_eq(mkfifo(S "second.safetensors", 0600), 0);
    save_tiny_model(S "third.safetensors", 0.75f, NULL);
    EadServeReply reply = ask(&server, "POST", "/reload", "");
    json_t *root = json_of(&reply, EAD_HTTP_FAILED);
    const char *text = json_string_value(json_object_get(root, "error"));
    ck_assert_ptr_nonnull(text);
    assert_contains(text, "first.safetensors");
    assert_contains(text, "second.safetensors: is a FIFO, not a regular file");
    assert_contains(text, "the model before it stays");
    ck_assert_int_eq((int)json_integer_value(json_object_get(root, "changed")), 1);
    json_decref(root);
    close_server(&server);
}
END_TEST

START_TEST(only_the_token_changes_what_is_served) {
    EadServer server;
    open_server(MODEL, 1, &server);
    EadServeReply reply = ask(&server, "POST", "/reload", "");
    assert_refused(&reply, EAD_HTTP_FORBIDDEN, "--token-file");
    server.guard.token = (char[]){"secret"};
    reply = ask(&server, "POST", "/reload", "");
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_int_eq((int)json_integer_value(json_object_get(root, "changed")), 0);
    json_decref(root);
    close_server(&server);
}
END_TEST

START_TEST(names_come_from_files) {
    static const char *const cases[][3] = {
        {"runs/bottle/model.safetensors", "bottle", "runs/bottle/model.safetensors"},
        {"a/cable.safetensors", "cable", "a/cable.safetensors"},
        {"model.safetensors", "model", "model.safetensors"},
        {"x=runs/bottle/model.safetensors", "x", "runs/bottle/model.safetensors"},
        {"x=a=b", "x", "a=b"}};
    char *name;
    const char *path;
    for (int i = 0; i < COUNT(cases); i++) {
        ASSERT_OK(ead_model_registry_split(cases[i][0], &name, &path));
        ck_assert_str_eq(name, cases[i][1]);
        ck_assert_str_eq(path, cases[i][2]);
        free(name);
    }
    ASSERT_FAILS(ead_model_registry_split("a b=x", &name, &path), EAD_BAD_ARGUMENT, "'a b'");
    ASSERT_FAILS(ead_model_registry_split("..=x", &name, &path), EAD_BAD_ARGUMENT, "'..'");
    ASSERT_FAILS(ead_model_registry_split("x=", &name, &path), EAD_BAD_ARGUMENT, "names no file");
}
END_TEST

/* ---- counting ---- */

static void assert_line(const char *text, const char *line) {
    char whole[300];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    ck_assert_msg(strstr(text, whole) != NULL, "no line %s in\n%s", line, text);
}

START_TEST(all_is_counted) {
    EadServer server;
    uint8_t *png;
    char line[256];
    int anomalous = 0;
    open_server(MODEL, 1, &server);
    for (int i = 0; i < IMAGES; i++) {
        EadServeRequest request = request_of_image(i, "/predict", &png);
        EadServeReply reply = ask_with(&server, &request);
        ead_server_count(&server, &request, &reply);
        ead_reply_free(&reply);
        free(png);
        anomalous += scores[i] >= 0.25f;
    }
    EadServeRequest bad = request_of("POST", "/predict", "no image", 8);
    EadServeReply reply = ask_with(&server, &bad);
    ead_server_count(&server, &bad, &reply);
    ead_reply_free(&reply);
    reply = ask(&server, "GET", "/metrics", NULL);
    ck_assert_int_eq(reply.code, EAD_HTTP_OK);
    char *text = strndup(reply.body, reply.size);
    assert_line(text, "efficientad_requests_total{route=\"predict\",code=\"200\"} 6");
    assert_line(text, "efficientad_requests_total{route=\"predict\",code=\"400\"} 1");
    assert_line(text, "efficientad_errors_total{kind=\"bad_request\"} 1");
    assert_line(text, "efficientad_images_total{model=\"tiny\"} 6");
    assert_line(text, "efficientad_request_seconds_count 7");
    assert_line(text, "efficientad_stage_seconds_count{model=\"tiny\",stage=\"detector\"} 6");
    assert_line(text, "efficientad_score_bucket{model=\"tiny\",le=\"+Inf\"} 6");
    assert_line(text, "efficientad_model_threshold{model=\"tiny\"} 0.25");
    assert_line(text, "efficientad_queue_length 0");
    snprintf(line, sizeof line, "efficientad_anomalous_total{model=\"tiny\"} %d", anomalous);
    assert_line(text, line);
    free(text);
    write_bytes(S "metrics", reply.body, reply.size);
    ead_reply_free(&reply);
    reply = ask(&server, "GET", "/v2/models/tiny/stats", NULL);
    json_t *root = json_of(&reply, EAD_HTTP_OK),
           *stats = json_array_get(json_object_get(root, "model_stats"), 0);
    ck_assert_int_eq((int)json_integer_value(json_object_get(stats, "inference_count")), IMAGES);
    json_decref(root);
    close_server(&server);
    SKIP_UNLESS(shell("command -v promtool >/dev/null") == 0, "promtool is not here");
    shell_ok("promtool check metrics <" S "metrics >" S "said 2>&1 && test ! -s " S "said");
}
END_TEST

START_TEST(clients_of_triton_find_what_they_ask_for) {
    EadServer server;
    open_server(MODEL, 1, &server);
    EadServeReply reply = ask(&server, "GET", "/v2/models/tiny/config", NULL);
    json_t *root = json_of(&reply, EAD_HTTP_OK), *input = json_array_get(json_object_get(root, "input"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(input, "data_type")), "TYPE_UINT8");
    json_decref(root);
    reply = ask(&server, "POST", "/v2/repository/index", NULL);
    root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(root, 0), "state")), "READY");
    json_decref(root);
    close_server(&server);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("serve work");
    TCase *tests = tcase_create("work");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, the_queue_has_a_bound_and_an_order);
    tcase_add_test(tests, what_comes_too_late_is_not_begun);
    tcase_add_test(tests, everyone_gets_his_own_scores);
    tcase_add_test(tests, a_model_in_use_outlives_its_file);
    tcase_add_test(tests, all_that_cannot_be_opened_again_is_told);
    tcase_add_test(tests, only_the_token_changes_what_is_served);
    tcase_add_test(tests, names_come_from_files);
    tcase_add_test(tests, all_is_counted);
    tcase_add_test(tests, clients_of_triton_find_what_they_ask_for);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
