/* What the suites of training runs share: comparing what two runs left behind. */
#ifndef EAD_TEST_RUN_FOLDERS_H
#define EAD_TEST_RUN_FOLDERS_H

#include "core/safetensors.h"
#include "test/data_support.h"

#include <unistd.h>

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
