/* A file of ours where another one is asked for: named and refused with the cure, or used rightly. Skipped where
 * $PROGRAM is not set. */
#define S "build/scratch/test_file_roles/"
#include "test/support/runs.h"

#define TRAIN "train -q -c " S "base.yaml -o " S "new "
#define RUN   S "run/"
#define DATA  S "data/gasket/test/good/000.png "
#define ZIP   S "weights.pth"

/* First bytes as the formats' documents have them, and the files that this program writes beside a model. */
static const struct {
    const char *name, *printf, *is;
} files[] = {
    {"x.bmp", "BM6\\060\\0\\0\\0\\0\\0\\0\\066\\0\\0\\0\\050\\0\\0\\0", "an image"},
    {"x.gif", "GIF89a\\1\\0\\1\\0", "an image or film of a format that is not read"},
    {"x.heic", "\\0\\0\\0\\030ftypheic\\0\\0\\0\\0", "an image or film of a format that is not read"},
    {"x.h5", "\\211HDF\\r\\n\\032\\n\\0\\0\\0\\0", "an HDF5 file"},
    {"x.onnx", "\\010\\010\\022\\007pytorch\\032\\0051.13:\\200\\1\\0\\0", "an ONNX file"},
    {"graph_first.onnx", "\\010\\010\\072\\200\\1\\0\\0", "an ONNX file"},
    {"x.npy", "\\223NUMPY\\1\\0v\\0{}", "a NumPy file"},
    {"x.pkl", "\\200\\004\\225\\005\\0\\0\\0", "a pickle"},
    {"x.gguf", "GGUF\\3\\0\\0\\0", "a GGUF file"},
    {"x.7z", "7z\\274\\257\\047\\034\\0\\4", "a compressed file"},
    {"x.foreign",
     "\\110\\0\\0\\0\\0\\0\\0\\0"
     "{\"conv9.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}       \\0\\0\\0\\0",
     "weights of another program"},
    {"x.lfs", "version https://git-lfs.github.com/spec/v1\\noid sha256:4d7a\\nsize 12345\\n",
     "what Git LFS leaves in place of a file"},
    {"x.page", "<!DOCTYPE html>\\n<html>404</html>\\n", "a web page"},
    {"x.events", "\\030\\0\\0\\0\\0\\0\\0\\0abcd\\t\\0\\0\\0\\0\\0\\0\\360?\\032\\015brain.Event:2abcd",
     "a log for TensorBoard"},
    {"run/scores.csv", NULL, "a table of results"},
    {"run/losses.csv", NULL, "a table of results"},
    {"run/roc.csv", NULL, "a table of results"},
    {"run/report.html", NULL, "a web page"},
};

/* An export that another tool has written again: its own name, the graph, and behind that what stood before it. */
static void write_saved_again(void) {
    static const char head[] = "\010\010\022\006onnxsi\072\200\200\001", by[] = "exported_by",
                      made_from[] = "source_file";
    enum { GRAPH = 1 << 14 };
    static uint8_t bytes[GRAPH + 128];
    size_t size = sizeof head - 1 + GRAPH;
    memcpy(bytes, head, sizeof head - 1);
    size += (size_t)snprintf((char *)bytes + size, 64, "r\x1C\n\x0B%s\x12\x0D%s", by, "efficientad 9");
    size +=
        (size_t)snprintf((char *)bytes + size, 64, "r\x1F\n\x0B%s\x12\x10%s", made_from, "best.safetensors");
    write_bytes(S "again.onnx", bytes, size);
}

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    write_text(S "base.yaml", "dataset: {path: " S "data, category: gasket, cache: " S "cache}\n"
                              "model: {image_size: 64}\n"
                              "train: {steps: 1, tensorboard: false, keep: all}\n"
                              "loss.penalty: false\n"
                              "autoencoder.enabled: false\n");
    write_text(S "sweep.yaml", "output: " S "sweep\nbase: base.yaml\n"
                               "collections: {c: {categories: [gasket]}}\nvariants: {v: {}}\nseeds: [1]\n");
    write_text(ZIP, "PK\003\004 what torch.save writes begins so");
    run_well("synth -o " S "data --size 64 --train 3 --test-good 1 --test-defect 1");
    run_well("train -q -c " S "base.yaml -o " S "run");
    run_well("export -m " RUN "model.safetensors -o " S "export.onnx");
    write_saved_again();
    shell_ok("tar -cf " S "images.tar -C " S "data gasket && gzip -9nc " RUN "model.safetensors >" S
             "model.gz");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char line[512];
        snprintf(line, sizeof line, "printf '%s' >" S "%s", files[i].printf ? files[i].printf : "",
                 files[i].name);
        if (files[i].printf) shell_ok(line);
    }
    /* By its header a checkpoint of a distillation; runs that were ended before their first checkpoint. */
    static const char distilled[] = "\xF0\0\0\0\0\0\0\0"
                                    "{\"__metadata__\":{\"format\":\"efficientad/1\",\"config\":\"\"},"
                                    "\"step\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}";
    uint8_t bytes[8 + 0xF0 + 8] = {0};
    memset(bytes, ' ', 8 + 0xF0);
    memcpy(bytes, distilled, sizeof distilled - 1);
    make_folders(S "distilled/");
    write_bytes(S "distilled/checkpoint.safetensors", bytes, sizeof bytes);
    write_text(S "distilled/config.yaml", "distill: {images: " S "data, backbone: " S "none}\n");
    write_text(S "begun/config.yaml", "distill: {images: " S "data, backbone: " S "none}\n");
    write_text(S "trained/config.yaml", "dataset: {path: " S "data, category: gasket}\n");
    write_text(S "empty", "");
    write_text(S "text", "one\ntwo\n");
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

#define TEACHER "models/weights/teacher_small.safetensors"

static const struct {
    const char *words, *says;
} wrong[] = {
    {"predict -m " RUN "checkpoint.safetensors " DATA,
     "is a checkpoint of a training, not a model; train --resume goes on with it; the model is "
     "model.safetensors"},
    {"eval -m " RUN "checkpoint.safetensors", "is a checkpoint of a training, not a model"},
    {"predict -m " TEACHER " " DATA, "is a teacher, not a model; model.teacher takes it"},
    {"eval -m " RUN "config.yaml", "is a config, not a model; -c of train"},
    {"predict -m " ZIP " " DATA, "not a model; weights are converted by efficientad import"},
    {"predict -m " S "run " DATA, "is a folder, not a model; its model is " RUN "model.safetensors"},
    {"predict -m " S " " DATA, "is a folder, not a model; name a file in it"},
    {"predict -m " DATA DATA, "is an image, not a model"},
    {"predict -m " S "model.gz " DATA, "is a compressed file, not a model; unpack it first"},
    {"eval -m " RUN "metrics.json", "is the metrics of an evaluation, not a model"},
    {"eval -m " S "sweep.yaml", "is a sweep file, not a model; efficientad sweep takes it"},
    {"predict -m " RUN "model.safetensors " RUN "model.safetensors", "is a model, not an image"},
    {"train -c " RUN "model.safetensors", "is a model, not a config; --model of eval and predict takes it"},
    {"train -c " RUN "checkpoint.safetensors", "is a checkpoint of a training, not a config"},
    {"train -c " S "sweep.yaml", "is a sweep file, not a config"},
    {"train -c " DATA, "is an image, not a config"},
    {"distill -c " TEACHER, "is a teacher, not a config"},
    {"sweep " S "base.yaml", "is a config, not a sweep file"},
    {"sweep " RUN "model.safetensors", "is a model, not a sweep file"},
    {"report " RUN "model.safetensors", "is a model, not the folder of a sweep"},
    {TRAIN "--set model.teacher=" ZIP, "not a teacher; weights are converted"},
    {TRAIN "--set model.teacher=" S "base.yaml", "is a config, not a teacher"},
    {TRAIN "--set model.init=" TEACHER, "is a teacher, not a model to start from"},
    {TRAIN "--set loss.penalty=true --set penalty.path=" RUN "model.safetensors", "penalty.path: "},
    {"distill -o " S "new --set distill.images=" S "data --set distill.backbone=" TEACHER,
     "is a teacher, not a backbone; model.teacher takes it"},
    {"distill -o " S "new --set distill.images=" S "data --set distill.backbone=" ZIP, "not a backbone"},
    {"import -o " S "new.safetensors " S "base.yaml", "is a config, not weights"},
    {"train --resume -o " S "distilled", S "distilled/checkpoint.safetensors: is a checkpoint of a "
                                           "distillation, not a checkpoint of a training; distill "
                                           "--resume goes on"},
    {"train -c " S "base.yaml --resume -o " S "distilled", "is a checkpoint of a distillation"},
    {"train --resume -o " S "begun",
     S "begun: is the run of a distillation; distill --resume goes on with it"},
    {"distill --resume -o " S "run", RUN "checkpoint.safetensors: is a checkpoint of a training, not a "
                                         "checkpoint of a distillation; train --resume"},
    {"distill --resume -o " S "trained",
     S "trained: is the run of a training; train --resume goes on with it"},
    {"eval -m " S "empty", "is an empty file, not a model; copy"},
    {"eval -m " S "text", "is a text, not a model"},
    {TRAIN "--set loss.penalty=true --set penalty.path=" S "text", "is a text, not a folder, image or tar"},
    {TRAIN "--set dataset.path=" S "images.tar", "is a tar archive, not the folder of a data set"},
    {"import -o " S "new.safetensors " S "images.tar", "is a tar archive, not weights"},
    {"predict -m " S "export.onnx " DATA,
     S "export.onnx: is an ONNX file that efficientad export wrote, not a model; runtimes for ONNX take it, "
       "and this "
       "program the .safetensors model that it was made from, model.safetensors\n"},
    {"eval -m " S "again.onnx", "export wrote, not a model; runtimes for ONNX take it, and this program the "
                                ".safetensors model that it was made from, best.safetensors\n"},
    {"import -o " S "new.safetensors " S "export.onnx", "export wrote, not weights; "},
    {"train --init " S "again.onnx -o " S "new",
     "--init: " S "again.onnx: is an ONNX file that efficientad export"},
    {TRAIN "--set model.teacher=" S "export.onnx", "export wrote, not a teacher; "},
    {"export -m " S "x.onnx -o " S "new",
     "is an ONNX file, not a model; those are written, by export, and never read; "
     "save weights by torch.save"},
};

/* Every file as model, config, teacher and archive. */
START_TEST(files_are_known_by_their_first_bytes) {
    static const char *const words[] = {"eval -o " S "new -m " S "%s", "train -c " S "%s",
                                        TRAIN "--set model.teacher=" S "%s",
                                        TRAIN "--set dataset.path=" S "%s"};
    Outcome outcome;
    NEED_PROGRAM();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char line[512], says[512];
        const char *head = strstr(words[i], "%s");
        snprintf(line, sizeof line, "%.*s%s", (int)(head - words[i]), words[i], files[_i].name);
        snprintf(says, sizeof says, S "%s: is %s, not ", files[_i].name, files[_i].is);
        run(line, 0, &outcome);
        ck_assert_msg(outcome.code == 1 && strstr(outcome.err, says), "%s: exit %d: %s", line, outcome.code,
                      outcome.err);
        ck_assert(!exists(S "new"));
    }
}
END_TEST

START_TEST(the_wrong_role_is_named) {
    Outcome outcome;
    NEED_PROGRAM();
    run(wrong[_i].words, 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, wrong[_i].says), "%s: exit %d: %s",
                  wrong[_i].words, outcome.code, outcome.err);
    ck_assert(!exists(S "new") && !exists(S "new.safetensors"));
}
END_TEST

/* What holds what is needed is taken, and told; the networks are those of the file. */
START_TEST(what_can_be_used_is) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "--set model.init=" RUN "checkpoint.safetensors --set model.teacher=" RUN "model.safetensors",
        0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    ck_assert_msg(
        strstr(outcome.err, "model.init: " RUN "checkpoint.safetensors is a checkpoint of a training;"), "%s",
        outcome.err);
    ck_assert_msg(strstr(outcome.err, "model.teacher: " RUN "model.safetensors is a model;"), "%s",
                  outcome.err);
    run_well("sweep " S "sweep.yaml");
    run_well("report " S "sweep/sweep.sweep.json");
    ck_assert(exists(S "sweep/sweep.md"));
}
END_TEST

/* What a path leads to, and all that opens it; never waited for, whatever reads it. */
static const char *const no_files[] = {"mkfifo", "ln -s /dev/zero", "mkdir"};

static const char *const openers[] = {
    "train --resume -o " S "held",
    "train -c " S "held/config.yaml",
    "distill -c " S "held/config.yaml",
    "eval -m " RUN "model.safetensors -o " S "new -c " S "held/config.yaml",
    "sweep " S "held/config.yaml",
    "sweep " S "base_is_none.yaml",
    "sweep " S "collections_are_none.yaml",
    "predict -m " S "held/config.yaml " DATA,
    "import -o " S "new.safetensors " S "held/config.yaml",
    "train -c " S "base.yaml -o " S "new --set model.teacher=" S "held/config.yaml",
    "train -c " S "base.yaml -o " S "new --set model.init=" S "held/config.yaml"};

START_TEST(what_is_no_file_is_named_and_not_waited_for) {
    char line[512];
    Outcome outcome;
    NEED_PROGRAM();
    snprintf(line, sizeof line, "rm -rf " S "held; mkdir " S "held; %s " S "held/config.yaml",
             no_files[_i % COUNT(no_files)]);
    shell_ok(line);
    write_text(S "base_is_none.yaml",
               "output: x\nbase: held/config.yaml\n"
               "collections: {c: {categories: [gasket]}}\nvariants: {v: {}}\nseeds: [1]\n");
    write_text(S "collections_are_none.yaml",
               "output: x\ncollections: held/config.yaml\nvariants: {v: {}}\nseeds: [1]\n");
    snprintf(line, sizeof line, "timeout 60 $PROGRAM %s >" S "out 2>" S "err", openers[_i / COUNT(no_files)]);
    ck_assert_msg(shell(line) == 1, "%s", line);
    read_into(S "err", outcome.err);
    ck_assert_msg(strstr(outcome.err, S "held/config.yaml: "), "%s: %s", line, outcome.err);
    ck_assert(!exists(S "new") && !exists(S "new.safetensors"));
}
END_TEST

/* But a shell's <(command), and what comes in by standard input. */
START_TEST(a_config_may_come_through_a_pipe) {
    NEED_PROGRAM();
    shell_ok("cat " S "base.yaml | $PROGRAM train -q -c /dev/stdin -o " S "piped 2>" S "err");
    shell_ok("rm -rf " S "piped; $PROGRAM train -q -c /dev/fd/7 -o " S "piped 7<" S "base.yaml 2>" S "err");
    ck_assert(same_runs(S "piped/", RUN));
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_loop_test(tests, what_is_no_file_is_named_and_not_waited_for, 0,
                        COUNT(openers) * COUNT(no_files));
    tcase_add_test(tests, a_config_may_come_through_a_pipe);
    tcase_add_loop_test(tests, the_wrong_role_is_named, 0, COUNT(wrong));
    tcase_add_loop_test(tests, files_are_known_by_their_first_bytes, 0, COUNT(files));
    tcase_add_test(tests, what_can_be_used_is);
}

int main(void) {
    return run_program_suite("file_roles", S, make_scene, remove_scene, add_tests);
}
