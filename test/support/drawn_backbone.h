/* Backbone files with drawn weights and batch-norm statistics, as draw() of test/golden/backbone_golden.py
 * makes them, and files that lack something. */
#ifndef EAD_TEST_DRAWN_BACKBONE_H
#define EAD_TEST_DRAWN_BACKBONE_H

#include "core/base/half.h"
#include "core/base/philox.h"
#include "core/file/safetensors.h"
#include "models/networks/resnet.h"
#include "test/support/data_support.h"

#include <math.h>

enum { BACKBONE_SEED = 9, MAX_TENSORS = 1024 };

static inline uint8_t *draw_bytes(const char *name, int64_t count) {
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

/* The tensors of a file, which its writer borrows. */
typedef struct Drawn {
    EadSafetensorsWriter *writer;
    void *owned[MAX_TENSORS];
    int count;
    const char *left_out; /* this one tensor is not written */
    const char *negative; /* the first number of this one is -1 */
} Drawn;

static inline void add(Drawn *drawn, const char *name, EadFileType type, int dims, const int64_t *shape,
                       void *values) {
    ck_assert_int_lt(drawn->count, MAX_TENSORS);
    drawn->owned[drawn->count++] = values;
    if (drawn->left_out && strcmp(name, drawn->left_out) == 0) return;
    ASSERT_OK(ead_safetensors_writer_tensor(drawn->writer, name, type, dims, shape, values));
}

static inline void add_weight(Drawn *drawn, const EadParam *p) {
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

typedef enum DrawnPart { GAMMA, BETA, RUNNING_MEAN, RUNNING_VARIANCE } DrawnPart;

static inline float vector_value(DrawnPart part, uint8_t byte, bool last) {
    if (part == RUNNING_VARIANCE) return 0.5f + (float)byte / 256;
    if (part == GAMMA) return (0.5f + (float)byte / 256) * (last ? 0.25f : 1);
    return (float)(byte - 128) / 1024;
}

/* The batch norm `prefix` of the network. */
static inline void add_norm(Drawn *drawn, const char *prefix, int channels, bool last) {
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

/* conv1 -> bn1, layer1.0.conv2 -> layer1.0.bn2, layer1.0.downsample.0 -> layer1.0.downsample.1 */
static inline void norm_of(const char *weight, char out[64]) {
    snprintf(out, 64, "%.*s", (int)(strlen(weight) - strlen(".weight")), weight);
    char *conv = strstr(out, "conv");
    if (conv) {
        char digit = conv[4];
        memcpy(conv, "bn", 2), conv[2] = digit, conv[3] = '\0';
    } else
        out[strlen(out) - 1] = '1';
}

static inline void write_backbone(const EadResnetKind *kind, const char *path, Drawn *drawn) {
    EadResnet shapes;
    ASSERT_OK(ead_resnet_new(kind, EAD_RESNET_TORCHVISION, &shapes));
    ASSERT_OK(ead_safetensors_writer_new(&drawn->writer));
    for (int i = 0; i < shapes.params.count; i += 2) {
        char norm[64];
        norm_of(shapes.params.items[i].name, norm);
        bool last = strstr(norm, kind->bottleneck ? ".bn3" : ".bn2") != NULL;
        add_weight(drawn, &shapes.params.items[i]);
        add_norm(drawn, norm, shapes.params.items[i].n, last);
    }
    make_folders(path);
    ASSERT_OK(ead_safetensors_writer_write(drawn->writer, path));
    ead_safetensors_writer_free(drawn->writer);
    for (int i = 0; i < drawn->count; i++) free(drawn->owned[i]);
    ead_resnet_free(&shapes);
}

static inline const EadResnetKind *kind_named(const char *name) {
    for (int i = 0; ead_resnet_kind(i); i++)
        if (strcmp(ead_resnet_kind(i)->name, name) == 0) return ead_resnet_kind(i);
    ck_abort_msg("no kind %s", name);
    return NULL;
}

#endif
