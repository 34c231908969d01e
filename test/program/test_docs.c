/* The README and the documents: every command in them runs, as it stands, in a folder that has what they speak of; the
 * keys, options and files that they name exist. The program is called through a script that shortens trainings. */
#define S "build/scratch/test_docs/"
#include "test/support/runs.h"
#include "test/support/sample_models.h"

enum { COMMAND_SIZE = 1024 };

/* In the order in which one reads them: later ones use what earlier ones made. */
static const char *const documents[] = {
    "README.md",        "docs/recipes.md",     "docs/training.md",   "docs/large_images.md",
    "docs/methods.md",  "docs/datasets.md",    "docs/evaluation.md", "docs/sweeps.md",
    "docs/teachers.md", "docs/library.md",     "docs/python.md",     "docs/csharp.md",
    "docs/export.md",   "docs/serve.md",       "docs/watch.md",      "docs/gpu.md",
    "docs/offline.md",  "docs/performance.md", "docs/source.md",
};
static int commands_run;

/* What the documents call "your" images, data sets and weights. */
static void make_inputs(void) {
    Drawn backbone = {0};
    EadImage mask;
    run_well("synth --output " S
             "drawn --category gasket --size 128 --train 5 --test-good 1 --test-defect 1 --textures 4");
    shell_ok("cd " S " && mkdir -p data/mvtec_ad && cp -r drawn/gasket data/mvtec_ad/bottle"
             " && cp -r drawn/gasket data/mvtec_ad/cable");
    shell_ok("cd " S " && mkdir -p photos/test photos/masks && cp -r drawn/gasket/train/good photos/good"
             " && cp -r photos/good photos/train && cp -r drawn/gasket/test/good photos/test/good"
             " && cp -r drawn/textures photos/other && cp -r photos/test/good photos/new"
             " && defect=$(ls drawn/gasket/ground_truth | head -n 1)"
             " && cp -r drawn/gasket/test/$defect photos/test/scratch"
             " && cp -r drawn/gasket/ground_truth/$defect photos/masks/scratch");
    run_well("synth --output " S "later --size 128 --seed 7 --train 3 --test-good 0 --test-defect 0");
    shell_ok("cp -r " S "later/gasket/train/good " S "photos/more");
    fill_image(&mask, 128, 128, 1, 255);
    ASSERT_OK(ead_png_write(S "mask.png", &mask));
    ead_image_free(&mask);
    write_backbone("resnet18", S "resnet50.safetensors", &backbone);
    copy_file(S "resnet50.safetensors", S "efficientnet_b5.safetensors");
    copy_file("models/weights/teacher_small.safetensors", S "pretrained_teacher_small.pth");
}

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S "build && ln -s $PWD/configs $PWD/bench $PWD/test $PWD/models " S);
    make_inputs();
    write_text(S "short.yaml", "model.image_size: 64\ntrain: {steps: 2, lr_drop_at: 1}\n");
    write_text(
        S "build/efficientad",
        "#!/bin/sh\n"
        "short='--set model.image_size=64 --set train.steps=1 --set train.lr_drop_at=1'\n"
        "set -- $(echo \"$@\" | sed 's/--minutes [0-9]*//')\n"
        "case \"$*\" in *large_images*) short=\"$short --set tiles.size=64\" ;; esac\n"
        "case \"$*\" in *'-c ast '*) short=\"$short --set ast.epochs=1 --set ast.teacher_hidden=8 "
        "--set ast.student_hidden=8\" ;; esac\n"
        "case \"$*\" in *'-c dsr '*) short=\"$short --set dsr.steps=1 --set dsr.codebook_steps=1 --set "
        "dsr.channels=8 --set "
        "dsr.codes=16 --set dsr.unet=4 --set dsr.batch=1 --set dsr.codebook_batch=1\" ;; esac\n"
        "case \"$*\" in *'-c gcad '*) short=\"$short --set gcad.epochs=1 --set gcad.fields=33 --set "
        "gcad.unet=2 "
        "--set gcad.width=4 --set student_teacher.teacher_steps=1 --set student_teacher.teacher_batch=2\" ;; "
        "esac\n"
        "case \"$*\" in\n"
        "train*-c*|train*--resume*|sweep*) set -- \"$@\" $short ;;\n"
        "train*) set -- \"$@\" -c short.yaml ;;\n"
        "distill*) set -- \"$@\" --set model.image_size=64 --set distill.steps=1 --set distill.batch=1 ;;\n"
        "bench*) set -- \"$@\" -n 1 --image-size 64 ;;\n"
        "esac\n"
        "exec \"$REAL_PROGRAM\" \"$@\"\n");
    shell_ok("chmod +x " S "build/efficientad");
    shell_ok("sed -n '/^```yaml/,/^```/p' docs/sweeps.md | grep -v '^```' >" S "hard.yaml");
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

/* What cannot run here, or must not; but the files of ours that it names must be there. */
static bool only_named(const char *command) {
    static const char *const begins[] = {"sudo ",  "sbatch ", "PARTS=", "parallel ", "mpirun ",
                                         "bench/", "PYTHON=", "cc ",    "pip "};
    for (int i = 0; i < COUNT(begins); i++)
        if (!strncmp(command, begins[i], strlen(begins[i]))) return true;
    return strstr(command, "--device cuda") != NULL;
}

static void check_named_files(const char *document, const char *command) {
    char copy[COMMAND_SIZE], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", command);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        if (!strncmp(word, "configs/", 8) || !strncmp(word, "bench/", 6))
            ck_assert_msg(exists(word), "%s: %s: no file %s", document, command, word);
}

static void run_command(const char *document, const char *command) {
    char line[2 * COMMAND_SIZE];
    if (only_named(command)) {
        check_named_files(document, command);
        return;
    }
    if (!strncmp(command, "make", 4))
        snprintf(line, sizeof line, "make -n PACKAGES_CHECKED=1 CUDA=0 %s >/dev/null 2>" S "err",
                 command + 4);
    else
        snprintf(line, sizeof line, "export REAL_PROGRAM=$(realpath $PROGRAM); cd " S " && (%s) >out 2>err",
                 command);
    int code = shell(line), expected = strstr(command, "paper/") && strstr(command, "--dry-run");
    commands_run++;
    char *said = read_text(S "err"); /* the paper's data sets are not here, as a dry run says */
    ck_assert_msg(code == expected, "%s: exit code %d of: %s\n%s", document, code, command, said);
    free(said);
}

/* Runs a document's indented lines outside of fences, those that a backslash joins as one; what follows "  #" is a remark. */
static void run_document(const char *document) {
    char *text = read_text(document), *rest = NULL, command[COMMAND_SIZE] = "";
    bool fenced = false;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (!strncmp(line, "```", 3)) fenced = !fenced;
        if (fenced || strncmp(line, "    ", 4)) continue;
        char *remark = strstr(line, "  #");
        if (remark) *remark = 0;
        line += strspn(line, " ");
        size_t used = strlen(command), length = strcspn(line, "\\");
        snprintf(command + used, sizeof command - used, "%.*s", (int)length, line);
        if (line[length]) continue;
        run_command(document, command);
        command[0] = 0;
    }
    free(text);
}

START_TEST(every_command_runs) {
    NEED_PROGRAM();
    for (int i = 0; i < COUNT(documents); i++) {
        shell_ok("rm -rf " S "runs/mine"); /* several begin with it */
        run_document(documents[i]);
    }
    ck_assert_int_eq(files_in("docs") + 1, COUNT(documents));
    ck_assert(exists(S "runs/hard/no_hard_loss/mvtec_ad/cable/seed-3/model.safetensors"));
    ck_assert_int_ge(commands_run, 25);
}
END_TEST

START_TEST(the_example_in_c_compiles) {
    shell_ok("mkdir -p " S " && sed -n '/^```c$/,/^```/p' docs/library.md | grep -v '^```' >" S "example.c"
             " && cc -Imodels -Wall -Wextra -Werror -fsyntax-only " S "example.c");
}
END_TEST

/* Keys of the config and options, wherever they stand in the documents. */
START_TEST(keys_and_options_exist) {
    NEED_PROGRAM();
    shell_ok("$PROGRAM --help-config >" S "keys; $PROGRAM --help-man >" S "manual");
    shell_ok(
        "for key in $(grep -ohE "
        "'(dataset|model|loss|penalty|maps|patchcore|threshold|train|distill|eval|score|tiles)\\.[a-z_]+' "
        "README.md docs/*.md | grep -vE '\\.(md|safetensors|onnx|c|h|csv|yaml|sbatch)$' | sort -u); do"
        " grep -q \"^  ${key#*.}:\" " S "keys || { echo no key $key >&2; exit 1; }; done");
    shell_ok("for option in $(grep -ohE -e '`--[a-z-]+' README.md docs/*.md | tr -d '`' | sort -u); do"
             " sed 's/\\\\-/-/g' " S
             "manual | grep -q -e \"$option\\b\" || { echo no option $option >&2; exit 1; }; done");
}
END_TEST

START_TEST(links_lead_somewhere) {
    shell_ok("for document in README.md docs/*.md; do"
             " for link in $(grep -oE '\\]\\([^)#]+' $document | cut -c3- | grep -v '^http'); do"
             " test -e $(dirname $document)/$link || { echo $document: no $link >&2; exit 1; }; done; done");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, every_command_runs);
    tcase_add_test(tests, the_example_in_c_compiles);
    tcase_add_test(tests, keys_and_options_exist);
    tcase_add_test(tests, links_lead_somewhere);
}

int main(void) {
    return run_program_suite("docs", S, make_scene, remove_scene, add_tests);
}
