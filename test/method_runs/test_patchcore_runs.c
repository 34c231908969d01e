/* PatchCore as its user runs it: fitted without steps, evaluated, added to later, and refused where it cannot be. */
#define S "build/scratch/test_patchcore_runs/"
#include "core/system/machine.h"
#include "test/support/method_scene.h"

enum { POSITIONS = 16 * 16 };

static void make_scene(void) {
    if (!make_method_scene(6, "model: {method: patchcore, image_size: 128, backbone: pdn_small}\n"
                              "patchcore: {width: 64, coreset_ratio: 0.05}\n"))
        return;
    run_well("synth --output " S
             "more --category gasket --size 128 --train 3 --test-good 2 --test-defect 1 --seed 9");
    run_well(TRAIN "first");
}

/* The bank of a model file has so many rows, of so many images. */
static void check_bank(const char *path, int64_t rows, int64_t images) {
    EadSafetensors *file;
    ASSERT_OK(ead_safetensors_open(path, &file));
    ck_assert_str_eq(ead_safetensors_metadata(file, "method"), "patchcore");
    ck_assert_int_eq(ead_safetensors_find(file, "bank")->shape[0], rows);
    ck_assert_int_eq(ead_safetensors_find(file, "images")->count, images);
    ead_safetensors_close(file);
}

START_TEST(fits_evaluates_and_predicts) {
    Outcome outcome;
    NEED_PROGRAM();
    check_bank(S "first/model.safetensors", 5 * POSITIONS / 20, 5); /* one of six is held back */
    ck_assert(exists(S "first/metrics.json") && exists(S "first/report.html") &&
              !exists(S "first/losses.csv"));
    shell_ok("ls " S "first/events.out.tfevents.*"); /* maps alone: there are no losses */
    assert_file_holds(S "first/report.html",
                      "PatchCore at 128x128, bank of 64 patches of pdn_small's stride8");
    check_use("first", &outcome);
    run_well(TRAIN "again --threads 3");
    ck_assert(same_tensors(S "first/model.safetensors", S "again/model.safetensors"));
}
END_TEST

START_TEST(a_bank_of_one_patch_is_told) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "lone --set patchcore.coreset_ratio=0.001", 0, &outcome); /* of 1,280 patches */
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "the bank will have one patch, with which all others are compared; raise "
                                 "patchcore.coreset_ratio (now 0.001)");
    check_bank(S "lone/model.safetensors", 1, 5);
    run(TRAIN "pair --set patchcore.coreset_ratio=0.002", 0, &outcome);
    ck_assert(outcome.code == 0 && !strstr(outcome.err, "one patch"));
}
END_TEST

/* The bank is counted before it is filled: nothing is made. */
START_TEST(room_for_the_bank_is_asked_for_first) {
    char line[1024], err[TEXT_SIZE];
    NEED_PROGRAM();
    snprintf(line, sizeof line,
             "exec prlimit --fsize=$(($(stat -c %%s " S "first/model.safetensors) + 100000)) %s " TRAIN
             "full --set patchcore.coreset_ratio=1 2>" S "err",
             getenv("PROGRAM"));
    ck_assert_int_eq(shell(line), 1); /* 1,216 more rows of 64 floats: 311,296 bytes */
    read_into(S "err", err);
    assert_contains(err, "full/checkpoint.safetensors: cannot write: it takes ");
    ck_assert(!exists(S "full"));
}
END_TEST

START_TEST(images_are_added_later) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("cp -r " S "first " S "grown");
    run("train -q --resume --output " S "grown", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "going on from the finished fit in " S "grown/");
    ck_assert(same_tensors(S "first/model.safetensors", S "grown/model.safetensors"));
    run("train -q --resume --output " S "grown --set patchcore.add=" S "more/gasket/train/good", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "the bank has 102 patches, 38 of them new, of 2048 in 8 images");
    check_bank(S "grown/model.safetensors", 8 * POSITIONS / 20, 8);
    check_bank(S "grown/checkpoint.safetensors", 8 * POSITIONS / 20, 8);
    shell_ok("cp -r " S "first " S "model_alone && rm " S "model_alone/checkpoint.safetensors");
    run("train -q --resume --output " S "model_alone --set train.keep=model --set patchcore.add=" S
        "more/gasket/train/good",
        0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "the bank has 102 patches, 38 of them new, of 2048 in 8 images");
    ck_assert(same_tensors(S "grown/model.safetensors", S "model_alone/model.safetensors"));
    ck_assert(!exists(S "model_alone/checkpoint.safetensors"));
    run("train -q --resume --output " S "grown", 0, &outcome); /* the folder's config names them now */
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "3 of 3 images are in the bank already");
    check_bank(S "grown/model.safetensors", 8 * POSITIONS / 20, 8);
    shell_ok("cp -r " S "first " S "late && cp " S "more/gasket/train/good/000.png " S
             "data/gasket/train/good/new.png");
    run("train -q --resume --output " S "late", 0, &outcome); /* not by name: the split is another one now */
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "training images are not in the finished bank and are left out");
    check_bank(S "late/model.safetensors", 5 * POSITIONS / 20, 5);
    shell_ok("rm " S "data/gasket/train/good/new.png");
}
END_TEST

/* Of a model of a method that only looks through it, import takes the network, and says so. */
START_TEST(its_network_alone_is_imported) {
    Outcome outcome;
    NEED_PROGRAM();
    run("import " S "first/model.safetensors --output " S "taken.safetensors", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err,
                    S "first/model.safetensors: is a model of the method patchcore; only the network "
                      "that it looks through is taken\n");
    assert_contains(outcome.err, "not used: bank [");
    run("import models/weights/teacher_small.safetensors --output " S "taken2.safetensors", 0, &outcome);
    ck_assert(outcome.code == 0 && !strstr(outcome.err, "is a model of"));
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set model.backbone=" S "no.safetensors", "model.backbone"},
        {"--set model.backbone=wide_resnet50_2",
         "model.backbone: wide_resnet50_2 does not come with the program; make it of its publisher's file"},
        {"--set model.backbone=" S "first/model.safetensors", "model.backbone: "},
        {"--set patchcore.layers=layer2",
         "patchcore.layers: 'layer2' names features that pdn_small does not have"},
        {"--set patchcore.layers=stride8,stride8", "patchcore.layers: 'stride8,stride8' names stride8 twice"},
        {"--set patchcore.coreset_ratio=0.0005", "the bank has 0 patches, fewer than patchcore.neighbours "
                                                 "(1); raise patchcore.coreset_ratio (now 0.0005)"},
        {"--set patchcore.coreset_ratio=0.001 --set patchcore.neighbours=3",
         "the bank has 1 patch, fewer than patchcore.neighbours (3)"},
        {"--set patchcore.reweight=1", "patchcore.reweight: one neighbour leaves nothing to weigh against"},
        {"--set patchcore.coreset_ratio=0.001 --set patchcore.reweight=9",
         "the bank has 1 patch, fewer than patchcore.reweight (9)"},
        {"--set patchcore.add=" S "eval/none", "patchcore.add"},
        {"--set patchcore.add=" S "data/gasket/test/good",
         "is both one of patchcore.add and a test image; it takes good images that the data set does not "
         "have"},
        {"--set dataset.strict=true --set patchcore.add=" S "hidden",
         "dataset.strict: 1 picture is left out, see above"},
        {"--set dataset.strict=true --set patchcore.add=" S "copies",
         "dataset.strict: 1 of 1 images of patchcore.add have the same bytes as one of the data set: " S
         "copies/x.png (" S "data/gasket/test/good/000.png)"},
        {"--set dataset.strict=true --set patchcore.add=" S "spoiled",
         "dataset.strict: 1 of 2 images of patchcore.add have the same bytes as one of the data set: " S
         "spoiled/x.png (" S "data/gasket/test/scratch/000.png)"},
        {"--set model.method=efficientad --set loss.penalty=false --set model.teacher=" S
         "first/model.safetensors",
         "is of the method patchcore, not a teacher"},
        {"--set model.method=efficientad --set loss.penalty=false --set model.init=" S
         "first/checkpoint.safetensors",
         "is of the method patchcore, not a model to start from"},
    };
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("mkdir -p " S "spoiled && cp " S "data/gasket/test/scratch/000.png " S "spoiled/x.png && cp " S
             "more/gasket/train/good/000.png " S "spoiled/y.png");
    shell_ok("mkdir -p " S "copies && cp " S "data/gasket/test/good/000.png " S "copies/x.png && cp -r " S
             "more/gasket/train/good " S "hidden && cp " S "copies/x.png " S "hidden/.x.png");
    check_refused(refused, COUNT(refused));
    if (ead_machine_available() <
        80 * (size_t)1000000000) { /* 86 GB of patches; found before an image is read */
        run(TRAIN "wrong --set model.image_size=2048 --set patchcore.width=65536", 0, &outcome);
        ck_assert_int_eq(outcome.code, 1);
        assert_contains(outcome.err, "327680 patches of 65536 numbers, of which the bank keeps 16384, take");
        assert_contains(outcome.err,
                        "MB are free; lower patchcore.width or model.image_size, or take fewer images");
        ck_assert(!exists(S "wrong"));
    }
    check_fails("train -q --resume --output " S "first --set model.backbone=pdn_medium", "model.backbone");
}
END_TEST

/* One good image cannot be split; of two, one fills the bank. Images of any sizes go together. */
START_TEST(few_images_and_any_sizes) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("mkdir -p " S "few/train && cp " S "data/gasket/train/good/000.png " S "few/train");
    run("train -q --set model.method=patchcore --set dataset.type=folder --set dataset.path=" S
        "few --output " S "wrong",
        0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err,
                    "000.png: the only normal image; one to train on and one for validation is the least");
    ck_assert(!exists(S "wrong"));
    shell_ok("cp " S "data/gasket/train/good/001.png " S "few/train");
    run("train -q --set model.method=patchcore --set model.image_size=128 --set patchcore.coreset_ratio=1 "
        "--set "
        "dataset.type=folder --set dataset.path=" S "few --output " S "two",
        0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    check_bank(S "two/model.safetensors", POSITIONS, 1);
    run_well("synth --output " S
             "large --category gasket --size 160 --train 3 --test-good 2 --test-defect 1");
    shell_ok("cp -r " S "data " S "mixed && cp " S "large/gasket/train/good/002.png " S
             "mixed/gasket/train/good/large.png && cp " S "large/gasket/test/good/001.png " S
             "mixed/gasket/test/good/large.png");
    run_well(TRAIN "sizes --set dataset.path=" S "mixed --set dataset.cache=" S
                   "mixed_cache --set eval.maps=true");
    check_bank(S "sizes/model.safetensors", 6 * POSITIONS / 20, 6);
    ck_assert(exists(S "sizes/maps/good/large.tiff") && exists(S "sizes/metrics.json"));
}
END_TEST

/* Patches that fit once, but not a second time as the bank: told before any image is read. */
START_TEST(a_bank_without_room_is_told) {
    enum { SIDE = 256, IMAGES = 5 }; /* of 1,024 pixels, at stride 4 */
    char words[512];
    Outcome outcome;
    NEED_PROGRAM();
    double bytes = 0.7 * (double)ead_machine_available(), width = bytes / ((double)SIDE * SIDE * IMAGES * 4);
    SKIP_UNLESS(width < 65536, "there is memory enough");
    snprintf(
        words, sizeof words,
        TRAIN
        "wrong --set model.image_size=1024 --set patchcore.layers=stride4 --set patchcore.width=%d --set "
        "patchcore.coreset_ratio=1",
        (int)width);
    run(words, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "327680 patches of ");
    assert_contains(outcome.err, "of which the bank keeps 327680, take ");
    assert_contains(outcome.err, "MB are free; lower patchcore.coreset_ratio\n");
    ck_assert(!exists(S "wrong"));
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, fits_evaluates_and_predicts);
    tcase_add_test(tests, room_for_the_bank_is_asked_for_first);
    tcase_add_test(tests, a_bank_of_one_patch_is_told);
    tcase_add_test(tests, images_are_added_later);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, its_network_alone_is_imported);
    tcase_add_test(tests, few_images_and_any_sizes);
    tcase_add_test(tests, a_bank_without_room_is_told);
}

int main(void) {
    return run_program_suite("patchcore_runs", S, make_scene, remove_scene, add_tests);
}
