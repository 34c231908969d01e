/* What every suite of a method asks of its model files. */
#pragma once

#include "models/method.h"
#include "test/support/scratch.h"
#include "test/support/suite.h"

/* The model as the file at `path`, which is written, gives it back, saying `text` of itself; for ead_model_free(). */
static inline EadModel *reopened(const EadModel *model, const char *path, const char *text) {
    EadModel *read;
    char described[256];
    ASSERT_OK(ead_model_save(model, path, NULL));
    ASSERT_OK(ead_model_open(path, &read));
    read->method->functions->describe(read, described, sizeof described);
    ck_assert_str_eq(described, text);
    return read;
}

/* The model's file with another value of a metadata key (NULL: none) is refused, and named, in these words. */
static inline void check_bad_file(const EadModel *model, const char *path, const char *key, const char *value,
                                  const char *words) {
    EadSafetensorsWriter *writer;
    EadModel *read;
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_model_write(model, writer));
    if (key) ASSERT_OK(ead_safetensors_writer_metadata(writer, key, value));
    ASSERT_OK(ead_safetensors_writer_write(writer, path));
    ead_safetensors_writer_free(writer);
    ck_assert_int_eq(ead_model_open(path, &read), EAD_BAD_FILE);
    assert_contains(ead_error_message(), words);
    assert_contains(ead_error_message(), path);
}
