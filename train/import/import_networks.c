/* Networks by the names of their layers: for each tensor that may be a layout's first, whether the others are
 * there too; shapes decide, and say the size. */
#include "train/import/import.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "models/networks/autoencoder.h"
#include "models/efficientad/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 1024, BOTTLENECK = 5 };

typedef enum NetworkKind { SMALL, MEDIUM, AUTOENCODER } NetworkKind;

/* Names of the convolutions in the order in which models/ declares them; "NAME.weight" and "NAME.bias" are
 * the tensors, anything may stand before NAME. */
typedef struct Layout {
    NetworkKind kind;
    const char *what, *names;
} Layout;

static const Layout layouts[] = {
    {SMALL, "PDN-S with named layers", "conv1 conv2 conv3 conv4"},
    {SMALL, "PDN-S as Sequential", "0 3 6 8"},
    {MEDIUM, "PDN-M with named layers", "conv1 conv2 conv3 conv4 conv5 conv6"},
    {MEDIUM, "PDN-M as Sequential", "0 3 6 8 10 12"},
    {AUTOENCODER, "autoencoder with named layers",
     "enc_conv1 enc_conv2 enc_conv3 enc_conv4 enc_conv5 enc_conv6 dec_conv1 dec_conv2 dec_conv3 dec_conv4 "
     "dec_conv5 dec_conv6 dec_conv7 dec_conv8"},
    {AUTOENCODER, "autoencoder as anomalib calls it",
     "encoder.enconv1 encoder.enconv2 encoder.enconv3 encoder.enconv4 encoder.enconv5 encoder.enconv6 "
     "decoder.deconv1 decoder.deconv2 decoder.deconv3 decoder.deconv4 decoder.deconv5 decoder.deconv6 "
     "decoder.deconv7 decoder.deconv8"},
    {AUTOENCODER, "autoencoder as Sequential", "0 2 4 6 8 10 12 15 18 21 24 27 30 32"},
    {AUTOENCODER, "autoencoder as Sequential with dropout", "0 2 4 6 8 10 12 16 20 24 28 32 36 38"},
};

const char *ead_import_role_name(EadImportRole role) {
    static const char *const names[] = {"teacher", "student", "autoencoder"};
    return names[role];
}

/* A layout tried at a prefix. */
typedef struct Candidate {
    const Layout *layout;
    const EadImportSource *source;
    int file;
    const char *prefix; /* [prefix_length] */
    int prefix_length;
    EadImportTensor *tensors[EAD_IMPORT_MAX_TENSORS]; /* weight, bias, weight, ... */
    int count;
} Candidate;

/* The tensors of all convolutions under the prefix; false if one is missing. */
static bool find_tensors(Candidate *candidate) {
    static const char *const parts[] = {"weight", "bias"};
    for (const char *name = candidate->layout->names; *name;) {
        int length = (int)strcspn(name, " ");
        for (int part = 0; part < 2; part++) {
            char full[NAME_SIZE];
            int used = snprintf(full, sizeof full, "%.*s%.*s.%s", candidate->prefix_length, candidate->prefix,
                                length, name, parts[part]);
            EadImportTensor *tensor =
                used < NAME_SIZE ? ead_import_find(candidate->source, candidate->file, full) : NULL;
            if (!tensor || tensor->used) return false;
            candidate->tensors[candidate->count++] = tensor;
        }
        name += length + (name[length] == ' ');
    }
    return true;
}

/* A PDN of 768 outputs, or one whose name or file says so, is a student. */
static EadStatus declare_pdn(const Candidate *candidate, EadImportRole *role, EadImportNetwork *network) {
    const EadFileTensor *last_bias = candidate->tensors[candidate->count - 1]->view;
    int outputs = last_bias->count == 2 * EAD_FEATURES ? 2 * EAD_FEATURES : EAD_FEATURES;
    char prefix[NAME_SIZE];
    snprintf(prefix, sizeof prefix, "%.*s", candidate->prefix_length, candidate->prefix);
    bool says_student = strstr(prefix, "student") ||
                        strstr(ead_path_base(candidate->source->paths.items[candidate->file]), "student");
    *role = outputs > EAD_FEATURES || says_student ? EAD_IMPORT_STUDENT : EAD_IMPORT_TEACHER;
    network->size = candidate->layout->kind == SMALL ? EAD_PDN_SMALL : EAD_PDN_MEDIUM;
    network->padding = ead_import_padding(candidate->source, candidate->tensors[0]);
    if (network->padding > 0) network->padding = 1;
    EadPdn pdn = {.size = network->size, .name = ead_import_role_name(*role), .outputs = outputs};
    return ead_pdn_declare(&pdn, &network->params);
}

/* The kernel of the bottleneck is the image over 32. */
static EadStatus declare_autoencoder(const Candidate *candidate, EadImportRole *role,
                                     EadImportNetwork *network) {
    const EadFileTensor *bottleneck = candidate->tensors[2 * BOTTLENECK]->view;
    int64_t height = bottleneck->dims == 4 ? bottleneck->shape[2] : 0;
    int64_t width = bottleneck->dims == 4 ? bottleneck->shape[3] : 0;
    bool possible = height <= EAD_IMAGE_MAX / 32 && width <= EAD_IMAGE_MAX / 32 &&
                    ead_efficientad_check_image_size((int)height * 32, (int)width * 32) == EAD_OK;
    network->height = possible ? (int)height * 32 : 256;
    network->width = possible ? (int)width * 32 : 256;
    network->padding = -1;
    *role = EAD_IMPORT_AUTOENCODER;
    return ead_autoencoder_declare(&network->params, network->height, network->width);
}

bool ead_import_fits(const EadFileTensor *view, const EadParam *param) {
    if (param->n == 1 && param->h == 1 && param->w == 1) return view->dims == 1 && view->shape[0] == param->c;
    return view->dims == 4 && view->shape[0] == param->n && view->shape[1] == param->c &&
           view->shape[2] == param->h && view->shape[3] == param->w;
}

/* Whether all shapes fit; if not, what does not is kept where no layout came closer. */
static bool shapes_fit(EadImportNetworks *networks, const Candidate *candidate, const EadParams *params) {
    char found[300];
    int fit = 0, first = -1;
    for (int i = 0; i < candidate->count; i++) {
        bool good = ead_import_fits(candidate->tensors[i]->view, &params->items[i]);
        fit += good;
        if (!good && first < 0) first = i;
    }
    if (first < 0) return true;
    if (fit < networks->closest_fits || (networks->closest[0] && fit == networks->closest_fits)) return false;
    const EadParam *p = &params->items[first];
    networks->closest_fits = fit;
    ead_import_describe(candidate->tensors[first]->view, found, sizeof found);
    if (p->n == 1 && p->h == 1)
        snprintf(networks->closest, sizeof networks->closest, "%s: %s where it needs [%d]",
                 candidate->layout->what, found, p->c);
    else
        snprintf(networks->closest, sizeof networks->closest, "%s: %s where it needs [%d,%d,%d,%d]",
                 candidate->layout->what, found, p->n, p->c, p->h, p->w);
    return false;
}

static EadStatus adopt(EadImportNetworks *networks, const Candidate *candidate, EadImportRole role,
                       EadImportNetwork *found) {
    EadImportNetwork *network = &networks->of[role];
    if (network->layout)
        return ead_fail(
            EAD_BAD_FILE, "%s: %.200s... is a second %s beside %s: %.200s...; name the files to take",
            ead_import_path(candidate->source, candidate->tensors[0]), candidate->tensors[0]->view->name,
            ead_import_role_name(role), ead_import_path(candidate->source, network->tensors[0]),
            network->tensors[0]->view->name);
    memcpy(found->tensors, candidate->tensors, sizeof found->tensors);
    for (int i = 0; i < candidate->count; i++) candidate->tensors[i]->used = true;
    found->layout = candidate->layout->what;
    *network = *found;
    *found = (EadImportNetwork){0};
    return EAD_OK;
}

static EadStatus try_candidate(EadImportNetworks *networks, Candidate *candidate) {
    EadImportNetwork network = {0};
    EadImportRole role;
    if (!find_tensors(candidate)) return EAD_OK;
    EadStatus status = candidate->layout->kind == AUTOENCODER
                           ? declare_autoencoder(candidate, &role, &network)
                           : declare_pdn(candidate, &role, &network);
    if (status == EAD_OK && shapes_fit(networks, candidate, &network.params))
        status = adopt(networks, candidate, role, &network);
    ead_params_free(&network.params);
    return status;
}

EadStatus ead_import_networks_find(EadImportNetworks *networks, EadImportSource *source) {
    *networks = (EadImportNetworks){0};
    for (int i = 0; i < source->count; i++) {
        const EadImportTensor *tensor = &source->tensors[i];
        for (size_t k = 0; k < sizeof layouts / sizeof *layouts && !tensor->used; k++) {
            char first[64];
            snprintf(first, sizeof first, "%.*s.weight", (int)strcspn(layouts[k].names, " "),
                     layouts[k].names);
            Candidate candidate = {&layouts[k], source, tensor->file, .prefix = tensor->view->name,
                                   .prefix_length = ead_import_prefix(tensor->view->name, first)};
            if (candidate.prefix_length >= 0) EAD_TRY(try_candidate(networks, &candidate));
        }
    }
    const EadImportNetwork *teacher = &networks->of[EAD_IMPORT_TEACHER],
                           *student = &networks->of[EAD_IMPORT_STUDENT];
    if (!teacher->layout || !student->layout || teacher->size == student->size) return EAD_OK;
    return ead_fail(EAD_BAD_FILE,
                    "%s: the teacher is a %s and the student in %s a %s; they do not belong together",
                    ead_import_path(source, teacher->tensors[0]), teacher->layout,
                    ead_import_path(source, student->tensors[0]), student->layout);
}

void ead_import_networks_free(EadImportNetworks *networks) {
    for (int role = 0; role < EAD_IMPORT_ROLES; role++) ead_params_free(&networks->of[role].params);
    *networks = (EadImportNetworks){0};
}

EadStatus ead_import_networks_check(const EadImportNetworks *networks, const EadImportSource *source) {
    const EadImportNetwork *student = &networks->of[EAD_IMPORT_STUDENT];
    bool autoencoder = networks->of[EAD_IMPORT_AUTOENCODER].layout != NULL;
    if (!student->layout) return EAD_OK;
    bool wide = student->tensors[student->params.count - 1]->view->count == 2 * EAD_FEATURES;
    if (wide == autoencoder) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: a student of %d outputs goes %s an autoencoder; %s",
                    ead_import_path(source, student->tensors[0]), wide ? 2 * EAD_FEATURES : EAD_FEATURES,
                    wide ? "with" : "without", wide ? "name its file too" : "leave its file out");
}
