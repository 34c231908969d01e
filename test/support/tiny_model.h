/* A model for the suites that need one quickly: EfficientAD-S at 128x128 with random weights, and what they
 * check it with. */
#ifndef EAD_TEST_TINY_MODEL_H
#define EAD_TEST_TINY_MODEL_H

#include "core/file/safetensors.h"
#include "models/detector.h"
#include "models/efficientad/model.h"
#include "test/support/data_support.h"

enum { TINY_SIDE = 128 };

/* For ead_efficientad_free(). */
static inline EadEfficientad *tiny_model(void) {
    const EadEfficientadSpec spec = {.height = TINY_SIDE, .width = TINY_SIDE, .autoencoder = true};
    double statistics[EAD_MAP_COUNT][2] = {{0.001, 0.002}, {0.001, 0.003}};
    EadEfficientad *model;
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ead_params_initialize(&model->teacher, 1);
    ead_params_initialize(&model->trained, 2);
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, statistics));
    return model;
}

/* Saves it with a threshold (NAN: none) and a config (NULL: none). */
static inline void save_tiny_model(const char *path, float threshold, const char *config) {
    EadFileMetadata metadata = {"config", config};
    EadFileExtras extras = {.metadata = &metadata, .metadata_count = config ? 1 : 0};
    EadEfficientad *model = tiny_model();
    model->base.threshold = threshold;
    make_folders(path);
    ASSERT_OK(ead_model_save(&model->base, path, &extras));
    ead_efficientad_free(model);
}

/* The map and score that the library gives for an image file; free() the map. */
static inline float *library_map(EadDetector *detector, const char *path, float *score) {
    EadImage image;
    ASSERT_OK(ead_image_load(path, &image));
    float *map = malloc((size_t)image.width * (size_t)image.height * sizeof *map);
    ck_assert_ptr_nonnull(map);
    ASSERT_OK(
        ead_detector_run(detector, image.pixels, image.width, image.height, 3 * image.width, map, score));
    ead_image_free(&image);
    return map;
}

static inline float largest(const float *map, int64_t count) {
    float most = map[0];
    for (int64_t i = 1; i < count; i++) most = map[i] > most ? map[i] : most;
    return most;
}

#endif
