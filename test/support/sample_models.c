#include "test/support/sample_models.h"

#include <string.h>

static EadEfficientad *drawn_model(bool padding) {
    const EadEfficientadSpec spec = {
        .padding = padding, .height = TINY_SIDE, .width = TINY_SIDE, .autoencoder = true};
    double statistics[EAD_MAP_COUNT][2] = {{0.001, 0.002}, {0.001, 0.003}};
    EadEfficientad *model;
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, statistics));
    return model;
}

EadEfficientad *tiny_model(void) {
    return drawn_model(false);
}

EadEfficientad *padded_tiny_model(void) {
    return drawn_model(true);
}

void save_tiny_model(const char *path, float threshold, const char *config) {
    EadFileMetadata metadata = {"config", config};
    EadFileExtras extras = {.metadata = &metadata, .metadata_count = config ? 1 : 0};
    EadEfficientad *model = tiny_model();
    model->base.threshold = threshold;
    make_folders(path);
    ASSERT_OK(ead_model_save(&model->base, path, &extras));
    ead_efficientad_free(model);
}

float *library_map(EadDetector *detector, const char *path, float *score) {
    EadImage image;
    ASSERT_OK(ead_image_load(path, &image));
    float *map = malloc((size_t)image.width * (size_t)image.height * sizeof *map);
    ck_assert_ptr_nonnull(map);
    ASSERT_OK(
        ead_detector_run(detector, image.pixels, image.width, image.height, 3 * image.width, map, score));
    ead_image_free(&image);
    return map;
}

float largest(const float *map, int64_t count) {
    float most = map[0];
    for (int64_t i = 1; i < count; i++) most = map[i] > most ? map[i] : most;
    return most;
}

void golden_image(uint64_t seed, int height, int width, uint8_t *out) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                int64_t i = ((int64_t)y * width + x) * 3 + c;
                uint64_t cell = (uint64_t)((y * 8 / height * 8 + x * 8 / width) * 3 + c);
                uint32_t value = (ead_philox_word(seed, EAD_STREAM_TEST, cell) >> 24) +
                                 (ead_philox_word(seed, EAD_STREAM_TEST, 4096 + (uint64_t)i) >> 29);
                out[i] = (uint8_t)(value > 255 ? 255 : value);
            }
}

float *golden_map(const EadModel *model, uint64_t seed, float *score) {
    int height = model->height, width = model->width;
    uint8_t *image = malloc((size_t)height * (size_t)width * 3);
    float *map = malloc((size_t)height * (size_t)width * sizeof *map);
    EadDetector *detector;
    ck_assert(image && map);
    golden_image(seed, height, width, image);
    ASSERT_OK(ead_detector_new(model, NULL, 1, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, width, height, 3 * width, map, score));
    ead_detector_close(detector);
    free(image);
    return map;
}

void golden_vector(const EadSafetensors *file, const char *prefix, const char *name, int64_t count,
                   double *out) {
    char full[128];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    const EadFileTensor *tensor = ead_safetensors_find(file, full);
    ck_assert_msg(tensor && tensor->count == count, "golden tensor %s is missing or has another size", full);
    ck_assert_int_eq(ead_file_tensor_to_double(file, tensor, out), EAD_OK);
}

EadEfficientad *golden_model(const EadSafetensors *file, const char *prefix, EadEfficientadSpec spec) {
    EadEfficientad *model;
    ck_assert_msg(ead_efficientad_new(&spec, &model) == EAD_OK, "%s", ead_error_message());
    ead_params_initialize(&model->teacher, GOLDEN_WEIGHT_SEED);
    ead_params_initialize(&model->trained, GOLDEN_WEIGHT_SEED);
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    golden_vector(file, prefix, "teacher_mean", EAD_FEATURES, mean);
    golden_vector(file, prefix, "teacher_std", EAD_FEATURES, std);
    ead_efficientad_set_teacher_statistics(model, mean, std);
    return model;
}

double relative_difference(const real *got, const double *expected, int64_t count, int64_t stride) {
    double difference = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        double d = fabs((double)got[i * stride] - expected[i]);
        if (!(d <= difference)) difference = d; /* NaN counts as a difference */
        if (fabs(expected[i]) > largest) largest = fabs(expected[i]);
    }
    return difference / largest;
}

static uint8_t *draw_bytes(const char *name, int64_t count) {
    uint8_t *bytes = malloc((size_t)count + 16);
    uint32_t block[4];
    ck_assert_ptr_nonnull(bytes);
    for (int64_t i = 0; i < count; i += (int64_t)sizeof block) {
        ead_philox(BACKBONE_SEED, EAD_STREAM_PARAMETERS + ead_hash_name(name), (uint64_t)i / sizeof block,
                   block);
        memcpy(bytes + i, block, sizeof block);
    }
    return bytes;
}

static void add(Drawn *drawn, const char *name, EadFileType type, int dims, const int64_t *shape,
                void *values) {
    ck_assert_int_lt(drawn->count, MAX_TENSORS);
    drawn->owned[drawn->count++] = values;
    if (drawn->left_out && strcmp(name, drawn->left_out) == 0) return;
    ASSERT_OK(ead_safetensors_writer_tensor(drawn->writer, name, type, dims, shape, values));
}

static void add_weight(Drawn *drawn, const EadParam *p) {
    const int64_t shape[4] = {p->n, p->c, p->h, p->w};
    int64_t count = (int64_t)p->n * p->c * p->h * p->w;
    float scale = (float)exp2(-rint(log2(74 * sqrt(p->fan_in / 2.0))));
    uint8_t *bytes = draw_bytes(p->name, count);
    uint16_t *values = malloc((size_t)count * sizeof *values), table[256];
    ck_assert_ptr_nonnull(values);
    for (int b = 0; b < 256; b++) table[b] = ead_bfloat16_from_float((float)(b - 128) * scale);
    for (int64_t i = 0; i < count; i++) values[i] = table[bytes[i]];
    free(bytes);
    add(drawn, p->name, EAD_FILE_BF16, 4, shape, values);
}

static float vector_value(DrawnPart part, uint8_t byte, bool last) {
    if (part == RUNNING_VARIANCE) return 0.5f + (float)byte / 256;
    if (part == GAMMA) return (0.5f + (float)byte / 256) * (last ? 0.25f : 1);
    return (float)(byte - 128) / 1024;
}

/* The batch norm `prefix` of the network. */
static void add_norm(Drawn *drawn, const char *prefix, int channels, bool last) {
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (DrawnPart part = GAMMA; part <= RUNNING_VARIANCE; part++) {
        char name[96];
        const int64_t shape[1] = {channels};
        snprintf(name, sizeof name, "%s.%s", prefix, parts[part]);
        uint8_t *bytes = draw_bytes(name, channels);
        float *values = malloc((size_t)channels * sizeof *values);
        ck_assert_ptr_nonnull(values);
        for (int c = 0; c < channels; c++) values[c] = vector_value(part, bytes[c], last);
        if (drawn->negative && strcmp(name, drawn->negative) == 0) values[0] = -1;
        free(bytes);
        add(drawn, name, EAD_FILE_F32, 1, shape, values);
    }
}

/* Of the other networks: the names in their files. */
static bool norm_of_others(char out[64]) {
    static const char *const names[][2] = {{"_conv_stem", "_bn0"},
                                           {"_expand_conv", "_bn0"},
                                           {"_depthwise_conv", "_bn1"},
                                           {"_project_conv", "_bn2"},
                                           {"features.conv0", "features.norm0"}};
    size_t length = strlen(out);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t end = strlen(names[i][0]);
        if (length < end || strcmp(out + length - end, names[i][0]) != 0) continue;
        strcpy(out + length - end, names[i][1]);
        return true;
    }
    if (strncmp(out, "features.", 9) != 0) return false;
    strcpy(strstr(out, "conv"), "norm2");
    return true;
}

void norm_of(const char *weight, char out[64]) {
    snprintf(out, 64, "%.*s", (int)(strlen(weight) - strlen(".weight")), weight);
    if (norm_of_others(out)) return;
    char *conv = strstr(out, "conv");
    if (conv) {
        char digit = conv[4];
        memcpy(conv, "bn", 2), conv[2] = digit, conv[3] = '\0';
    } else
        out[strlen(out) - 1] = '1';
}

static void add_bias(Drawn *drawn, const EadParam *p) {
    const int64_t shape[1] = {p->c};
    uint8_t *bytes = draw_bytes(p->name, p->c);
    float *values = malloc((size_t)p->c * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (int c = 0; c < p->c; c++) values[c] = vector_value(BETA, bytes[c], false);
    free(bytes);
    add(drawn, p->name, EAD_FILE_F32, 1, shape, values);
}

void write_backbone(const char *name, const char *path, Drawn *drawn) {
    EadBackbone shapes;
    ASSERT_OK(ead_backbone_new(name, &shapes));
    if (drawn->whole) {
        EadResnet resnet;
        ASSERT_OK(ead_resnet_new(shapes.kind, EAD_RESNET_TORCHVISION, EAD_RESNET_ALL_STAGES, &resnet));
        ead_params_free(&shapes.params);
        shapes.params = resnet.params;
    }
    ASSERT_OK(ead_safetensors_writer_new(&drawn->writer));
    bool basic = strcmp(name, "resnet18") == 0 || strcmp(name, "resnet34") == 0;
    bool squeezing = strcmp(name, "efficientnet_b5") == 0;
    const char *last = basic ? ".bn2" : squeezing ? "._bn2" : ".bn3"; /* of a block: what it adds */
    for (int i = 0; i < shapes.params.count; i++) {
        const EadParam *param = &shapes.params.items[i];
        bool biased = i + 1 < shapes.params.count && strstr(shapes.params.items[i + 1].name, ".bias");
        char norm[64];
        if (strstr(param->name, ".bias")) continue;
        if (param->n == 1) { /* a batch norm by itself */
            snprintf(norm, sizeof norm, "%.*s", (int)(strlen(param->name) - strlen(".weight")), param->name);
            add_norm(drawn, norm, param->c, false);
            continue;
        }
        norm_of(param->name, norm);
        add_weight(drawn, param);
        if (strstr(param->name, "._se_")) /* squeeze-excitation has no norm */
            add_bias(drawn, &shapes.params.items[i + 1]);
        else if (biased)
            add_norm(drawn, norm, param->n, strstr(norm, last) != NULL);
    }
    make_folders(path);
    ASSERT_OK(ead_safetensors_writer_write(drawn->writer, path));
    ead_safetensors_writer_free(drawn->writer);
    for (int i = 0; i < drawn->count; i++) free(drawn->owned[i]);
    ead_backbone_free(&shapes);
}

void add_tensor(const char *from, const char *to, const char *name) {
    static const char *const keys[] = {"format", "model", "image_size", "padding", "map_normalization"};
    static const float number = 1;
    const int64_t shape[] = {1};
    EadSafetensors *file;
    EadSafetensorsWriter *writer;
    ASSERT_OK(ead_safetensors_open(from, &file));
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = ead_safetensors_metadata(file, keys[i]);
        if (value) ASSERT_OK(ead_safetensors_writer_metadata(writer, keys[i], value));
    }
    for (int i = 0; i < ead_safetensors_count(file); i++) {
        const EadFileTensor *t = ead_safetensors_at(file, i);
        ASSERT_OK(ead_safetensors_writer_tensor(writer, t->name, t->type, t->dims, t->shape, t->data));
    }
    ASSERT_OK(ead_safetensors_writer_tensor(writer, name, EAD_FILE_F32, 1, shape, &number));
    ASSERT_OK(ead_safetensors_writer_write(writer, to));
    ead_safetensors_writer_free(writer);
    ead_safetensors_close(file);
}
