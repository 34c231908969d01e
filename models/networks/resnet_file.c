/* Reading of backbones: which network a file holds, and the folding of batch norm. */
#include "models/networks/params_file.h"
#include "models/networks/resnet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double EPSILON = 1e-5; /* torch.nn.BatchNorm2d's */

/* ---- which network ---- */

static bool has_block(const EadSafetensors *file, int stage, int index) {
    char name[64];
    snprintf(name, sizeof name, "layer%d.%d.conv1.weight", stage, index);
    return ead_safetensors_find(file, name) != NULL;
}

static bool is_kind(const EadSafetensors *file, const EadResnetKind *kind) {
    const EadFileTensor *first = ead_safetensors_find(file, "layer1.0.conv1.weight");
    bool bottleneck = ead_safetensors_find(file, "layer1.0.conv3.weight") != NULL;
    if (!first || first->dims != 4 || first->shape[0] != kind->width || bottleneck != kind->bottleneck)
        return false;
    for (int stage = 1; stage <= EAD_RESNET_STAGES; stage++) {
        int blocks = kind->blocks[stage - 1];
        if (!has_block(file, stage, blocks - 1) || has_block(file, stage, blocks)) return false;
    }
    return true;
}

static EadStatus find_kind(const EadSafetensors *file, const EadResnetKind **out) {
    char known[256] = "";
    size_t used = 0;
    for (int i = 0; (*out = ead_resnet_kind(i)) != NULL; i++) {
        if (is_kind(file, *out)) return EAD_OK;
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", (*out)->name);
    }
    return ead_fail(EAD_BAD_FILE,
                    "%s: holds no backbone that is known; needed are torchvision's tensors conv1.weight, "
                    "layer1.0.conv1.weight ... of one of %s",
                    ead_safetensors_path(file), known);
}

/* ---- batch norm ---- */

/* A batch norm as y = x * scale + shift. */
typedef struct Norm {
    double *scale, *shift, *mean, *variance; /* [channels] each, in one allocation that begins at scale */
} Norm;

/* The batch norm behind a convolution: conv1 has bn1, downsample.0 has downsample.1. */
static void norm_name(const char *conv, const char *part, char out[EAD_NAME_SIZE]) {
    const char *last = strrchr(conv, '.');
    last = last ? last + 1 : conv;
    int length = (int)(last - conv);
    if (strcmp(last, "0") == 0)
        snprintf(out, EAD_NAME_SIZE, "%.*s1.%s", length, conv, part);
    else
        snprintf(out, EAD_NAME_SIZE, "%.*sbn%s.%s", length, conv, last + strlen("conv"), part);
}

static EadStatus read_part(const EadSafetensors *file, const char *conv, const char *part, int channels,
                           double *out) {
    char name[EAD_NAME_SIZE];
    norm_name(conv, part, name);
    return ead_vector_read(file, name, channels, out);
}

static EadStatus read_norm(const EadSafetensors *file, const char *conv, int channels, Norm *norm) {
    EAD_TRY(read_part(file, conv, "weight", channels, norm->scale));
    EAD_TRY(read_part(file, conv, "bias", channels, norm->shift));
    EAD_TRY(read_part(file, conv, "running_mean", channels, norm->mean));
    EAD_TRY(read_part(file, conv, "running_var", channels, norm->variance));
    for (int c = 0; c < channels; c++) {
        if (!(norm->variance[c] >= 0))
            return ead_fail(EAD_BAD_FILE, "%s: %s: the running variance of channel %d is %g; %s",
                            ead_safetensors_path(file), conv, c, norm->variance[c], EAD_MODEL_FILE_HINT);
        norm->scale[c] /= sqrt(norm->variance[c] + EPSILON);
        norm->shift[c] -= norm->mean[c] * norm->scale[c];
    }
    return EAD_OK;
}

/* weight *= scale, bias = bias * scale + shift */
static void apply_norm(const Norm *norm, EadParams *params, const EadParam *weight, const EadParam *bias) {
    int64_t size = (int64_t)weight->h * weight->w * weight->c;
    real *w = params->values + weight->offset, *b = params->values + bias->offset;
    for (int o = 0; o < weight->n; o++, w += size) {
        for (int64_t i = 0; i < size; i++) w[i] = (real)((double)w[i] * norm->scale[o]);
        b[o] = (real)((double)b[o] * norm->scale[o] + norm->shift[o]);
    }
}

static EadStatus fold_norm(const EadSafetensors *file, const char *conv, EadParams *params,
                           const EadParam *weight, const EadParam *bias) {
    int channels = weight->n;
    Norm norm = {.scale = malloc(4 * (size_t)channels * sizeof(double))};
    if (!norm.scale) return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", ead_safetensors_path(file));
    norm.shift = norm.scale + channels;
    norm.mean = norm.shift + channels;
    norm.variance = norm.mean + channels;
    EadStatus status = read_norm(file, conv, channels, &norm);
    if (status == EAD_OK) apply_norm(&norm, params, weight, bias);
    free(norm.scale);
    return status;
}

/* ---- all tensors ---- */

/* weight and bias: the neighbours that a convolution declares. */
static EadStatus read_conv(const EadSafetensors *file, EadParams *params, const EadParam *weight,
                           const EadParam *bias) {
    char conv[EAD_NAME_SIZE], variance[EAD_NAME_SIZE];
    snprintf(conv, sizeof conv, "%.*s", (int)(strlen(weight->name) - strlen(".weight")), weight->name);
    norm_name(conv, "running_var", variance);
    bool normalised = ead_safetensors_find(file, variance) != NULL;
    EAD_TRY(ead_params_read(file, params, weight));
    if (!normalised || ead_safetensors_find(file, bias->name)) EAD_TRY(ead_params_read(file, params, bias));
    return normalised ? fold_norm(file, conv, params, weight, bias) : EAD_OK;
}

EadStatus ead_resnet_read(const EadSafetensors *file, EadResnetVariant variant, EadResnet *out) {
    const EadResnetKind *kind;
    *out = (EadResnet){0};
    EAD_TRY(find_kind(file, &kind));
    EAD_TRY(ead_resnet_new(kind, variant, out));
    EadStatus status = EAD_OK;
    for (int i = 0; i < out->params.count && status == EAD_OK; i += 2)
        status = read_conv(file, &out->params, &out->params.items[i], &out->params.items[i + 1]);
    if (status != EAD_OK) ead_resnet_free(out);
    return status;
}
