/* roi.box and roi.mask as a user sets them: whatever lies outside moves no tensor of a training, no map and no score of any
 * method, and is in no figure. */
#define S "build/scratch/test_regions/"
#include "test/support/sample_models.h"
#include "test/support/runs.h"

#define ROI   " --set roi.box=3,2,56,60 --set roi.mask=" S "mask.png"
#define SHORT " --set train.steps=2 --set simplenet.epochs=1 --set fastflow.epochs=1 --set ast.epochs=1"

enum { SIDE = 64 };

static bool is_inside(int x, int y) {
    return (x - 30) * (x - 30) + (y - 35) * (y - 35) < 22 * 22 && x >= 3 && y >= 2;
}

/* All pictures below `from` once more below `to`, with noise outside. */
static void change_outside(const char *from, const char *to) {
    EadStringList files = {0};
    uint8_t noise[SIDE * SIDE * 3];
    ASSERT_OK(ead_list_images(&files, from, NULL));
    ck_assert_int_gt(files.count, 0);
    for (int i = 0; i < files.count; i++) {
        EadImage image;
        char path[512];
        ASSERT_OK(ead_image_load(files.items[i], &image));
        fill_noise(noise, sizeof noise, (uint32_t)i);
        for (int p = 0; p < SIDE * SIDE; p++)
            if (!is_inside(p % SIDE, p / SIDE)) memcpy(image.pixels + 3 * p, noise + 3 * p, 3);
        snprintf(path, sizeof path, "%s%s", to, files.items[i] + strlen(from));
        make_folders(path);
        ASSERT_OK(ead_png_write(path, &image));
        ead_image_free(&image);
    }
    ead_strings_free(&files);
}

static void make_scene(void) {
    EadImage mask;
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    fill_image(&mask, SIDE, SIDE, 1, 0);
    for (int p = 0; p < SIDE * SIDE; p++) mask.pixels[p] = is_inside(p % SIDE, p / SIDE) ? 200 : 0;
    ASSERT_OK(ead_png_write(S "mask.png", &mask));
    fill_image(&mask, SIDE, SIDE / 2, 1, 255);
    ASSERT_OK(ead_png_write(S "low.png", &mask));
    ead_image_free(&mask);
    fill_image(&mask, SIDE, SIDE, 1, 255);
    ASSERT_OK(ead_png_write(S "full.png", &mask));
    memset(mask.pixels, 0, SIDE * SIDE);
    ASSERT_OK(ead_png_write(S "empty.png", &mask));
    ead_image_free(&mask);
    draw_parts(S "a", "--size 64 --train 5 --test-good 2 --test-defect 1 --textures 3",
               "doubled scratch swapped");
    change_outside(S "a/gasket/train", S "b/gasket/train");
    change_outside(S "a/gasket/test", S "b/gasket/test");
    shell_ok("cp -r " S "a/gasket/ground_truth " S "b/gasket/");
    for (const char *c = "ab"; *c; c++) {
        char path[64], text[512];
        snprintf(path, sizeof path, S "%c.yaml", *c);
        snprintf(text, sizeof text,
                 "dataset: {path: " S "%c, category: gasket}\nmodel.image_size: 64\npenalty.path: " S
                 "a/textures\ntrain: {lr_drop_at: 1, tensorboard: false}\npatchcore: {width: 64, "
                 "coreset_ratio: 0.05}\n"
                 "simplenet: {width: 32, hidden: 16}\nfastflow: {couplings: 2}\nast: {teacher_hidden: 16, "
                 "student_hidden: 16}\n",
                 *c);
        write_text(path, text);
    }
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

static void run_format(const char *format, const char *a, const char *b) {
    char words[1024];
    snprintf(words, sizeof words, format, a, b, a, b);
    run_well(words);
}

static const char *const methods[][2] = {
    {"efficientad", ""},
    {"efficientad", "--set loss.hard_quantile=0 --set model.padding=true --set maps.normalization=gaussian"},
    {"patchcore", "--set patchcore.reweight=3"},
    {"patchcore_ensemble", "--set 'patchcore_ensemble.members=[{model.backbone: pdn_small}, {model.backbone: "
                           "pdn_small, patchcore.width: 32}]'"},
    {"simplenet", ""},
    {"fastflow", ""},
    {"ast", ""},
    {"dsr", "--set dsr.channels=8 --set dsr.codes=16 --set dsr.unet=4 --set dsr.batch=1 --set "
            "dsr.codebook_batch=1 --set "
            "dsr.codebook_steps=1 --set dsr.steps=1 --set dsr.images=" S "a/textures"},
    {"gcad", "--set gcad.fields=33 --set gcad.unet=2 --set gcad.width=4 --set gcad.epochs=1 --set "
             "student_teacher.teacher_steps=1 --set student_teacher.teacher_batch=2 --set "
             "student_teacher.images=" S "a/textures"},
    {"student_teacher", "--set student_teacher.fields=33 --set student_teacher.students=1 --set "
                        "student_teacher.teacher_steps=1 --set student_teacher.teacher_batch=2 --set "
                        "student_teacher.images=" S "a/textures --set student_teacher.epochs=1"}};

/* Of methods that judge by the network's own score, too: a call's region is inside of the file's, and then it is gone. */
static void check_region_of_a_call(void) {
    EadDetector *detector;
    uint8_t rgb[SIDE * SIDE * 3], mask[SIDE * SIDE];
    float scores[4], other;
    EadImageView view = {
        .size = sizeof view, .pixels = rgb, .width = SIDE, .height = SIDE, .stride = 3 * SIDE};
    EadRunOptions region = {.size = sizeof region, .mask = mask, .mask_width = SIDE, .mask_height = SIDE};
    ASSERT_OK((EadStatus)ead_detector_open(S "run_a/model.safetensors", &detector));
    fill_noise(rgb, sizeof rgb, 3);
    for (int p = 0; p < SIDE * SIDE; p++) mask[p] = p / SIDE < 35;
    for (int i = 0; i < 4; i++) {
        const EadRunOptions *options = i % 2 ? &region : NULL;
        ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, options, NULL, &scores[i]));
    }
    ck_assert(scores[0] == scores[2] && scores[1] == scores[3] && scores[0] != scores[1]);
    for (int p = 0; p < SIDE * SIDE; p++)
        if (!mask[p]) memset(rgb + 3 * p, p % 251, 3);
    ASSERT_OK((EadStatus)ead_detector_run_images(detector, &view, 1, &region, NULL, &other));
    ck_assert_float_eq(other, scores[1]);
    ead_detector_close(detector);
}

START_TEST(what_is_outside_moves_nothing) {
    const char *method = methods[_i][0], *settings = methods[_i][1];
    NEED_PROGRAM();
    shell_ok("rm -rf " S "run_a " S "run_b " S "maps_a " S "maps_b");
    run_format("train -q -c " S "a.yaml --output " S "run_a --set model.method=%s %s" ROI SHORT, method,
               settings);
    run_format("train -q -c " S "b.yaml --output " S "run_b --set model.method=%s %s" ROI SHORT, method,
               settings);
    ck_assert(same_tensors(S "run_a/model.safetensors", S "run_b/model.safetensors"));
    ck_assert(same_files(S "run_a/metrics.json", S "run_b/metrics.json"));
    shell_ok("for r in a b; do sed s,test_regions/$r/,x, " S "run_$r/scores.csv >" S "scores_$r; done; cmp " S
             "scores_a " S "scores_b");
    run_format("predict -q --model " S "run_a/model.safetensors --maps " S "maps_a " S "%s/gasket/test", "a",
               "");
    run_format("predict -q --model " S "run_a/model.safetensors --maps " S "maps_b " S "%s/gasket/test", "b",
               "");
    shell_ok("diff -r " S "maps_a " S "maps_b && test $(find " S "maps_a -name '*.tiff' | wc -l) -gt 2");
    check_region_of_a_call();
}
END_TEST

/* The library takes the region from the file; outside, the map has its lowest inside value. */
START_TEST(the_library_inspects_the_same) {
    EadDetector *detector;
    uint8_t rgb[SIDE * SIDE * 3], small[3] = {0};
    float *map = malloc(SIDE * SIDE * sizeof *map), *other = malloc(SIDE * SIDE * sizeof *map), score, second;
    NEED_PROGRAM();
    run_well("train -q -c " S "a.yaml --output " S "library" ROI SHORT);
    ASSERT_OK((EadStatus)ead_detector_open(S "library/model.safetensors", &detector));
    ck_assert_str_eq(ead_detector_metadata(detector, "roi_box"), "3,2,56,60");
    fill_noise(rgb, sizeof rgb, 3);
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, SIDE, SIDE, 3 * SIDE, map, &score));
    ck_assert_float_eq(score, largest(map, SIDE * SIDE));
    float least = map[0];
    for (int p = 0; p < SIDE * SIDE; p++) least = map[p] < least ? map[p] : least;
    for (int x = 0; x < SIDE; x++) ck_assert(map[x] == least && map[(SIDE - 1) * SIDE + x] == least);
    for (int p = 0; p < SIDE * SIDE; p++)
        if (!is_inside(p % SIDE, p / SIDE)) memset(rgb + 3 * p, p % 251, 3);
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, SIDE, SIDE, 3 * SIDE, other, &second));
    ck_assert_float_eq(score, second);
    ck_assert_mem_eq(map, other, SIDE * SIDE * sizeof *map);
    memset(rgb + 3 * (35 * SIDE + 30), 0, 30);
    ASSERT_OK((EadStatus)ead_detector_run(detector, rgb, SIDE, SIDE, 3 * SIDE, other, &second));
    ck_assert_mem_ne(map, other, SIDE * SIDE * sizeof *map);
    ASSERT_FAILS((EadStatus)ead_detector_run(detector, small, 1, 1, 3, NULL, &score), EAD_BAD_SHAPE,
                 "is for images of 64 x 64, the size of its mask");
    ead_detector_close(detector);
    free(map);
    free(other);
}
END_TEST

/* Each in one line, before a folder is made. */
START_TEST(regions_that_do_not_fit) {
    static const char *const wrong[][2] = {
        {"roi.box=1,2,3", "roi.box: '1,2,3' is no box; it must be x,y,width,height in pixels"},
        {"roi.box=50,0,15,10",
         "roi.box: " S "a/gasket/train/good/000.png: an image of 64 x 64 pixels does not hold"},
        {"roi.mask=" S "low.png",
         "an image of 64 x 64 pixels; the region of interest is for images of 64 x 32"},
        {"roi.mask=" S "empty.png", "roi.mask: " S "empty.png: nothing is inside"},
        {"roi.mask=" S "none.png", "roi.mask: cannot read " S "none.png: "},
        {"roi.mask=" S "mask.png --set roi.box=0,0,9,9", "nothing is inside of mask and box"}};
    NEED_PROGRAM();
    for (int i = 0; i < COUNT(wrong); i++) {
        char words[512];
        Outcome outcome;
        snprintf(words, sizeof words, "train -q -c " S "a.yaml --output " S "wrong --set %s", wrong[i][0]);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code != 0 && outcome.complaints == 1, "%s: %s", wrong[i][0], outcome.err);
        assert_contains(outcome.err, wrong[i][1]);
        ck_assert(!exists(S "wrong"));
    }
}
END_TEST

/* A box and a mask that are wrong by themselves are told together; before a sweep, what does not fit its images, too. */
START_TEST(all_that_is_wrong_with_regions_is_told) {
    static const char *const told[] = {
        "dry.yaml: none/synth/gasket/seed-1: roi.mask: cannot read " S "none.png: ",
        "dry.yaml: low/synth/gasket/seed-1: roi.mask: " S "a/gasket/train/good/000.png: an image of 64 x 64",
        "dry.yaml: away/synth/gasket/seed-1: roi.box: " S "a/gasket/train/good/000.png: an image of 64 x 64"};
    Outcome outcome;
    NEED_PROGRAM();
    run("train -q -c " S "a.yaml --output " S "wrong --set roi.box=1,2,3 --set roi.mask=" S "empty.png", 0,
        &outcome);
    assert_contains(outcome.err, "roi.box: '1,2,3' is no box");
    assert_contains(outcome.err, "roi.mask: " S "empty.png: nothing is inside");
    write_text(S "dry.yaml", "output: " S "dry\n"
                             "config: {loss.penalty: false, model.image_size: 64, train.steps: 3}\n"
                             "collections: {synth: {categories: [gasket], config: {dataset.path: " S "a}}}\n"
                             "variants: {none: {roi.mask: " S "none.png}, low: {roi.mask: " S
                             "low.png}, away: {roi.box: '50,0,15,10'}}\n");
    run("sweep --dry-run " S "dry.yaml", 0, &outcome);
    for (int i = 0; i < COUNT(told); i++) assert_contains(outcome.err, told[i]);
    shell_ok("sed -i s,low.png,empty.png, " S "dry.yaml");
    run("sweep --dry-run " S "dry.yaml", 0, &outcome);
    ck_assert_int_ne(outcome.code, 0); /* whatever the images are */
    assert_contains(outcome.err, "low/synth/gasket/seed-1: roi.mask: " S "empty.png: nothing is inside");
}
END_TEST

/* What can be trained on, and makes no sense. */
START_TEST(regions_without_content_are_told) {
    Outcome outcome;
    NEED_PROGRAM();
    run("train -q -c " S "a.yaml --output " S "dot --set roi.box=3,3,1,1" SHORT, 0, &outcome);
    assert_contains(outcome.err, "warning: 4 images with one value in all of the region of interest");
    run("train -q -c " S "a.yaml --output " S "full --set roi.mask=" S "full.png" SHORT, 0, &outcome);
    assert_contains(outcome.err, "warning: roi.mask: " S "full.png leaves nothing out");
}
END_TEST

/* An image that the region is not for is in no figure, and named; the others are measured, and drawn while the steps go on. */
START_TEST(test_images_of_another_size_are_left_out) {
    static const char *const regions[] = {" --set roi.mask=" S "mask.png", " --set roi.box=3,2,56,60"};
    Outcome outcome;
    EadImage small;
    char words[512];
    NEED_PROGRAM();
    shell_ok("rm -rf " S "sizes && cp -r " S "a " S "sizes");
    fill_image(&small, 50, 50, 3, 90);
    ASSERT_OK(ead_png_write(S "sizes/gasket/test/blob/000.png", &small));
    ead_image_free(&small);
    for (int i = 0; i < COUNT(regions); i++) {
        shell_ok("rm -rf " S "sized");
        snprintf(words, sizeof words,
                 "train -q -c " S "a.yaml --set dataset.path=" S
                 "sizes --set train.tensorboard=true --output " S "sized%s" SHORT,
                 regions[i]);
        for (int pass = 0; pass < 2; pass++) {
            run(words, 0, &outcome);
            ck_assert_msg(outcome.code != 0 && outcome.complaints == 1, "%s: %s", words, outcome.err);
            assert_contains(outcome.err, "1 test images could not be scored and are in no figure: " S
                                         "sizes/gasket/test/blob/000.png: an image of 50 x 50 pixels");
            ck_assert(exists(S "sized/metrics.json") && exists(S "sized/report.html"));
            shell_ok("rm " S "sized/metrics.json");
            snprintf(words, sizeof words, "eval -q --model " S "sized/model.safetensors");
        }
    }
}
END_TEST

/* The config names the mask; what its file holds is compared. */
START_TEST(a_run_goes_on_with_its_mask_alone) {
    static const char go_on[] =
        "train -q --resume --output " S "resumed --set train.steps=3 --set train.lr_drop_at=1";
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("cp " S "mask.png " S "now.png");
    run_well("train -q -c " S "a.yaml --output " S "resumed --set train.keep=all --set roi.mask=" S
             "now.png" SHORT);
    shell_ok("cp " S "full.png " S "now.png");
    run(go_on, 0, &outcome);
    ck_assert_msg(outcome.code != 0 && outcome.complaints == 1, "%s", outcome.err);
    assert_contains(outcome.err, "resumed/checkpoint.safetensors: was made with another region of interest; "
                                 "roi.mask, " S "now.png, has changed; change it back");
    shell_ok("cp " S "mask.png " S "now.png");
    run_well(go_on);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_loop_test(tests, what_is_outside_moves_nothing, 0, COUNT(methods));
    tcase_add_test(tests, the_library_inspects_the_same);
    tcase_add_test(tests, regions_that_do_not_fit);
    tcase_add_test(tests, all_that_is_wrong_with_regions_is_told);
    tcase_add_test(tests, regions_without_content_are_told);
    tcase_add_test(tests, test_images_of_another_size_are_left_out);
    tcase_add_test(tests, a_run_goes_on_with_its_mask_alone);
}

int main(void) {
    return run_program_suite("regions", S, make_scene, remove_scene, add_tests);
}
