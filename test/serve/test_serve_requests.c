/* What a server answers, without a socket: its numbers are those of the library, and what is wrong with a request is told. */
#include "core/base/file_bytes.h"
#include "test/serve/serve_scene.h"
#include "train/serve/inference.h"

#define S     "build/scratch/test_serve_requests/"
#define MODEL S "model.safetensors"
#define INFER "/v2/models/tiny/infer"

enum { WIDTH = 40, HEIGHT = 30, PIXELS = WIDTH * HEIGHT };

static EadServer server;
static uint8_t rgb[2 * 3 * PIXELS]; /* two images */
static float scores[2], maps[2][PIXELS], model_map[TINY_SIDE * TINY_SIDE];

/* What the library says of the two images. */
static void score_by_library(void) {
    static const EadRunOptions of_model = {.size = sizeof of_model, .map_size = EAD_MAP_OF_MODEL};
    EadDetector *detector;
    float *first = model_map;
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int i = 0; i < 2; i++)
        ASSERT_OK((EadStatus)ead_detector_run(detector, rgb + (size_t)i * 3 * PIXELS, WIDTH, HEIGHT,
                                              3 * WIDTH, maps[i], &scores[i]));
    EadImageView view = {sizeof view, rgb, WIDTH, HEIGHT, 3 * WIDTH, EAD_PIXELS_RGB8, 0};
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, &of_model, &first, NULL));
    ead_detector_close(detector);
}

static void make_scene(void) {
    shell_ok("rm -rf " S);
    save_tiny_model(MODEL, 0.25f, NULL);
    fill_noise(rgb, sizeof rgb, 7);
    score_by_library();
    open_server(MODEL, 1, &server);
}

static void remove_scene(void) {
    close_server(&server);
    shell_ok("rm -rf " S);
}

/* A request for the first `count` images with pixels as JSON; `more` are further members. free() it. */
static char *json_request(int count, const char *more) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fprintf(stream,
            "{%s\"inputs\": [{\"name\": \"image\", \"datatype\": \"UINT8\", \"shape\": [%d, %d, %d, 3], "
            "\"data\": [",
            more, count, HEIGHT, WIDTH);
    for (int i = 0; i < count * 3 * PIXELS; i++) fprintf(stream, "%s%d", i ? "," : "", rgb[i]);
    fputs("]}]}", stream);
    fclose(stream);
    return text;
}

/* JSON and `size` bytes behind it, as the binary extension has them. */
static EadServeReply ask_binary(const char *json, const void *bytes, size_t size) {
    char length[32];
    size_t head = strlen(json);
    char *body = malloc(head + size + 1);
    memcpy(body, json, head);
    memcpy(body + head, bytes, size);
    snprintf(length, sizeof length, "%zu", head);
    EadServeRequest request = request_of("POST", INFER, body, head + size);
    request.json_size = length;
    EadServeReply reply = ask_with(&server, &request);
    free(body);
    return reply;
}

START_TEST(routes_are_found) {
    static const struct {
        const char *path, *model;
        EadServeRoute route;
    } cases[] = {{"/v2", "", EAD_ROUTE_SERVER},
                 {"/v2/", "", EAD_ROUTE_SERVER},
                 {"/v2/health/live", "", EAD_ROUTE_LIVE},
                 {"/v2/health/ready", "", EAD_ROUTE_READY},
                 {"/predict", "", EAD_ROUTE_PREDICT},
                 {"/v2/models/a", "a", EAD_ROUTE_MODEL},
                 {"/v2/models/a/versions/1", "a", EAD_ROUTE_MODEL},
                 {"/v2/models/a/ready", "a", EAD_ROUTE_MODEL_READY},
                 {"/v2/models/a/versions/1/ready", "a", EAD_ROUTE_MODEL_READY},
                 {"/v2/models/a.b-c/infer", "a.b-c", EAD_ROUTE_INFER},
                 {"/v2/models/a/versions/1/infer", "a", EAD_ROUTE_INFER},
                 {"/v2/models/a/versions/2/infer", "a", EAD_ROUTE_NONE},
                 {"/v2/models/a/versions/10", "a", EAD_ROUTE_NONE},
                 {"/v2/models/", "", EAD_ROUTE_NONE},
                 {"/v2/models/../../etc/passwd", "..", EAD_ROUTE_NONE},
                 {"/", "", EAD_ROUTE_PAGE},
                 {"/page/news", "", EAD_ROUTE_PAGE_NEWS},
                 {"/page/image/12", "12", EAD_ROUTE_PAGE_IMAGE},
                 {"/page/heat/12", "12", EAD_ROUTE_PAGE_HEAT},
                 {"/page/heat/12/", "12", EAD_ROUTE_NONE},
                 {"/page/heat/", "", EAD_ROUTE_NONE},
                 {"/page/", "", EAD_ROUTE_NONE},
                 {"", "", EAD_ROUTE_NONE}};
    char model[EAD_SERVE_NAME];
    for (int i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(ead_serve_route(cases[i].path, model) == cases[i].route, "%s", cases[i].path);
        ck_assert_str_eq(model, cases[i].model);
    }
}
END_TEST

START_TEST(strangers_are_refused) {
    EadServeGuard guarded = {.token = (char[]){"secret"}}, local = {.loopback_host = true};
    static const char *const
        wrong[] = {NULL, "", "Bearer ", "Bearer secre", "Bearer secrets", "Bearer Secret", "Basic secret"},
        *const hosts[] = {"localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"},
        *const foreign[] = {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", ""};
    EadServeRequest request = request_of("GET", "/v2", NULL, 0),
                    health = request_of("GET", "/v2/health/ready", NULL, 0);
    EadServeReply reply = {0};
    for (int i = 0; i < COUNT(wrong); i++) {
        request.authorization = wrong[i];
        ck_assert(!ead_serve_admit(&guarded, &request, &reply));
        ck_assert(reply.authenticate);
        assert_refused(&reply, EAD_HTTP_UNAUTHORIZED, "token");
    }
    request.authorization = "Bearer secret";
    ck_assert(ead_serve_admit(&guarded, &request, &reply));
    ck_assert(ead_serve_admit(&guarded, &health, &reply));
    for (int i = 0; i < COUNT(hosts); i++) {
        request.host = hosts[i];
        ck_assert(ead_serve_admit(&local, &request, &reply));
    }
    for (int i = 0; i < COUNT(foreign); i++) {
        request.host = foreign[i];
        ck_assert(!ead_serve_admit(&local, &request, &reply));
        assert_refused(&reply, EAD_HTTP_MISDIRECTED, "localhost");
    }
}
END_TEST

START_TEST(metadata_is_that_of_the_protocol) {
    EadServeReply reply = ask(&server, "GET", "/v2", NULL);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(root, "extensions"), 0)),
                     "binary_tensor_data");
    json_decref(root);
    reply = ask(&server, "GET", "/v2/models/tiny", NULL);
    root = json_of(&reply, EAD_HTTP_OK);
    const json_t *input = json_array_get(json_object_get(root, "inputs"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(root, "name")), "tiny");
    ck_assert_str_eq(json_string_value(json_object_get(input, "datatype")), "UINT8");
    ck_assert_int_eq((int)json_array_size(json_object_get(input, "shape")), 4);
    ck_assert_ptr_nonnull(output_of(root, "anomalous"));
    json_decref(root);
    static const char *const healthy[] = {"/v2/health/live", "/v2/health/ready", "/v2/models/tiny/ready"};
    for (int i = 0; i < COUNT(healthy); i++) {
        reply = ask(&server, "GET", healthy[i], NULL);
        ck_assert_int_eq(reply.code, EAD_HTTP_OK);
        ead_reply_free(&reply);
    }
    reply = ask(&server, "GET", "/v2/models/nobody", NULL);
    assert_refused(&reply, EAD_HTTP_NOT_FOUND, "nobody");
    reply = ask(&server, "DELETE", "/v2/models/tiny", NULL);
    ck_assert_str_eq(reply.allow, "GET, HEAD");
    assert_refused(&reply, EAD_HTTP_BAD_METHOD, "GET");
}
END_TEST

START_TEST(json_gives_the_numbers_of_the_library) {
    char *body = json_request(
        2, "\"id\": \"no. 7\", \"outputs\": [{\"name\": \"anomaly_map\", \"parameters\": {\"map_size\": "
           "\"image\"}}, {\"name\": \"pred_score\"}, {\"name\": \"anomalous\"}], ");
    EadServeReply reply = ask(&server, "POST", INFER, body);
    free(body);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_str_eq(json_string_value(json_object_get(root, "id")), "no. 7");
    ck_assert_str_eq(json_string_value(json_object_get(root, "model_name")), "tiny");
    const json_t *map = output_of(root, "anomaly_map"), *data = json_object_get(map, "data");
    ck_assert_int_eq((int)json_array_size(data), 2 * PIXELS);
    ck_assert_int_eq((int)json_integer_value(json_array_get(json_object_get(map, "shape"), 1)), HEIGHT);
    for (int i = 0; i < 2; i++) {
        ck_assert_float_eq((float)number_of(root, "pred_score", (size_t)i), scores[i]);
        ck_assert_int_eq(
            json_is_true(json_array_get(json_object_get(output_of(root, "anomalous"), "data"), (size_t)i)),
            scores[i] >= 0.25f);
        for (int k = 0; k < PIXELS; k++)
            ck_assert_float_eq((float)json_number_value(json_array_get(data, (size_t)(i * PIXELS + k))),
                               maps[i][k]);
    }
    json_decref(root);
}
END_TEST

START_TEST(without_a_choice_answers_are_small) {
    char *body = json_request(1, "");
    EadServeReply reply = ask(&server, "POST", INFER, body);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_int_eq((int)json_array_size(json_object_get(root, "outputs")), 2);
    ck_assert_ptr_null(json_object_get(root, "id"));
    ck_assert_float_eq((float)number_of(root, "pred_score", 0), scores[0]);
    json_decref(root);
    free(body);
}
END_TEST

START_TEST(binary_gives_the_same_bytes) {
    EadServeReply reply = ask_binary(
        "{\"parameters\": {\"binary_data_output\": true}, \"outputs\": [{\"name\": \"pred_score\"}, "
        "{\"name\": \"anomaly_map\"}], \"inputs\": [{\"name\": \"image\", \"datatype\": \"UINT8\", "
        "\"shape\": [1, 30, 40, 3], \"parameters\": {\"binary_data_size\": 3600}}]}",
        rgb, 3 * PIXELS);
    ck_assert_int_eq(reply.code, EAD_HTTP_OK);
    ck_assert_uint_eq(reply.size - reply.json_size, sizeof(float) + sizeof model_map);
    ck_assert_mem_eq(reply.body + reply.json_size, &scores[0], sizeof(float));
    ck_assert_mem_eq(reply.body + reply.json_size + sizeof(float), model_map, sizeof model_map);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    const json_t *parameters = json_object_get(output_of(root, "anomaly_map"), "parameters");
    ck_assert_int_eq((int)json_integer_value(json_object_get(parameters, "binary_data_size")),
                     (int)sizeof model_map);
    json_decref(root);
}
END_TEST

static uint8_t *png_of(int index, size_t *size) {
    uint8_t *png;
    EadImage image = {WIDTH, HEIGHT, 3, rgb + (size_t)index * 3 * PIXELS};
    ASSERT_OK(ead_png_encode(&image, &png, size));
    return png;
}

START_TEST(image_files_are_decoded) {
    uint8_t *files[2], *body;
    size_t sizes[2], at = 0;
    char json[512];
    for (int i = 0; i < 2; i++) files[i] = png_of(i, &sizes[i]);
    body = malloc(sizes[0] + sizes[1] + 8);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 4; k++) body[at++] = (uint8_t)(sizes[i] >> 8 * k & 255);
        memcpy(body + at, files[i], sizes[i]);
        at += sizes[i];
    }
    snprintf(json, sizeof json,
             "{\"inputs\": [{\"name\": \"image\", \"datatype\": \"BYTES\", \"shape\": [2], \"parameters\": "
             "{\"binary_data_size\": %zu}}]}",
             at);
    EadServeReply reply = ask_binary(json, body, at);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    for (size_t i = 0; i < 2; i++) ck_assert_float_eq((float)number_of(root, "pred_score", i), scores[i]);
    json_decref(root);
    reply = ask_binary("", files[1], sizes[1]); /* a header of 0 bytes: the body is the file */
    root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_float_eq((float)number_of(root, "pred_score", 0), scores[1]);
    json_decref(root);
    body[0]++; /* lengths that do not fit what is there */
    reply = ask_binary(json, body, at);
    ck_assert_int_eq(reply.code, EAD_HTTP_BAD_REQUEST);
    ead_reply_free(&reply);
    free(body);
    for (int i = 0; i < 2; i++) free(files[i]);
}
END_TEST

START_TEST(an_image_sent_plainly_is_scored) {
    size_t size;
    uint8_t *png = png_of(0, &size);
    EadServeRequest request = request_of("POST", "/predict", png, size);
    request.name = "part \"7\".png";
    EadServeReply reply = ask_with(&server, &request);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_str_eq(json_string_value(json_object_get(root, "path")), "part \"7\".png");
    ck_assert_float_eq((float)json_number_value(json_object_get(root, "score")), scores[0]);
    ck_assert_int_eq(json_is_true(json_object_get(root, "anomalous")), scores[0] >= 0.25f);
    json_decref(root);
    request.map = "png";
    reply = ask_with(&server, &request);
    ck_assert_str_eq(reply.type, "image/png");
    EadImage picture;
    ASSERT_OK(ead_image_decode((const uint8_t *)reply.body, reply.size, "the heat map", &picture));
    ck_assert(picture.width == WIDTH && picture.height == HEIGHT + 22); /* with the verdict below it */
    ead_image_free(&picture);
    ead_reply_free(&reply);
    request.map = "gif";
    reply = ask_with(&server, &request);
    assert_refused(&reply, EAD_HTTP_BAD_REQUEST, "map=png");
    request.map = NULL, request.model = "other";
    reply = ask_with(&server, &request);
    assert_refused(&reply, EAD_HTTP_NOT_FOUND, "other");
    reply = ask(&server, "POST", "/predict", "");
    assert_refused(&reply, EAD_HTTP_BAD_REQUEST, "empty");
    free(png);
}
END_TEST

#define INPUT(members) "{\"inputs\": [{\"name\": \"image\", \"datatype\": \"UINT8\", " members "}]}"
#define IMAGE          "\"shape\": [1, 1, 1, 3], \"data\": [1, 2, 3]"

static const struct {
    const char *body;
    int code;
    const char *part;
} refused[] = {
    {"", 400, "no JSON"},
    {"[]", 400, "no JSON object"},
    {"{\"inputs\": 1}", 400, "array"},
    {"{}", 400, "\"inputs\" is missing"},
    {"{\"inputs\": []}", 400, "0 inputs"},
    {"{\"inputs\": [3]}", 400, "object"},
    {"{\"id\": 3, \"inputs\": []}", 400, "\"id\" must be a text"},
    {"{\"id\": \"a\", \"id\": \"b\"}", 400, "duplicate"},
    {"{\"parameters\": {\"timeout\": -1}, \"inputs\": []}", 400, "timeout"},
    {"{\"parameters\": {\"binary_data_output\": 1}, \"inputs\": []}", 400, "binary_data_output"},
    {INPUT("\"data\": []"), 400, "\"shape\" is missing"},
    {INPUT("\"shape\": [1, 1, 1, 3]"), 400, "neither"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [1, 2]"), 400, "needs 3"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [1, 2, 256]"), 400, "0 to 255"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [1, 2, 0.5]"), 400, "0 to 255"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [1, 2, \"3\"]"), 400, "0 to 255"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [1, 2, 3, 4]"), 400, "4, but the shape needs 3"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [1, 2, [3]]"), 400, "0 to 255"},
    {INPUT("\"shape\": [1, 1, 2, 3], \"data\": [[1, 2, 3, 4, 5, 6]]"), 400, "needs 1"},
    {INPUT("\"shape\": [1, 1, 2, 3], \"data\": [[5]]"), 400, "nested as the shape is"},
    {INPUT("\"shape\": [1, 1, 2, 3], \"data\": [[[[1, 2, 3], [4, 5]]]]"), 400, "2, but the shape needs 3"},
    {INPUT("\"shape\": [1, 1, 2, 3], \"data\": [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]"), 400, "needs 2"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [[[[1, 2, 3]]], []]"), 400, "needs 1"},
    {INPUT("\"shape\": [1, 1, 1, 3], \"data\": [[[[[[[[[1]]]]]]]]]"), 400, "needs 3"},
    {INPUT("\"parameters\": {\"binary_data_size\": 0}, " IMAGE), 400, "both"},
    {INPUT("\"shape\": [1, 3, 1, 1], \"data\": []"), 400, "needs 3"},
    {INPUT("\"shape\": [1, 1, 3], \"data\": [1, 2, 3]"), 400, "[N,H,W,3]"},
    {INPUT("\"shape\": [1, 1, 1, 4], \"data\": [1, 2, 3, 4]"), 400, "[N,H,W,3]"},
    {INPUT("\"shape\": [0, 1, 1, 3], \"data\": []"), 400, "from 1 on"},
    {INPUT("\"shape\": [-1, 1, 1, 3], \"data\": []"), 400, "from 1 on"},
    {INPUT("\"shape\": [1.5, 1, 1, 3], \"data\": []"), 400, "from 1 on"},
    {INPUT("\"shape\": [], \"data\": []"), 400, "0 sizes"},
    {INPUT("\"shape\": [2000, 1, 1, 3], \"data\": []"), 413, "2000 images"},
    {INPUT("\"shape\": [1, 9223372036854775807, 9223372036854775807, 3], \"data\": []"), 413, "pixels"},
    {INPUT("\"shape\": [1, 1001, 1000, 3], \"data\": []"), 413, "1000000 pixels"},
    {INPUT("\"shape\": [1, 1000, 1000, 3], \"data\": []"), 413, "binary extension"},
    {INPUT("\"parameters\": {\"binary_data_size\": 3}, \"shape\": [1, 1, 1, 3]"), 400, "0 bytes follow"},
    {INPUT("\"parameters\": {\"binary_data_size\": -3}, \"shape\": [1, 1, 1, 3]"), 400, "-3"},
    {"{\"inputs\": [{\"name\": \"picture\", \"datatype\": \"UINT8\", " IMAGE "}]}", 400, "called image"},
    {"{\"inputs\": [{\"name\": \"image\", \"datatype\": \"FP32\", " IMAGE "}]}", 400, "UINT8"},
    {"{\"inputs\": [{\"name\": \"image\", \"datatype\": \"BYTES\", \"shape\": [1], \"data\": [\"x\"]}]}", 400,
     "binary"},
    {"{\"outputs\": [{\"name\": \"mask\"}], \"inputs\": []}", 400, "no output 'mask'"},
    {"{\"outputs\": [{}], \"inputs\": []}", 400, "\"name\" is missing"},
    {"{\"outputs\": [{\"name\": \"pred_score\"}, {\"name\": \"pred_score\"}], \"inputs\": []}", 400, "twice"},
    {"{\"outputs\": [{\"name\": \"heatmap\"}], \"inputs\": []}", 400, "binary"},
    {"{\"outputs\": [{\"name\": \"anomaly_map\", \"parameters\": {\"map_size\": \"huge\"}}], \"inputs\": []}",
     400, "map_size"},
};

/* The map as the library has it; an image that does not hold the box costs itself alone. */
START_TEST(a_region_of_interest_is_that_of_the_model) {
    static const char path[] = S "region.safetensors";
    static float expected[PIXELS];
    EadServer other;
    EadDetector *detector;
    float score;
    EadEfficientad *model = tiny_model();
    ASSERT_OK(ead_region_set_box(&model->base.region, "4,3,30,20"));
    ASSERT_OK(ead_model_save(&model->base, path, NULL));
    ead_efficientad_free(model);
    ASSERT_OK((EadStatus)ead_detector_open(path, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, WIDTH, HEIGHT, 3 * WIDTH, expected, &score));
    ead_detector_close(detector);
    open_server(path, 2, &other);
    char *body = json_request(1, "\"outputs\": [{\"name\": \"anomaly_map\", \"parameters\": {\"map_size\": "
                                 "\"image\"}}, {\"name\": \"pred_score\"}], ");
    EadServeReply reply = ask(&other, "POST", INFER, body);
    free(body);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_float_eq((float)number_of(root, "pred_score", 0), score);
    for (int k = 0; k < PIXELS; k++)
        ck_assert_float_eq((float)number_of(root, "anomaly_map", (size_t)k), expected[k]);
    json_decref(root);
    reply = ask(&other, "POST", INFER,
                "{\"inputs\": [{\"name\": \"image\", \"datatype\": \"UINT8\", \"shape\": [1, 1, 2, 3], "
                "\"data\": [1, 2, 3, 4, 5, 6]}]}");
    assert_refused(&reply, EAD_HTTP_BAD_REQUEST, "image 1: an image of 2 x 1 pixels does not hold the box");
    close_server(&other);
}
END_TEST

/* A file of 12 bits in 16, to a model that knows what is white in such. */
START_TEST(samples_of_16_bits_are_read_as_in_training) {
    static const char path[] = S "white.safetensors";
    EadServer other;
    EadImage image;
    EadDetector *detector;
    char *file;
    size_t size;
    float score;
    EadEfficientad *model = tiny_model();
    model->base.image_white = 3500;
    ASSERT_OK(ead_model_save(&model->base, path, NULL));
    ead_efficientad_free(model);
    ASSERT_OK(ead_image_load_with("test/golden/reading/low12.png", &(EadImageRules){.white = 3500}, &image));
    ASSERT_OK((EadStatus)ead_detector_open(path, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, image.pixels, image.width, image.height, 3 * image.width,
                                          NULL, &score));
    ead_detector_close(detector);
    ead_image_free(&image);
    ASSERT_OK(ead_read_file("test/golden/reading/low12.png", 1 << 20, &file, &size));
    open_server(path, 1, &other);
    EadServeRequest request = request_of("POST", "/predict", file, size);
    EadServeReply reply = ask_with(&other, &request);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_float_eq((float)json_number_value(json_object_get(root, "score")), score);
    json_decref(root);
    request = request_of("POST", INFER, file, size);
    request.json_size = "0";
    reply = ask_with(&other, &request);
    root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_float_eq((float)number_of(root, "pred_score", 0), score);
    json_decref(root);
    free(file);
    close_server(&other);
}
END_TEST

START_TEST(wrong_requests_are_told) {
    for (int i = 0; i < COUNT(refused); i++) {
        EadServeReply reply = ask(&server, "POST", INFER, refused[i].body);
        assert_refused(&reply, refused[i].code, refused[i].part);
    }
    EadServeRequest request = request_of("POST", INFER, "{}", 2);
    static const char *const lengths[] = {"3", "-1", "x", "1x", "", "99999999999999999999999"};
    for (int i = 0; i < COUNT(lengths); i++) {
        request.json_size = lengths[i];
        EadServeReply reply = ask_with(&server, &request);
        assert_refused(&reply, EAD_HTTP_BAD_REQUEST, "Inference-Header-Content-Length");
    }
}
END_TEST

START_TEST(bodies_cannot_grow_in_memory) {
    enum { SIZE = 8 << 20 };
    char *text = malloc(SIZE + 1);
    memset(text, ',', SIZE);
    text[0] = '[', text[SIZE] = '\0';
    EadServeReply reply = ask(&server, "POST", INFER, text);
    assert_refused(&reply, EAD_HTTP_TOO_LARGE, "more than 1048576 numbers");
    memset(text, '[', SIZE);
    reply = ask(&server, "POST", INFER, text);
    assert_refused(&reply, EAD_HTTP_BAD_REQUEST, "no JSON");
    free(text);
    /* A PNG of a few kilobytes that would be 100 megapixels. */
    EadImage image;
    uint8_t *png;
    size_t size;
    fill_image(&image, 10000, 1000, 3, 0);
    ASSERT_OK(ead_png_encode(&image, &png, &size));
    ead_image_free(&image);
    ck_assert_uint_lt(size, 200000);
    EadServeRequest request = request_of("POST", "/predict", png, size);
    reply = ask_with(&server, &request);
    assert_refused(&reply, EAD_HTTP_TOO_LARGE, "at most 1000000 in all");
    request = request_of("POST", INFER, png, size);
    request.json_size = "0";
    reply = ask_with(&server, &request);
    assert_refused(&reply, EAD_HTTP_TOO_LARGE, "at most 1000000 in all");
    free(png);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("serve requests");
    TCase *tests = tcase_create("requests");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, routes_are_found);
    tcase_add_test(tests, strangers_are_refused);
    tcase_add_test(tests, metadata_is_that_of_the_protocol);
    tcase_add_test(tests, json_gives_the_numbers_of_the_library);
    tcase_add_test(tests, without_a_choice_answers_are_small);
    tcase_add_test(tests, binary_gives_the_same_bytes);
    tcase_add_test(tests, image_files_are_decoded);
    tcase_add_test(tests, an_image_sent_plainly_is_scored);
    tcase_add_test(tests, a_region_of_interest_is_that_of_the_model);
    tcase_add_test(tests, samples_of_16_bits_are_read_as_in_training);
    tcase_add_test(tests, wrong_requests_are_told);
    tcase_add_test(tests, bodies_cannot_grow_in_memory);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
