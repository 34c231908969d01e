/* The network of codebooks of DSR's authors, as their program saves it, comes out as ours takes it. */
#define S "build/scratch/import_codebooks/"
#include "test/import/import_runs.h"

#include "models/dsr/dsr.h"

#define THEIRS "test/golden/methods/dsr_codebooks.pth"

enum { CHANNELS = 8, CODES = 32, COLORS = 3 };

/* As the file was drawn (test/golden/methods/dsr_golden.py). */
static EadDsr *drawn_model(void) {
    EadDsr *model;
    ASSERT_OK(ead_dsr_new(&(EadDsrSpec){64, 64, CHANNELS, CODES, 1}, &model));
    ead_dsr_initialize(model, 5);
    for (int64_t i = 0; i < model->codes.total; i++) model->codes.values[i] /= 8;
    return model;
}

static void check_same(const EadParams *got, const EadParams *expected) {
    for (int k = 0; k < expected->count; k++) {
        const EadParam *p = &expected->items[k];
        bool turned = strcmp(p->name, "vq.encoder_hi.conv1.weight") == 0 ||
                      strncmp(p->name, "vq.decoder.up2.", 15) == 0;
        for (int64_t i = 0; i < ead_param_size(p); i++) { /* colours are the last dimension of both */
            int64_t from = turned ? i / COLORS * COLORS + COLORS - 1 - i % COLORS : i;
            ck_assert_msg(got->values[p->offset + i] == expected->values[p->offset + from], "%s[%lld]",
                          p->name, (long long)i);
        }
    }
}

START_TEST(codebooks) {
    EadDsr *model = drawn_model(), *read = drawn_model();
    EadSafetensors *file;
    int channels, codes;
    ASSERT_OK(import("-o " OUT " " THEIRS));
    check_said("two books of 32 codes of 8 numbers, for dsr.codebook");
    ck_assert_ptr_null(strstr(said, "not used"));
    ASSERT_OK(ead_safetensors_open(OUT, &file));
    ASSERT_OK(ead_dsr_codebook_sizes(file, &channels, &codes));
    ck_assert(channels == CHANNELS && codes == CODES);
    ASSERT_OK(ead_dsr_read_codebooks(read, file));
    check_same(&read->vq, &model->vq);
    check_same(&read->codes, &model->codes);
    ead_safetensors_close(file);
    ead_model_free(&read->base);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(what_is_no_such_network_is_refused) {
    Named named[2] = {{.name = "_encoder_b._conv_1.weight"}, {.name = "_vq_vae_top._embedding.weight"}};
    static const float zeros[CODES * CHANNELS];
    EadFileTensor tensors[] = {{.type = EAD_FILE_F32, .dims = 4, .shape = {4, 3, 4, 4}, .data = zeros},
                               {.type = EAD_FILE_F32, .dims = 2, .shape = {CODES, CHANNELS}, .data = zeros}};
    for (int i = 0; i < 2; i++) {
        EadFileTensor *t = &tensors[i];
        ck_assert(ead_file_shape_size(t->type, t->dims, t->shape, &t->count, &t->bytes));
        named[i].tensor = t;
    }
    write_pth(S "parts.pth", named, 2);
    check_refused("-o " OUT " " S "parts.pth", "DSR's network of codebooks lacks '_encoder_b._conv_1.bias'");
    write_pth(S "parts.pth", named, 1);
    check_refused("-o " OUT " " S "parts.pth", "holds no codebook of 2 to 8192 codes");
}
END_TEST

int main(void) {
    make_folders(S);
    Suite *suite = suite_create("import_codebooks");
    TCase *tests = tcase_create("import_codebooks");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, codebooks);
    tcase_add_test(tests, what_is_no_such_network_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
