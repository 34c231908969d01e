/* Model files that are damaged above the level of the container, which has its own suites (that of safetensors): each is
 * refused by file and cause, from disk and from memory. */
#include "models/efficientad.h"
#include "test/support/sample_models.h"

#include <math.h>

#define FOLDER "build/scratch/test_damaged_models/"
#define MODEL  FOLDER "model.safetensors"
#define TILED  FOLDER "tiled.safetensors"

/* With a region of interest. */
static void make_model_file(void) {
    EadEfficientad *model = tiny_model();
    EadImage mask;
    fill_image(&mask, TINY_SIDE, TINY_SIDE, 1, 0);
    memset(mask.pixels, 1, TINY_SIDE * TINY_SIDE / 2);
    ASSERT_OK(ead_region_set_box(&model->base.region, "0,0,128,128"));
    ASSERT_OK(ead_region_set_mask(&model->base.region, &mask, TINY_SIDE, TINY_SIDE));
    model->base.threshold = 0.25f;
    model->base.score = (EadScoreRule){EAD_SCORE_AREA, 20};
    make_folders(MODEL);
    ASSERT_OK(ead_model_save(&model->base, MODEL, NULL));
    ead_model_free(&model->base);
    ead_image_free(&mask);
    model = tiny_model();
    model->base.tiles = (EadTiles){TINY_SIDE, 0.25, 1, true};
    ASSERT_OK(ead_efficientad_set_whole_statistics(model, (double[EAD_MAP_COUNT][2]){{0, 1}, {0, 1}}));
    ASSERT_OK(ead_model_save(&model->base, TILED, NULL));
    ead_model_free(&model->base);
}

START_TEST(missing_and_foreign_files) {
    EadDetector *detector;
    ASSERT_FAILS((EadStatus)ead_detector_open(FOLDER "nothing.safetensors", &detector), EAD_IO,
                 "nothing.safetensors");
    write_bytes(FOLDER "foreign.safetensors", "this is no model", 16);
    ASSERT_FAILS((EadStatus)ead_detector_open(FOLDER "foreign.safetensors", &detector), EAD_BAD_FILE,
                 "foreign.safetensors");
    ASSERT_FAILS((EadStatus)ead_detector_open("build", &detector), EAD_IO, "build");
}
END_TEST

/* One change to a good model file. */
typedef struct Damage {
    const char *tensor; /* left out, or changed as follows */
    int shape_index;    /* this dimension grows by shape_by; 0, 0: unchanged */
    int64_t shape_by;
    const char *dtype; /* "F16", "I32": the same numbers under this type; NULL */
    double poison;     /* the first element becomes this; 0: unchanged */
    bool drop;
    const char *key, *value; /* metadata, value NULL drops it; key NULL: unchanged */
} Damage;

static const char *const metadata_keys[] = {"format",        "model",
                                            "padding",       "image_size",
                                            "preprocessing", "map_normalization",
                                            "map_use",       "threshold",
                                            "image_bits",    "pixel_threshold",
                                            "map_level",     "roi_box",
                                            "roi_image",     "image_white",
                                            "score_method",  "score_cells",
                                            "tiles_size",    "tiles_overlap",
                                            "tiles_scale",   "tiles_whole_image"};

static void copy_metadata(const EadSafetensors *from, EadSafetensorsWriter *to, const Damage *damage) {
    for (size_t i = 0; i < sizeof metadata_keys / sizeof *metadata_keys; i++) {
        const char *key = metadata_keys[i], *value = ead_safetensors_metadata(from, key);
        if (damage->key && strcmp(damage->key, key) == 0) value = damage->value;
        if (value) ASSERT_OK(ead_safetensors_writer_metadata(to, key, value));
    }
}

/* Bytes of the changed tensor, zeros apart from the poison; free() them after writing. */
static uint8_t *damaged_tensor(EadSafetensorsWriter *to, const EadFileTensor *tensor, const Damage *damage) {
    EadFileType type = tensor->type;
    int64_t shape[EAD_FILE_MAX_DIMS], count;
    size_t bytes;
    if (damage->dtype) type = strcmp(damage->dtype, "F16") == 0 ? EAD_FILE_F16 : EAD_FILE_I32;
    memcpy(shape, tensor->shape, sizeof shape);
    shape[damage->shape_index] += damage->shape_by;
    ck_assert(ead_file_shape_size(type, tensor->dims, shape, &count, &bytes));
    uint8_t *data = calloc(1, bytes);
    ck_assert_ptr_nonnull(data);
    if (type == EAD_FILE_F32) {
        float poison = (float)damage->poison;
        memcpy(data, tensor->data, bytes < tensor->bytes ? bytes : tensor->bytes);
        if (damage->poison != 0) memcpy(data, &poison, sizeof poison);
    }
    if (type == EAD_FILE_U8) data[0] = (uint8_t)damage->poison;
    ASSERT_OK(ead_safetensors_writer_tensor(to, tensor->name, type, tensor->dims, shape, data));
    return data;
}

static const char *undamaged = MODEL;

static void write_damaged(const char *path, const Damage *damage) {
    EadSafetensors *from;
    EadSafetensorsWriter *to;
    uint8_t *data = NULL;
    ASSERT_OK(ead_safetensors_open(undamaged, &from));
    ASSERT_OK(ead_safetensors_writer_new(&to));
    copy_metadata(from, to, damage);
    for (int i = 0; i < ead_safetensors_count(from); i++) {
        const EadFileTensor *tensor = ead_safetensors_at(from, i);
        if (!damage->tensor || strcmp(tensor->name, damage->tensor) != 0)
            ASSERT_OK(ead_safetensors_writer_tensor(to, tensor->name, tensor->type, tensor->dims,
                                                    tensor->shape, tensor->data));
        else if (!damage->drop)
            data = damaged_tensor(to, tensor, damage);
    }
    ASSERT_OK(ead_safetensors_writer_write(to, path));
    ead_safetensors_writer_free(to);
    ead_safetensors_close(from);
    free(data);
}

/* Every damage is refused with one line that names the file and what is wrong with it, and from memory with the same. */
static void check_refused(Damage damage, const char *text) {
    const char *path = FOLDER "damaged.safetensors", *label = "the model in memory";
    char message[1024];
    size_t size;
    EadDetector *detector;
    write_damaged(path, &damage);
    ASSERT_FAILS((EadStatus)ead_detector_open(path, &detector), EAD_BAD_FILE, text);
    snprintf(message, sizeof message, "%s", ead_error_message());
    ck_assert_msg(strncmp(message, path, strlen(path)) == 0, "%s", message);
    uint8_t *bytes = read_bytes(path, &size);
    ASSERT_FAILS((EadStatus)ead_detector_open_memory(bytes, size, NULL, &detector), EAD_BAD_FILE, text);
    free(bytes);
    ck_assert_ptr_null(detector);
    ck_assert_msg(strncmp(ead_error_message(), label, strlen(label)) == 0, "%s", ead_error_message());
    ck_assert_str_eq(ead_error_message() + strlen(label), message + strlen(path));
}

START_TEST(the_copy_without_damage_opens) {
    EadDetector *detector;
    write_damaged(FOLDER "copy.safetensors", &(Damage){0});
    ASSERT_OK((EadStatus)ead_detector_open(FOLDER "copy.safetensors", &detector));
    ead_detector_close(detector);
}
END_TEST

START_TEST(missing_tensors) {
    static const char *const names[] = {
        "teacher.conv1.weight", "student.conv4.bias", "autoencoder.dec_conv8.weight",
        "teacher_mean",         "teacher_std",        "quantiles"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_refused((Damage){.tensor = names[i], .drop = true}, names[i]);
}
END_TEST

START_TEST(wrong_shapes) {
    for (int d = 0; d < 4; d++) {
        check_refused((Damage){.tensor = "student.conv2.weight", .shape_index = d, .shape_by = 1},
                      "student.conv2.weight");
        check_refused((Damage){.tensor = "student.conv2.weight", .shape_index = d, .shape_by = -1},
                      "student.conv2.weight");
    }
    check_refused((Damage){.tensor = "teacher.conv1.bias", .shape_by = 1}, "teacher.conv1.bias");
    check_refused((Damage){.tensor = "teacher_mean", .shape_by = -1}, "teacher_mean");
    check_refused((Damage){.tensor = "quantiles", .shape_by = 1}, "quantiles");
    /* A bottleneck for images of 256. */
    check_refused((Damage){.key = "image_size", .value = "256"}, "autoencoder.enc_conv6.weight");
}
END_TEST

START_TEST(wrong_types) {
    check_refused((Damage){.tensor = "student.conv1.weight", .dtype = "I32"}, "student.conv1.weight");
    check_refused((Damage){.tensor = "quantiles", .dtype = "I32"}, "quantiles");
}
END_TEST

START_TEST(values_that_are_not_finite) {
    static const char *const names[] = {
        "teacher.conv3.weight", "student.conv4.bias", "autoencoder.enc_conv1.weight",
        "teacher_mean",         "teacher_std",        "quantiles"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_refused((Damage){.tensor = names[i], .poison = (double)NAN}, names[i]);
        check_refused((Damage){.tensor = names[i], .poison = (double)INFINITY}, names[i]);
    }
    check_refused((Damage){.tensor = "teacher_std", .poison = -1}, "teacher_std");
    check_refused((Damage){.tensor = "quantiles", .poison = 5}, "quantiles");
}
END_TEST

/* Finite weights whose products are not: the maximum of such a map would be that of a good image. */
START_TEST(maps_that_are_not_finite) {
    static const char *const names[] = {"student.conv4.weight", "teacher.conv4.bias",
                                        "autoencoder.dec_conv8.weight"};
    static uint8_t rgb[TINY_SIDE * TINY_SIDE * 3];
    const char *path = FOLDER "damaged.safetensors";
    fill_noise(rgb, sizeof rgb, 5);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        EadDetector *detector;
        float score;
        write_damaged(path, &(Damage){.tensor = names[i], .poison = 3e38});
        ASSERT_OK((EadStatus)ead_detector_open(path, &detector));
        ASSERT_FAILS(
            (EadStatus)ead_detector_run(detector, rgb, TINY_SIDE, TINY_SIDE, 3 * TINY_SIDE, NULL, &score),
            EAD_BAD_FILE, "the model is damaged");
        ead_detector_close(detector);
    }
}
END_TEST

START_TEST(wrong_metadata) {
    static const char *const wrong[][2] = {
        {"format", "efficientad/2"}, {"model", "large"},          {"model", NULL},
        {"padding", "maybe"},        {"image_size", "102"},       {"image_size", "128x"},
        {"image_size", NULL},        {"image_size", "-128"},      {"image_size", "999999"},
        {"map_normalization", "x"},  {"map_normalization", NULL}, {"threshold", "high"},
        {"pixel_threshold", "x"},    {"map_level", "inf"},        {"threshold", "nan"},
        {"threshold", ""},           {"image_bits", "0"},         {"image_bits", "17"},
        {"image_bits", "12x"},       {"image_white", "0"},        {"image_white", "65536"},
        {"image_white", ""},         {"score_method", "least"},   {"score_method", ""},
        {"score_cells", NULL},       {"score_cells", "0"},        {"score_cells", "-3"},
        {"score_cells", "4194305"},  {"score_cells", "20 "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_refused((Damage){.key = wrong[i][0], .value = wrong[i][1]},
                      strcmp(wrong[i][0], "image_size") == 0 ? "image" : wrong[i][0]);
    check_refused((Damage){.key = "map_normalization", .value = "none"},
                  "tensor 'quantiles' has no place in EfficientAD-S at 128x128, with");
    check_refused((Damage){.key = "format"}, "is weights of another program, not a model");
}
END_TEST

START_TEST(wrong_regions) {
    static const char *const boxes[] = {"",          "1,2,3", "0,0,0,5", "-1,0,5,5", "0,0,65535,65536",
                                        "1,2,3,4,5", "x"};
    static const char *const images[] = {NULL,     "",         "128",       "0x128",
                                         "128x-1", "128x128x", "70000x128", "128x65536"};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        check_refused((Damage){.key = "roi_box", .value = boxes[i]}, "'roi_box' is");
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        check_refused((Damage){.key = "roi_image", .value = images[i]}, "'roi_image' is");
    check_refused((Damage){.key = "roi_image", .value = "100x128"}, "does not hold the box");
    check_refused((Damage){.tensor = "roi_mask", .drop = true}, "tensor 'roi_mask' is missing");
    check_refused((Damage){.tensor = "roi_mask", .shape_index = 0, .shape_by = 1}, "is not U8 [128,128]");
    check_refused((Damage){.tensor = "roi_mask", .shape_index = 1, .shape_by = -1}, "is not U8 [128,128]");
    check_refused((Damage){.tensor = "roi_mask", .dtype = "I32"}, "is not U8 [128,128]");
    check_refused((Damage){.tensor = "roi_mask"}, "leaves nothing to inspect");
    check_refused((Damage){.tensor = "roi_mask", .poison = 2}, "holds 2; it must hold 0 and 1");
}
END_TEST

START_TEST(wrong_tiles) {
    static const char *const wrong[][2] = {
        {"tiles_size", "0"},         {"tiles_size", "64"},       {"tiles_size", "129"},
        {"tiles_size", "-128"},      {"tiles_size", "128x128"},  {"tiles_size", ""},
        {"tiles_overlap", NULL},     {"tiles_overlap", "1"},     {"tiles_overlap", "-0.1"},
        {"tiles_overlap", "nan"},    {"tiles_overlap", ""},      {"tiles_scale", NULL},
        {"tiles_scale", "0"},        {"tiles_scale", "0.99"},    {"tiles_scale", "65"},
        {"tiles_scale", "inf"},      {"tiles_scale", "1e-300"},  {"tiles_scale", "-2"},
        {"tiles_scale", "2x"},       {"tiles_whole_image", "0"}, {"tiles_whole_image", "2"},
        {"tiles_whole_image", "yes"}};
    EadDetector *detector;
    undamaged = TILED;
    write_damaged(FOLDER "copy.safetensors", &(Damage){0});
    ASSERT_OK((EadStatus)ead_detector_open(FOLDER "copy.safetensors", &detector));
    ead_detector_close(detector);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_refused((Damage){.key = wrong[i][0], .value = wrong[i][1]}, wrong[i][0]);
    check_refused((Damage){.key = "padding", .value = "true"}, "tiles need networks without padding");
    check_refused((Damage){.tensor = "whole_quantiles", .drop = true}, "whole_quantiles");
    check_refused((Damage){.tensor = "whole_quantiles", .shape_by = 1}, "whole_quantiles");
    check_refused((Damage){.tensor = "whole_quantiles", .poison = 5}, "cannot be normalised");
    check_refused((Damage){.tensor = "whole_quantiles", .poison = (double)NAN}, "whole_quantiles");
    check_refused((Damage){.key = "tiles_whole_image"}, "whole_quantiles");
    undamaged = MODEL;
}
END_TEST

/* A model with a mask, or of a method without tiles. */
START_TEST(tiles_that_do_not_go_with_a_model) {
    check_refused((Damage){.key = "tiles_size", .value = "128"}, "tiles_overlap");
    EadEfficientad *model = tiny_model();
    model->base.tiles = (EadTiles){TINY_SIDE, 0.25, 1, false};
    ASSERT_OK(ead_model_check_tiles(&model->base));
    ASSERT_OK(ead_region_set_box(&model->base.region, "1,2,30,40"));
    ASSERT_OK(ead_model_check_tiles(&model->base));
    model->base.region.mask_height = model->base.region.mask_width = TINY_SIDE;
    ASSERT_OK(ead_region_mask_all(&model->base.region));
    ASSERT_FAILS(ead_model_check_tiles(&model->base), EAD_UNSUPPORTED, "tiles and the mask");
    EadModel other = ead_model_new("patchcore", TINY_SIDE, TINY_SIDE);
    other.tiles = model->base.tiles;
    ASSERT_FAILS(ead_model_check_tiles(&other), EAD_UNSUPPORTED, "a model of patchcore has none");
    ead_model_free(&model->base);
}
END_TEST

/* Of a model file as model.teacher and model.init, too. */
START_TEST(tensors_without_a_place) {
    static const struct {
        const char *name;
        bool model, teacher, trained; /* whether it is refused as such */
    } rows[] = {{"teacher.conv5.weight", true, true, true},
                {"teacher.conv1.scale", true, true, true},
                {"student.conv9.weight", true, true, true},
                {"autoencoder.dec_conv9.bias", true, true, true},
                {"head.weight", true, true, true},
                {"adam.second.1", false, false, false},
                {"bn.num_batches_tracked", false, false, false}};
    const EadEfficientadSpec spec = {
        .size = EAD_PDN_SMALL, .height = TINY_SIDE, .width = TINY_SIDE, .autoencoder = true};
    const char *path = FOLDER "more.safetensors";
    EadEfficientad *networks;
    EadModel *model;
    ASSERT_OK(ead_efficientad_new(&spec, &networks));
    save_tiny_model(FOLDER "plain.safetensors", NAN, NULL); /* whose metadata add_tensor() copies */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool refused[] = {rows[i].model, rows[i].teacher, rows[i].trained};
        add_tensor(FOLDER "plain.safetensors", path, rows[i].name);
        for (int role = 0; role < 3; role++) {
            EadStatus status = role == 0   ? ead_model_open(path, &model)
                               : role == 1 ? ead_efficientad_read_teacher(networks, path)
                                           : ead_efficientad_read_trained(networks, path);
            bool named = strstr(ead_error_message(), rows[i].name) && strstr(ead_error_message(), "no place");
            ck_assert_msg(refused[role] ? status == EAD_BAD_FILE && named : status == EAD_OK, "%s, %d: %s",
                          rows[i].name, role, ead_error_message());
            if (role == 0 && status == EAD_OK) ead_model_free(model);
        }
    }
    ead_efficientad_free(networks);
}
END_TEST

/* A network that is not asked for may be missing as a whole, but not be another one; the header tells. */
START_TEST(networks_beside_the_one_that_is_read) {
    static const Damage damages[] = {{.tensor = "teacher.conv4.weight", .drop = true},
                                     {.tensor = "teacher.conv1.bias", .shape_by = 1},
                                     {.tensor = "student.conv2.weight", .shape_index = 2, .shape_by = -1},
                                     {.tensor = "student.conv4.bias", .drop = true},
                                     {.tensor = "autoencoder.enc_conv6.weight", .drop = true}};
    EadEfficientadSpec spec = {
        .size = EAD_PDN_SMALL, .height = TINY_SIDE, .width = TINY_SIDE, .autoencoder = true};
    const char *path = FOLDER "damaged.safetensors";
    ASSERT_OK(ead_teacher_read(spec.size, MODEL, NULL));
    ASSERT_OK(ead_efficientad_check_trained(&spec, MODEL));
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        write_damaged(path, &damages[i]);
        ASSERT_FAILS(ead_teacher_read(spec.size, path, NULL), EAD_BAD_FILE, damages[i].tensor);
        ASSERT_FAILS(ead_efficientad_check_trained(&spec, path), EAD_BAD_FILE, damages[i].tensor);
    }
    spec.height *= 2; /* of the autoencoder alone */
    ASSERT_OK(ead_teacher_read(spec.size, MODEL, NULL));
    ASSERT_FAILS(ead_efficientad_check_trained(&spec, MODEL), EAD_BAD_FILE, "autoencoder.enc_conv6.weight");
}
END_TEST

/* Where models of a sweep left weights to a file beside them, memory has nothing. */
START_TEST(a_small_model_in_memory_is_refused) {
    size_t size;
    uint64_t shared;
    EadDetector *detector;
    make_folders(FOLDER "small/");
    make_folders(FOLDER "whole/");
    save_tiny_model(FOLDER "whole/model.safetensors", 0.5f, NULL);
    save_tiny_model(FOLDER "small/model.safetensors", 0.6f, NULL);
    ASSERT_OK(
        ead_safetensors_share(FOLDER "small/model.safetensors", FOLDER "whole/model.safetensors", &shared));
    ck_assert_uint_gt(shared, 0);
    uint8_t *bytes = read_bytes(FOLDER "small/model.safetensors", &size);
    ASSERT_FAILS(
        (EadStatus)ead_detector_open_memory(bytes, size, NULL, &detector), EAD_BAD_FILE,
        "the model in memory: leaves its weights to weights.safetensors beside it; open it by its path");
    free(bytes);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("damaged_models");
    TCase *tests = tcase_create("damaged_models");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, make_model_file, NULL);
    tcase_add_test(tests, missing_and_foreign_files);
    tcase_add_test(tests, a_small_model_in_memory_is_refused);
    tcase_add_test(tests, the_copy_without_damage_opens);
    tcase_add_test(tests, missing_tensors);
    tcase_add_test(tests, wrong_shapes);
    tcase_add_test(tests, networks_beside_the_one_that_is_read);
    tcase_add_test(tests, wrong_types);
    tcase_add_test(tests, values_that_are_not_finite);
    tcase_add_test(tests, maps_that_are_not_finite);
    tcase_add_test(tests, wrong_metadata);
    tcase_add_test(tests, wrong_regions);
    tcase_add_test(tests, wrong_tiles);
    tcase_add_test(tests, tiles_that_do_not_go_with_a_model);
    tcase_add_test(tests, tensors_without_a_place);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
