/* Command import: one small model under the names and in the formats of others comes out as it was; what does
 * not fit is said. The files of torch itself are test_torch_file.c's. */
#include "train/cli/arguments.h"

#include "models/efficientad/model.h"
#include "models/networks/resnet.h"
#include "test/support/runs.h"
#include "test/support/sample_models.h"

#include <math.h>
#include <zip.h>

#define S   "build/scratch/import/"
#define OUT S "out.safetensors"

/* ---- running the command ---- */

static char said[65536]; /* what it wrote to stderr */

/* words: what follows "efficientad import", parted by single blanks. */
static EadStatus import(const char *words) {
    static char copy[1024];
    char *texts[16] = {"efficientad", "import"};
    int count = 2;
    EadArguments arguments;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) texts[count++] = word;
    ASSERT_OK(ead_arguments_parse(count, texts, &arguments));
    unlink(OUT);
    fflush(stderr);
    int before = dup(2);
    ck_assert_ptr_nonnull(freopen(S "said", "w", stderr));
    EadStatus status = ead_command_import(&arguments);
    fflush(stderr);
    ck_assert_int_ge(dup2(before, 2), 0);
    close(before);
    ead_arguments_free(&arguments);
    size_t size;
    uint8_t *bytes = read_bytes(S "said", &size);
    ck_assert_uint_lt(size, sizeof said);
    memcpy(said, bytes, size);
    said[size] = '\0';
    free(bytes);
    return status;
}

static void check_refused(const char *words, const char *message) {
    ASSERT_FAILS(import(words), EAD_BAD_FILE, message);
    ck_assert(!exists(OUT));
}

static void check_said(const char *text) {
    ck_assert_msg(strstr(said, text) != NULL, "'%s' is missing in:\n%s", text, said);
}

/* ---- files of others ---- */

/* Writes the tensors of ours that begin with `part` ("teacher.", ""), called by rename() or left out (false).
 */
typedef bool Rename(const char *ours, char theirs[128]);

typedef struct Named {
    char name[128];
    const EadFileTensor *tensor;
} Named;

static int rename_all(const EadSafetensors *ours, const char *part, Rename *rename_one, Named *out) {
    int count = 0;
    for (int i = 0; i < ead_safetensors_count(ours); i++) {
        const EadFileTensor *tensor = ead_safetensors_at(ours, i);
        if (strncmp(tensor->name, part, strlen(part)) != 0 || !rename_one(tensor->name, out[count].name))
            continue;
        out[count++].tensor = tensor;
    }
    return count;
}

static void write_safetensors(const char *path, const Named *named, int count) {
    EadSafetensorsWriter *writer;
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    for (int i = 0; i < count; i++) {
        const EadFileTensor *t = named[i].tensor;
        ASSERT_OK(ead_safetensors_writer_tensor(writer, named[i].name, t->type, t->dims, t->shape, t->data));
    }
    ASSERT_OK(ead_safetensors_writer_write(writer, path));
    ead_safetensors_writer_free(writer);
}

static size_t put_text(uint8_t *to, const char *text) {
    uint32_t length = (uint32_t)strlen(text);
    to[0] = 'X';
    memcpy(to + 1, &length, 4);
    memcpy(to + 5, text, length);
    return length + 5;
}

static size_t put_number(uint8_t *to, int64_t number) {
    memcpy(to, "\x8A\x08", 2);
    memcpy(to + 2, &number, 8);
    return 10;
}

/* The two lines of a class or function. */
static size_t put_global(uint8_t *to, const char *lines) {
    to[0] = 'c';
    memcpy(to + 1, lines, strlen(lines));
    return strlen(lines) + 1;
}

/* _rebuild_tensor_v2((storage), 0, shape, strides) as torch pickles it. */
static size_t put_tensor(uint8_t *to, const EadFileTensor *tensor, const char *key) {
    uint8_t *at = to;
    at += put_global(at, "torch._utils\n_rebuild_tensor_v2\n");
    *at++ = '(', *at++ = '(';
    at += put_text(at, "storage");
    at += put_global(at, "torch\nFloatStorage\n");
    at += put_text(at, key);
    at += put_text(at, "cpu");
    at += put_number(at, tensor->count);
    *at++ = 't', *at++ = 'Q';
    at += put_number(at, 0);
    *at++ = '(';
    for (int d = 0; d < tensor->dims; d++) at += put_number(at, tensor->shape[d]);
    *at++ = 't', *at++ = '(';
    for (int d = 0; d < tensor->dims; d++) {
        int64_t stride = 1;
        for (int k = d + 1; k < tensor->dims; k++) stride *= tensor->shape[k];
        at += put_number(at, stride);
    }
    *at++ = 't', *at++ = 't', *at++ = 'R';
    return (size_t)(at - to);
}

static void put_record(zip_t *zip, const char *name, const void *bytes, size_t size) {
    zip_int64_t index = zip_file_add(zip, name, zip_source_buffer(zip, bytes, size, 0), ZIP_FL_ENC_UTF_8);
    ck_assert_int_ge(index, 0);
    ck_assert_int_eq(zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0), 0);
}

/* A state_dict as torch.save lays it out. */
static void write_pth(const char *path, const Named *named, int count) {
    static uint8_t pickle[65536];
    char key[16], record[32];
    make_folders(path);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    ck_assert_ptr_nonnull(zip);
    uint8_t *at = pickle;
    memcpy(at, "\x80\x02}", 3), at += 3;
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%d", i);
        snprintf(record, sizeof record, "x/data/%d", i);
        at += put_text(at, named[i].name);
        at += put_tensor(at, named[i].tensor, key);
        *at++ = 's';
        put_record(zip, record, named[i].tensor->data, named[i].tensor->bytes);
    }
    *at++ = '.';
    put_record(zip, "x/data.pkl", pickle, (size_t)(at - pickle));
    ck_assert_int_eq(zip_close(zip), 0);
}

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
    for (int i = 0; i < 4; i++) ck_assert_float_eq((float)model->map_statistics[i / 2][i % 2], quantiles[i]);
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
    check_refused("-o " OUT " " S "infinite.pth", "infinite.pth: cannot be used:");
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "'teacher.conv4.bias': element 5 is inf"));
    ck_assert(!exists(OUT ".part"));
    write_pth(S "parts.pth", named, count - 1);
    check_refused("-o " OUT " " S "parts.pth", "holds no network that is known");
    ASSERT_FAILS(import("-o " OUT " test/golden/torch/hostile/os_system.pth"), EAD_UNSUPPORTED,
                 "wants to call os.system");
    ASSERT_FAILS(import("-o " OUT " " S "nowhere.pth"), EAD_IO, "nowhere.pth: cannot read");
    make_folders(S "bare/");
    ASSERT_FAILS(import("-o " OUT " " S "bare"), EAD_BAD_ARGUMENT,
                 "holds no .pth, .pt, .ckpt or .safetensors file");
    ead_safetensors_close(ours);
}
END_TEST

/* A ResNet-18 of zeros, with its batch norm, and what is not needed of it. */
static int make_resnet(const EadResnet *resnet, Named *named, EadFileTensor *tensors) {
    static const char *const norm[] = {"weight", "bias", "running_mean", "running_var",
                                       "num_batches_tracked"};
    int count = 0;
    for (int i = 0; i < resnet->params.count; i += 2) {
        const EadParam *p = &resnet->params.items[i];
        const char *stem = strstr(p->name, "conv"), *shortcut = strstr(p->name, "downsample.0");
        tensors[count] = (EadFileTensor){.dims = 4, .shape = {p->n, p->c, p->h, p->w}};
        snprintf(named[count++].name, 128, "module.%s", p->name);
        for (int k = 0; k < 5; k++) {
            tensors[count] = (EadFileTensor){.dims = 1, .shape = {p->n}};
            if (shortcut)
                snprintf(named[count++].name, 128, "module.%.*sdownsample.1.%s", (int)(shortcut - p->name),
                         p->name, norm[k]);
            else
                snprintf(named[count++].name, 128, "module.%.*sbn%c.%s", (int)(stem - p->name), p->name,
                         stem[4], norm[k]);
        }
    }
    static const char *const others[] = {"layer4.0.conv1.weight", "fc.weight", "attention.weight"};
    for (int i = 0; i < 3; i++) {
        tensors[count] = (EadFileTensor){.dims = 1, .shape = {i + 1}};
        snprintf(named[count++].name, 128, "module.%s", others[i]);
    }
    return count;
}

START_TEST(backbones) {
    EadResnet resnet;
    Named named[256];
    EadFileTensor tensors[256];
    ASSERT_OK(ead_resnet_new(ead_resnet_kind(0), EAD_RESNET_TORCHVISION, &resnet));
    float *zeros = calloc((size_t)resnet.params.total, sizeof *zeros);
    ck_assert_ptr_nonnull(zeros);
    int count = make_resnet(&resnet, named, tensors);
    for (int i = 0; i < count; i++) {
        EadFileTensor *t = &tensors[i];
        t->type = EAD_FILE_F32;
        t->data = zeros;
        ck_assert(ead_file_shape_size(t->type, t->dims, t->shape, &t->count, &t->bytes));
        named[i].tensor = t;
    }
    write_pth(S "resnet.pth", named, count);
    ASSERT_OK(import("-o " OUT " " S "resnet.pth"));
    check_said("backbone: resnet18");
    check_said("not used: module.attention.weight [3] F32");
    ck_assert_ptr_null(strstr(said, "fc.weight"));
    EadSafetensors *out;
    EadResnet read;
    ASSERT_OK(ead_safetensors_open(OUT, &out));
    ck_assert_int_eq(ead_safetensors_count(out), resnet.params.count / 2 * 5);
    ck_assert_str_eq(ead_safetensors_metadata(out, "variant"), "torchvision");
    ASSERT_OK(ead_resnet_read(out, EAD_RESNET_TORCHVISION, &read));
    ead_resnet_free(&read);
    ead_safetensors_close(out);
    tensors[0].shape[0]++, tensors[0].count = 65 * 147, tensors[0].bytes = 65 * 147 * 4;
    write_pth(S "wide_stem.pth", named, count);
    check_refused("-o " OUT " " S "wide_stem.pth", "wide_stem.pth: cannot be used:");
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "'conv1.weight' has shape [65,3,7,7]"));
    free(zeros);
    ead_resnet_free(&resnet);
}
END_TEST

START_TEST(a_backbone_keeps_its_variant) {
    EadSafetensorsWriter *writer;
    EadResnet resnet;
    EadSafetensors *out;
    ASSERT_OK(ead_resnet_new(ead_resnet_kind(0), EAD_RESNET_CAFFE, &resnet));
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_safetensors_writer_metadata(writer, "variant", "caffe"));
    for (int i = 0; i < resnet.params.count; i++) {
        const EadParam *p = &resnet.params.items[i];
        const int64_t shape[] = {i % 2 ? p->c : p->n, p->c, p->h, p->w};
        ASSERT_OK(ead_safetensors_writer_tensor(writer, p->name, EAD_FILE_F32, i % 2 ? 1 : 4, shape,
                                                resnet.params.values));
    }
    ASSERT_OK(ead_safetensors_writer_write(writer, S "caffe.safetensors"));
    ead_safetensors_writer_free(writer);
    ead_resnet_free(&resnet);
    ASSERT_OK(import("-o " OUT " " S "caffe.safetensors"));
    ASSERT_OK(ead_safetensors_open(OUT, &out));
    ck_assert_str_eq(ead_safetensors_metadata(out, "variant"), "caffe");
    ead_safetensors_close(out);
}
END_TEST

/* Writes the tensors of a file once more, each called by `rename_one`. */
static void write_renamed(const char *from, const char *to, Rename *rename_one) {
    static Named named[MAX_TENSORS];
    EadSafetensors *file;
    ASSERT_OK(ead_safetensors_open(from, &file));
    write_safetensors(to, named, rename_all(file, "", rename_one, named));
    ead_safetensors_close(file);
}

static void check_backbone(const char *name) {
    char words[64];
    EadBackbone backbone;
    ASSERT_OK(ead_backbone_open(OUT, &backbone));
    ck_assert_str_eq(backbone.name, name);
    snprintf(words, sizeof words, "backbone: %s\n", name);
    check_said(words);
    ck_assert_ptr_null(strstr(said, "not used"));
    ead_backbone_free(&backbone);
}

static bool in_a_module(const char *ours, char theirs[128]) {
    snprintf(theirs, 128, "net.%s", ours);
    return true;
}

/* "…denselayer1.norm1.weight" is "…denselayer1.norm.1.weight" in the first files of torchvision. */
static bool with_dots(const char *ours, char theirs[128]) {
    const char *layer = strstr(ours, "denselayer"), *dot = layer ? strchr(layer, '.') : NULL;
    size_t before = dot ? (size_t)(dot - ours) + strlen(".norm") : strlen(ours);
    snprintf(theirs, 128, "%.*s%s%s", (int)before, ours, dot ? "." : "", ours + before);
    return true;
}

/* A member of EfficientNet's first family. */
static bool with_squeeze(const char *ours, char theirs[128]) {
    bool first = strcmp(ours, "_bn0.bias") == 0;
    snprintf(theirs, 128, "%s", first ? "_blocks.0._se_reduce.weight" : ours);
    return true;
}

static bool all_but_dots(const char *ours, char theirs[128]) {
    return strstr(ours, "denselayer3.conv2") == NULL && with_dots(ours, theirs);
}

START_TEST(backbones_of_other_families) {
    static const char *const names[] = {"efficientnet_lite1", "resnext101_32x8d", "densenet121"};
    for (int i = 0; i < 3; i++) {
        write_backbone(names[i], S "drawn.safetensors", &(Drawn){.count = 0});
        write_renamed(S "drawn.safetensors", S "module.safetensors", in_a_module);
        ASSERT_OK(import("-o " OUT " " S "module.safetensors"));
        check_backbone(names[i]);
    }
    write_renamed(S "drawn.safetensors", S "dots.safetensors", with_dots);
    ASSERT_OK(import("-o " OUT " " S "dots.safetensors"));
    check_backbone("densenet121");
    write_renamed(S "drawn.safetensors", S "dots.safetensors", all_but_dots);
    check_refused("-o " OUT " " S "dots.safetensors",
                  "tensor 'features.denseblock1.denselayer3.conv2.weight' is missing");
    write_backbone("efficientnet_lite0", S "drawn.safetensors", &(Drawn){.count = 0});
    write_renamed(S "drawn.safetensors", S "b0.safetensors", with_squeeze);
    check_refused("-o " OUT " " S "b0.safetensors", "none of EfficientNet-Lite0, 1 and 2");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("import");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, three_sequentials);
    tcase_add_test(tests, a_whole_model);
    tcase_add_test(tests, what_does_not_fit);
    tcase_add_test(tests, backbones);
    tcase_add_test(tests, a_backbone_keeps_its_variant);
    tcase_add_test(tests, backbones_of_other_families);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
