/* Backbones and distillation features against torchvision and PatchCore's feature path in float64
 * (test/golden/backbone_golden.py): 1e-5 of the largest value. And what reading of a backbone refuses. */
#include "test/models/networks_golden.h"

#include "core/ops/normalize_image/normalize_image.h"
#include "core/base/paths.h"
#include "core/plan/plan.h"
#include "data/codec/codec.h"
#include "models/networks/backbone.h"
#include "models/networks/patch_features.h"

#define SCRATCH "build/scratch/test_backbone/"
#define GOLDEN  "test/golden/backbones.safetensors"
#define SHARED  "../shared/"

enum { LAYER_STEP = 37, FEATURE_STEP = 23 };

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

static void check_position(const char *prefix, const char *name, const EadTensor *map, int h, int w) {
    double expected[EAD_FEATURES];
    golden_vector(golden, prefix, name, EAD_FEATURES, expected);
    const float *got = (const float *)map->data + ((int64_t)h * map->w + w) * map->c;
    check_difference(prefix, name, relative_difference(got, expected, EAD_FEATURES, 1), 1e-5);
}

static void check_drawn(const char *kind, EadResnetVariant variant, int height, int width) {
    char prefix[96];
    const char *name = variant == EAD_RESNET_CAFFE ? "caffe" : "torchvision";
    snprintf(prefix, sizeof prefix, "%s_%s_%dx%d", kind, name, height, width);
    Extractor e = {.plan = NULL};
    write_backbone(kind, SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_patch_features_open(SCRATCH "drawn.safetensors", &variant, &e.model));
    ck_assert_int_eq(remove(SCRATCH "drawn.safetensors"), 0);
    ck_assert_str_eq(e.model.backbone.kind->name, kind);
    plan_extractor(&e, height, width);
    golden_image(IMAGE_SEED, height, width, e.images->y.data);
    ead_plan_run(e.plan);
    check_map(golden, prefix, "layer2", &e.layers[0]->y, LAYER_STEP, 1e-5);
    check_map(golden, prefix, "layer3", &e.layers[1]->y, LAYER_STEP, 1e-5);
    check_map(golden, prefix, "features", &e.y->y, FEATURE_STEP, 1e-5);
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
    check_difference("photographs", "mean", relative_difference(got_mean, mean, EAD_FEATURES, 1), 1e-5);
    check_difference("photographs", "std", relative_difference(got_std, std, EAD_FEATURES, 1), 1e-5);
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
            ck_assert_msg(difference <= 1e-5, "photograph %d, sample %d differs by %g", p, s, difference);
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

static const EadResnetKind *kind_named(const char *name) {
    for (int i = 0; ead_resnet_kind(i); i++)
        if (strcmp(ead_resnet_kind(i)->name, name) == 0) return ead_resnet_kind(i);
    ck_abort_msg("no kind %s", name);
    return NULL;
}

/* Numbers of parameters up to layer3, without batch norm: torchvision's totals less layer4 and fc. */
START_TEST(kinds_are_complete) {
    static const struct {
        const char *name;
        int blocks, channels;
    } known[] = {{"resnet18", 6, 256},          {"resnet34", 13, 256},         {"resnet50", 13, 1024},
                 {"resnet101", 30, 1024},       {"wide_resnet50_2", 13, 1024}, {"wide_resnet101_2", 30, 1024},
                 {"resnext101_32x8d", 30, 1024}};
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
    write_backbone("resnet18", SCRATCH "bad.safetensors", drawn);
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

/* ---- the interface of all backbones ---- */

enum { SIDE = 64 };

/* What its taps give for the golden image, [count of the last tap's values]. */
static float *tapped(const EadBackbone *backbone, const char *names, int *grid, int64_t *count) {
    EadTaps taps;
    EadNode *features[EAD_TAPS_CHOSEN];
    EadPlan *plan;
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, SIDE, SIDE, 3, NULL);
    ASSERT_OK(ead_backbone_find_taps(backbone, names, &taps));
    ead_backbone_build(graph, backbone, images, &taps, features);
    EadNode *last = ead_keep(features[taps.count - 1]);
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    golden_image(IMAGE_SEED, SIDE, SIDE, images->y.data);
    ead_plan_run(plan);
    *count = ead_count(&last->y);
    *grid = last->y.h;
    float *copy = malloc((size_t)*count * sizeof *copy);
    memcpy(copy, last->y.data, (size_t)*count * sizeof *copy);
    ead_plan_free(plan);
    ead_graph_free(graph);
    return copy;
}

/* Through a model file and back: the same features, in half precision those of the rounded weights. */
static void check_round_trip(EadBackbone *backbone, const char *names, EadFileType weights, int grid) {
    EadSafetensorsWriter *writer;
    EadSafetensors *file;
    EadBackbone read;
    int64_t count, read_count;
    int read_grid;
    EadBackbone given = *backbone;
    ead_backbone_move(backbone, &given, weights);
    float *before = tapped(backbone, names, &read_grid, &count);
    ck_assert_int_eq(read_grid, grid);
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_backbone_write(backbone, "eye", weights, writer));
    make_folders(SCRATCH "part.safetensors");
    ASSERT_OK(ead_safetensors_writer_write(writer, SCRATCH "part.safetensors"));
    ead_safetensors_writer_free(writer);
    ASSERT_OK(ead_safetensors_open(SCRATCH "part.safetensors", &file));
    ck_assert_str_eq(ead_safetensors_metadata(file, "eye"), backbone->name);
    ck_assert_int_eq(ead_backbone_read(file, "nose", &read), EAD_BAD_FILE);
    ck_assert(strstr(ead_error_message(), "metadata 'nose' is '(missing)'"));
    ASSERT_OK(ead_backbone_read(file, "eye", &read));
    float *after = tapped(&read, names, &read_grid, &read_count);
    ck_assert_int_eq(count, read_count);
    ck_assert(memcmp(before, after, (size_t)count * sizeof *before) == 0);
    ead_backbone_free(&read);
    ead_safetensors_close(file);
    free(before), free(after);
}

START_TEST(resnets_are_backbones) {
    EadBackbone backbone;
    Extractor e = {.plan = NULL};
    int64_t count;
    int grid;
    write_backbone("resnet18", SCRATCH "whole.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(SCRATCH "whole.safetensors", &backbone));
    ck_assert_str_eq(backbone.name, "resnet18");
    float *layer3 = tapped(&backbone, "", &grid, &count);
    ASSERT_OK(ead_patch_features_open(SCRATCH "whole.safetensors", NULL, &e.model));
    plan_extractor(&e, SIDE, SIDE);
    golden_image(IMAGE_SEED, SIDE, SIDE, e.images->y.data);
    ead_plan_run(e.plan);
    ck_assert_int_eq(count, ead_count(&e.layers[1]->y));
    ck_assert(memcmp(layer3, e.layers[1]->y.data, (size_t)count * sizeof *layer3) == 0);
    check_round_trip(&backbone, "layer1, layer2", EAD_FILE_F32, SIDE / 8);
    check_round_trip(&backbone, "layer1", EAD_FILE_F16, SIDE / 4);
    free(layer3);
    ead_backbone_free(&backbone);
    free_extractor(&e);
}
END_TEST

START_TEST(networks_agree_with_pytorch) {
    /* the deepest of EfficientNet-Lite are off by more than 1e-5 in float, in PyTorch's as well */
    check_network(_i, 1e-5, 2);
}
END_TEST

START_TEST(networks_go_through_a_file) {
    static const int strides[] = {8, 8, 4, 4, 8}; /* of the first tap */
    EadBackbone backbone;
    write_backbone(networks[_i].name, SCRATCH "network.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(SCRATCH "network.safetensors", &backbone));
    check_round_trip(&backbone, networks[_i].taps[0], EAD_FILE_F16, SIDE / strides[_i]);
    ead_backbone_free(&backbone);
    ck_assert_int_eq(remove(SCRATCH "network.safetensors"), 0);
}
END_TEST

static void network_refuses(const char *name, Drawn *drawn, const char *words) {
    EadBackbone backbone;
    write_backbone(name, SCRATCH "bad.safetensors", drawn);
    ASSERT_FAILS(ead_backbone_open(SCRATCH "bad.safetensors", &backbone), EAD_BAD_FILE, words);
    ck_assert_ptr_null(backbone.params.values);
}

START_TEST(incomplete_networks_are_refused) {
    const char *lite = "efficientnet_lite0", *dense = "densenet121";
    network_refuses(lite, &(Drawn){.left_out = "_blocks.14._project_conv.weight"},
                    "is an EfficientNet, but not EfficientNet-Lite0/1/2; import that");
    network_refuses(lite, &(Drawn){.left_out = "_blocks.3._depthwise_conv.weight"},
                    "tensor '_blocks.3._depthwise_conv.weight' is missing");
    network_refuses(lite, &(Drawn){.left_out = "_bn0.running_var"}, "tensor '_conv_stem.bias' is missing");
    network_refuses(lite, &(Drawn){.negative = "_blocks.1._bn0.running_var"},
                    "_blocks.1._bn0: the running variance of channel 0 is -1");
    network_refuses("efficientnet_b5", &(Drawn){.left_out = "_blocks.35._project_conv.weight"},
                    "is an EfficientNet, but not EfficientNet-B5; import that");
    network_refuses("efficientnet_b5", &(Drawn){.left_out = "_blocks.7._se_expand.bias"},
                    "tensor '_blocks.7._se_expand.bias' is missing");
    network_refuses(dense, &(Drawn){.left_out = "features.denseblock3.denselayer24.conv1.weight"},
                    "is none of DenseNet-121");
    network_refuses(dense, &(Drawn){.left_out = "features.transition1.conv.weight"},
                    "tensor 'features.transition1.conv.weight' is missing");
    network_refuses(dense, &(Drawn){.left_out = "features.denseblock1.denselayer2.norm2.bias"},
                    "tensor 'features.denseblock1.denselayer2.norm2.bias' is missing");
    network_refuses(dense, &(Drawn){.negative = "features.transition2.norm.running_var"},
                    "features.transition2.norm: the running variance of channel 0 is -1");
    /* The shape of one tensor. */
    EadSafetensorsWriter *writer;
    EadBackbone backbone;
    const int64_t shape[4] = {192, 10, 1, 1}, stem[4] = {32, 3, 5, 5};
    static const float numbers[32 * 3 * 5 * 5];
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_safetensors_writer_tensor(writer, "_conv_stem.weight", EAD_FILE_F32, 4, stem, numbers));
    ASSERT_OK(ead_safetensors_writer_tensor(writer, "_blocks.14._project_conv.weight", EAD_FILE_F32, 4, shape,
                                            numbers));
    ASSERT_OK(ead_safetensors_writer_write(writer, SCRATCH "bad.safetensors"));
    ead_safetensors_writer_free(writer);
    ASSERT_FAILS(ead_backbone_open(SCRATCH "bad.safetensors", &backbone), EAD_BAD_FILE,
                 "tensor '_conv_stem.weight' has shape [32,3,5,5], this model needs [32,3,3,3]");
}
END_TEST

/* Torchvision's files have a classifier, blocks behind layer3 and counters; nothing else. */
START_TEST(tensors_without_a_place_are_refused) {
    static const struct {
        const char *network, *tensor, *says;
    } rows[] = {
        {"resnet18", "layer1.0.conv9.weight", "tensor 'layer1.0.conv9.weight' has no place in resnet18; "},
        {"resnet18", "layer1.7.bn1.weight", "'layer1.7.bn1.weight' has no place in resnet18"},
        {"efficientnet_lite0", "_blocks.3._extra.weight", "no place in efficientnet_lite0"},
        {"densenet121", "features.denseblock2.other", "no place in densenet121"},
        {"pdn_small", "teacher.conv5.bias", "no place in pdn_small"},
        {"resnet18", "fc.weight", NULL},
        {"resnet18", "layer4.1.conv2.weight", NULL},
        {"resnet18", "layer2.0.bn1.num_batches_tracked", NULL},
        {"efficientnet_lite0", "_fc.bias", NULL},
        {"efficientnet_lite0", "_blocks.15._bn1.num_batches_tracked", NULL},
        {"efficientnet_lite0", "_blocks.15._project_conv.weight", NULL},
        {"densenet121", "features.norm5.weight", NULL},
        {"efficientnet_b5", "_blocks.35._se_extra.bias", "no place in efficientnet_b5"},
        {"efficientnet_b5", "_blocks.38._se_reduce.bias", NULL},
        {"pdn_small", "teacher_std", NULL},
    };
    const char *path = SCRATCH "more.safetensors";
    EadBackbone backbone;
    EadPatchFeatures features;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *teacher = "models/weights/teacher_small.safetensors";
        bool pdn = strcmp(rows[i].network, "pdn_small") == 0;
        if (!pdn) write_backbone(rows[i].network, path, &(Drawn){.count = 0});
        add_tensor(pdn ? teacher : path, path, rows[i].tensor);
        EadStatus status = ead_backbone_open(path, &backbone);
        ck_assert_msg(rows[i].says ? status == EAD_BAD_FILE && strstr(ead_error_message(), rows[i].says)
                                   : status == EAD_OK,
                      "%s: %s", rows[i].tensor, ead_error_message());
        ead_backbone_free(&backbone);
        if (strncmp(rows[i].network, "resnet", strlen("resnet")) != 0) continue;
        ck_assert_int_eq(ead_patch_features_open(path, NULL, &features), status);
        ead_patch_features_free(&features);
    }
}
END_TEST

START_TEST(teachers_are_backbones) {
    static const int grids[] = {SIDE / 4, SIDE / 8, SIDE / 16};
    static const char *const taps[] = {"stride4", "", "stride8,stride16"};
    EadBackbone backbone;
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(ead_backbone_open("models/weights/teacher_small.safetensors", &backbone));
        ck_assert_str_eq(backbone.name, "pdn_small");
        check_round_trip(&backbone, taps[i], i ? EAD_FILE_F16 : EAD_FILE_F32, grids[i]);
        ead_backbone_free(&backbone);
    }
}
END_TEST

START_TEST(wrong_backbones_and_taps_are_refused) {
    EadBackbone backbone;
    EadTaps taps;
    char text[64];
    ck_assert_int_eq(ead_backbone_open("test/golden/ops/values.safetensors", &backbone), EAD_BAD_FILE);
    ck_assert_msg(
        strstr(ead_error_message(), "values.safetensors: is weights of another program, not a backbone"),
        "%s", ead_error_message());
    ck_assert_int_eq(ead_backbone_new("resnet19", &backbone), EAD_BAD_ARGUMENT);
    ASSERT_OK(ead_backbone_new("resnet50_caffe", &backbone));
    ck_assert_int_eq(backbone.variant, EAD_RESNET_CAFFE);
    ck_assert_int_eq(ead_backbone_find_taps(&backbone, "layer2,layer4", &taps), EAD_BAD_ARGUMENT);
    ck_assert(strstr(ead_error_message(), "resnet50_caffe does not have; it has layer1|layer2|layer3"));
    ck_assert_int_eq(ead_backbone_find_taps(&backbone, "layer2,", &taps), EAD_BAD_ARGUMENT);
    ck_assert_int_eq(ead_backbone_find_taps(&backbone, "layer2,layer2,layer2,layer2,layer2", &taps),
                     EAD_BAD_ARGUMENT);
    ASSERT_OK(ead_backbone_find_taps(&backbone, " layer3 , layer1", &taps));
    ead_backbone_taps_text(&backbone, &taps, text, sizeof text);
    ck_assert_str_eq(text, "layer3,layer1");
    ead_backbone_free(&backbone);
}
END_TEST

/* A model whose backbone has no room is not one with an unknown backbone. Each takes more than the 64 MB that glibc may
 * have reserved for a thread that has ended, which malloc() gives out whatever the limit. */
START_TEST(missing_memory_is_no_unknown_backbone) {
    static const char *const names[] = {"wide_resnet50_2", "resnext101_32x8d", "wide_resnet101_2",
                                        "resnet19"};
    EadSafetensors *files[4];
    EadBackbone backbone;
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    for (int i = 0; i < 4; i++) {
        EadSafetensorsWriter *writer;
        ASSERT_OK(ead_safetensors_writer_new(&writer));
        ASSERT_OK(ead_safetensors_writer_metadata(writer, "backbone", names[i]));
        ASSERT_OK(ead_safetensors_writer_write(writer, SCRATCH "named.safetensors"));
        ASSERT_OK(ead_safetensors_open(SCRATCH "named.safetensors", &files[i]));
        ead_safetensors_writer_free(writer);
    }
    SKIP_UNLESS(leave_memory(4000000), "address space is limited already");
    for (int i = 0; i < 3; i++) {
        EadStatus status = ead_backbone_read(files[i], "backbone", &backbone);
        ck_assert_msg(status == EAD_NO_MEMORY, "%s: %s", names[i], ead_error_message());
        ck_assert_ptr_null(backbone.params.values);
    }
    ASSERT_FAILS(ead_backbone_read(files[3], "backbone", &backbone), EAD_BAD_FILE,
                 "metadata 'backbone' is 'resnet19', expected the name of a backbone");
    for (int i = 0; i < 4; i++) ead_safetensors_close(files[i]);
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
    tcase_add_test(tests, resnets_are_backbones);
    tcase_add_loop_test(tests, networks_agree_with_pytorch, 0, NETWORKS);
    tcase_add_loop_test(tests, networks_go_through_a_file, 0, NETWORKS);
    tcase_add_test(tests, incomplete_networks_are_refused);
    tcase_add_test(tests, tensors_without_a_place_are_refused);
    tcase_add_test(tests, teachers_are_backbones);
    tcase_add_test(tests, wrong_backbones_and_taps_are_refused);
    tcase_add_test(tests, missing_memory_is_no_unknown_backbone);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
