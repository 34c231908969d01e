/* TensorBoard's event files, read back by a reader that shares nothing with the writer: checksums by a table,
 * fields by number, restarts as TensorBoard understands them. */
#include "test/support/sample_models.h"

#include "test/support/training_step.h"
#include "train/training_board.h"

#include <dirent.h>
#include <unistd.h>

#define FOLDER "build/scratch/test_tensorboard/"

/* ---- checksums ---- */

static uint32_t table_crc32c(const uint8_t *bytes, size_t size) {
    uint32_t table[256], crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++) table[i] = (table[i] >> 1) ^ ((table[i] & 1) ? 0x82F63B78u : 0);
    }
    for (size_t i = 0; i < size; i++) crc = (crc >> 8) ^ table[(crc ^ bytes[i]) & 0xFF];
    return crc ^ 0xFFFFFFFFu;
}

/* The vectors of RFC 3720, B.4, and the usual one. */
START_TEST(checksums_are_castagnolis) {
    uint8_t bytes[32] = {0};
    ck_assert_uint_eq(ead_crc32c(bytes, 32), 0x8A9136AAu);
    memset(bytes, 0xFF, 32);
    ck_assert_uint_eq(ead_crc32c(bytes, 32), 0x62A8AB43u);
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    ck_assert_uint_eq(ead_crc32c(bytes, 32), 0x46DD794Eu);
    ck_assert_uint_eq(ead_crc32c((const uint8_t *)"123456789", 9), 0xE3069283u);
    ck_assert_uint_eq(table_crc32c((const uint8_t *)"123456789", 9), 0xE3069283u);
    /* The mask of an empty record: its checksum is 0. */
    ck_assert_uint_eq(ead_masked_crc32c(bytes, 0), 0xA282EAD8u);
}
END_TEST

/* ---- a reader ---- */

typedef struct Span {
    const uint8_t *bytes;
    size_t size;
} Span;

static uint64_t take_number(Span *span) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        ck_assert(span->size > 0 && shift < 64);
        uint8_t byte = *span->bytes++;
        span->size--;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
}

static Span take_bytes(Span *span, uint64_t size) {
    ck_assert_uint_le(size, span->size);
    Span taken = {span->bytes, (size_t)size};
    span->bytes += size;
    span->size -= (size_t)size;
    return taken;
}

static uint64_t little_endian(Span span) {
    uint64_t value = 0;
    for (size_t i = span.size; i > 0; i--) value = value << 8 | span.bytes[i - 1];
    return value;
}

/* The next field of a message: its number, and its value as bytes or as a number. */
static bool take_field(Span *message, int *field, Span *bytes, uint64_t *number) {
    if (message->size == 0) return false;
    uint64_t key = take_number(message);
    *field = (int)(key >> 3);
    *bytes = (Span){0};
    *number = 0;
    switch (key & 7) {
    case 0:
        *number = take_number(message);
        break;
    case 1:
        *number = little_endian(take_bytes(message, 8));
        break;
    case 2:
        *bytes = take_bytes(message, take_number(message));
        break;
    case 5:
        *number = little_endian(take_bytes(message, 4));
        break;
    default:
        ck_abort_msg("unknown wire type");
    }
    return true;
}

enum { MAX_STEPS = 100, MAX_TAGS = 12 };

/* What a viewer would show. */
typedef struct Shown {
    char tags[MAX_TAGS][64];
    int tag_count;
    bool scalar[MAX_TAGS][MAX_STEPS], picture[MAX_TAGS][MAX_STEPS];
    float values[MAX_TAGS][MAX_STEPS];
    int widths[MAX_TAGS], heights[MAX_TAGS];
    int records, restarts;
} Shown;

static int tag_of(Shown *shown, Span name) {
    for (int i = 0; i < shown->tag_count; i++)
        if (strlen(shown->tags[i]) == name.size && memcmp(shown->tags[i], name.bytes, name.size) == 0)
            return i;
    ck_assert(shown->tag_count < MAX_TAGS && name.size < 64);
    memcpy(shown->tags[shown->tag_count], name.bytes, name.size);
    return shown->tag_count++;
}

static void take_picture(Shown *shown, int tag, Span image) {
    int field;
    Span bytes;
    uint64_t number, colorspace = 0;
    while (take_field(&image, &field, &bytes, &number)) {
        if (field == 1) shown->heights[tag] = (int)number;
        if (field == 2) shown->widths[tag] = (int)number;
        if (field == 3) colorspace = number;
        if (field != 4) continue;
        EadImage decoded;
        ASSERT_OK(ead_image_decode(bytes.bytes, bytes.size, "picture", &decoded));
        ck_assert(decoded.width == shown->widths[tag] && decoded.height == shown->heights[tag]);
        ead_image_free(&decoded);
    }
    ck_assert_uint_eq(colorspace, 3);
}

static void take_value(Shown *shown, int64_t step, Span value) {
    int field, tag = -1;
    Span bytes;
    uint64_t number;
    while (take_field(&value, &field, &bytes, &number)) {
        if (field == 1) tag = tag_of(shown, bytes);
        ck_assert(tag >= 0 && step >= 0 && step < MAX_STEPS);
        uint32_t bits = (uint32_t)number;
        if (field == 2) memcpy(&shown->values[tag][step], &bits, 4);
        if (field == 2) shown->scalar[tag][step] = true;
        if (field == 4) take_picture(shown, tag, bytes);
        if (field == 4) shown->picture[tag][step] = true;
    }
}

/* A restart at a step voids all that was said of it and of later ones. */
static void restart(Shown *shown, int64_t step) {
    shown->restarts++;
    for (int tag = 0; tag < MAX_TAGS; tag++)
        for (int64_t i = step; i < MAX_STEPS; i++) shown->scalar[tag][i] = shown->picture[tag][i] = false;
}

static void take_event(Shown *shown, Span event, bool first) {
    int field;
    Span bytes, value;
    uint64_t number, inner_number, time_bits = 0;
    int64_t step = -1;
    while (take_field(&event, &field, &bytes, &number)) {
        if (field == 1) time_bits = number;
        if (field == 2) step = (int64_t)number;
        if (field == 3) ck_assert(first && bytes.size == 13 && memcmp(bytes.bytes, "brain.Event:2", 13) == 0);
        if (field == 5)
            for (int inner; take_field(&bytes, &inner, &value, &inner_number);)
                take_value(shown, step, value);
        if (field == 7) restart(shown, step);
    }
    double seconds;
    memcpy(&seconds, &time_bits, sizeof seconds);
    ck_assert(seconds > 1.6e9 && seconds < 1e11 && step >= 0);
}

static void read_events(const char *path, Shown *shown) {
    size_t size;
    uint8_t *bytes = read_bytes(path, &size);
    Span file = {bytes, size};
    for (int record = 0; file.size > 0; record++) {
        Span length = take_bytes(&file, 8);
        uint32_t crc = table_crc32c(length.bytes, 8), mask = ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
        ck_assert_uint_eq(little_endian(take_bytes(&file, 4)), mask);
        Span event = take_bytes(&file, little_endian(length));
        crc = table_crc32c(event.bytes, event.size);
        mask = ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
        ck_assert_uint_eq(little_endian(take_bytes(&file, 4)), mask);
        take_event(shown, event, record == 0);
        shown->records++;
    }
    free(bytes);
}

/* All event files of the folder, in the order of their names. */
static int read_folder(Shown *shown) {
    struct dirent **entries;
    int count = scandir(FOLDER, &entries, NULL, alphasort), files = 0;
    ck_assert_int_ge(count, 2);
    *shown = (Shown){0};
    for (int i = 0; i < count; i++) {
        char path[512];
        if (strncmp(entries[i]->d_name, "events.out.tfevents.", 20) == 0) {
            snprintf(path, sizeof path, FOLDER "%s", entries[i]->d_name);
            read_events(path, shown);
            files++;
        }
        free(entries[i]);
    }
    free(entries);
    return files;
}

/* ---- the log of a training ---- */

static StepLosses losses_of(int step, float shift) {
    float s = (float)step + shift;
    return (StepLosses){.hard = s, .penalty = 0, .ae = -s, .stae = 1e-30f * s, .total = 2 * s, .lr = 1e-4f};
}

static void log_steps(EadTrainingBoard *board, int first, int last, float shift) {
    for (int step = first; step <= last; step++) {
        StepLosses losses = losses_of(step, shift);
        ASSERT_OK(ead_training_board_step(board, step, ead_efficientad_losses, &losses.hard));
    }
}

static int find_tag(const Shown *shown, const char *tag) {
    for (int i = 0; i < shown->tag_count; i++)
        if (strcmp(shown->tags[i], tag) == 0) return i;
    ck_abort_msg("no %s", tag);
}

static void make_scratch(void) {
    ck_assert_int_eq(system("rm -rf " FOLDER), 0);
    make_folders(FOLDER);
}

/* A run of 20 steps that is cut off after step 13 and goes on from step 10. */
START_TEST(a_resumed_log_shows_every_step_once) {
    static Shown shown;
    EadTrainingBoard board;
    EadDataset none = {0};
    make_scratch();
    ASSERT_OK(ead_training_board_open(&board, FOLDER, 20, 0, &none, NULL, &(EadModel){0}));
    log_steps(&board, 1, 13, 1000);
    ead_training_board_close(&board);
    ASSERT_OK(ead_training_board_open(&board, FOLDER, 20, 10, &none, NULL, &(EadModel){0}));
    log_steps(&board, 11, 20, 0);
    ead_training_board_close(&board);
    ck_assert_int_eq(read_folder(&shown), 2);
    ck_assert_int_eq(shown.records, 2 * 2 + 13 + 10);
    ck_assert_int_eq(shown.restarts, 2);
    ck_assert_int_eq(shown.tag_count, 6);
    int total = find_tag(&shown, "loss/total"), ae = find_tag(&shown, "loss/autoencoder");
    int stae = find_tag(&shown, "loss/student_autoencoder"), rate = find_tag(&shown, "learning_rate");
    for (int step = 0; step < MAX_STEPS; step++) {
        ck_assert_int_eq(shown.scalar[total][step], step >= 1 && step <= 20);
        if (step < 1 || step > 20) continue;
        StepLosses losses = losses_of(step, step <= 10 ? 1000 : 0);
        ck_assert_float_eq(shown.values[total][step], losses.total);
        ck_assert_float_eq(shown.values[ae][step], losses.ae);
        ck_assert_float_eq(shown.values[stae][step], losses.stae);
        ck_assert_float_eq(shown.values[rate][step], 1e-4f);
    }
}
END_TEST

/* Long runs are thinned to some 1,000 events. */
START_TEST(long_runs_are_thinned) {
    static Shown shown;
    EadTrainingBoard board;
    EadDataset none = {0};
    make_scratch();
    ASSERT_OK(ead_training_board_open(&board, FOLDER, 7000, 0, &none, NULL, &(EadModel){0}));
    log_steps(&board, 1, 80, 0);
    ead_training_board_close(&board);
    read_folder(&shown);
    for (int step = 1; step <= 80; step++)
        ck_assert_int_eq(shown.scalar[find_tag(&shown, "loss/hard")][step], step == 1 || step % 7 == 0);
}
END_TEST

/* One picture for each of the first kinds of defects, at a tenth of the run each. */
START_TEST(maps_are_pictures) {
    static Shown shown;
    static char *const kinds[] = {"good", "a", "a", "b", "c", "d", "e"};
    EadTestSample samples[7];
    for (int i = 0; i < 7; i++) {
        samples[i] = (EadTestSample){.path = FOLDER "image.png", .defect = kinds[i], .anomalous = i > 0};
    }
    EadDataset dataset = {.test = samples, .test_count = 7};
    EadTrainingBoard board;
    EadEfficientad *model = tiny_model();
    make_scratch();
    write_noise_png(FOLDER "image.png", 700, 300, 3, 5);
    ASSERT_OK(ead_training_board_open(&board, FOLDER, 50, 0, &dataset, NULL, &(EadModel){0}));
    ck_assert_int_eq(board.image_count, EAD_BOARD_PICTURES);
    const EadBackend *cpu = NULL;
    ASSERT_OK(ead_backend_find("cpu", &cpu));
    for (int step = 3; step <= 12; step += 3)
        ASSERT_OK(ead_training_board_maps(&board, step, &model->base, cpu));
    ASSERT_OK(ead_training_board_maps(&board, 50, &model->base, cpu));
    ASSERT_OK(ead_training_board_maps(&board, 50, &model->base, cpu));
    ead_training_board_close(&board);
    read_folder(&shown);
    ck_assert_int_eq(shown.tag_count, 4);
    int tag = find_tag(&shown, "map/a");
    find_tag(&shown, "map/d");
    ck_assert(shown.widths[tag] == 320 && shown.heights[tag] == 137);
    for (int step = 0; step < MAX_STEPS; step++)
        ck_assert_int_eq(shown.picture[tag][step], step == 6 || step == 12 || step == 50);
    ead_efficientad_free(model);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error) {
    EadTensorboardFile file;
    ASSERT_FAILS(ead_tensorboard_open(&file, FOLDER "none", 0), EAD_IO, FOLDER "none/events.out.tfevents.");
    ead_tensorboard_close(&file);
}
END_TEST

static void remove_scratch(void) {
    ck_assert_int_eq(system("rm -rf " FOLDER), 0);
}

static Suite *make_suite(void) {
    Suite *suite = suite_create("tensorboard");
    TCase *tests = tcase_create("tensorboard");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, NULL, remove_scratch);
    tcase_add_test(tests, checksums_are_castagnolis);
    tcase_add_test(tests, a_resumed_log_shows_every_step_once);
    tcase_add_test(tests, long_runs_are_thinned);
    tcase_add_test(tests, maps_are_pictures);
    tcase_add_test(tests, a_folder_that_is_not_there_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_suite(make_suite());
}
