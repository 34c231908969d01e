/* Features of the training images in a file: the right ones of the right images in every batch, found again by another
 * run, and made anew for another backbone. */
#include "core/plan/plan.h"
#include "data/cache/image_cache.h"
#include "test/support/sample_models.h"
#include "train/loop/train_features.h"

#include <glob.h>

#define SCRATCH "build/scratch/test_train_features/"

enum { HEIGHT = 64, WIDTH = 96, IMAGES = 3, BATCH = 2, STEPS = 6, SEED = 5 };

static EadConfig config;
static EadImageCache *images;

static EadImage golden_picture(int index) {
    EadImage image = {
        .width = WIDTH, .height = HEIGHT, .channels = 3, .pixels = malloc((size_t)3 * WIDTH * HEIGHT)};
    golden_image((uint64_t)index, HEIGHT, WIDTH, image.pixels);
    return image;
}

static void set_up(void) {
    EadImageList list = {0};
    EadCacheSpec spec = {.width = WIDTH, .height = HEIGHT};
    shell_ok("rm -rf " SCRATCH);
    make_folders(SCRATCH "pictures/");
    for (int i = 0; i < IMAGES; i++) {
        char path[128];
        EadImage image = golden_picture(i);
        snprintf(path, sizeof path, SCRATCH "pictures/%d.png", i);
        ASSERT_OK(ead_png_write(path, &image));
        ead_image_free(&image);
    }
    ASSERT_OK(ead_image_list_add(&list, SCRATCH "pictures"));
    ASSERT_OK(ead_image_cache_open(&list, &spec, &images));
    ead_image_list_free(&list);
    ASSERT_OK(ead_config_defaults(&config));
    ASSERT_OK(ead_config_set(&config, "dataset.cache=" SCRATCH "cache", "test"));
    config.train_seed = SEED;
}

static void tear_down(void) {
    ead_image_cache_close(images);
    ead_config_free(&config);
}

/* layer1 and layer2. */
static void build(EadGraph *graph, const void *model, EadNode *x, EadNode *features[EAD_MAX_STEP_INPUTS]) {
    const EadTaps taps = {2, {0, 1}};
    ead_backbone_build(graph, model, x, &taps, features);
}

typedef struct Opened {
    EadBackbone backbone;
    EadTrainFeatures features;
    EadGraph *graph; /* of a step with nothing but the inputs */
    EadStepParts parts;
    EadNode *values[2]; /* the inputs widened, kept */
    EadPlan *plan;
} Opened;

static EadRunSpec run_spec = {.config = &config, .backend = &ead_backend_cpu, .quiet = true};

static bool drops; /* the last image of an epoch */

/* change: added to one weight of the backbone; inputs: layer1 alone, or layer2, too. */
static EadStatus open_inputs(Opened *o, float change, int inputs) {
    const EadTensor shapes[2] = {{.h = HEIGHT / 4, .w = WIDTH / 4, .c = 64},
                                 {.h = HEIGHT / 8, .w = WIDTH / 8, .c = 128}};
    *o = (Opened){.graph = ead_graph_new()};
    write_backbone("resnet18", SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(SCRATCH "drawn.safetensors", &o->backbone));
    o->backbone.params.values[5] += change;
    for (int i = 0; i < inputs; i++)
        o->values[i] =
            ead_keep(ead_train_features_input(&o->features, o->graph, BATCH, &shapes[i], &o->parts));
    ASSERT_OK(ead_plan_new(o->graph, NULL, &o->plan));
    EadTrainFeaturesSpec spec = {&run_spec, images, &o->backbone, "layer1,layer2", HEIGHT,
                                 WIDTH,     build,  &o->backbone, BATCH,           drops};
    return ead_train_features_open(&o->features, &spec);
}

static EadStatus open_features(Opened *o, float change) {
    return open_inputs(o, change, 2);
}

static void close_features(Opened *o) {
    ead_train_features_close(&o->features);
    ead_plan_free(o->plan);
    ead_graph_free(o->graph);
    ead_backbone_free(&o->backbone);
}

/* The features of an image, computed here and rounded to half precision. */
static void check_image(const Opened *o, int index, const EadNode *values, int tap, int place) {
    EadNode *features[EAD_MAX_STEP_INPUTS];
    EadPlan *plan;
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "images", EAD_U8, 1, HEIGHT, WIDTH, 3, NULL);
    build(graph, &o->backbone, x, features);
    for (int i = 0; i < 2; i++) ead_keep(features[i]);
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    golden_image((uint64_t)index, HEIGHT, WIDTH, x->y.data);
    ead_plan_run(plan);
    int64_t count = ead_count(&features[tap]->y);
    const float *expected = features[tap]->y.data, *got = (const float *)values->y.data + place * count;
    for (int64_t i = 0; i < count; i++)
        ck_assert(got[i] == ead_half_to_float(ead_half_from_float(expected[i])));
    ead_plan_free(plan);
    ead_graph_free(graph);
}

/* Every batch by the sequence: of three images two and one, or two and none. */
START_TEST(batches_are_the_features_of_their_images) {
    Opened o;
    EadLoader *loader;
    EadLoaderSpec spec = {.slots = 2, .first_step = 1};
    const uint8_t *slot;
    int seen[IMAGES] = {0};
    drops = _i > 0;
    ASSERT_OK(open_features(&o, 0));
    ead_train_features_load(&o.features, &spec);
    for (int i = 0; i < 2; i++) spec.slot_bytes += ead_bytes(&o.parts.inputs[i]->y);
    ASSERT_OK(ead_loader_open(&spec, &loader));
    uint8_t *first = calloc(1, spec.slot_bytes), *other = calloc(1, spec.slot_bytes);
    for (int step = 0; step < STEPS; step++) {
        ASSERT_OK(ead_loader_next(loader, &slot));
        int epoch = drops ? step : step / 2, taken = drops ? 0 : step % 2 * BATCH;
        int count = taken ? IMAGES - BATCH : BATCH;
        size_t second = ead_bytes(&o.parts.inputs[0]->y) * (size_t)count / BATCH;
        memcpy(first, slot, second);
        memcpy(other, slot + second, ead_bytes(&o.parts.inputs[1]->y) * (size_t)count / BATCH);
        ead_plan_write(o.plan, o.parts.inputs[0], first);
        ead_plan_write(o.plan, o.parts.inputs[1], other);
        ead_plan_run(o.plan);
        for (int b = 0; b < count; b++) {
            int index = (int)ead_shuffled_index(SEED, EAD_STREAM_TRAIN_ORDER,
                                                (uint64_t)(epoch * IMAGES + taken + b), IMAGES);
            for (int tap = 0; tap < 2; tap++) check_image(&o, index, o.values[tap], tap, b);
            seen[index]++;
        }
        ead_loader_release(loader);
    }
    for (int i = 0; i < IMAGES && !drops; i++) ck_assert_int_eq(seen[i], STEPS / 2);
    ead_loader_close(loader);
    free(first), free(other);
    close_features(&o);
}
END_TEST

/* Two passes over all numbers, in double. */
START_TEST(their_spread_and_scale) {
    enum { POSITIONS = HEIGHT / 4 * WIDTH / 4, CHANNELS = 64, RECORD = POSITIONS * CHANNELS };
    Opened o;
    double expected = 0, got, *values = malloc(sizeof *values * IMAGES * RECORD);
    uint16_t *halves = malloc(sizeof *halves * RECORD);
    uint8_t none;
    shell_ok("rm -rf " SCRATCH "cache");
    ASSERT_OK(open_inputs(&o, 0, 1));
    for (int i = 0; i < IMAGES; i++) {
        ASSERT_OK(ead_feature_cache_read(o.features.cache, i, &none, halves));
        for (int k = 0; k < RECORD; k++) values[i * RECORD + k] = (double)ead_half_to_float(halves[k]);
    }
    for (int c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0;
        for (int p = 0; p < IMAGES * POSITIONS; p++) sum += values[p * CHANNELS + c];
        for (int p = 0; p < IMAGES * POSITIONS; p++)
            squares += pow(values[p * CHANNELS + c] - sum / (IMAGES * POSITIONS), 2);
        expected += sqrt(squares / (IMAGES * POSITIONS)) / CHANNELS;
    }
    ASSERT_OK(ead_train_features_deviation(&o.features, &got));
    ck_assert_msg(fabs(got - expected) <= 1e-10 * expected, "%.15g and %.15g", got, expected);
    ead_train_features_scale(&o.features, 0.25);
    ead_plan_update_weights(o.plan);
    ASSERT_OK(ead_feature_cache_read(o.features.cache, 0, &none, halves));
    for (int b = 0; b < BATCH; b++)
        memcpy((uint16_t *)o.parts.inputs[0]->y.data + b * RECORD, halves, RECORD * sizeof *halves);
    ead_plan_run(o.plan);
    for (int k = 0; k < RECORD; k++)
        ck_assert((double)((const float *)o.values[0]->y.data)[k] == values[k] / 4);
    close_features(&o);
    free(values), free(halves);
}
END_TEST

static int cache_files(void) {
    glob_t found;
    int count = glob(SCRATCH "cache/features_*.cache", 0, NULL, &found) == 0 ? (int)found.gl_pathc : 0;
    globfree(&found);
    return count;
}

START_TEST(a_file_belongs_to_images_backbone_and_settings) {
    Opened o;
    shell_ok("rm -rf " SCRATCH "cache");
    for (int again = 0; again < 2; again++) {
        ASSERT_OK(open_features(&o, 0));
        close_features(&o);
        ck_assert_int_eq(cache_files(), 1);
        shell_ok("chmod a-w " SCRATCH "cache/features_*.cache"); /* found, not written again */
    }
    ASSERT_OK(open_features(&o, 0.5f));
    close_features(&o);
    ck_assert_int_eq(cache_files(), 2);
}
END_TEST

START_TEST(features_beyond_half_precision_are_refused) {
    Opened o;
    ck_assert_int_eq(open_features(&o, 1e9f), EAD_BAD_ARGUMENT);
    assert_contains(ead_error_message(), "pictures/0.png: the backbone resnet18 gives numbers");
    close_features(&o);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("train_features");
    TCase *tests = tcase_create("train_features");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, batches_are_the_features_of_their_images, 0, 2);
    tcase_add_test(tests, their_spread_and_scale);
    tcase_add_test(tests, a_file_belongs_to_images_backbone_and_settings);
    tcase_add_test(tests, features_beyond_half_precision_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
