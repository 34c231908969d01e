/* Finding of weights that come with the program. */
#include "train/loop/train_backbone.h"

#include "train/support/shipped_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

EadStatus ead_shipped_teacher(const char *size, EadPath path) {
    char file[64];
    snprintf(file, sizeof file, "teacher_%s.safetensors", size);
    if (ead_shipped_file("models/weights", file, path)) return EAD_OK;
    return ead_fail(
        EAD_UNSUPPORTED,
        "model.teacher: no teacher of size %s comes with this program; set model.teacher to a file with "
        "tensors teacher.conv1.weight ... (format efficientad/1), made by distillation or by efficientad "
        "import from PyTorch weights",
        size);
}

/* The file that model.backbone means: one by that path, unless it is the name of a network. Errors: EAD_IO,
 * saying how to get it, for a name without file. */
static EadStatus backbone_path(const char *backbone, EadPath path) {
    char file[64];
    if (!backbone[0]) backbone = EAD_DEFAULT_BACKBONE;
    if (strcmp(backbone, "pdn_small") == 0) return ead_shipped_teacher("small", path);
    if (strcmp(backbone, "pdn_medium") == 0) return ead_shipped_teacher("medium", path);
    if (!ead_backbone_is_known(backbone)) return ead_path_in(path, "", backbone);
    snprintf(file, sizeof file, "%s.safetensors", backbone);
    if (ead_shipped_file("models/backbones", file, path)) return EAD_OK;
    bool fetched = strncmp(backbone, "efficientnet_lite", strlen("efficientnet_lite")) == 0;
    return ead_fail(EAD_IO, "%s does not come with the program; %s", backbone,
                    fetched ? "make backbones fetches it"
                            : "make it of its publisher's file by efficientad import, and name that");
}

static EadStatus open_by(const EadConfig *config, EadStatus (*open)(const char *path, EadBackbone *out),
                         EadBackbone *out) {
    EadPath path;
    *out = (EadBackbone){0};
    EadStatus status = backbone_path(config->model_backbone, path);
    if (status == EAD_OK) status = open(path, out);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "model.backbone: ");
}

EadStatus ead_open_backbone(const EadConfig *config, EadBackbone *out) {
    return open_by(config, ead_backbone_open, out);
}

EadStatus ead_open_whole_backbone(const EadConfig *config, EadBackbone *out) {
    return open_by(config, ead_backbone_open_whole, out);
}

EadStatus ead_open_features(const EadConfig *config, EadConfigKeyId layers,
                            EadStatus (*find)(const EadBackbone *backbone, const char *names, EadTaps *out),
                            EadBackbone *out, EadTaps *taps) {
    EAD_TRY(ead_open_backbone(config, out));
    EadStatus status = find(out, *(char **)ead_config_member(config, (int)layers), taps);
    if (status == EAD_OK) return EAD_OK;
    ead_backbone_free(out);
    return ead_fail_prefix(status, "%s: ", ead_config_key((int)layers)->rule.name);
}

EadFileType ead_stored_weights(int choice) {
    return choice == EAD_STORED_CHOICE_FP16 ? EAD_FILE_F16 : EAD_FILE_F32;
}

static void check_file(EadConfig *config) {
    EadPath path;
    if (ead_backbone_is_known(config->model_backbone)) {
        if (backbone_path(config->model_backbone, path) != EAD_OK)
            ead_config_wrong(config, EAD_KEY_model_backbone, "model.backbone: %s", ead_error_message());
    } else if (config->model_backbone[0] && !strpbrk(config->model_backbone, "/.") &&
               access(config->model_backbone, F_OK) != 0)
        ead_config_wrong(
            config, EAD_KEY_model_backbone,
            "model.backbone: there is no network or file '%.80s'; networks are pdn_small, pdn_medium, and "
            "with make backbones efficientnet_lite0, efficientnet_lite1, efficientnet_lite2",
            config->model_backbone);
    else if (ead_config_is_there(config, EAD_KEY_model_backbone))
        ead_config_judge(config, EAD_KEY_model_backbone, ead_backbone_check(config->model_backbone));
}

/* Without the name of the backbone there is nothing to look for them in. */
static void check_layers(EadConfig *config, EadConfigKeyId layers) {
    const char *names = *(char **)ead_config_member(config, (int)layers);
    EadBackbone backbone;
    EadTaps taps;
    if (!names[0] || config->unread || ead_config_was_refused(config, EAD_KEY_model_backbone)) return;
    EadStatus status = ead_open_backbone(config, &backbone);
    ead_problems_add(&config->problems, status);
    if (status == EAD_OK) ead_config_judge(config, layers, ead_backbone_find_taps(&backbone, names, &taps));
    ead_backbone_free(&backbone);
}

void ead_check_backbone(EadConfig *config, EadConfigKeyId layers) {
    int known = config->problems.lines.count;
    check_file(config);
    if (config->problems.lines.count == known) check_layers(config, layers);
}

EadStatus ead_fail_backbone(const char *path) {
    return ead_fail(EAD_BAD_FILE, "%s: was made with another backbone than model.backbone names now", path);
}
