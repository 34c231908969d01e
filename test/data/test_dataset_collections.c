/* MVTec LOCO and VisA in both its layouts, made here with several channels and both kinds of anomalies, and
 * what can be wrong with each. */
#include "data/dataset/dataset.h"

#include "core/base/paths.h"
#include "test/support/scratch.h"

#include <sys/wait.h>
#include <unistd.h>

#define SCRATCH "build/scratch/dataset_collections/"
#define LOCO    SCRATCH "loco/box/"
#define VISA    SCRATCH "visa/"

enum { WIDTH = 12, HEIGHT = 10 };

static void write_image(const char *path) {
    write_noise_png(path, WIDTH, HEIGHT, 3, fnv((const uint8_t *)path, strlen(path)));
}

/* A channel with the columns first .. last-1 set to a pixel value. */
static void write_channel(const char *path, int value, int first, int last) {
    EadImage mask;
    make_folders(path);
    ASSERT_OK(ead_image_alloc(&mask, WIDTH, HEIGHT, 1));
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        mask.pixels[i] = (uint8_t)(i % WIDTH >= first && i % WIDTH < last ? value : 0);
    ASSERT_OK(ead_png_write(path, &mask));
    ead_image_free(&mask);
}

static void make_loco(void) {
    ck_assert_int_eq(system("rm -rf " SCRATCH "loco"), 0);
    write_image(LOCO "train/good/000.png");
    write_image(LOCO "train/good/001.png");
    write_image(LOCO "train/good/002.png");
    write_image(LOCO "validation/good/000.png");
    write_image(LOCO "test/good/000.png");
    write_image(LOCO "test/logical_anomalies/000.png");
    write_image(LOCO "test/structural_anomalies/000.png");
    write_channel(LOCO "ground_truth/logical_anomalies/000/000.png", 255, 0, 4);
    write_channel(LOCO "ground_truth/logical_anomalies/000/001.png", 254, 3, 8);
    write_channel(LOCO "ground_truth/structural_anomalies/000/000.png", 253, 5, 6);
    write_text(LOCO "defects_config.json",
               "[{\"defect_name\": \"missing\", \"pixel_value\": 255, \"saturation_threshold\": 25, "
               "\"relative_saturation\": false},\n"
               "{\"defect_name\": \"twice\", \"pixel_value\": 254, \"saturation_threshold\": 0.5, "
               "\"relative_saturation\": true},\n"
               "{\"defect_name\": \"twice\", \"pixel_value\": 253, \"saturation_threshold\": 400, "
               "\"relative_saturation\": false}]");
}

static EadDatasetSpec loco(void) {
    return (EadDatasetSpec){
        .type = "mvtec_loco", .path = SCRATCH "loco", .category = "box", .validation_fraction = 0.1};
}

/* Opens a layout in order, with so many images to train, validate and test with. */
static void open_well(EadDatasetSpec spec, int train, int validation, int test, EadDataset *dataset) {
    ASSERT_OK(ead_dataset_open(&spec, dataset));
    ck_assert_int_eq(dataset->train.count, train);
    ck_assert_int_eq(dataset->validation.count, validation);
    ck_assert_int_eq(dataset->test_count, test);
    ASSERT_OK(ead_dataset_check_tests(dataset, NULL, false));
}

START_TEST(loco_layout) {
    EadDataset dataset;
    EadGroundTruth truth;
    make_loco();
    open_well(loco(), 3, 1, 3, &dataset);
    ck_assert(dataset.has_masks && dataset.types->count == 3);
    ck_assert_str_eq(dataset.test[1].defect, "logical_anomalies");
    ck_assert_str_eq(dataset.test[2].defect, "structural_anomalies");
    ASSERT_OK(ead_test_sample_truth(&dataset.test[1], WIDTH, HEIGHT, NULL, &truth));
    ck_assert_int_eq(truth.channel_count, 2);
    ck_assert(truth.types == dataset.types && truth.channels[0].type == 0 && truth.channels[1].type == 1);
    ck_assert_int_eq(truth.channels[0].saturation, 25);             /* of 40 pixels */
    ck_assert_int_eq(truth.channels[1].saturation, 5 * HEIGHT / 2); /* half of 50 */
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        ck_assert_int_eq(truth.mask.pixels[i], i % WIDTH < 8 ? 255 : 0);
        ck_assert_int_eq(truth.channels[0].mask[i], i % WIDTH < 4 ? 255 : 0);
    }
    ead_ground_truth_free(&truth);
    ASSERT_OK(ead_test_sample_truth(&dataset.test[2], WIDTH, HEIGHT, NULL, &truth));
    ck_assert(truth.channel_count == 1 && truth.channels[0].saturation == HEIGHT); /* all there is */
    ck_assert_int_eq(truth.channels[0].type, 1); /* another pixel value of the same name */
    ead_ground_truth_free(&truth);
    ead_dataset_free(&dataset);
}
END_TEST

/* Opens and checks the masks, as training does before it begins; the first error of both. */
static EadStatus open_and_check(EadDatasetSpec spec) {
    EadDataset dataset;
    EAD_TRY(ead_dataset_open(&spec, &dataset));
    EadStatus status = ead_dataset_check_tests(&dataset, NULL, false);
    ead_dataset_free(&dataset);
    return status;
}

START_TEST(loco_files_that_lack) {
    make_loco();
    ck_assert_int_eq(system("rm -r " LOCO "validation"), 0);
    ASSERT_FAILS(open_and_check(loco()), EAD_IO,
                 SCRATCH "loco/box: no folder validation/good, which dataset.type=mvtec_loco needs");
    ASSERT_FAILS(open_and_check(loco()), EAD_IO,
                 "the nearest layout is that of dataset.type=mvtec_loco, which lacks validation");
    make_folders(LOCO "validation/good/");
    ASSERT_FAILS(open_and_check(loco()), EAD_BAD_ARGUMENT, LOCO "validation/good: no validation images");
    make_loco();
    ck_assert_int_eq(system("rm -r " LOCO "test"), 0);
    ASSERT_FAILS(open_and_check(loco()), EAD_IO,
                 SCRATCH "loco/box: no folder test, which dataset.type=mvtec_loco needs");
    ck_assert_int_eq(system("rm -r " LOCO "ground_truth"), 0);
    make_folders(LOCO "test/good/");
    ASSERT_FAILS(open_and_check(loco()), EAD_BAD_ARGUMENT, LOCO "test: no test images");
    make_loco();
    ck_assert_int_eq(unlink(LOCO "defects_config.json"), 0);
    ASSERT_FAILS(open_and_check(loco()), EAD_IO,
                 SCRATCH "loco/box: no file defects_config.json, which dataset.type=mvtec_loco needs;");
}
END_TEST

/* The only doubt about the masks. */
static void assert_doubt(EadDatasetSpec spec, const char *line) {
    EadDataset dataset;
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ASSERT_OK(ead_dataset_check_tests(&dataset, NULL, false));
    ck_assert_int_eq(dataset.doubts.count, 1);
    ck_assert_str_eq(dataset.doubts.items[0], line);
    ead_dataset_free(&dataset);
}

/* Beside one that is read, alone in its folder, and everywhere. */
START_TEST(loco_masks_of_other_formats) {
    static const char what[] =
        "masks are of a format that is not read, and are left out: " LOCO "ground_truth/";
    char line[400];
    EadDataset dataset;
    make_loco();
    write_text(LOCO "ground_truth/logical_anomalies/000/002.gif", "GIF89a");
    write_text(LOCO "ground_truth/structural_anomalies/000/mask.psd", "8BPS");
    snprintf(line, sizeof line,
             "2 of 5 %slogical_anomalies/000/002.gif, " LOCO "ground_truth/structural_anomalies/000/mask.psd",
             what);
    assert_doubt(loco(), line);
    make_loco();
    write_image(LOCO "test/logical_anomalies/001.png");
    make_folders(LOCO "ground_truth/logical_anomalies/001/");
    write_text(LOCO "ground_truth/logical_anomalies/001/000.gif", "GIF89a");
    open_well(loco(), 3, 1, 4, &dataset);
    ck_assert_int_eq(dataset.doubts.count, 2);
    snprintf(line, sizeof line, "1 of 4 %slogical_anomalies/001/000.gif", what);
    ck_assert_str_eq(dataset.doubts.items[0], line);
    assert_contains(dataset.doubts.items[1], "1 of 3 masks are missing or cannot be used;");
    assert_contains(dataset.doubts.items[1],
                    "001: no mask in it, but pictures of a format that is not read: 000.gif;");
    ead_dataset_free(&dataset);
    shell_ok("rm -r " LOCO "ground_truth/logical_anomalies/000 && cd " LOCO
             "ground_truth/structural_anomalies/000 && rm * && echo P5 1 1 >a.pgm");
    ASSERT_FAILS(open_and_check(loco()), EAD_BAD_FILE, "but pictures of a format that is not read: a.pgm");
}
END_TEST

START_TEST(loco_masks_that_lack) {
    EadDataset dataset;
    EadGroundTruth truth;
    make_loco();
    write_image(LOCO "test/logical_anomalies/001.png");
    assert_doubt(
        loco(),
        "1 of 3 masks are missing or cannot be used; their images are left out of the pixel metrics: " LOCO
        "test/logical_anomalies/001.png: has no mask; it should be " LOCO
        "ground_truth/logical_anomalies/001");
    make_folders(LOCO "ground_truth/logical_anomalies/001/");
    assert_doubt(
        loco(),
        "1 of 3 masks are missing or cannot be used; their images are left out of the pixel metrics: " LOCO
        "ground_truth/logical_anomalies/001: no mask in it; it should hold those of " LOCO
        "test/logical_anomalies/001.png");
    open_well(loco(), 3, 1, 4, &dataset);
    ASSERT_OK(ead_test_sample_truth(&dataset.test[2], WIDTH, HEIGHT, NULL, &truth));
    ck_assert(dataset.test[2].anomalous && truth.channel_count == 0 && truth.types == dataset.types);
    ead_ground_truth_free(&truth);
    ead_dataset_free(&dataset);
    make_loco();
    write_image(LOCO "test/logical_anomalies/001.png");
    shell_ok("ln -s nowhere " LOCO "ground_truth/logical_anomalies/001");
    assert_doubt(
        loco(),
        "1 of 3 masks are missing or cannot be used; their images are left out of the pixel metrics: " LOCO
        "test/logical_anomalies/001.png: its mask " LOCO
        "ground_truth/logical_anomalies/001 is a link that leads nowhere");
    make_loco();
    write_channel(LOCO "ground_truth/structural_anomalies/007/000.png", 253, 0, 1);
    assert_doubt(loco(),
                 "1 of 3 masks have no image and are ignored: " LOCO "ground_truth/structural_anomalies/007");
}
END_TEST

START_TEST(loco_masks_that_are_wrong) {
    static const char mask[] = LOCO "ground_truth/structural_anomalies/000/000.png";
    make_loco();
    write_channel(mask, 17, 0, 2);
    ASSERT_FAILS(open_and_check(loco()), EAD_BAD_FILE,
                 "structural_anomalies/000/000.png: pixel value 17 names no kind of defect in " LOCO
                 "defects_config.json");
    write_noise_png(mask, WIDTH, HEIGHT, 1, 3);
    ASSERT_FAILS(open_and_check(loco()), EAD_BAD_FILE, "000/000.png: holds the pixel values");
    write_channel(mask, 253, 0, 0);
    ASSERT_OK(open_and_check(loco())); /* a channel without pixels: test_masks.c */
    write_noise_png(mask, WIDTH, HEIGHT + 1, 1, 3);
    ASSERT_FAILS(open_and_check(loco()), EAD_BAD_FILE,
                 "000/000.png: the mask has 12 x 11 pixels, its image " LOCO
                 "test/structural_anomalies/000.png 12 x 10");
    write_text(mask, "\x89PNG");
    ASSERT_FAILS(open_and_check(loco()), EAD_BAD_FILE, "000/000.png: truncated PNG");
}
END_TEST

/* Before the first step, and before anything is written. */
START_TEST(training_does_not_begin_with_a_wrong_mask) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    char command[512];
    make_loco();
    write_noise_png(LOCO "ground_truth/structural_anomalies/000/000.png", WIDTH + 1, HEIGHT, 1, 3);
    snprintf(command, sizeof command,
             "%s train -q --set dataset.type=mvtec_loco --set dataset.path=" SCRATCH
             "loco --set dataset.category=box "
             "--set loss.penalty=false --set model.image_size=128 --output " SCRATCH "run 2>" SCRATCH
             "stderr",
             getenv("PROGRAM"));
    ck_assert_int_eq(system("rm -rf " SCRATCH "run"), 0);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 1);
    assert_file_holds(SCRATCH "stderr", "000/000.png: the mask has 13 x 10 pixels");
    ck_assert_int_ne(access(SCRATCH "run", F_OK), 0);
}
END_TEST

START_TEST(loco_defects_config_errors) {
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"", "defects_config.json:1: no JSON: "},
        {"[\n{\"defect_name\" \"x\"}]", "defects_config.json:2: no JSON: "},
        {"[]", "an array of 1 to 255 kinds"},
        {"{}", "an array of 1 to 255 kinds"},
        {"[1]", "entry 1: defect_name must be a text"},
        {"[{\"defect_name\": \"x\", \"pixel_value\": 256}]", "entry 1: pixel_value must be a whole number"},
        {"[{\"defect_name\": \"x\", \"pixel_value\": 255.0}]", "entry 1: pixel_value must be a whole number"},
        {"[{\"defect_name\": \"x\", \"pixel_value\": 9, \"saturation_threshold\": 1}]",
         "entry 1: relative_saturation must be true or false"},
        {"[{\"defect_name\": \"x\", \"pixel_value\": 9, \"saturation_threshold\": 1.5, "
         "\"relative_saturation\": true}]",
         "entry 1: saturation_threshold must be a positive number"},
        {"[{\"defect_name\": \"x\", \"pixel_value\": 9, \"saturation_threshold\": 0, "
         "\"relative_saturation\": false}]",
         "entry 1: saturation_threshold must be"},
        {"[{\"defect_name\": \"x\", \"pixel_value\": 9, \"saturation_threshold\": 1, "
         "\"relative_saturation\": true},"
         "{\"defect_name\": \"y\", \"pixel_value\": 9, \"saturation_threshold\": 1, \"relative_saturation\": "
         "true}]",
         "entry 2: its pixel_value belongs to an earlier entry"},
        {"[{}, {\"defect_name\": \"x\"}]",
         "defects_config.json: 2 rows are wrong: entry 1: defect_name must be a "
         "text, entry 2: pixel_value must be"},
    };
    make_loco();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text(LOCO "defects_config.json", cases[i].json);
        ASSERT_FAILS(open_and_check(loco()), EAD_BAD_FILE, cases[i].message);
        ck_assert_ptr_nonnull(strstr(ead_error_message(), LOCO "defects_config.json"));
    }
}
END_TEST

START_TEST(saturation_is_that_of_the_official_evaluation) {
    static const EadDefectType fixed = {.threshold = 25}, share = {.threshold = 0.35, .relative = true};
    ck_assert_int_eq(ead_defect_type_saturation(&fixed, 1000), 25);
    ck_assert_int_eq(ead_defect_type_saturation(&fixed, 7), 7);
    ck_assert_int_eq(ead_defect_type_saturation(&share, 10), 3); /* cut off */
    ck_assert_int_eq(ead_defect_type_saturation(&share, 1), 1);  /* never 0 */
}
END_TEST

static const char visa_rows[] =
    "object,split,label,image,mask\r\n"
    "candle,train,normal,candle/Data/Images/Normal/0.JPG,\r\n"
    "candle,train,normal,candle/Data/Images/Normal/1.JPG,\r\n"
    "pcb1,train,normal,pcb1/not/there.JPG,\r\n"
    "candle,test,anomaly,candle/Data/Images/Anomaly/0.JPG,candle/Data/Masks/Anomaly/0.png\r\n"
    "candle,test,normal,candle/Data/Images/Normal/2.JPG,\r\n";

static void make_visa(void) {
    ck_assert_int_eq(system("rm -rf " SCRATCH "visa"), 0);
    write_image(VISA "candle/Data/Images/Normal/0.JPG");
    write_image(VISA "candle/Data/Images/Normal/1.JPG");
    write_image(VISA "candle/Data/Images/Normal/2.JPG");
    write_image(VISA "candle/Data/Images/Anomaly/0.JPG");
    write_channel(VISA "candle/Data/Masks/Anomaly/0.png", 3, 2, 4);
    write_text(VISA "split_csv/1cls.csv", visa_rows);
}

static EadDatasetSpec visa(void) {
    return (EadDatasetSpec){
        .type = "visa", .path = SCRATCH "visa", .category = "candle", .validation_fraction = 0.1};
}

START_TEST(visa_by_csv) {
    EadDataset dataset;
    EadGroundTruth truth;
    make_visa();
    open_well(visa(), 1, 1, 2, &dataset);
    const EadTestSample *bad = &dataset.test[0], *good = &dataset.test[1];
    ck_assert_str_eq(bad->path, VISA "candle/Data/Images/Anomaly/0.JPG");
    ck_assert_str_eq(bad->mask_path, VISA "candle/Data/Masks/Anomaly/0.png");
    ck_assert(bad->anomalous && strcmp(bad->defect, "anomaly") == 0);
    ck_assert(!good->anomalous && strcmp(good->defect, "good") == 0 && !good->mask_path);
    ASSERT_OK(ead_test_sample_truth(bad, WIDTH, HEIGHT, NULL, &truth));
    ck_assert(truth.mask.pixels[2] == 255 && truth.channel_count == 0);
    ead_ground_truth_free(&truth);
    ead_dataset_free(&dataset);
}
END_TEST

START_TEST(visa_converted) {
    EadDataset dataset;
    ck_assert_int_eq(system("rm -rf " SCRATCH "visa"), 0);
    write_image(VISA "candle/train/good/0.JPG");
    write_image(VISA "candle/train/good/1.JPG");
    write_image(VISA "candle/test/good/2.JPG");
    write_image(VISA "candle/test/bad/0.JPG");
    write_channel(VISA "candle/ground_truth/bad/0.png", 255, 2, 4);
    EadDatasetSpec spec = visa();
    open_well(spec, 1, 1, 2, &dataset);
    ck_assert_str_eq(dataset.test[0].defect, "bad");
    ead_dataset_free(&dataset);
    spec.category = "pcb4";
    ASSERT_FAILS(open_and_check(spec), EAD_BAD_ARGUMENT,
                 "has no category \"pcb4\", though the full data set has it; dataset.category can be candle");
}
END_TEST

/* The rows with one piece of text replaced. */
static void write_rows(const char *from, const char *to) {
    char text[2048];
    const char *at = strstr(visa_rows, from);
    ck_assert_ptr_nonnull(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - visa_rows), visa_rows, to, at + strlen(from));
    write_text(VISA "split_csv/1cls.csv", text);
}

START_TEST(visa_csv_errors) {
    static const struct {
        const char *from, *to, *message;
        EadStatus status;
    } cases[] = {
        {"Normal/1.JPG", "Normal/7.JPG",
         "1cls.csv: 1 row is wrong: line 3: no file " VISA "candle/Data/Images/Normal/7.JPG", EAD_BAD_FILE},
        {"Masks/Anomaly/0.png", "Masks/Anomaly/7.png", /* the only one */
         "Anomaly/0.JPG: has no mask; it should be " VISA "candle/Data/Masks/Anomaly/7.png", EAD_BAD_FILE},
        {",candle/Data/Masks", ",../Masks", "line 5: mask is \"../Masks/Anomaly/0.png\", not a path",
         EAD_BAD_FILE},
        {"candle/Data/Images/Normal/1", "../1", "line 3: image is \"../1.JPG\", not a path below",
         EAD_BAD_FILE},
        {"candle/Data/Images/Normal/1", "/1", "line 3: image is \"/1.JPG\", not a path below", EAD_BAD_FILE},
        {"candle,test,normal", "candle,dev,normal", "line 6: split is \"dev\", not train or test",
         EAD_BAD_FILE},
        {"candle,test,normal", "candle,test,good", "line 6: label is \"good\", not normal or anomaly",
         EAD_BAD_FILE},
        {"candle,test,anomaly", "candle,train,anomaly",
         "line 5: label is \"anomaly\", but an image to train on", EAD_BAD_FILE},
        {"object,split", "thing,split", "1cls.csv:1: no column \"object\" in the first line", EAD_BAD_FILE},
        {"candle,train,normal,candle/Data/Images/Normal/1.JPG,\r\n",
         "candle,train,normal,1,\r\ncandle,train,normal,2,\r\ncandle,dev,normal,3,\r\ncandle,test,fine,4,\r\n"
         "pcb1,dev,fine,5,\r\ncandle,test,normal,..,\r\ncandle,test,normal,6,\r\ncandle,test,normal,7,\r\n",
         "1cls.csv: 7 rows are wrong: line 3: no file " VISA "1, line 4: no file " VISA
         "2, line 5: split is \"dev\", not train or test, line 6: label is \"fine\", not normal or anomaly, "
         "line 8: image is \"..\", not a path below the data set's folder and 2 more",
         EAD_BAD_FILE},
        {"Normal/1.JPG", "\"Normal/1.JPG", "1cls.csv:3: a quote that does not end", EAD_BAD_FILE},
        {"pcb1,train", "1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7", "1cls.csv:4: more than 16 fields", EAD_BAD_FILE},
    };
    make_visa();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_rows(cases[i].from, cases[i].to);
        ASSERT_FAILS(open_and_check(visa()), cases[i].status, cases[i].message);
    }
    write_text(VISA "split_csv/1cls.csv", "");
    ASSERT_FAILS(open_and_check(visa()), EAD_BAD_FILE, "1cls.csv:1: no column \"object\"");
    write_text(VISA "split_csv/1cls.csv", "object,split,label,image,mask\n");
    ASSERT_FAILS(open_and_check(visa()), EAD_BAD_ARGUMENT, "1cls.csv: holds no category");
    write_bytes(VISA "split_csv/1cls.csv", "a\0b", 3);
    ASSERT_FAILS(open_and_check(visa()), EAD_BAD_FILE, "1cls.csv: holds zero bytes");
    make_visa();
    EadDatasetSpec spec = visa();
    spec.category = "pcb9";
    ASSERT_FAILS(open_and_check(spec), EAD_BAD_ARGUMENT,
                 "1cls.csv: has no category \"pcb9\"; dataset.category can be candle, pcb1");
    write_noise_png(VISA "candle/Data/Masks/Anomaly/0.png", WIDTH + 1, HEIGHT, 1, 3);
    ASSERT_FAILS(open_and_check(visa()), EAD_BAD_FILE, "Masks/Anomaly/0.png: the mask has 13 x 10 pixels");
}
END_TEST

START_TEST(visa_masks_that_lack) {
    char rows[2048];
    make_visa();
    write_image(VISA "candle/Data/Images/Anomaly/1.JPG");
    write_image(VISA "candle/Data/Images/Anomaly/2.JPG");
    write_channel(VISA "candle/Data/Masks/Anomaly/2.png", 3, 2, 4);
    snprintf(rows, sizeof rows,
             "%scandle,test,anomaly,candle/Data/Images/Anomaly/1.JPG,\r\n"
             "candle,test,anomaly,candle/Data/Images/Anomaly/2.JPG,candle/Data/Masks/Anomaly/2.png\r\n",
             visa_rows);
    write_text(VISA "split_csv/1cls.csv", rows);
    assert_doubt(
        visa(),
        "1 of 3 masks are missing or cannot be used; their images are left out of the pixel metrics: " VISA
        "candle/Data/Images/Anomaly/1.JPG: has no mask");
    ck_assert_int_eq(unlink(VISA "candle/Data/Masks/Anomaly/0.png"), 0);
    snprintf(rows, sizeof rows,
             "%scandle,test,anomaly,candle/Data/Images/Anomaly/1.JPG,candle/Data/Masks/Anomaly/2.png\r\n"
             "candle,test,anomaly,candle/Data/Images/Anomaly/2.JPG,candle/Data/Masks/Anomaly/2.png\r\n",
             visa_rows);
    write_text(VISA "split_csv/1cls.csv", rows);
    assert_doubt(
        visa(),
        "1 of 3 masks are missing or cannot be used; their images are left out of the pixel metrics: " VISA
        "candle/Data/Images/Anomaly/0.JPG: has no mask; it should be " VISA
        "candle/Data/Masks/Anomaly/0.png");
}
END_TEST

START_TEST(categories_by_name) {
    static const struct {
        const char *type, *one;
        int count;
    } cases[] = {{"mvtec_ad", "metal_nut", 15},
                 {"mvtec_loco", "pushpins", 5},
                 {"visa", "pipe_fryum", 12},
                 {"mvtec_ad_2", "walnuts", 8},
                 {"btad", "02", 3},
                 {"mpdd", "tubes", 6},
                 {"real_iad", "u_block", 30},
                 {"kolektor_sdd2", "", 0},
                 {"folder", "", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int count = 0, found = 0;
        for (const char *const *name = ead_dataset_categories(cases[i].type); *name; name++, count++)
            found += strcmp(*name, cases[i].one) == 0;
        ck_assert_int_eq(count, cases[i].count);
        ck_assert_int_eq(found, count > 0);
    }
}
END_TEST

START_TEST(real_juice_bottle) {
    SKIP_UNLESS(ead_path_is_folder("../shared/data/mvtec_loco/juice_bottle"),
                "no MVTec LOCO on this machine");
    EadDataset dataset;
    EadDatasetSpec spec = {.type = "mvtec_loco",
                           .path = "../shared/data/mvtec_loco",
                           .category = "juice_bottle",
                           .validation_fraction = 0.1};
    open_well(spec, 335, 27, 169, &dataset);
    ead_dataset_free(&dataset);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset_collections");
    TCase *tests = tcase_create("dataset_collections");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, loco_layout);
    tcase_add_test(tests, loco_files_that_lack);
    tcase_add_test(tests, loco_masks_that_are_wrong);
    tcase_add_test(tests, training_does_not_begin_with_a_wrong_mask);
    tcase_add_test(tests, loco_defects_config_errors);
    tcase_add_test(tests, saturation_is_that_of_the_official_evaluation);
    tcase_add_test(tests, visa_by_csv);
    tcase_add_test(tests, visa_converted);
    tcase_add_test(tests, visa_csv_errors);
    tcase_add_test(tests, visa_masks_that_lack);
    tcase_add_test(tests, loco_masks_of_other_formats);
    tcase_add_test(tests, loco_masks_that_lack);
    tcase_add_test(tests, categories_by_name);
    tcase_add_test(tests, real_juice_bottle);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
