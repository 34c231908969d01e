/* Backbones and distillation features against torchvision and PatchCore's feature path in float64
 * (test/golden/backbone_golden.py): 1e-4 of the largest value with drawn weights, 1e-3 on photographs. And
 * what reading of a backbone refuses. */
#include "test/data_support.h"
#include "test/golden_model.h"

#include "core/half.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/paths.h"
#include "core/plan.h"
#include "data/codec.h"
#include "models/patch_features.h"

#define SCRATCH "build/scratch/test_backbone/"
#define GOLDEN  "test/golden/backbones.safetensors"
#define SHARED  "../shared/"

enum { SEED = 9, IMAGE_SEED = 5, LAYER_STEP = 37, FEATURE_STEP = 23, MOST_TENSORS = 1024 };

/* ---- drawn backbones, as draw() of the generator makes them ---- */

static uint8_t *draw_bytes(const char *name, int64_t count) {
    uint8_t *bytes = malloc((size_t)count + 16);
    uint32_t block[4];
    ck_assert_ptr_nonnull(bytes);
    for (int64_t i = 0; i < count; i += (int64_t)sizeof block) {
        ead_philox(SEED, EAD_STREAM_PARAMETERS + ead_hash_name(name), (uint64_t)i / sizeof block, block);
        memcpy(bytes + i, block, sizeof block);
    }
    return bytes;
}

/* The tensors of a file, which its writer borrows. */
typedef struct Drawn {
    EadSafetensorsWriter *writer;
    void *owned[MOST_TENSORS];
    int count;
    const char *left_out; /* this one tensor is not written */
    const char *negative; /* the first number of this one is -1 */
} Drawn;

static void add(Drawn *drawn, const char *name, EadFileType type, int dims, const int64_t *shape,
                void *values) {
    ck_assert_int_lt(drawn->count, MOST_TENSORS);
    drawn->owned[drawn->count++] = values;
    if (drawn->left_out && strcmp(name, drawn->left_out) == 0) return;
    ASSERT_OK(ead_safetensors_writer_tensor(drawn->writer, name, type, dims, shape, values));
}

static void add_weight(Drawn *drawn, const EadParam *p) {
    const int64_t shape[4] = {p->n, p->c, p->h, p->w};
    int64_t count = (int64_t)p->n * p->c * p->h * p->w;
    float scale = (float)exp2(-rint(log2(74 * sqrt(p->fan_in / 2.0))));
    uint8_t *bytes = draw_bytes(p->name, count);
    uint16_t *values = malloc((size_t)count * sizeof *values), table[256];
    ck_assert_ptr_nonnull(values);
    for (int b = 0; b < 256; b++) table[b] = ead_bfloat16_from_float((float)(b - 128) * scale);
    for (int64_t i = 0; i < count; i++) values[i] = table[bytes[i]];
    free(bytes);
    add(drawn, p->name, EAD_FILE_BF16, 4, shape, values);
}

typedef enum Part { GAMMA, BETA, RUNNING_MEAN, RUNNING_VARIANCE } Part;

static float vector_value(Part part, uint8_t byte, bool last) {
    if (part == RUNNING_VARIANCE) return 0.5f + (float)byte / 256;
    if (part == GAMMA) return (0.5f + (float)byte / 256) * (last ? 0.25f : 1);
    return (float)(byte - 128) / 1024;
}

/* The batch norm `prefix` of the network. */
static void add_norm(Drawn *drawn, const char *prefix, int channels, bool last) {
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (Part part = GAMMA; part <= RUNNING_VARIANCE; part++) {
        char name[96];
        const int64_t shape[1] = {channels};
        snprintf(name, sizeof name, "%s.%s", prefix, parts[part]);
        uint8_t *bytes = draw_bytes(name, channels);
        float *values = malloc((size_t)channels * sizeof *values);
        ck_assert_ptr_nonnull(values);
        for (int c = 0; c < channels; c++) values[c] = vector_value(part, bytes[c], last);
        if (drawn->negative && strcmp(name, drawn->negative) == 0) values[0] = -1;
        free(bytes);
        add(drawn, name, EAD_FILE_F32, 1, shape, values);
    }
}

/* conv1 -> bn1, layer1.0.conv2 -> layer1.0.bn2, layer1.0.downsample.0 -> layer1.0.downsample.1 */
static void norm_of(const char *weight, char out[64]) {
    snprintf(out, 64, "%.*s", (int)(strlen(weight) - strlen(".weight")), weight);
    char *conv = strstr(out, "conv");
    if (conv) {
        char digit = conv[4];
        memcpy(conv, "bn", 2), conv[2] = digit, conv[3] = '\0';
    } else
        out[strlen(out) - 1] = '1';
}

static void write_backbone(const EadResnetKind *kind, const char *path, Drawn *drawn) {
    EadResnet shapes;
    ASSERT_OK(ead_resnet_new(kind, EAD_RESNET_TORCHVISION, &shapes));
    ASSERT_OK(ead_safetensors_writer_new(&drawn->writer));
    for (int i = 0; i < shapes.params.count; i += 2) {
        char norm[64];
        norm_of(shapes.params.items[i].name, norm);
        bool last = strstr(norm, kind->bottleneck ? ".bn3" : ".bn2") != NULL;
        add_weight(drawn, &shapes.params.items[i]);
        add_norm(drawn, norm, shapes.params.items[i].n, last);
    }
    make_folders(path);
    ASSERT_OK(ead_safetensors_writer_write(drawn->writer, path));
    ead_safetensors_writer_free(drawn->writer);
    for (int i = 0; i < drawn->count; i++) free(drawn->owned[i]);
    ead_resnet_free(&shapes);
}

static const EadResnetKind *kind_named(const char *name) {
    for (int i = 0; ead_resnet_kind(i); i++)
        if (strcmp(ead_resnet_kind(i)->name, name) == 0) return ead_resnet_kind(i);
    ck_abort_msg("no kind %s", name);
    return NULL;
}

/* ---- a planned extractor ---- */

typedef struct Extractor {
    EadPatchFeatures model;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images, *layers[2], *y;
} Extractor;

static void plan_extractor(Extractor *e, int height, int width) {
    EadNode *stages[EAD_RESNET_STAGES];
    e->graph = ead_graph_new();
    e->images = ead_leaf(e->graph, "images", EAD_U8, 1, height, width, 3, NULL);
    EadNode *x = ead_normalize_image(e->graph, e->images);
    ead_resnet_build(e->graph, &e->model.backbone, x, stages);
    for (int i = 0; i < 2; i++) e->layers[i] = ead_keep(stages[i + 1]);
    e->y = ead_keep(ead_patch_features_build(e->graph, &e->model, x));
    ASSERT_OK(ead_plan_new(e->graph, NULL, &e->plan));
}

static void free_extractor(Extractor *e) {
    ead_plan_free(e->plan);
    ead_graph_free(e->graph);
    ead_patch_features_free(&e->model);
}

/* ---- comparison ---- */

static EadSafetensors *golden;

static void open_golden(void) {
    ASSERT_OK(ead_safetensors_open(GOLDEN, &golden));
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

static void check_difference(const char *prefix, const char *name, double difference, double allowed) {
    printf("  %s.%s: %.1e\n", prefix, name, difference);
    ck_assert_msg(difference <= allowed, "%s.%s differs by %g", prefix, name, difference);
}

/* Every step-th channel of all positions. */
static void check_map(const char *prefix, const char *name, const EadTensor *map, int step) {
    int64_t sampled = (map->c + step - 1) / step, positions = ead_count(map) / map->c;
    double *expected = malloc((size_t)(positions * sampled) * sizeof *expected);
    float *got = malloc((size_t)(positions * sampled) * sizeof *got);
    ck_assert(expected && got);
    for (int64_t i = 0; i < positions * sampled; i++)
        got[i] = ((const float *)map->data)[i / sampled * map->c + i % sampled * step];
    golden_vector(golden, prefix, name, positions * sampled, expected);
    check_difference(prefix, name, relative_difference(got, expected, positions * sampled, 1), 1e-4);
    free(expected);
    free(got);
}

static void check_position(const char *prefix, const char *name, const EadTensor *map, int h, int w) {
    double expected[EAD_FEATURES];
    golden_vector(golden, prefix, name, EAD_FEATURES, expected);
    const float *got = (const float *)map->data + ((int64_t)h * map->w + w) * map->c;
    check_difference(prefix, name, relative_difference(got, expected, EAD_FEATURES, 1), 1e-4);
}

static void check_drawn(const char *kind, EadResnetVariant variant, int height, int width) {
    char prefix[96];
    const char *name = variant == EAD_RESNET_CAFFE ? "caffe" : "torchvision";
    snprintf(prefix, sizeof prefix, "%s_%s_%dx%d", kind, name, height, width);
    Extractor e = {.plan = NULL};
    write_backbone(kind_named(kind), SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_patch_features_open(SCRATCH "drawn.safetensors", &variant, &e.model));
    ck_assert_int_eq(remove(SCRATCH "drawn.safetensors"), 0);
    ck_assert_str_eq(e.model.backbone.kind->name, kind);
    plan_extractor(&e, height, width);
    golden_image(IMAGE_SEED, height, width, e.images->y.data);
    ead_plan_run(e.plan);
    check_map(prefix, "layer2", &e.layers[0]->y, LAYER_STEP);
    check_map(prefix, "layer3", &e.layers[1]->y, LAYER_STEP);
    check_map(prefix, "features", &e.y->y, FEATURE_STEP);
    check_position(prefix, "corner", &e.y->y, 0, 0);
    check_position(prefix, "centre", &e.y->y, e.y->y.h / 2, e.y->y.w / 2);
    free_extractor(&e);
}

START_TEST(resnet18) {
    check_drawn("resnet18", EAD_RESNET_TORCHVISION, 160, 224);
}
END_TEST

START_TEST(wide_resnet101_2) {
    check_drawn("wide_resnet101_2", EAD_RESNET_TORCHVISION, 64, 64);
}
END_TEST

START_TEST(resnet50_caffe_variant) {
    check_drawn("resnet50", EAD_RESNET_CAFFE, 96, 128);
}
END_TEST

/* ---- photographs through a trained network ---- */

enum { PHOTOGRAPHS = 2, PHOTO_SIDE = 512, GRID = 64, SAMPLES = 4 };

static void load_photograph(int index, uint8_t *out) {
    static const char *const names[PHOTOGRAPHS] = {SHARED "data/natural/a/0000.jpg",
                                                   SHARED "data/natural/b/0001.jpg"};
    EadImage image;
    ASSERT_OK(ead_image_load(names[index], &image));
    ASSERT_OK(ead_resize_u8(image.pixels, image.width, image.height, 3, image.width * 3, out, PHOTO_SIDE,
                            PHOTO_SIDE));
    ead_image_free(&image);
}

static void check_statistics(double sum[EAD_FEATURES], double squares[EAD_FEATURES]) {
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    float got_mean[EAD_FEATURES], got_std[EAD_FEATURES];
    golden_vector(golden, "photographs", "mean", EAD_FEATURES, mean);
    golden_vector(golden, "photographs", "std", EAD_FEATURES, std);
    for (int c = 0; c < EAD_FEATURES; c++) {
        double count = (double)PHOTOGRAPHS * GRID * GRID, m = sum[c] / count;
        got_mean[c] = (float)m;
        got_std[c] = (float)sqrt(squares[c] / count - m * m);
    }
    check_difference("photographs", "mean", relative_difference(got_mean, mean, EAD_FEATURES, 1), 1e-3);
    check_difference("photographs", "std", relative_difference(got_std, std, EAD_FEATURES, 1), 1e-3);
}

START_TEST(photographs) {
    SKIP_UNLESS(ead_path_is_folder(SHARED "data/natural/a"),
                "no photographs and backbone beside the project");
    static double expected[PHOTOGRAPHS][SAMPLES * SAMPLES][EAD_FEATURES];
    double sum[EAD_FEATURES] = {0}, squares[EAD_FEATURES] = {0};
    Extractor e = {.plan = NULL};
    ASSERT_OK(ead_patch_features_open(SHARED "weights/resnet50_caffe.safetensors", NULL, &e.model));
    ck_assert_int_eq(e.model.backbone.variant, EAD_RESNET_CAFFE); /* told by the file */
    plan_extractor(&e, PHOTO_SIDE, PHOTO_SIDE);
    golden_vector(golden, "photographs", "features", (int64_t)PHOTOGRAPHS * SAMPLES * SAMPLES * EAD_FEATURES,
                  &expected[0][0][0]);
    for (int p = 0; p < PHOTOGRAPHS; p++) {
        load_photograph(p, e.images->y.data);
        ead_plan_run(e.plan);
        const float *y = e.y->y.data;
        for (int s = 0; s < SAMPLES * SAMPLES; s++) {
            int row = 8 + 16 * (s / SAMPLES), column = 8 + 16 * (s % SAMPLES);
            const float *got = y + ((int64_t)row * GRID + column) * EAD_FEATURES;
            double difference = relative_difference(got, expected[p][s], EAD_FEATURES, 1);
            ck_assert_msg(difference <= 1e-3, "photograph %d, sample %d differs by %g", p, s, difference);
        }
        for (int64_t i = 0; i < (int64_t)GRID * GRID * EAD_FEATURES; i++) {
            sum[i % EAD_FEATURES] += (double)y[i];
            squares[i % EAD_FEATURES] += (double)y[i] * (double)y[i];
        }
    }
    check_statistics(sum, squares);
    free_extractor(&e);
}
END_TEST

/* ---- kinds, and what is refused ---- */

/* Numbers of parameters up to layer3, without batch norm: torchvision's totals less layer4 and fc. */
START_TEST(kinds_are_complete) {
    static const struct {
        const char *name;
        int blocks, channels;
    } known[] = {{"resnet18", 6, 256},    {"resnet34", 13, 256},         {"resnet50", 13, 1024},
                 {"resnet101", 30, 1024}, {"wide_resnet50_2", 13, 1024}, {"wide_resnet101_2", 30, 1024}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const EadResnetKind *kind = kind_named(known[i].name);
        ck_assert_int_eq(kind->blocks[0] + kind->blocks[1] + kind->blocks[2], known[i].blocks);
        ck_assert_int_eq(ead_resnet_channels(kind, 3), known[i].channels);
    }
    ck_assert_ptr_null(ead_resnet_kind(sizeof known / sizeof *known));
}
END_TEST

static void refuses(Drawn *drawn, const char *words) {
    EadPatchFeatures model;
    write_backbone(kind_named("resnet18"), SCRATCH "bad.safetensors", drawn);
    ck_assert_int_eq(ead_patch_features_open(SCRATCH "bad.safetensors", NULL, &model), EAD_BAD_FILE);
    ck_assert_msg(strstr(ead_error_message(), words), "%s", ead_error_message());
    ck_assert_ptr_null(model.backbone.params.values);
}

START_TEST(incomplete_files_are_refused) {
    refuses(&(Drawn){.left_out = "layer3.1.conv1.weight"}, "holds no backbone that is known");
    refuses(&(Drawn){.left_out = "layer2.0.downsample.0.weight"},
            "tensor 'layer2.0.downsample.0.weight' is missing");
    refuses(&(Drawn){.left_out = "layer2.1.bn2.running_mean"},
            "tensor 'layer2.1.bn2.running_mean' is missing");
    refuses(&(Drawn){.left_out = "bn1.running_var"}, "tensor 'conv1.bias' is missing");
    refuses(&(Drawn){.negative = "layer1.0.bn1.running_var"}, "the running variance of channel 0 is -1");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("backbone");
    TCase *tests = tcase_create("backbone");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, kinds_are_complete);
    tcase_add_test(tests, resnet18);
    tcase_add_test(tests, wide_resnet101_2);
    tcase_add_test(tests, resnet50_caffe_variant);
    tcase_add_test(tests, photographs);
    tcase_add_test(tests, incomplete_files_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
