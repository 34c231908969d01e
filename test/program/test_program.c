/* The program as its user meets it: bad input of every kind gives one clear line and the right exit code and
 * leaves nothing half-written. Skipped where $PROGRAM is not set. */
#define S "build/scratch/test_program/"
#include "core/backend/backend.h"
#include "test/program/program_scene.h"

#include "models/efficientad/model.h"

#include <math.h>

/* The copy of the data set that a case may damage, its training images, and the words that choose it. */
#define BAD      S "bad/gasket/"
#define GOOD     BAD "train/good/"
#define WITH_BAD " --set dataset.path=" S "bad"
#define COPY     "rm -rf " S "bad; cp -r " S "data " S "bad; "
#define COMPLETE " --set dataset.path=" S "data --set dataset.category=gasket --set loss.penalty=false"
/* The backbone is one by its header alone. */
#define BACKBONE S "backbone.safetensors"
#define DISTILL  "distill -q --output " RUN " --set distill.images=" S "data --set distill.backbone=" BACKBONE
#define EVAL     "eval -q --model " MODEL " --output " RUN

/* ---- the scene ---- */

/* A .safetensors file from its header, with zeros for data. */
static void write_container(const char *path, const char *header, size_t data) {
    size_t length = strlen(header);
    uint8_t *bytes = calloc(1, 8 + length + data);
    ck_assert_ptr_nonnull(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    write_bytes(path, bytes, 8 + length + data);
    free(bytes);
}

static void write_nested(const char *path) {
    enum { DEPTH = 200000 };
    static char header[DEPTH + 1];
    memset(header, '[', DEPTH);
    memcpy(header, "{\"a\":", 5);
    write_container(path, header, 0);
}

/* Says that it is a model; its only tensor is the first that is read. */
static void write_one_tensor(const char *path, const char *name, EadFileType type, int64_t width) {
    static const char *const metadata[][2] = {{"format", "efficientad/1"},
                                              {"model", "small"},
                                              {"padding", "false"},
                                              {"image_size", "128"},
                                              {"map_normalization", "none"}};
    static const float data[128 * 3 * 4 * 4];
    const int64_t shape[4] = {128, 3, 4, width};
    EadSafetensorsWriter *writer;
    make_folders(path);
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++)
        ASSERT_OK(ead_safetensors_writer_metadata(writer, metadata[i][0], metadata[i][1]));
    ASSERT_OK(ead_safetensors_writer_tensor(writer, name, type, 4, shape, data));
    ASSERT_OK(ead_safetensors_writer_write(writer, path));
    ead_safetensors_writer_free(writer);
}

/* The scene's model with one number that is none. */
static void write_not_finite(const char *path) {
    const float none = NAN;
    EadSafetensors *file;
    size_t size;
    uint8_t *bytes = read_bytes(MODEL, &size);
    ASSERT_OK(ead_safetensors_open_header(MODEL, &file));
    memcpy(bytes + ead_safetensors_find(file, "teacher.conv1.weight")->offset, &none, sizeof none);
    ead_safetensors_close(file);
    write_bytes(path, bytes, size);
    free(bytes);
}

static void make_bad_models(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("mkdir -p " S "models && head -c 100000 " MODEL " >" S "models/truncated");
    write_text(S "models/foreign", "PK\003\004 this is an archive, not a model");
    write_text(S "models/empty", "");
    write_container(S "models/overlapping",
                    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                    "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
                    12);
    write_nested(S "models/nested");
    write_one_tensor(S "models/wrong_type", "teacher.conv1.weight", EAD_FILE_I32, 4);
    write_one_tensor(S "models/missing_tensor", "teacher.conv9.weight", EAD_FILE_F32, 4);
    write_one_tensor(S "models/wrong_shape", "teacher.conv1.weight", EAD_FILE_F32, 3);
    write_not_finite(S "models/not_finite");
}

/* The files of the run folder without its cache and TensorBoard's, whose names are times, sorted, one a line;
 * "-" if there is no such folder. */
static void list_run(char *list) {
    shell_ok("if [ -e " RUN " ]; then cd " RUN
             " && find . -type f ! -path './cache/*' ! -name 'events.*' | LC_ALL=C sort; else echo -; fi >" S
             "list");
    read_into(S "list", list);
}

/* ---- bad input ---- */

typedef struct Case {
    const char *prepare; /* a shell command; "": nothing */
    const char *words;   /* of the command line */
    const char *says;    /* part of the line */
    const char *left;    /* of the run folder; NULL: there must be none */
    long limit;          /* size of the disk */
} Case;

#define TRAINED "./checkpoint.safetensors\n./config.yaml\n./losses.csv\n./model.safetensors\n"

#define STRICT " --set dataset.strict=true"

static const Case data_cases[] = {
    {"", TRAIN " --set dataset.path=" S "none", S "none", NULL, 0},
    {"", TRAIN " --set dataset.category=none", "no category \"none\"; dataset.category can be gasket", NULL,
     0},
    {"mkdir -p " S "empty/gasket/train/good", TRAIN " --set dataset.path=" S "empty", "no images to train on",
     NULL, 0},
    {"", TRAIN " --set loss.penalty=true --set penalty.path=" S "none", "penalty.path", NULL, 0},
    {"", TRAIN " --set loss.penalty=true --set penalty.path=" S "empty", "penalty.path", NULL, 0},
    {COPY "head -c 3000 " S "data/gasket/train/good/000.png >" GOOD "000.png", TRAIN WITH_BAD, GOOD "000.png",
     NULL, 0},
    {COPY "head -c 600 test/fuzz/seeds/fuzz_jpeg/baseline.jpg >" GOOD "x.jpg", TRAIN WITH_BAD, GOOD "x.jpg",
     NULL, 0},
    {COPY ": >" GOOD "001.png", TRAIN WITH_BAD, GOOD "001.png", NULL, 0},
    {COPY "printf '\\211PNG\\r\\n\\032\\n\\000\\000\\000\\rIHDR\\000\\000\\000\\000\\000\\000\\000\\000\\010"
          "\\002\\000\\000\\000\\264\\351\\353\\105' >" GOOD "001.png",
     TRAIN WITH_BAD, GOOD "001.png", NULL, 0},
    {COPY "printf 'GIF89a no PNG' >" GOOD "001.png", TRAIN WITH_BAD, GOOD "001.png", NULL, 0},
    {COPY "rm " GOOD "00[12].png", TRAIN WITH_BAD, GOOD "000.png: the only normal image", NULL, 0},
    {COPY "rm " BAD "ground_truth/blob/000_mask.png", TRAIN WITH_BAD STRICT, BAD "test/blob/000.png", NULL,
     0},
    {COPY "cp " BAD "ground_truth/blob/000_mask.png " BAD "ground_truth/blob/009_mask.png",
     TRAIN WITH_BAD STRICT, BAD "ground_truth/blob/009_mask.png", NULL, 0},
    {COPY "cp test/fuzz/seeds/fuzz_png/gray4.png " BAD "ground_truth/blob/000_mask.png",
     TRAIN WITH_BAD STRICT, BAD "ground_truth/blob/000_mask.png", NULL, 0},
    {"", EVAL WITH_BAD STRICT, BAD "ground_truth/blob/000_mask.png", NULL, 0},
    {COPY "truncate -s 100 " BAD "test/good/000.png", EVAL WITH_BAD STRICT, BAD "test/good/000.png: ", NULL,
     0},
    {COPY "truncate -s -9000 " BAD "test/blob/000.png", TRAIN WITH_BAD STRICT,
     BAD "test/blob/000.png: ", NULL, 0},
    {COPY "rm -r " BAD "ground_truth", TRAIN WITH_BAD STRICT, "dataset.strict: no masks of the test images",
     NULL, 0},
    {COPY "rm " BAD "ground_truth/*/*", EVAL WITH_BAD STRICT, "dataset.strict: no masks of the test images",
     NULL, 0},
    {COPY ": >" BAD "test/chip/000.png", EVAL WITH_BAD, BAD "test/chip/000.png",
     "./metrics.json\n./pixel_pr.csv\n./pixel_roc.csv\n./pr.csv\n./pro.csv\n./report.html\n./roc.csv\n./"
     "scores.csv\n./speed.json\n",
     0},
    {COPY "rm -r " BAD "test " BAD "ground_truth", EVAL WITH_BAD, "no test images", NULL, 0},
};

static const Case config_cases[] = {
    {"", "train -c " S "none.yaml", S "none.yaml", NULL, 0},
    {"", "train -c " S, S, NULL, 0},
    {"printf 'train:\\n  step: 3\\n' >" S "bad.yaml", "train -c " S "bad.yaml" COMPLETE,
     S "bad.yaml:2: ", NULL, 0},
    {"printf 'train:\\n  steps: 3\\n  steps: 4\\n' >" S "bad.yaml", "train -c " S "bad.yaml" COMPLETE,
     S "bad.yaml:3: ", NULL, 0},
    {"printf 'train:\\n  steps: three\\n' >" S "bad.yaml", "train -c " S "bad.yaml" COMPLETE, "three", NULL,
     0},
    {"printf 'train:\\n  steps: 0\\n' >" S "bad.yaml", "train -c " S "bad.yaml" COMPLETE,
     S "bad.yaml:2: ", NULL, 0},
    {"printf 'train: [1,\\n' >" S "bad.yaml", "train -c " S "bad.yaml", S "bad.yaml:", NULL, 0},
    {"", TRAIN " --set maps.q_start=0.999", "maps.q_start", NULL, 0},
    {"", TRAIN " --set model.size=medium --set model.teacher=models/weights/teacher_small.safetensors",
     "teacher_small.safetensors", NULL, 0},
    {"", TRAIN " --set loss.penalty=true --set penalty.path=", "or to drawn, for drawn images", NULL, 0},
    {"", TRAIN " --set dataset.category=", "dataset.category is not set", NULL, 0},
    {"", TRAIN " --minutes 5 --resume", "--resume goes on with those in its config.yaml", NULL, 0},
    {"", TRAIN " --minutes 5 --set train.steps=9", "--minutes picks train.steps, which --set names, too",
     NULL, 0},
    {"", TRAIN " --minutes 5 --set model.method=patchcore", "patchcore is fitted without", NULL, 0},
    {"", TRAIN " --device cuda", "cuda", NULL, 0},
    {"", TRAIN " --device cuda:3", "cuda:3", NULL, 0},
    {"", PREDICT S "data --device cuda", "cuda", NULL, 0},
    {"", "train -q -c " S "base.yaml --output " S "base.yaml/run", S "base.yaml", NULL, 0},
    {"", "train -q -c " S "base.yaml --output " S "trained", "--resume", NULL, 0},
    {"", "distill -q --output " RUN " --set distill.images=" S "data", "distill.backbone is not set", NULL,
     0},
    {"", DISTILL " --set distill.images=" S "none", S "none", NULL, 0},
    {"mkdir -p " S "empty", DISTILL " --set distill.images=" S "empty", "holds 0 images", NULL, 0},
    {"", DISTILL " --set distill.backbone=" S "none.safetensors", S "none.safetensors", NULL, 0},
    {"", DISTILL " --set distill.backbone=" MODEL, MODEL ": is a model, not a backbone", NULL, 0},
};

/* What a full disk cuts off must not stay: of a picture, a curve, a map. A training asks for room first.
 * LLVM's OpenMP cannot start where files may have less than 1,024 bytes: it makes one in /dev/shm. */
static const Case disk_cases[] = {
    {"", "synth --output " RUN " --category gasket --train 1", RUN "/gasket/train/good/000.png", "", 1000},
    {"", TRAIN " --set dataset.cache=", RUN "/checkpoint.safetensors: cannot write: it takes", NULL, 20000},
    {"", EVAL, RUN "/pro.csv", "./pr.csv\n./roc.csv\n./scores.csv\n", 1100},
    {"", EVAL " --maps", RUN "/pro.csv", "./pr.csv\n./roc.csv\n./scores.csv\n", 1100},
};

static void check_case(const Case *c, int code) {
    Outcome outcome;
    char list[TEXT_SIZE];
    shell_ok("rm -rf " RUN);
    if (*c->prepare) shell_ok(c->prepare);
    run(c->words, c->limit, &outcome);
    list_run(list);
    ck_assert_msg(outcome.code == code, "%s: exit %d: %s", c->words, outcome.code, outcome.err);
    ck_assert_msg(outcome.complaints == 1, "%s: not one line: %s", c->words, outcome.err);
    ck_assert_msg(strstr(outcome.err, c->says), "%s: nothing of '%s': %s", c->words, c->says, outcome.err);
    ck_assert_msg(strcmp(list, c->left ? c->left : "-\n") == 0, "%s: left\n%s", c->words, list);
    ck_assert_msg(!holds_temporary_files(), "%s left temporary files", c->words);
}

/* What is wrong in one place, of a device that is not there too, hides nothing that is wrong in another. */
START_TEST(all_is_told_at_once) {
    static const struct {
        const char *words, *says[5];
    } cases[] = {
        {TRAIN " --device cuda --set dataset.path=" S "none --set model.init=" S "no.safetensors",
         {"--device: ", "dataset.path: " S "none: ", "model.init: cannot read " S "no.safetensors"}},
        {"eval -q --model " MODEL " --device cuda --set dataset.path=" S "none -o " MODEL,
         {"--device: ", "dataset.path: " S "none: ", "; --output names another place"}},
        {"predict -q --model " S "none.m --device cuda --overlays " MODEL " --maps " MODEL "/x " S
         "none.png " S "data/gasket/test/good",
         {"--device: ", S "none.m: ", "; --overlays names another place", "; --maps names another place",
          S "none.png: cannot read: "}},
        {PREDICT "--maps " MODEL " --precision tf32 " S "none.png",
         {"--precision: ", "; --maps names another place", S "none.png: cannot read: "}},
        {"bench infer --device cuda --json " MODEL "/x --csv " MODEL "/y",
         {"--device: ", "; --json names another place", "; --csv names another place"}},
    };
    Outcome outcome;
    NEED_PROGRAM();
    SKIP_UNLESS(strcmp(ead_backend_names(), "cpu") == 0, "this build has CUDA");
    for (int i = 0; i < COUNT(cases); i++) {
        int told = 0;
        run(cases[i].words, 0, &outcome);
        for (; told < 5 && cases[i].says[told]; told++) assert_contains(outcome.err, cases[i].says[told]);
        ck_assert_msg(outcome.code == 1 && outcome.complaints == told + 1, "%d: %s", outcome.code,
                      outcome.err);
    }
    run(PREDICT S "none.png " S "data/gasket/test/good/000.png", 0, &outcome); /* an input costs itself */
    ck_assert_msg(outcome.code == 1 && strstr(outcome.out, "\"score\"") && outcome.complaints == 2, "%s",
                  outcome.err);
}
END_TEST

START_TEST(bad_data) {
    NEED_PROGRAM();
    check_case(&data_cases[_i], 1);
}
END_TEST

START_TEST(bad_config) {
    NEED_PROGRAM();
    write_container(
        BACKBONE, "{\"layer1.0.conv1.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
    check_case(&config_cases[_i], 1);
}
END_TEST

START_TEST(full_disk) {
    NEED_PROGRAM();
    check_case(&disk_cases[_i], 1);
}
END_TEST

static const struct {
    const char *name, *says;
} model_cases[] = {
    {"none", "No such file"},
    {"truncated", "damaged"},
    {"foreign", "zip archive"},
    {"empty", "is an empty file, not a"},
    {"overlapping", "overlap"},
    {"nested", "JSON"},
    {"wrong_type", "teacher.conv1.weight"},
    {"missing_tensor", "teacher.conv1.weight"},
    {"wrong_shape", "[128,3,4,3]"},
    {"not_finite", "nan"},
};

START_TEST(bad_models) {
    static const char *const words[] = {"predict --model %s " S "data", "eval --output " RUN " --model %s",
                                        TRAIN " --set model.teacher=%s"};
    NEED_PROGRAM();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char path[128], line[512], err[TEXT_SIZE];
        snprintf(path, sizeof path, S "models/%s", model_cases[_i].name);
        snprintf(line, sizeof line, words[i], path);
        check_case(&(Case){"", line, path, NULL, 0}, 1);
        read_into(S "err", err);
        ck_assert_msg(strstr(err, model_cases[_i].says), "%s: nothing of '%s': %s", line,
                      model_cases[_i].says, err);
    }
}
END_TEST

START_TEST(images_that_may_not_be_read) {
    NEED_PROGRAM();
    SKIP_UNLESS(geteuid() != 0, "root may read everything");
    check_case(&(Case){COPY "chmod 000 " GOOD "001.png", TRAIN WITH_BAD, GOOD "001.png", NULL, 0}, 1);
}
END_TEST

START_TEST(wrong_usage) {
    static const char *const words[][2] = {
        {"", "command"},
        {"trian -c x", "trian"},
        {"train --stepps 3", "--stepps"},
        {"train -c", "-c"},
        {"train --set", "--set"},
        {"predict " S "data", "--model"},
        {"predict --model " MODEL, "PATH"},
        {"synth --output " RUN " --size 7x", "7x"},
        {"synth --output " RUN " --train 0", "--train"},
        {"bench nothing", "nothing"},
        {TRAIN " --set train.step=3", "train.steps"},
        {TRAIN " --set train.steps=many", "many"},
        {TRAIN " --set model.image_size=60", "steps of 4"},
    };
    NEED_PROGRAM();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        check_case(&(Case){"", words[i][0], words[i][1], NULL, 0}, 2);
}
END_TEST

/* Each bad input has its line on both sides, the good one its score. */
START_TEST(predict_goes_on_after_a_bad_image) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "mixed; mkdir " S "mixed; cp " S "data/gasket/test/good/000.png " S
             "mixed/b.png; : >" S "mixed/a.png; head -c 500 " S "mixed/b.png >" S "mixed/c.png");
    run(PREDICT S "mixed", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    ck_assert_msg(outcome.complaints == 3 && outcome.lines == 3, "%s", outcome.err);
    const char *a = strstr(outcome.out, S "mixed/a.png"), *b = strstr(outcome.out, S "mixed/b.png"),
               *c = strstr(outcome.out, S "mixed/c.png"), *score = strstr(outcome.out, "\"score\"");
    ck_assert_msg(a && b && c && score && a < b && b < score && score < c, "%s", outcome.out);
    ck_assert(strstr(outcome.err, S "mixed/a.png: ") && strstr(outcome.err, S "mixed/c.png: "));
}
END_TEST

START_TEST(training_needs_no_test_images) {
    char list[TEXT_SIZE];
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN "; " COPY "rm -r " BAD "test " BAD "ground_truth");
    run(TRAIN WITH_BAD, 0, &outcome);
    list_run(list);
    ck_assert_msg(outcome.code == 0 && outcome.complaints == 0, "exit %d: %s", outcome.code, outcome.err);
    ck_assert_msg(strstr(outcome.err, "no test images"), "%s", outcome.err);
    ck_assert_str_eq(list, TRAINED "./report.html\n"); /* of the validation images */
    run("eval --model " RUN "/model.safetensors", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.complaints == 1, "exit %d: %s", outcome.code, outcome.err);
    ck_assert_msg(strstr(outcome.err, "no test images"), "%s", outcome.err);
}
END_TEST

/* Pictures of a 12-bit camera that nothing says so of: told, until dataset.bits says it; the model remembers. */
START_TEST(bits_of_a_camera) {
    static const char dark[] = "no value is above 4095";
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN "; " COPY "for i in 0 1 2; do cp test/golden/reading/low12.png " GOOD
             "00$i.png; done; "
             "cp test/golden/reading/low12.png " BAD "test/good/000.png; "
             "cp test/golden/reading/lossless.webp " GOOD "003.webp");
    run(TRAIN WITH_BAD, 0, &outcome);
    ck_assert_msg(outcome.code == 0 && strstr(outcome.err, dark), "exit %d: %s", outcome.code, outcome.err);
    ck_assert_msg(strstr(outcome.err, GOOD "000.png") && strstr(outcome.err, BAD "test/good/000.png"), "%s",
                  outcome.err);
    ck_assert_msg(strstr(outcome.err, "good images by their endings: 3 .png, 1 .webp"), "%s", outcome.err);
    shell_ok("rm -rf " RUN);
    run(TRAIN WITH_BAD " --set dataset.bits=12", 0, &outcome);
    ck_assert_msg(outcome.code == 0 && !strstr(outcome.err, dark), "exit %d: %s", outcome.code, outcome.err);
    run("predict -q --model " RUN "/model.safetensors test/golden/reading/low12.tif", 0, &outcome);
    ck_assert_msg(outcome.code == 0 && !strstr(outcome.err, dark), "exit %d: %s", outcome.code, outcome.err);
    run("eval -q --model " RUN "/model.safetensors --set dataset.bits=10", 0, &outcome);
    ck_assert_msg(outcome.code == 1 &&
                      strstr(outcome.err, "000.png: has the value 4095, which 10 bits cannot hold"),
                  "exit %d: %s", outcome.code, outcome.err);
    run("eval -q --model " RUN "/model.safetensors --set dataset.bits=0 --set dataset.white=3000", 0,
        &outcome);
    ck_assert_msg(outcome.code == 0, "exit %d: %s", outcome.code, outcome.err);
    run("eval -q --model " RUN "/model.safetensors --set dataset.max_pixels=98", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "at most 98 in all"), "exit %d: %s", outcome.code,
                  outcome.err);
}
END_TEST

/* That all training images were gray is in the model, which then scores gray by one channel; one with colours is enough for three. */
START_TEST(gray_images_are_told_to_the_model) {
    Outcome outcome;
    for (int coloured = 0; coloured < 2; coloured++) {
        shell_ok("rm -rf " RUN "; " COPY "for i in 0 1 2 3; do cp test/golden/reading/gray10.tif " GOOD
                 "00$i.tif; rm -f " GOOD "00$i.png; done");
        if (coloured) shell_ok("cp test/golden/reading/lossless.webp " GOOD "004.webp");
        run(TRAIN WITH_BAD " --set train.seed=1", 0, &outcome);
        ck_assert_msg(outcome.code == 0, "exit %d: %s", outcome.code, outcome.err);
        ck_assert_int_eq(
            shell("head -c 8000 " RUN "/model.safetensors | grep -qa '\"image_channels\":\"1\"'") == 0,
            !coloured);
        run("predict -q --model " RUN
            "/model.safetensors test/golden/reading/gray10.tif test/golden/reading/lossless.webp",
            0, &outcome);
        ck_assert_msg(outcome.code == 0, "exit %d: %s", outcome.code, outcome.err);
    }
}
END_TEST

START_TEST(keys_of_other_methods_are_told) {
    Outcome outcome;
    shell_ok("rm -rf " RUN);
    run(TRAIN " --set patchcore.width=64 --set train.steps=1", 0, &outcome);
    ck_assert_msg(outcome.code == 0 &&
                      strstr(outcome.err, "--set patchcore.width has no effect: efficientad does not use it"),
                  "exit %d: %s", outcome.code, outcome.err);
    ck_assert_ptr_null(strstr(outcome.err, "train.steps has no effect"));
    shell_ok("rm -rf " RUN);
    run(TRAIN " --set model.method=patchcore --set patchcore.width=64 --set train.steps=1", 0, &outcome);
    ck_assert_msg(outcome.code == 0 &&
                      strstr(outcome.err, "--set train.steps has no effect: patchcore does not use it"),
                  "exit %d: %s", outcome.code, outcome.err);
    ck_assert_ptr_null(strstr(outcome.err, "patchcore.width has no effect"));
    shell_ok("rm -rf " RUN);
    /* It fails after that, at its backbone. */
    run(DISTILL " --set tiles.size=64 --set model.size=medium --set patchcore.width=64", 0, &outcome);
    assert_contains(outcome.err, "--set tiles.size has no effect: distill does not use it");
    ck_assert_ptr_null(strstr(outcome.err, "model.size has no effect"));
    ck_assert_ptr_null(strstr(outcome.err, "patchcore.width has no effect")); /* its judges use it */
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_unchecked_fixture(tests, make_bad_models, NULL);
    tcase_add_test(tests, all_is_told_at_once);
    tcase_add_loop_test(tests, bad_data, 0, COUNT(data_cases));
    tcase_add_loop_test(tests, bad_config, 0, COUNT(config_cases));
    tcase_add_loop_test(tests, bad_models, 0, COUNT(model_cases));
    tcase_add_loop_test(tests, full_disk, 0, COUNT(disk_cases));
    tcase_add_test(tests, images_that_may_not_be_read);
    tcase_add_test(tests, wrong_usage);
    tcase_add_test(tests, predict_goes_on_after_a_bad_image);
    tcase_add_test(tests, training_needs_no_test_images);
    tcase_add_test(tests, bits_of_a_camera);
    tcase_add_test(tests, gray_images_are_told_to_the_model);
    tcase_add_test(tests, keys_of_other_methods_are_told);
}

int main(void) {
    return run_program_suite("program", S, make_scene, remove_scene, add_tests);
}
