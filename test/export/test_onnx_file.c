/* The writer and reader of ONNX files, alone: what is written is read, damage is refused. And the resize that is put
 * into such files: it gives the bytes of the resize of training. */
#include "core/file/sha256.h"
#include "test/support/scratch.h"
#include "train/export/onnx_image.h"

#include <math.h>

#define S "build/scratch/test_onnx_file/"

/* y = Relu(x), z = x + c with a constant of 2 x 3 numbers. */
static void fill(EadOnnxFile *file) {
    EadOnnxTensor value = {.name = "x", .type = EAD_ONNX_FLOAT, .dims = 2, .shape = {EAD_ONNX_ANY, 3}};
    float *numbers = malloc(6 * sizeof *numbers);
    for (int i = 0; i < 6; i++) numbers[i] = (float)i - 2.5f;
    ASSERT_OK(ead_onnx_tensor_add(&file->inputs, &value));
    value.name = "z";
    ASSERT_OK(ead_onnx_tensor_add(&file->outputs, &value));
    EadOnnxTensor constant = {
        .name = "c", .type = EAD_ONNX_FLOAT, .dims = 2, .shape = {2, 3}, .data = numbers, .bytes = 24};
    ASSERT_OK(ead_onnx_tensor_add(&file->constants, &constant));
    EadOnnxNode relu = {.op = "Relu", .inputs = {"x"}, .outputs = {"y"}},
                add = {.op = "Add",
                       .inputs = {"y", "", "c"},
                       .outputs = {"z"},
                       .attributes = {EAD_WITH_INT("axis", -1), EAD_WITH_INTS("pads", 0, 1, 300),
                                      EAD_WITH_FLOAT("alpha", 0.2), EAD_WITH_TEXT("mode", "linear")}};
    ASSERT_OK(ead_onnx_node_add(file, &relu));
    ASSERT_OK(ead_onnx_node_add(file, &add));
    ASSERT_OK(ead_onnx_metadata_add(file, "threshold", "0.25"));
}

/* The bytes of a file; free() them. */
static char *bytes_of(const EadOnnxFile *file, size_t *size) {
    char *bytes = NULL;
    FILE *stream = open_memstream(&bytes, size);
    ASSERT_OK(ead_onnx_write(file, "test", stream));
    ck_assert_int_eq(fclose(stream), 0);
    return bytes;
}

START_TEST(what_is_written_is_read) {
    EadOnnxFile file = {0};
    EadOnnxReading *reading;
    size_t size;
    fill(&file);
    char *bytes = bytes_of(&file, &size);
    ASSERT_OK(ead_onnx_read(bytes, size, "f", &reading));
    ck_assert_int_eq(ead_onnx_node_count(reading), 2);
    const EadOnnxNode *add = ead_onnx_node_at(reading, 1);
    ck_assert_str_eq(add->op, "Add");
    ck_assert_str_eq(add->inputs[0], "y");
    ck_assert_str_eq(add->inputs[1], "");
    ck_assert_str_eq(add->inputs[2], "c");
    ck_assert_ptr_null(add->inputs[3]);
    ck_assert_str_eq(add->outputs[0], "z");
    ck_assert_str_eq(add->attributes[0].name, "axis");
    ck_assert_int_eq(add->attributes[0].ints[0], -1);
    ck_assert_int_eq(add->attributes[1].count, 3);
    ck_assert_int_eq(add->attributes[1].ints[2], 300);
    ck_assert(add->attributes[2].number == 0.2f);
    ck_assert_str_eq(add->attributes[3].text, "linear");
    ck_assert_str_eq(ead_onnx_metadata(reading, "threshold"), "0.25");
    const EadOnnxTensor *input = &ead_onnx_inputs(reading)->items[0], *c = ead_onnx_constant(reading, "c");
    ck_assert(input->dims == 2 && input->shape[0] == EAD_ONNX_ANY && input->shape[1] == 3);
    ck_assert(c->dims == 2 && c->shape[0] == 2 && c->shape[1] == 3);
    ck_assert_mem_eq(c->data, file.constants.items[0].data, 24);
    ead_onnx_reading_free(reading);
    ead_onnx_file_free(&file);
    free(bytes);
}
END_TEST

START_TEST(damage_is_refused) {
    EadOnnxFile file = {0};
    EadOnnxReading *reading;
    size_t size;
    fill(&file);
    char *bytes = bytes_of(&file, &size);
    for (size_t cut = 0; cut < size; cut++) {
        ASSERT_FAILS(ead_onnx_read(bytes, cut, "f", &reading), EAD_BAD_FILE, "f: ");
        ck_assert_ptr_null(reading);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) { /* names and numbers may change: no crash is asked for */
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (ead_onnx_read(bytes, size, "f", &reading) == EAD_OK)
            ead_onnx_reading_free(reading);
        else
            ck_assert(!reading && !strncmp(ead_error_message(), "f: ", 3));
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    ead_onnx_file_free(&file);
    free(bytes);
}
END_TEST

/* Reads a file after a change to what fill() makes. */
static EadStatus read_changed(void (*change)(EadOnnxFile *)) {
    EadOnnxFile file = {0};
    EadOnnxReading *reading;
    size_t size;
    fill(&file);
    change(&file);
    char *bytes = bytes_of(&file, &size);
    EadStatus status = ead_onnx_read(bytes, size, "f", &reading);
    ead_onnx_reading_free(reading);
    ead_onnx_file_free(&file);
    free(bytes);
    return status;
}

static void read_what_is_not_there(EadOnnxFile *file) {
    EadOnnxNode node = {.op = "Relu", .inputs = {"w"}, .outputs = {"v"}};
    ASSERT_OK(ead_onnx_node_add(file, &node));
}

static void name_twice(EadOnnxFile *file) {
    EadOnnxNode node = {.op = "Relu", .inputs = {"x"}, .outputs = {"c"}};
    ASSERT_OK(ead_onnx_node_add(file, &node));
}

static void want_what_is_not_there(EadOnnxFile *file) {
    EadOnnxTensor value = {.name = "v", .type = EAD_ONNX_FLOAT, .dims = 1, .shape = {1}};
    ASSERT_OK(ead_onnx_tensor_add(&file->outputs, &value));
}

static void make_larger(EadOnnxFile *file) {
    file->constants.items[0].shape[0] = 3;
}

START_TEST(graphs_that_cannot_run_are_refused) {
    ASSERT_FAILS(read_changed(read_what_is_not_there), EAD_BAD_FILE, "f: Relu reads 'w'");
    ASSERT_FAILS(read_changed(name_twice), EAD_BAD_FILE, "f: the name 'c' is given twice");
    ASSERT_FAILS(read_changed(want_what_is_not_there), EAD_BAD_FILE, "f: the output 'v' is not computed");
    ASSERT_FAILS(read_changed(make_larger), EAD_BAD_FILE, "f: constant 'c' has 24 bytes, not the 36");
}
END_TEST

/* ---- the resize ---- */

/* One constant's numbers by name. */
static const float *numbers_of(const EadOnnxGraph *g, const char *name) {
    for (int i = 0; i < g->file.constants.count; i++)
        if (!strcmp(g->file.constants.items[i].name, name)) return g->file.constants.items[i].data;
    ck_abort_msg("no constant %s", name);
}

/* out[o] = sum over i of matrix x: of floats, one after the other. x, out: planes [planes][..][inner]. */
static void multiply(const float *matrix, const float *x, float *out, int rows, int in, int outputs,
                     bool left) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < outputs; o++) {
            float sum = 0;
            for (int i = 0; i < in; i++)
                sum += left ? matrix[o * in + i] * x[i * rows + r] : matrix[i * outputs + o] * x[r * in + i];
            out[left ? o * rows + r : r * outputs + o] = sum;
        }
}

/* What the operators of one pass make of a plane, with the constants as they are in the file. */
static void run_pass(const EadOnnxGraph *g, const char *suffix, int number, const float *x, float *out,
                     int rows, int in, int outputs, bool left) {
    char high_name[32], low_name[32], name[3][32];
    snprintf(high_name, sizeof high_name, "resize_high%s", suffix);
    snprintf(low_name, sizeof low_name, "resize_low%s", suffix);
    for (int k = 0; k < 3; k++)
        snprintf(name[k], sizeof name[k], number + k ? "constant_%d" : "constant", number + k + 1);
    size_t count = (size_t)rows * (size_t)outputs;
    float *high = malloc(count * sizeof *high), *low = malloc(count * sizeof *low);
    float down = *numbers_of(g, name[0]), half = *numbers_of(g, name[1]), rest = *numbers_of(g, name[2]);
    multiply(numbers_of(g, high_name), x, high, rows, in, outputs, left);
    multiply(numbers_of(g, low_name), x, low, rows, in, outputs, left);
    for (size_t i = 0; i < count; i++) out[i] = floorf((high[i] + floorf(low[i] * down) + half) * rest);
    free(high);
    free(low);
}

/* A gray image of noise from height x width to to_height x to_width. */
static void check_resize(int height, int width, int to_height, int to_width) {
    EadOnnxGraph g = {0};
    size_t pixels = (size_t)height * (size_t)width, after = (size_t)to_height * (size_t)to_width;
    uint8_t *image = malloc(pixels), *expected = malloc(after);
    float *x = malloc(pixels * sizeof *x),
          *middle = malloc((size_t)height * (size_t)to_width * sizeof *middle),
          *out = malloc(after * sizeof *out);
    fill_noise(image, pixels, (uint32_t)(height + width));
    for (size_t i = 0; i < pixels; i++) x[i] = image[i];
    ASSERT_OK(ead_resize_u8(image, width, height, 1, width, expected, to_width, to_height));
    ead_onnx_resize_image(&g, "image", height, width, &(EadModel){.height = to_height, .width = to_width});
    ck_assert_int_eq(g.status, EAD_OK);
    run_pass(&g, "", 0, x, middle, height, width, to_width, false);
    run_pass(&g, "_2", 3, middle, out, to_width, height, to_height, true);
    for (size_t i = 0; i < after; i++) ck_assert_msg(out[i] == (float)expected[i], "%zu", i);
    ead_onnx_graph_free(&g);
    free(image), free(expected), free(x), free(middle), free(out);
}

START_TEST(the_resize_is_that_of_training) {
    check_resize(320, 320, 128, 128);
    check_resize(301, 517, 128, 192);
    check_resize(90, 64, 128, 256);  /* larger */
    check_resize(384, 1500, 96, 32); /* the lower part has fewer bits */
    check_resize(4, 4000, 3, 2);
}
END_TEST

/* ---- the hash ---- */

static void check_hash(const char *byte, size_t count, const char *expected) {
    char text[EAD_SHA256_TEXT];
    FILE *file = fopen(S "hashed", "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < count; i++) fwrite(byte, 1, strlen(byte), file);
    ck_assert_int_eq(fclose(file), 0);
    ASSERT_OK(ead_file_sha256(S "hashed", text));
    ck_assert_str_eq(text, expected);
}

/* FIPS 180-4's examples. */
START_TEST(the_hash_is_sha256) {
    make_folders(S);
    check_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hash("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_hash("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    char text[EAD_SHA256_TEXT];
    ASSERT_FAILS(ead_file_sha256(S "none", text), EAD_IO, S "none: cannot open");
    shell_ok("rm -rf " S);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("onnx_file");
    TCase *cases = tcase_create("onnx_file");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, what_is_written_is_read);
    tcase_add_test(cases, damage_is_refused);
    tcase_add_test(cases, graphs_that_cannot_run_are_refused);
    tcase_add_test(cases, the_resize_is_that_of_training);
    tcase_add_test(cases, the_hash_is_sha256);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
