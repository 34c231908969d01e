/* A server with a model in tiles: its maps are the library's at the image's size; the page's picture of them loses no defect. */
#include "test/serve/serve_scene.h"
#include "train/page/live_picture.h"

#include <math.h>

#define S     "build/scratch/test_serve_tiles/"
#define MODEL S "model.safetensors"
#define INFER "/v2/models/tiny/infer"

enum { TILE = 64, WIDTH = 110, HEIGHT = 70, PIXELS = WIDTH * HEIGHT };

static EadServer server;
static uint8_t rgb[3 * PIXELS];
static float score, map[PIXELS];

static void make_scene(void) {
    const EadEfficientadSpec spec = {.height = TILE, .width = TILE, .autoencoder = true};
    double statistics[EAD_MAP_COUNT][2] = {{0.001, 0.002}, {0.001, 0.003}};
    EadEfficientad *model;
    EadDetector *detector;
    shell_ok("rm -rf " S " && mkdir -p " S);
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, statistics));
    model->base.tiles = (EadTiles){TILE, 0.25, 1, false};
    model->base.threshold = model->base.pixel_threshold = 0.01f;
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ead_efficientad_free(model);
    fill_noise(rgb, sizeof rgb, 7);
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, WIDTH, HEIGHT, 3 * WIDTH, map, &score));
    ead_detector_close(detector);
    open_server(MODEL, 2, &server);
}

static void remove_scene(void) {
    close_server(&server);
    shell_ok("rm -rf " S);
}

/* parameters: of the map. free() it. */
static char *request_for_map(const char *parameters) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fprintf(
        stream,
        "{\"outputs\": [{\"name\": \"anomaly_map\"%s}, {\"name\": \"pred_score\"}], \"inputs\": [{\"name\": "
        "\"image\", \"datatype\": \"UINT8\", \"shape\": [1, %d, %d, 3], \"data\": [",
        parameters, HEIGHT, WIDTH);
    for (int i = 0; i < 3 * PIXELS; i++) fprintf(stream, "%s%d", i ? "," : "", rgb[i]);
    fputs("]}]}", stream);
    fclose(stream);
    return text;
}

START_TEST(maps_have_the_size_of_the_image) {
    static const char *const asked[] = {"", ", \"parameters\": {\"map_size\": \"image\"}"};
    for (int i = 0; i < COUNT(asked); i++) {
        char *body = request_for_map(asked[i]);
        EadServeReply reply = ask(&server, "POST", INFER, body);
        free(body);
        json_t *root = json_of(&reply, EAD_HTTP_OK),
               *shape = json_object_get(output_of(root, "anomaly_map"), "shape");
        ck_assert_int_eq((int)json_integer_value(json_array_get(shape, 1)), HEIGHT);
        ck_assert_int_eq((int)json_integer_value(json_array_get(shape, 2)), WIDTH);
        ck_assert_float_eq((float)number_of(root, "pred_score", 0), score);
        for (int k = 0; k < PIXELS; k++)
            ck_assert_float_eq((float)number_of(root, "anomaly_map", (size_t)k), map[k]);
        json_decref(root);
    }
    char *body = request_for_map(", \"parameters\": {\"map_size\": \"model\"}");
    EadServeReply reply = ask(&server, "POST", INFER, body);
    free(body);
    assert_refused(&reply, EAD_HTTP_BAD_REQUEST, "\"map_size\" must be \"image\"");
}
END_TEST

START_TEST(a_file_is_predicted) {
    EadImage image = {.pixels = rgb, .width = WIDTH, .height = HEIGHT, .channels = 3};
    size_t size;
    ASSERT_OK(ead_png_write(S "image.png", &image));
    uint8_t *png = read_bytes(S "image.png", &size);
    EadServeRequest request = request_of("POST", "/predict", png, size);
    EadServeReply reply = ask_with(&server, &request);
    json_t *root = json_of(&reply, EAD_HTTP_OK);
    ck_assert_float_eq((float)json_number_value(json_object_get(root, "score")), score);
    ck_assert_int_gt((int)json_array_size(json_object_get(root, "regions")), 0);
    json_decref(root);
    free(png);
}
END_TEST

/* A single high value of a large map is the highest of the picture's, at its place. */
START_TEST(pictures_of_the_page_lose_no_defect) {
    enum { SIDE = 1500, AT_X = 1234, AT_Y = 321 };
    EadModel model = ead_model_new("efficientad", TILE, TILE);
    EadLivePicture picture;
    float *large = calloc(SIDE * SIDE, sizeof *large), values[EAD_LIVE_SIDE * EAD_LIVE_SIDE];
    uint8_t *pixels = calloc(SIDE * SIDE, 3);
    model.tiles = (EadTiles){TILE, 0.25, 1, false};
    large[AT_Y * SIDE + AT_X] = 8;
    ASSERT_OK(ead_live_picture_make(
        &(EadLiveImage){
            .model = &model, .pixels = pixels, .width = SIDE, .height = SIDE, .channels = 3, .map = large},
        &picture));
    ck_assert(picture.map_width == EAD_LIVE_SIDE && picture.map_height == EAD_LIVE_SIDE);
    ead_halves_to_floats(picture.map, EAD_LIVE_SIDE * EAD_LIVE_SIDE, values);
    for (int i = 0; i < EAD_LIVE_SIDE * EAD_LIVE_SIDE; i++) {
        bool there = i % EAD_LIVE_SIDE == AT_X * EAD_LIVE_SIDE / SIDE &&
                     i / EAD_LIVE_SIDE == AT_Y * EAD_LIVE_SIDE / SIDE;
        ck_assert_float_eq(values[i], there ? 8 : 0);
    }
    ead_live_picture_free(&picture);
    free(pixels);
    free(large);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("serve tiles");
    TCase *tests = tcase_create("serve tiles");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, maps_have_the_size_of_the_image);
    tcase_add_test(tests, a_file_is_predicted);
    tcase_add_test(tests, pictures_of_the_page_lose_no_defect);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
