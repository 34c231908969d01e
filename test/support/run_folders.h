/* What the suites of training runs share: their configs, and reading and comparing what runs left behind. */
#ifndef EAD_TEST_RUN_FOLDERS_H
#define EAD_TEST_RUN_FOLDERS_H

#include "core/file/safetensors.h"
#include "test/support/data_support.h"
#include "train/config/config.h"

#include <unistd.h>

/* A config of YAML, the run's folder and "key=value key=value ...". */
static inline void configure_run(EadConfig *config, const char *base, const char *run, const char *settings) {
    char setting[256];
    ASSERT_OK(ead_config_defaults(config));
    ASSERT_OK(ead_config_parse(base, strlen(base), "base", config));
    ASSERT_OK(ead_config_set_key(config, EAD_KEY_output, run));
    for (int used; sscanf(settings, "%255s%n", setting, &used) == 1; settings += used)
        ASSERT_OK(ead_config_set(config, setting, "test"));
}

/* Reads exactly `count` rows of losses.csv, numbered from 1: values [count][columns] without the step. */
static inline void read_loss_rows(const char *run, const char *header, int count, int columns,
                                  double *values) {
    char path[256], line[256];
    int step;
    snprintf(path, sizeof path, "%slosses.csv", run);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_str_eq(fgets(line, sizeof line, file), header);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(fscanf(file, "%d", &step), 1);
        ck_assert_int_eq(step, i + 1);
        for (int c = 0; c < columns; c++) ck_assert_int_eq(fscanf(file, ",%lf", &values[i * columns + c]), 1);
        ck_assert_int_eq(fgetc(file), '\n');
    }
    ck_assert_int_eq(fgetc(file), EOF);
    fclose(file);
}

static inline bool file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

static inline bool same_files(const char *a, const char *b) {
    size_t a_size, b_size;
    uint8_t *a_bytes = read_bytes(a, &a_size), *b_bytes = read_bytes(b, &b_size);
    bool same = a_size == b_size && memcmp(a_bytes, b_bytes, a_size) == 0;
    free(a_bytes);
    free(b_bytes);
    return same;
}

/* Whether two model files hold the same tensors, bit for bit. Their metadata differ: they name the folder. */
static inline bool same_tensors(const char *a, const char *b) {
    EadSafetensors *x, *y;
    ASSERT_OK(ead_safetensors_open(a, &x));
    ASSERT_OK(ead_safetensors_open(b, &y));
    bool same = ead_safetensors_count(x) == ead_safetensors_count(y) && ead_safetensors_count(x) > 0;
    for (int i = 0; same && i < ead_safetensors_count(x); i++) {
        const EadFileTensor *p = ead_safetensors_at(x, i), *q = ead_safetensors_find(y, p->name);
        same = q && p->type == q->type && p->bytes == q->bytes && memcmp(p->data, q->data, p->bytes) == 0;
    }
    ead_safetensors_close(x);
    ead_safetensors_close(y);
    return same;
}

/* Whether the runs in two folders (names end in a slash) gave the same bits. */
static inline bool same_runs(const char *a, const char *b) {
    char x[256], y[256];
    snprintf(x, sizeof x, "%slosses.csv", a);
    snprintf(y, sizeof y, "%slosses.csv", b);
    if (!same_files(x, y)) return false;
    snprintf(x, sizeof x, "%smodel.safetensors", a);
    snprintf(y, sizeof y, "%smodel.safetensors", b);
    return same_tensors(x, y);
}

#endif
