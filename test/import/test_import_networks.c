/* Teachers, students and autoencoders: one small model under the names and in the formats of others comes out as it was;
 * what does not fit is said. The files of torch itself are test_torch_file.c's. */
#define S "build/scratch/import_networks/"
#include "test/import/import_runs.h"

/* "conv2.weight" -> number 2 and ".weight"; false if the name does not go on with `stem` at `at`. */
static bool split(const char *name, const char *at, int *number, const char **rest) {
    char *end;
    const char *found = strstr(name, at);
    if (!found) return false;
    *number = (int)strtol(found + strlen(at), &end, 10);
    *rest = end;
    return end > found + strlen(at);
}

/* nelson1425's modules: positions in a Sequential. */
static bool as_sequential(const char *ours, char theirs[128]) {
    static const int pdn[] = {0, 3, 6, 8}, encoder[] = {0, 2, 4, 6, 8, 10},
                     decoder[] = {12, 15, 18, 21, 24, 27, 30, 32};
    const char *rest;
    int k;
    if (split(ours, "enc_conv", &k, &rest))
        snprintf(theirs, 128, "%d%s", encoder[k - 1], rest);
    else if (split(ours, "dec_conv", &k, &rest))
        snprintf(theirs, 128, "%d%s", decoder[k - 1], rest);
    else if (split(ours, ".conv", &k, &rest))
        snprintf(theirs, 128, "%d%s", pdn[k - 1], rest);
    else
        return false;
    return true;
}

/* anomalib's, in a checkpoint of Lightning. */
static bool as_anomalib(const char *ours, char theirs[128]) {
    const char *rest;
    int k;
    if (split(ours, "enc_conv", &k, &rest))
        snprintf(theirs, 128, "state_dict.model.ae.encoder.enconv%d%s", k, rest);
    else if (split(ours, "dec_conv", &k, &rest))
        snprintf(theirs, 128, "state_dict.model.ae.decoder.deconv%d%s", k, rest);
    else if (strchr(ours, '.'))
        snprintf(theirs, 128, "state_dict.model.%s", ours);
    else if (strncmp(ours, "teacher_", 8) == 0)
        snprintf(theirs, 128, "state_dict.model.mean_std.%s", ours + 8);
    else
        return false;
    return true;
}

static bool as_layers(const char *ours, char theirs[128]) {
    const char *dot = strchr(ours, '.');
    if (dot) snprintf(theirs, 128, "%s", dot + 1);
    return dot != NULL;
}

/* ---- what comes out ---- */

/* OUT holds every tensor of ours that begins with one of the parts. */
static void check_out(const EadSafetensors *ours, const char *part) {
    EadSafetensors *out;
    int count = 0;
    ASSERT_OK(ead_safetensors_open(OUT, &out));
    for (int i = 0; i < ead_safetensors_count(ours); i++) {
        const EadFileTensor *want = ead_safetensors_at(ours, i);
        if (strncmp(want->name, part, strlen(part)) != 0) continue;
        const EadFileTensor *got = ead_safetensors_find(out, want->name);
        ck_assert_msg(got && got->type == want->type && got->bytes == want->bytes &&
                          memcmp(got->shape, want->shape, sizeof got->shape) == 0 &&
                          memcmp(got->data, want->data, got->bytes) == 0,
                      "%s", want->name);
        count++;
    }
    ck_assert_int_ge(count, 8);
    ck_assert_str_eq(ead_safetensors_metadata(out, "format"), "efficientad/1");
    ck_assert_str_eq(ead_safetensors_metadata(out, "model"), "small");
    ead_safetensors_close(out);
}

static EadSafetensors *open_ours(void) {
    EadSafetensors *ours;
    save_tiny_model(S "ours.safetensors", NAN, NULL);
    ASSERT_OK(ead_safetensors_open(S "ours.safetensors", &ours));
    return ours;
}

/* Three files of Sequentials in a folder, beside what a running training leaves. */
START_TEST(three_sequentials) {
    EadSafetensors *ours = open_ours();
    Named named[64];
    write_pth(S "nelson/teacher_final.pth", named, rename_all(ours, "teacher.", as_sequential, named));
    write_pth(S "nelson/teacher_tmp.pth", named, rename_all(ours, "teacher.", as_sequential, named));
    write_pth(S "nelson/student_final.pth", named, rename_all(ours, "student.", as_sequential, named));
    write_pth(S "nelson/autoencoder_final.pth", named,
              rename_all(ours, "autoencoder.", as_sequential, named));
    ASSERT_OK(import("-o " OUT " " S "nelson"));
    check_said("teacher: PDN-S as Sequential, from " S "nelson/teacher_final.pth");
    check_said("autoencoder: autoencoder as Sequential, from");
    check_said("padding: the files do not say, taken as false");
    check_said("for model.init; it cannot predict, the files hold no teacher_mean and teacher_std");
    check_out(ours, "teacher.");
    check_out(ours, "student.");
    check_out(ours, "autoencoder.");
    const EadEfficientadSpec spec = {.height = TINY_SIDE, .width = TINY_SIDE, .autoencoder = true};
    EadEfficientad *model, *expected = tiny_model();
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ASSERT_OK(ead_efficientad_read_trained(model, OUT));
    ASSERT_OK(ead_efficientad_read_teacher(model, OUT));
    ck_assert_mem_eq(model->trained.values, expected->trained.values,
                     (size_t)model->trained.total * sizeof(real));
    ck_assert_mem_eq(model->teacher.values, expected->teacher.values,
                     (size_t)model->teacher.total * sizeof(real));
    ead_efficientad_free(expected);
    EadModel *opened;
    ASSERT_FAILS(ead_model_open(OUT, &opened), EAD_BAD_FILE, "'teacher_mean' is missing");
    ead_efficientad_free(model);
    check_refused("-o " OUT " " S "nelson " S "nelson/teacher_tmp.pth", "is a second teacher beside");
    check_refused("-o " OUT " " S "nelson/student_final.pth", "goes with an autoencoder; name its file too");
    check_refused("-o " OUT " " S "nelson/autoencoder_final.pth", "an autoencoder alone is of no use");
    ead_safetensors_close(ours);
}
END_TEST

/* Everything in one file, quantiles as four scalars: a model that predicts. */
START_TEST(a_whole_model) {
    static const char *const names[] = {"qa_st", "qb_st", "qa_ae", "qb_ae"};
    const float quantiles[] = {0.01f, 0.02f, 0.03f, 0.05f};
    const int64_t counter = 7;
    EadFileTensor scalars[5];
    EadSafetensors *ours = open_ours();
    Named named[64];
    int count = rename_all(ours, "", as_anomalib, named);
    for (int i = 0; i < 5; i++, count++) {
        scalars[i] = (EadFileTensor){.type = EAD_FILE_F32,
                                     .count = 1,
                                     .bytes = 4,
                                     .data = i < 4 ? (const void *)&quantiles[i] : &counter};
        if (i < 4) snprintf(named[count].name, 128, "state_dict.model.quantiles.%s", names[i]);
        named[count].tensor = &scalars[i];
    }
    scalars[4].type = EAD_FILE_I64;
    snprintf(named[count - 1].name, 128, "global_step");
    write_safetensors(S "lightning.safetensors", named, count);
    ASSERT_OK(import("--padding true -o " OUT " " S "lightning.safetensors"));
    check_said("autoencoder: autoencoder as anomalib calls it");
    check_said("not used: global_step [] I64 in " S "lightning.safetensors");
    check_said(OUT ": a model\n");
    check_out(ours, "teacher");
    check_out(ours, "student.");
    check_out(ours, "autoencoder.");
    EadModel *opened;
    ASSERT_OK(ead_model_open(OUT, &opened));
    const EadEfficientad *model = (const EadEfficientad *)opened;
    ck_assert(model->spec.padding && model->spec.height == TINY_SIDE && model->spec.autoencoder);
    ck_assert_int_eq(model->normalization, EAD_MAPS_QUANTILE);
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq((float)model->map_statistics[EAD_LOOK_USUAL][i / 2][i % 2], quantiles[i]);
    ead_model_free(opened);
    const float zeros[EAD_FEATURES] = {0};
    for (int i = 0; i < 4; i++) scalars[i].data = zeros;
    write_safetensors(S "unset.safetensors", named, count);
    ASSERT_OK(import("-o " OUT " " S "unset.safetensors"));
    check_said("quantiles: all zero or incomplete, not used");
    check_said(OUT ": a model; its maps are not normalised");
    EadFileTensor std = *ead_safetensors_find(ours, "teacher_std");
    std.data = zeros;
    for (int i = 0; i < count; i++)
        if (strcmp(named[i].name, "state_dict.model.mean_std.std") == 0) named[i].tensor = &std;
    write_pth(S "unset.pth", named, count - 5);
    ASSERT_OK(import("-o " OUT " " S "unset.pth"));
    check_said("teacher_mean: all zero or incomplete, not used");
    check_said("teacher_std: all zero or incomplete, not used");
    check_said("it cannot predict");
    ead_safetensors_close(ours);
}
END_TEST

static const EadFileTensor *find(const Named *named, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (strcmp(named[i].name, name) == 0) return named[i].tensor;
    ck_abort_msg("no %s", name);
}

START_TEST(what_does_not_fit) {
    EadSafetensors *ours = open_ours();
    Named named[64];
    int count = rename_all(ours, "teacher.", as_layers, named);
    EadFileTensor bias = *find(named, count, "conv4.bias"), whole = bias;
    write_pth(S "layers.pth", named, count);
    ASSERT_OK(import("-o " OUT " " S "layers.pth"));
    check_said("teacher: PDN-S with named layers");
    check_said(OUT ": a teacher, for model.teacher");
    check_out(ours, "teacher.");
    for (int i = 0; i < count; i++)
        if (strcmp(named[i].name, "conv4.bias") == 0) named[i].tensor = &bias;
    bias.count = bias.shape[0] = 383, bias.bytes = 4 * 383;
    write_pth(S "misfit.pth", named, count);
    check_refused("-o " OUT " " S "misfit.pth",
                  "the closest is PDN-S with named layers: conv4.bias [383] F32 where it needs [384]");
    check_said("not used: conv4.weight [384,256,4,4] F32 in " S "misfit.pth");
    bias = whole, bias.type = EAD_FILE_I32;
    write_safetensors(S "whole_numbers.safetensors", named, count);
    check_refused("-o " OUT " " S "whole_numbers.safetensors",
                  "'conv4.bias' is of type I32; convert it to float");
    float infinite[EAD_FEATURES] = {[5] = INFINITY};
    bias = whole, bias.data = infinite;
    write_pth(S "infinite.pth", named, count);
    check_refused("-o " OUT " " S "infinite.pth", "infinite.pth: cannot be used: tensor ");
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "'teacher.conv4.bias': element 5 is inf"));
    ck_assert(!exists(OUT ".part"));
    write_pth(S "parts.pth", named, count - 1);
    check_refused("-o " OUT " " S "parts.pth", "holds no network that is known");
    ASSERT_FAILS(import("-o " OUT " test/golden/torch/hostile/os_system.pth"), EAD_UNSUPPORTED,
                 "wants to call os.system");
    ASSERT_FAILS(import("-o " OUT " " S "nowhere.pth"), EAD_IO, "nowhere.pth: cannot read");
    ASSERT_FAILS(import("-o " S "none/o.safetensors " S "unset.pth"), EAD_IO,
                 S "none: no such folder; make it, or --output names another place");
    make_folders(S "bare/");
    ASSERT_FAILS(import("-o " OUT " " S "bare"), EAD_BAD_ARGUMENT,
                 "holds no .pth, .pt, .ckpt or .safetensors file");
    ead_safetensors_close(ours);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("import_networks");
    TCase *tests = tcase_create("networks");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, three_sequentials);
    tcase_add_test(tests, a_whole_model);
    tcase_add_test(tests, what_does_not_fit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
