/* Finding of weights by where the program lies. */
#include "train/loop/train_backbone.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_SIZE = EAD_PDN_SMALL };

EadStatus ead_shipped_teacher(EadPdnSize size, EadPath path) {
    static const char *const places[] = {"../models/weights", "../../models/weights",
                                         "../../../models/weights", "../share/efficientad"};
    const char *name = size == EAD_PDN_SMALL ? "small" : "medium";
    EadPath program, folder;
    char file[128];
    EadStatus status = ead_program_path(program);
    if (status == EAD_OK) status = ead_path_folder(folder, program);
    if (status != EAD_OK) return status;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(file, sizeof file, "%s/teacher_%s.safetensors", places[i], name);
        EAD_TRY(ead_path_in(path, folder, file));
        if (access(path, R_OK) == 0) return EAD_OK;
    }
    return ead_fail(
        EAD_UNSUPPORTED,
        "model.teacher: no teacher of size %s comes with this program; set model.teacher to a file with "
        "tensors teacher.conv1.weight ... (format efficientad/1), made by distillation or by efficientad "
        "import from PyTorch weights",
        name);
}

/* The size of the shipped teacher that model.backbone means, or -1. */
static int shipped_size(const char *backbone) {
    if (!backbone[0]) return DEFAULT_SIZE;
    if (strcmp(backbone, "pdn_small") == 0) return EAD_PDN_SMALL;
    return strcmp(backbone, "pdn_medium") == 0 ? EAD_PDN_MEDIUM : -1;
}

static EadStatus open_backbone(const char *backbone, EadBackbone *out) {
    EadPath shipped;
    int size = shipped_size(backbone);
    if (size < 0) return ead_backbone_open(backbone, out);
    EAD_TRY(ead_shipped_teacher((EadPdnSize)size, shipped));
    return ead_backbone_open(shipped, out);
}

void ead_check_backbone(EadConfig *config) {
    if (shipped_size(config->model_backbone) < 0) ead_config_must_be_there(config, EAD_KEY_model_backbone);
}

EadStatus ead_open_backbone(const EadConfig *config, EadBackbone *out) {
    *out = (EadBackbone){0};
    EadStatus status = open_backbone(config->model_backbone, out);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "model.backbone: ");
}
