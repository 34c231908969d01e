/* Teachers as backbones: what they were distilled to say of each position, and its means over squares, for those
 * who want fewer positions that see more. */
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "models/networks/backbone.h"
#include "models/networks/params_file.h"
#include "models/networks/pdn.h"

#include <stdio.h>
#include <string.h>

extern const EadBackboneFamily ead_backbone_pdn;

static const char *const names[] = {[EAD_PDN_SMALL] = "pdn_small", [EAD_PDN_MEDIUM] = "pdn_medium"};

static EadPdn pdn_of(const EadBackbone *backbone) {
    return (EadPdn){(EadPdnSize)backbone->variant, true, "teacher", EAD_FEATURES, &backbone->params, false};
}

static bool find(EadBackbone *out) {
    for (out->variant = EAD_PDN_SMALL; out->variant <= EAD_PDN_MEDIUM; out->variant++)
        if (strcmp(names[out->variant], out->name) == 0) return true;
    return false;
}

static EadStatus declare(EadBackbone *out) {
    EadPdn pdn = pdn_of(out);
    EAD_TRY(ead_pdn_declare(&pdn, &out->params));
    return ead_params_allocate(&out->params);
}

static EadStatus read(const EadSafetensors *file, EadBackbone *out) {
    EAD_TRY(ead_check_format(file));
    EAD_TRY(ead_metadata_choice(file, "model", (const char *const[]){"small", "medium", NULL},
                                "small or medium", &out->variant));
    snprintf(out->name, sizeof out->name, "%s", names[out->variant]);
    EAD_TRY(declare(out));
    return ead_params_read_all(file, &out->params);
}

static void build(EadGraph *graph, const EadBackbone *backbone, EadNode *images,
                  EadNode *taps[EAD_BACKBONE_TAPS]) {
    EadPdn pdn = pdn_of(backbone);
    EadNode *x = ead_normalize_image(graph, images);
    taps[0] = ead_pdn_head(graph, &pdn, ead_pdn_trunk(graph, &pdn, x), 0, 0);
    taps[1] = ead_avg_pool2d(graph, taps[0], 2, 2, 0);
    taps[2] = ead_avg_pool2d(graph, taps[0], 4, 4, 0);
}

const EadBackboneFamily ead_backbone_pdn = {.networks = "teachers PDN-S and PDN-M",
                                            .taps = "stride4|stride8|stride16",
                                            .default_taps = "stride8",
                                            .flow_taps = "stride8,stride16",
                                            .patch_length = EAD_FEATURES,
                                            .mark = "teacher.conv1.weight",
                                            .beyond = "teacher_mean|teacher_std|autoencoder.",
                                            .read = read,
                                            .find = find,
                                            .declare = declare,
                                            .build = build};
