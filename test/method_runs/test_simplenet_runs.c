/* SimpleNet as its user runs it: trained on features from a file, resumed to the same bits, evaluated, measured, and
 * refused where it cannot be. */
#define S "build/scratch/test_simplenet_runs/"
#include "test/support/method_scene.h"
#include "test/support/sample_models.h"

static void make_scene(void) {
    if (!make_method_scene(6, "model: {method: simplenet, image_size: 128, backbone: pdn_small}\n"
                              "simplenet: {width: 64, hidden: 32, batch: 2, epochs: 4}\n"))
        return;
    run_well(TRAIN "first");
}

START_TEST(trains_evaluates_and_predicts) {
    Outcome outcome;
    NEED_PROGRAM();
    double rows[12][4]; /* five images, of six one is held back, four times, two, two and one a step */
    read_loss_rows(S "first/", "step,loss_true,loss_fake,loss_total,lr\n", 12, 4, &rows[0][0]);
    for (int i = 0; i < 12; i++) {
        ck_assert(fabs(rows[i][0] + rows[i][1] - rows[i][2]) < 1e-6 && fabs(rows[i][3] - 1e-4) < 1e-9);
        ck_assert(rows[i][0] > 0 && rows[i][1] > 0);
    }
    ck_assert(exists(S "first/metrics.json"));
    assert_file_holds(S "first/report.html",
                      "SimpleNet at 128x128, 64 features of pdn_small's stride8, 32 hidden units");
    check_use("first", &outcome);
    run_well(
        "bench -q infer --repeat 2 --image-size 128 --set model.method=simplenet --set simplenet.width=64");
    run_well(
        "bench -q step --repeat 2 --image-size 128 --set model.method=simplenet --set simplenet.width=64");
}
END_TEST

START_TEST(the_same_bits_again_and_resumed) {
    NEED_PROGRAM();
    check_same_bits("simplenet", 3, "; 12 steps of 2 images, the last of each epoch of 1\n");
}
END_TEST

/* With ResNets the paper's noise, on features as they are; with others a share of a scale of their own. */
START_TEST(noise_suits_the_backbone) {
#define RESNET " --set simplenet.epochs=1 --set model.backbone=" S "resnet18.safetensors"
    Outcome outcome;
    EadSafetensors *file;
    NEED_PROGRAM();
    write_backbone("resnet18", S "resnet18.safetensors", &(Drawn){.count = 0});
    run(TRAIN "usual" RESNET, 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "; of the noise: 0.015\n");
    run_well(TRAIN "named" RESNET " --set simplenet.noise=0.015");
    ck_assert(same_tensors(S "usual/model.safetensors", S "named/model.safetensors"));
    ASSERT_OK(ead_safetensors_open(S "usual/model.safetensors", &file));
    ck_assert_str_eq(ead_safetensors_metadata(file, "scale"), "1");
    ead_safetensors_close(file);
    ASSERT_OK(ead_safetensors_open(S "first/model.safetensors", &file)); /* pdn_small */
    ck_assert_double_ge(fabs(strtod(ead_safetensors_metadata(file, "scale"), NULL) - 1), 0.1);
    ead_safetensors_close(file);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set model.backbone=" S "no.safetensors", "model.backbone"},
        {"--set model.backbone=" S "first/model.safetensors", "model.backbone: "},
        {"--set simplenet.layers=layer2",
         "simplenet.layers: 'layer2' names features that pdn_small does not have"},
        {"--set simplenet.layers=stride8,stride4,stride8",
         "simplenet.layers: 'stride8,stride4,stride8' names stride8 twice"},
        {"--set train.precision=fp16", "train.precision"},
    };
    NEED_PROGRAM();
    check_refused(refused, COUNT(refused));
    check_fails("train -q --resume --output " S "first --set simplenet.hidden=48", "simplenet.hidden");
    check_fails("train -q --resume --output " S "first --set simplenet.epochs=2",
                "was made after step 12, but simplenet.epochs makes ");
}
END_TEST

/* Before the weights are drawn: their number alone, with what Adam keeps of each, the step. */
START_TEST(a_network_beyond_memory_is_refused) {
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    check_too_large(
        500000, "--set simplenet.width=16384 --set simplenet.hidden=16384",
        "simplenet.batch=2, simplenet.width=16384, simplenet.hidden=16384 with model.image_size=128x128 "
        "is too much, lower one of them: its weights take 3222 MB, where ");
    check_too_large(500000, "--set simplenet.width=4096 --set simplenet.hidden=4096",
                    "lower one of them: gradients and Adam's state take 403 MB beside the weights, where ");
    check_too_large(600000, "--set simplenet.width=1536 --set model.image_size=1024",
                    "simplenet.batch=2, simplenet.width=1536, simplenet.hidden=32 with "
                    "model.image_size=1024x1024 is too much, lower one of them: no memory for ");
}
END_TEST

/* Writes this number over all of a tensor. */
static void overwrite(const char *path, const char *name, float value) {
    EadSafetensors *file;
    size_t size, at = 0;
    uint8_t *bytes = read_bytes(path, &size);
    ASSERT_OK(ead_safetensors_open(path, &file));
    const EadFileTensor *tensor = ead_safetensors_find(file, name);
    ck_assert(tensor && tensor->type == EAD_FILE_F32);
    while (at + tensor->bytes <= size && memcmp(bytes + at, tensor->data, tensor->bytes) != 0) at++;
    ck_assert_uint_le(at + tensor->bytes, size);
    for (size_t i = 0; i < tensor->bytes; i += sizeof value) memcpy(bytes + at + i, &value, sizeof value);
    ead_safetensors_close(file);
    write_bytes(path, bytes, size);
    free(bytes);
}

/* No rate that is allowed gets SimpleNet there: its weights grow by a step's rate at most. So a checkpoint's do. */
START_TEST(a_loss_that_is_not_finite_ends_the_run) {
    double rows[3 * 4];
    NEED_PROGRAM();
    run_well(TRAIN "steep --set simplenet.epochs=1");
    overwrite(S "steep/checkpoint.safetensors", "adaptor.weight", 1e38f);
    shell_ok("rm " S "steep/model.safetensors && cp " S "steep/checkpoint.safetensors " S
             "before.safetensors");
    check_fails(
        "train -q --resume --output " S "steep --set simplenet.epochs=4",
        "steep: the loss of step 4 is not a number; lower simplenet.discriminator_lr (now 0.0002) and start "
        "again with "
        "another --output");
    read_loss_rows(S "steep/", "step,loss_true,loss_fake,loss_total,lr\n", 3, 4, rows);
    ck_assert(!exists(S "steep/model.safetensors"));
    ck_assert(same_files(S "steep/checkpoint.safetensors", S "before.safetensors"));
}
END_TEST

/* The teacher that comes with the program, a hundred times as strong in each layer. */
static void write_strong_teacher(const char *path) {
    EadSafetensors *file;
    EadSafetensorsWriter *writer;
    float *values[64];
    ASSERT_OK(ead_safetensors_open("models/weights/teacher_small.safetensors", &file));
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_safetensors_writer_metadata(writer, "format", "efficientad/1"));
    ASSERT_OK(ead_safetensors_writer_metadata(writer, "model", "small"));
    int count = ead_safetensors_count(file);
    ck_assert_int_le(count, COUNT(values));
    for (int i = 0; i < count; i++) {
        const EadFileTensor *t = ead_safetensors_at(file, i);
        values[i] = malloc((size_t)t->count * sizeof(float));
        ASSERT_OK(ead_file_tensor_to_float(file, t, values[i]));
        for (int64_t k = 0; k < t->count; k++) values[i][k] *= 100;
        ASSERT_OK(ead_safetensors_writer_tensor(writer, t->name, EAD_FILE_F32, t->dims, t->shape, values[i]));
    }
    ASSERT_OK(ead_safetensors_writer_write(writer, path));
    for (int i = 0; i < count; i++) free(values[i]);
    ead_safetensors_writer_free(writer);
    ead_safetensors_close(file);
}

START_TEST(features_beyond_half_precision_are_told) {
    NEED_PROGRAM();
    write_strong_teacher(S "strong.safetensors");
    check_fails(
        TRAIN "strong --set model.backbone=" S "strong.safetensors",
        ".png: the backbone pdn_small gives numbers for it that half precision cannot hold; take another "
        "model.backbone");
    ck_assert(!exists(S "strong/model.safetensors") && !exists(S "strong/checkpoint.safetensors"));
}
END_TEST

/* Settings that change nothing: EfficientAD's, and in eval those of the training. */
START_TEST(settings_without_effect_are_told) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "told --set train.lr=0.5 --set penalty.path=" S "data --set simplenet.epochs=1", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "--set train.lr has no effect: simplenet does not use it\n");
    assert_contains(outcome.err, "--set penalty.path has no effect: simplenet does not use it\n");
    ck_assert(!strstr(outcome.err, "simplenet.epochs has"));
    run("eval -q -m " S "told/model.safetensors -o " S
        "told/eval --set simplenet.noise=3 --set model.image_size=256 "
        "--set train.threads=1 --set eval.maps=false",
        0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err,
                    "--set simplenet.noise has no effect: the model is used as it was trained\n");
    assert_contains(outcome.err, "--set model.image_size has no effect: ");
    ck_assert(!strstr(outcome.err, "train.threads has") && !strstr(outcome.err, "eval.maps has"));
    check_fails(TRAIN "wrong --set model.backbone=pdn_smal",
                "model.backbone: there is no network or file 'pdn_smal'");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, settings_without_effect_are_told);
    tcase_add_test(tests, trains_evaluates_and_predicts);
    tcase_add_test(tests, the_same_bits_again_and_resumed);
    tcase_add_test(tests, noise_suits_the_backbone);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, a_network_beyond_memory_is_refused);
    tcase_add_test(tests, a_loss_that_is_not_finite_ends_the_run);
    tcase_add_test(tests, features_beyond_half_precision_are_told);
}

int main(void) {
    return run_program_suite("simplenet_runs", S, make_scene, remove_scene, add_tests);
}
