/* efficientad export: what is in the files of each method, what is refused, and (where Python has them) what other runtimes
 * make of the files. */
#define S "build/scratch/test_export/"
#include "core/ops/mean/mean.h"
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "train/export/export.h"
#include "train/export/onnx_graph.h"

#define MODEL  S "tiny.safetensors"
#define PADDED S "padded.safetensors"
#define FILE_  S "tiny.onnx"

static void make_scene(void) {
    shell_ok("rm -rf " S " && mkdir -p " S);
    save_tiny_model(MODEL, 0.25f, "seed: 1\n");
    EadEfficientad *padded = padded_tiny_model();
    ASSERT_OK(ead_model_save(&padded->base, PADDED, NULL));
    ead_model_free(&padded->base);
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

/* A file of the model, read. */
typedef struct Exported {
    uint8_t *bytes;
    EadOnnxReading *reading;
} Exported;

static Exported export_file(const char *path, EadExportInput input, int height, int width, bool halves) {
    EadSafetensors *file;
    EadModel *model;
    EadExportResult result;
    Exported e;
    size_t size;
    ASSERT_OK(ead_model_open_file(path, &file, &model));
    EadExportSpec spec = {model, file, path, input, height, width, halves, .batch = 0};
    ASSERT_OK(ead_export_onnx(&spec, FILE_, &result));
    ead_safetensors_close(file);
    ead_model_free(model);
    e.bytes = read_bytes(FILE_, &size);
    ASSERT_OK(ead_onnx_read(e.bytes, size, FILE_, &e.reading));
    ck_assert_int_eq(result.nodes, ead_onnx_node_count(e.reading));
    return e;
}

static Exported export_model(EadExportInput input, int height, int width, bool halves) {
    return export_file(MODEL, input, height, width, halves);
}

static void free_exported(Exported *e) {
    ead_onnx_reading_free(e->reading);
    free(e->bytes);
}

static int count_of(const Exported *e, const char *op) {
    int count = 0;
    for (int i = 0; i < ead_onnx_node_count(e->reading); i++)
        count += !strcmp(ead_onnx_node_at(e->reading, i)->op, op);
    return count;
}

static void assert_value(const EadOnnxTensor *value, const char *name, EadOnnxType type, int dims,
                         const int64_t *shape) {
    ck_assert_str_eq(value->name, name);
    ck_assert_int_eq(value->type, type);
    ck_assert_int_eq(value->dims, dims);
    for (int d = 0; d < dims; d++) ck_assert_int_eq(value->shape[d], shape[d]);
}

/* A padded model takes means with zeros around. Runtimes differ in whether those count unless they are a node of their own. */
START_TEST(zeros_that_a_mean_counts_are_a_node) {
    Exported e = export_file(PADDED, EAD_EXPORT_TENSOR, TINY_SIDE, TINY_SIDE, false);
    ck_assert_int_eq(count_of(&e, "AveragePool"), 4);
    ck_assert_int_eq(count_of(&e, "Pad"), 4);
    for (int i = 0; i < ead_onnx_node_count(e.reading); i++) {
        const EadOnnxNode *node = ead_onnx_node_at(e.reading, i);
        for (int k = 0; !strcmp(node->op, "AveragePool") && node->attributes[k].name; k++)
            ck_assert_str_ne(node->attributes[k].name, "pads");
    }
    free_exported(&e);
}
END_TEST

/* S has four convolutions, the student's last one twice, the autoencoder fourteen. */
START_TEST(a_camera_file_has_the_whole_graph) {
    Exported e = export_model(EAD_EXPORT_CAMERA, 192, 320, false);
    const EadOnnxTensors *outputs = ead_onnx_outputs(e.reading);
    assert_value(&ead_onnx_inputs(e.reading)->items[0], "image", EAD_ONNX_UINT8, 4,
                 (int64_t[]){EAD_ONNX_ANY, 192, 320, 3});
    assert_value(&outputs->items[0], "anomaly_map", EAD_ONNX_FLOAT, 4,
                 (int64_t[]){EAD_ONNX_ANY, 1, 192, 320});
    assert_value(&outputs->items[1], "pred_score", EAD_ONNX_FLOAT, 2, (int64_t[]){EAD_ONNX_ANY, 1});
    ck_assert_int_eq(count_of(&e, "Conv"), 4 + 5 + 14);
    ck_assert_int_eq(count_of(&e, "Transpose"), 1);
    ck_assert_int_eq(count_of(&e, "MatMul"), 4);
    ck_assert_int_eq(count_of(&e, "AveragePool"), 4);
    ck_assert_int_eq(count_of(&e, "Cast"), 1);
    ck_assert_int_eq(count_of(&e, "Pad"), 1);
    free_exported(&e);
}
END_TEST

START_TEST(a_tensor_file_begins_with_the_colours) {
    Exported e = export_model(EAD_EXPORT_TENSOR, TINY_SIDE, TINY_SIDE, false);
    assert_value(&ead_onnx_inputs(e.reading)->items[0], "input", EAD_ONNX_FLOAT, 4,
                 (int64_t[]){EAD_ONNX_ANY, 3, TINY_SIDE, TINY_SIDE});
    ck_assert_str_eq(ead_onnx_node_at(e.reading, 0)->op, "Sub");
    ck_assert_str_eq(ead_onnx_node_at(e.reading, 1)->op, "Div");
    ck_assert_int_eq(count_of(&e, "MatMul") + count_of(&e, "Transpose") + count_of(&e, "Cast"), 0);
    ck_assert_str_eq(ead_onnx_metadata(e.reading, "model_info scale_values"), "255 255 255");
    free_exported(&e);
}
END_TEST

/* ONNX's order is [O,I,KH,KW], ours [O,KH,KW,I]; the student's last layer is in the file in two halves. */
START_TEST(weights_are_those_of_the_model) {
    EadEfficientad *model = tiny_model();
    Exported e = export_model(EAD_EXPORT_TENSOR, TINY_SIDE, TINY_SIDE, false);
    static const struct {
        const char *name, *of;
        int first;
    } layers[] = {{"student.conv2.weight", "student.conv2.weight", 0},
                  {"student.conv4.weight_2", "student.conv4.weight", EAD_FEATURES}};
    for (int l = 0; l < COUNT(layers); l++) {
        const EadOnnxTensor *t = ead_onnx_constant(e.reading, layers[l].name);
        ck_assert_ptr_nonnull(t);
        const EadParam *p = ead_params_find(&model->trained, layers[l].of);
        const real *values =
            model->trained.values + p->offset + (int64_t)layers[l].first * p->h * p->w * p->c;
        ck_assert(t->shape[1] == p->c && t->shape[2] == p->h && t->shape[3] == p->w);
        for (int64_t o = 0, i = 0; o < t->shape[0]; o++)
            for (int c = 0; c < p->c; c++)
                for (int k = 0; k < p->h * p->w; k++, i++) {
                    float value;
                    memcpy(&value, (const char *)t->data + 4 * i, sizeof value);
                    ck_assert(value == values[(o * p->h * p->w + k) * p->c + c]);
                }
    }
    free_exported(&e);
    ead_efficientad_free(model);
}
END_TEST

/* Runtimes round size * scale down, some in float, some in double. */
START_TEST(scales_of_resizes_reach_their_sizes) {
    for (int out = 1; out < 260; out += 3)
        for (int in = 1; in < 70; in++) {
            EadOnnxGraph g = {0};
            float s[4];
            if (in == out) continue;
            ead_onnx_resize(&g, "x", in, in, out, out);
            memcpy(s, g.file.constants.items[0].data, sizeof s);
            ck_assert_int_eq((int)floorf((float)in * s[2]), out);
            ck_assert_int_eq((int)floor((double)in * (double)s[3]), out);
            ead_onnx_graph_free(&g);
        }
}
END_TEST

START_TEST(metadata_tell_all_of_the_model) {
    static const char *const expected[][2] = {{"format", "efficientad/1"},
                                              {"model", "small"},
                                              {"padding", "false"},
                                              {"image_size", "128"},
                                              {"map_normalization", "quantile"},
                                              {"map_use", "both"},
                                              {"threshold", "0.25"},
                                              {"config", "seed: 1\n"},
                                              {"input_form", "camera: uint8 [N,100,200,3], RGB"},
                                              {"precision", "fp32"},
                                              {"source_file", "tiny.safetensors"},
                                              {"model_info model_type", "AnomalyDetection"},
                                              {"model_info task", "segmentation"},
                                              {"model_info labels", "Normal Anomaly"},
                                              {"model_info image_threshold", "0.24999999"},
                                              {"model_info pixel_threshold", "0.25"},
                                              {"model_info normalization_scale", "0.5"}};
    Exported e = export_model(EAD_EXPORT_CAMERA, 100, 200, false);
    for (int i = 0; i < COUNT(expected); i++) {
        const char *value = ead_onnx_metadata(e.reading, expected[i][0]);
        ck_assert_msg(value && !strcmp(value, expected[i][1]), "%s: %s", expected[i][0], value);
    }
    assert_contains(ead_onnx_metadata(e.reading, "quantiles"), "0.001");
    write_text(S "hash", ead_onnx_metadata(e.reading, "source_sha256"));
    shell_ok("test \"$(sha256sum " MODEL " | cut -d' ' -f1)\" = \"$(cat " S "hash)\"");
    free_exported(&e);
}
END_TEST

/* Convolutions in 16 bits, what is squared in 32. */
START_TEST(halves_are_half_as_large) {
    Exported single = export_model(EAD_EXPORT_TENSOR, TINY_SIDE, TINY_SIDE, false);
    struct stat before, after;
    ck_assert_int_eq(stat(FILE_, &before), 0);
    Exported half = export_model(EAD_EXPORT_TENSOR, TINY_SIDE, TINY_SIDE, true);
    ck_assert_int_eq(stat(FILE_, &after), 0);
    ck_assert(2 * after.st_size < before.st_size + 65536);
    /* To float16 once, and back for the teacher, the student's halves and the autoencoder. */
    ck_assert_int_eq(count_of(&half, "Cast"), 5);
    ck_assert_int_eq(ead_onnx_constant(half.reading, "teacher.conv1.weight")->type, EAD_ONNX_FLOAT16);
    ck_assert_int_eq(ead_onnx_constant(half.reading, "teacher_scale")->type, EAD_ONNX_FLOAT);
    ck_assert_int_eq(ead_onnx_node_count(half.reading), ead_onnx_node_count(single.reading) + 5);
    free_exported(&single);
    free_exported(&half);
}
END_TEST

START_TEST(an_op_without_a_rule_is_named) {
    EadGraph *graph = ead_graph_new();
    EadOnnxGraph g = {0};
    const char *names[2];
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 4, 4, 2, NULL);
    EadNode *y = ead_mean(graph, x);
    ASSERT_FAILS(ead_onnx_graph_walk(&g, graph, x, "x", y, NULL, names), EAD_UNSUPPORTED, "the op 'mean'");
    ead_onnx_graph_free(&g);
    ead_graph_free(graph);
}
END_TEST

/* ---- the command ---- */

static void refused(const char *words, const char *reason) {
    Outcome outcome;
    run(words, 0, &outcome);
    ck_assert_int_ne(outcome.code, 0);
    ck_assert_msg(strstr(outcome.err, reason) != NULL, "%s: %s", words, outcome.err);
}

START_TEST(what_cannot_be_exported_is_refused) {
    EadModel *model;
    NEED_PROGRAM();
    shell_ok("rm -f " FILE_ " && echo mine >" S "mine.onnx && head -c 1000 " MODEL " >" S "cut");
    refused("export -m " MODEL, "--output");
    refused("export -m " S "none -o " FILE_, S "none: ");
    refused("export -m " S "cut -o " FILE_, S "cut: ");
    refused("export -m " MODEL " -o " MODEL, "is the model itself");
    refused("export -m " MODEL " -o " S "mine.onnx", S "mine.onnx: is in the way");
    refused("export -m " MODEL " -o " S "none/x.onnx", S "none: no such folder; make it, or --output");
    ASSERT_OK(ead_model_open(MODEL, &model));
    ASSERT_OK(ead_region_set_box(&model->region, "200,10,100,90"));
    ASSERT_OK(ead_model_save(model, S "boxed.safetensors", NULL));
    ead_model_free(model);
    refused("export -m " S "boxed.safetensors -o " FILE_,
            "--size WxH of the camera's images is needed: the model's");
    refused("export -m " S "boxed.safetensors -o " FILE_ " --size 99x99",
            "--size: an image of 99 x 99 pixels");
    refused("export -m " MODEL " -o " FILE_ " --input tensor --size 64x64", "--size: ");
    refused("export -m " MODEL " -o " FILE_ " --size 0x64", "--size: ");
    refused("export -m " MODEL " -o " FILE_ " --size 640X480",
            "--size: expected a size, like 1024x768 (width x height), got '640X480'");
    refused("export -m " MODEL " -o " FILE_ " --input onnx", "--input: ");
    refused("export -m " MODEL " -o " FILE_ " --select some", "--select: ");
    ck_assert(!exists(FILE_));
    assert_file_holds(S "mine.onnx", "mine\n");
}
END_TEST

/* A full disk costs the new file, not the one before. */
START_TEST(a_file_is_whole_or_not_there) {
    NEED_PROGRAM();
    Outcome outcome;
    run_well("export -m " MODEL " -o " FILE_);
    run_well("export -m " MODEL " -o " S "first.onnx");
    ck_assert(same_files(FILE_, S "first.onnx"));
    run("export -m " MODEL " -o " FILE_ " --size 300x200", 1 << 20, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    ck_assert(same_files(FILE_, S "first.onnx"));
    shell_ok("test -z \"$(find " S " -name '.efficientad-*')\"");
    run_well("export -m " MODEL " -o " FILE_ " --size 300x200"); /* what it wrote itself it may replace */
    ck_assert(!same_files(FILE_, S "first.onnx"));
}
END_TEST

START_TEST(options_change_what_is_said) {
    NEED_PROGRAM();
    Outcome outcome;
    size_t size;
    EadOnnxReading *reading;
    run("export -m " MODEL " -o " FILE_ " --select st --size 320x240 --batch 2", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "the model has no threshold for these maps");
    assert_contains(outcome.err, "images of 320 x 240");
    uint8_t *bytes = read_bytes(FILE_, &size);
    ASSERT_OK(ead_onnx_read(bytes, size, "f", &reading));
    assert_value(&ead_onnx_inputs(reading)->items[0], "image", EAD_ONNX_UINT8, 4,
                 (int64_t[]){2, 240, 320, 3});
    ck_assert_str_eq(ead_onnx_metadata(reading, "map_use"), "st");
    ck_assert_ptr_null(ead_onnx_metadata(reading, "threshold"));
    ck_assert_ptr_null(ead_onnx_metadata(reading, "model_info model_type"));
    ck_assert_ptr_null(ead_onnx_constant(reading, "autoencoder.enc_conv1.weight"));
    ead_onnx_reading_free(reading);
    free(bytes);
    run_well("export -m " MODEL " -o " FILE_ " --outputs map");
    bytes = read_bytes(FILE_, &size);
    ASSERT_OK(ead_onnx_read(bytes, size, "f", &reading));
    ck_assert_int_eq(ead_onnx_outputs(reading)->count, 1);
    assert_value(&ead_onnx_outputs(reading)->items[0], "anomaly_map", EAD_ONNX_FLOAT, 4,
                 (int64_t[]){EAD_ONNX_ANY, 1, TINY_SIDE, TINY_SIDE});
    ead_onnx_reading_free(reading);
    free(bytes);
}
END_TEST

/* ---- other runtimes ---- */

/* PYTHON: an interpreter that has them, "python3" else. Exit code 77: it lacks one. */
static void compare_sizes(const char *model, const char *runtime, const char *forms, const char *sizes) {
    char command[1024];
    snprintf(command, sizeof command,
             "${PYTHON:-python3} test/export/compare_onnx.py --program $PROGRAM --model %s "
             "--runtimes %s --forms %s --sizes %s >" S "compared 2>&1",
             model, runtime, forms, sizes);
    int code = shell(command);
    char *said = read_text(S "compared");
    if (code == 77)
        printf("skipped: %s: %s", runtime, said);
    else
        ck_assert_msg(code == 0, "%s", said);
    free(said);
}

static void compare_with(const char *runtime, const char *forms) {
    compare_sizes(MODEL, runtime, forms, "160x200,90x100");
    compare_sizes(PADDED, runtime, forms, "90x100");
}

START_TEST(onnxruntime_agrees) {
    NEED_PROGRAM();
    compare_with("onnxruntime", "camera/fp32/1+3,tensor/fp32/3,camera/fp16/1");
}
END_TEST

/* The scores of models that do not score by the maximum, inside of a region of interest with fewer values than asked for, too. */
START_TEST(scores_by_the_map_are_exported) {
    NEED_PROGRAM();
    static const EadScoreRule rules[] = {
        {EAD_SCORE_TOP_MEAN, 40}, {EAD_SCORE_AREA, 40}, {EAD_SCORE_TOP_MEAN, EAD_SCORE_MOST_CELLS}};
    EadImage mask;
    for (int i = 0; i < COUNT(rules); i++) {
        EadEfficientad *model = tiny_model();
        model->base.score = rules[i];
        fill_image(&mask, 200, 160, 1, 1);
        memset(mask.pixels, 0, 200 * 60);
        if (i == 2) ASSERT_OK(ead_region_set_mask(&model->base.region, &mask, TINY_SIDE, TINY_SIDE));
        ead_image_free(&mask);
        ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
        Exported e = export_model(EAD_EXPORT_CAMERA, 160, 200, false);
        ck_assert_int_eq(count_of(&e, "TopK"), 1);
        ck_assert_int_eq(count_of(&e, "GlobalMaxPool"), i == 2); /* for the least value inside */
        ck_assert_str_eq(ead_onnx_metadata(e.reading, "score_method"), i == 1 ? "area" : "top_mean");
        free_exported(&e);
        compare_sizes(MODEL, "onnxruntime", "camera/fp32/1+3", "160x200");
        ead_model_free(&model->base);
    }
    save_tiny_model(MODEL, 0.25f, "seed: 1\n");
}
END_TEST

START_TEST(openvino_agrees) {
    NEED_PROGRAM();
    compare_with("openvino", "camera/fp32/3,tensor/fp32/1");
}
END_TEST

START_TEST(opencv_agrees) {
    NEED_PROGRAM();
    compare_with("opencv", "camera/fp32/1,tensor/fp32/1");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_camera_file_has_the_whole_graph);
    tcase_add_test(tests, zeros_that_a_mean_counts_are_a_node);
    tcase_add_test(tests, a_tensor_file_begins_with_the_colours);
    tcase_add_test(tests, weights_are_those_of_the_model);
    tcase_add_test(tests, scales_of_resizes_reach_their_sizes);
    tcase_add_test(tests, metadata_tell_all_of_the_model);
    tcase_add_test(tests, halves_are_half_as_large);
    tcase_add_test(tests, an_op_without_a_rule_is_named);
    tcase_add_test(tests, what_cannot_be_exported_is_refused);
    tcase_add_test(tests, a_file_is_whole_or_not_there);
    tcase_add_test(tests, options_change_what_is_said);
    tcase_add_test(tests, onnxruntime_agrees);
    tcase_add_test(tests, scores_by_the_map_are_exported);
    tcase_add_test(tests, openvino_agrees);
    tcase_add_test(tests, opencv_agrees);
}

int main(void) {
    return run_program_suite("export", S, make_scene, remove_scene, add_tests);
}
