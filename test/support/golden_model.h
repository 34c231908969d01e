/* What the tests of whole models share: images and models as test/golden/philox.py draws them, and golden
 * files. */
#ifndef EAD_TEST_GOLDEN_MODEL_H
#define EAD_TEST_GOLDEN_MODEL_H

#include "core/base/philox.h"
#include "core/file/safetensors.h"
#include "models/efficientad/model.h"
#include "test/support/suite.h"

#include <math.h>
#include <string.h>

enum { GOLDEN_WEIGHT_SEED = 7 };

/* u8 [height][width][3]: 8x8 random flat cells with noise of 0..7 on top. */
static inline void golden_image(uint64_t seed, int height, int width, uint8_t *out) {
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

/* The float64 vector of that name; fails the test if it is not there with `count` elements. */
static inline void golden_vector(const EadSafetensors *file, const char *prefix, const char *name,
                                 int64_t count, double *out) {
    char full[128];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    const EadFileTensor *tensor = ead_safetensors_find(file, full);
    ck_assert_msg(tensor && tensor->count == count, "golden tensor %s is missing or has another size", full);
    ck_assert_int_eq(ead_file_tensor_to_double(file, tensor, out), EAD_OK);
}

/* A model with the golden weights and the golden file's teacher statistics. */
static inline EadEfficientad *golden_model(const EadSafetensors *file, const char *prefix,
                                           EadEfficientadSpec spec) {
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

/* Largest difference in units of the largest expected value. */
static inline double relative_difference(const float *got, const double *expected, int64_t count,
                                         int64_t stride) {
    double difference = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        double d = fabs((double)got[i * stride] - expected[i]);
        if (!(d <= difference)) difference = d; /* NaN counts as a difference */
        if (fabs(expected[i]) > largest) largest = fabs(expected[i]);
    }
    return difference / largest;
}

#endif
