/* Backbones under the names of their publishers' files come out as they were; what does not fit is said. */
#define S "build/scratch/import_backbones/"
#include "test/import/import_runs.h"

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
    ASSERT_OK(ead_resnet_new(ead_resnet_kind(0), EAD_RESNET_TORCHVISION, EAD_RESNET_STAGES, &resnet));
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
    ck_assert_int_eq(ead_safetensors_count(out), resnet.params.count / 2 * 5 + 1); /* of layer4 */
    ck_assert_str_eq(ead_safetensors_metadata(out, "variant"), "torchvision");
    ASSERT_OK(ead_resnet_read(out, EAD_RESNET_TORCHVISION, EAD_RESNET_STAGES, &read));
    ead_resnet_free(&read);
    ead_safetensors_close(out);
    tensors[0].shape[0]++, tensors[0].count = 65 * 147, tensors[0].bytes = 65 * 147 * 4;
    write_pth(S "wide_stem.pth", named, count);
    check_refused("-o " OUT " " S "wide_stem.pth", "wide_stem.pth: cannot be used: tensor 'conv1");
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "'conv1.weight' has shape [65,3,7,7]"));
    free(zeros);
    ead_resnet_free(&resnet);
}
END_TEST

START_TEST(a_backbone_keeps_its_variant) {
    EadSafetensorsWriter *writer;
    EadResnet resnet;
    EadSafetensors *out;
    ASSERT_OK(ead_resnet_new(ead_resnet_kind(0), EAD_RESNET_CAFFE, EAD_RESNET_STAGES, &resnet));
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

/* Torchvision's names of an EfficientNet-B5, with a part of what lies behind its features. */
static bool as_torchvision(const char *ours, char theirs[128]) {
    static const int blocks[] = {3, 5, 5, 7, 7, 9};
    static const struct {
        const char *ours, *theirs;
    } parts[] = {{"_expand_conv", "0.0"},  {"_bn0", "0.1"},         {"_depthwise_conv", "1.0"},
                 {"_bn1", "1.1"},          {"_se_reduce", "2.fc1"}, {"_se_expand", "2.fc2"},
                 {"_project_conv", "3.0"}, {"_bn2", "3.1"}};
    int block, at, stage = 0;
    if (sscanf(ours, "_blocks.%d.%n", &block, &at) != 1) {
        bool conv = strncmp(ours, "_conv_stem.", 11) == 0;
        snprintf(theirs, 128, "features.0.%d%s", !conv, strchr(ours, '.'));
        return true;
    }
    for (; block >= blocks[stage]; stage++) block -= blocks[stage];
    for (int i = 0; i < (int)(sizeof parts / sizeof *parts); i++) {
        size_t length = strlen(parts[i].ours);
        if (strncmp(ours + at, parts[i].ours, length) != 0 || ours[(size_t)at + length] != '.') continue;
        snprintf(theirs, 128, "features.%d.%d.block.%c%s%s", stage + 1, block,
                 (char)(parts[i].theirs[0] - (stage == 0)), parts[i].theirs + 1, ours + at + length);
    }
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
    check_refused("-o " OUT " " S "b0.safetensors", "is an EfficientNet, but not EfficientNet-B5");
}
END_TEST

/* The same network under either name, whatever stands behind its features. */
START_TEST(an_efficientnet_of_torchvision) {
    EadBackbone ours, theirs;
    write_backbone("efficientnet_b5", S "b5.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(import("-o " OUT " " S "b5.safetensors"));
    check_backbone("efficientnet_b5");
    ASSERT_OK(ead_backbone_open(OUT, &ours));
    write_renamed(S "b5.safetensors", S "renamed.safetensors", as_torchvision);
    add_tensor(S "renamed.safetensors", S "more.safetensors", "features.7.0.block.0.0.weight");
    add_tensor(S "more.safetensors", S "renamed.safetensors", "classifier.1.bias");
    ASSERT_OK(import("-o " OUT " " S "renamed.safetensors"));
    check_backbone("efficientnet_b5");
    ASSERT_OK(ead_backbone_open(OUT, &theirs));
    ck_assert(ead_backbone_same(&ours, &theirs));
    ead_backbone_free(&ours);
    ead_backbone_free(&theirs);
    add_tensor(S "renamed.safetensors", S "more.safetensors", "features.3.1.block.4.0.weight");
    ASSERT_OK(import("-o " OUT " " S "more.safetensors"));
    check_said("not used: features.3.1.block.4.0.weight [1] F32");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("import_backbones");
    TCase *tests = tcase_create("backbones");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, backbones);
    tcase_add_test(tests, a_backbone_keeps_its_variant);
    tcase_add_test(tests, backbones_of_other_families);
    tcase_add_test(tests, an_efficientnet_of_torchvision);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
