/* The ensemble's graph, its file, and its row among the methods. */
#include "models/patchcore_ensemble/patchcore_ensemble.h"

#include "core/base/memory.h"
#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_SIZE = 24, NUMBERS = 4 /* of a range, and of what it makes */ };

static const char *const fusions[] = {
    [EAD_FUSION_VALIDATION] = "validation", [EAD_FUSION_TEST] = "test", NULL};

static void free_model(EadModel *base) {
    EadPatchcoreEnsemble *model = (EadPatchcoreEnsemble *)base;
    for (int i = 0; i < model->count; i++) ead_model_free(&model->members[i]->base);
    free(model->affine);
    free(model);
}

EadStatus ead_patchcore_ensemble_new(int height, int width, EadFusion fusion, EadPatchcoreEnsemble **out) {
    EadPatchcoreEnsemble *model = *out = ead_new(1, sizeof *model, "a model");
    real *affine = model ? ead_new(EAD_ENSEMBLE_MOST * NUMBERS, sizeof *affine, "a model") : NULL;
    if (!affine) {
        free(model);
        return EAD_NO_MEMORY;
    }
    model->fusion = fusion;
    model->affine = affine;
    model->base = ead_model_new("patchcore_ensemble", height, width);
    for (int i = 0; i < EAD_ENSEMBLE_MOST; i++) model->ranges[i] = (EadMemberRange){0, 1, 0, 1};
    /* as far from the banks as the farthest of the good images held back */
    if (fusion == EAD_FUSION_VALIDATION) model->base.color_high = 1;
    return EAD_OK;
}

static EadStatus set_affine(const char *what, int member, real least, real most, int count, real affine[2]) {
    if (!(least >= 0 && least < most && isfinite(most)))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "member %d cannot be scaled: its %s of the images to scale by go from %g to %g",
                        member + 1, what, (double)least, (double)most);
    affine[0] = 1 / ((most - least) * (real)count);
    affine[1] = -least * affine[0];
    return EAD_OK;
}

EadStatus ead_patchcore_ensemble_set_ranges(EadPatchcoreEnsemble *model, const EadMemberRange *ranges) {
    for (int i = 0; i < model->count; i++) {
        const EadMemberRange *r = &ranges[i];
        real *affine = model->affine + NUMBERS * i;
        model->ranges[i] = *r;
        EAD_TRY(set_affine("scores", i, r->least_score, r->most_score, model->count, affine));
        EAD_TRY(set_affine("maps", i, r->least_map, r->most_map, model->count, affine + 2));
    }
    return EAD_OK;
}

/* ---- the graph ---- */

static EadNode *scaled(EadGraph *graph, EadNode *x, real affine[2]) {
    EadNode *scale = ead_leaf(graph, "scale", EAD_REAL, 1, 1, 1, 1, affine);
    return ead_channel_affine(graph, x, scale, ead_leaf(graph, "shift", EAD_REAL, 1, 1, 1, 1, affine + 1));
}

static EadDetection build(EadGraph *graph, const EadModel *base, EadNode *images) {
    const EadPatchcoreEnsemble *model = (const EadPatchcoreEnsemble *)base;
    EadDetection all = {0};
    for (int i = 0; i < model->count; i++) {
        EadDetection one = ead_patchcore_build(graph, model->members[i], &base->region, images);
        EadNode *score = scaled(graph, one.score, model->affine + NUMBERS * i);
        EadNode *map = scaled(graph, one.map, model->affine + NUMBERS * i + 2);
        all.score = i ? ead_add(graph, all.score, score) : score;
        all.map = i ? ead_add(graph, all.map, map) : map;
    }
    return (EadDetection){.map = ead_keep(all.map), .score = ead_keep(all.score)};
}

/* ---- the file ---- */

static void prefix_of(int member, char prefix[PREFIX_SIZE]) {
    snprintf(prefix, PREFIX_SIZE, "member%d.", member + 1);
}

static EadStatus read_count(const EadSafetensors *file, int *out) {
    const char *text = ead_safetensors_metadata(file, "members");
    *out = text && text[0] && text[1] == '\0' ? text[0] - '0' : 0;
    if (*out >= EAD_ENSEMBLE_LEAST && *out <= EAD_ENSEMBLE_MOST) return EAD_OK;
    return ead_bad_metadata(file, "members", text, "a number from 2 to 8");
}

static EadStatus read_ranges(const EadSafetensors *file, EadPatchcoreEnsemble *model) {
    double values[EAD_ENSEMBLE_MOST * NUMBERS];
    EadMemberRange ranges[EAD_ENSEMBLE_MOST];
    EAD_TRY(ead_vector_read(file, "ranges", NUMBERS * model->count, values));
    for (int i = 0; i < model->count; i++) {
        const double *v = values + NUMBERS * i;
        ranges[i] = (EadMemberRange){(real)v[0], (real)v[1], (real)v[2], (real)v[3]};
    }
    EadStatus status = ead_patchcore_ensemble_set_ranges(model, ranges);
    return status == EAD_OK
               ? EAD_OK
               : ead_fail_prefix(EAD_BAD_FILE, "%s: tensor 'ranges': ", ead_safetensors_path(file));
}

static EadStatus read_members(const EadSafetensors *file, int count, EadPatchcoreEnsemble *model) {
    char prefix[PREFIX_SIZE];
    for (; model->count < count; model->count++) {
        prefix_of(model->count, prefix);
        EAD_TRY(ead_patchcore_read(file, prefix, model->base.height, model->base.width,
                                   &model->members[model->count]));
    }
    return read_ranges(file, model);
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadPatchcoreEnsemble *model;
    int count, fusion;
    EAD_TRY(read_count(file, &count));
    EAD_TRY(ead_metadata_choice(file, "fusion", fusions, "validation or test", &fusion));
    EAD_TRY(ead_patchcore_ensemble_new(height, width, (EadFusion)fusion, &model));
    EadStatus status = read_members(file, count, model);
    if (status == EAD_OK)
        *out = &model->base;
    else
        free_model(&model->base);
    return status;
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadPatchcoreEnsemble *model = (const EadPatchcoreEnsemble *)base;
    char prefix[PREFIX_SIZE], count[16];
    real values[EAD_ENSEMBLE_MOST * NUMBERS];
    snprintf(count, sizeof count, "%d", model->count);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "members", count));
    EAD_TRY(ead_safetensors_writer_metadata(writer, "fusion", fusions[model->fusion]));
    for (int i = 0; i < model->count; i++) {
        const EadMemberRange *r = &model->ranges[i];
        real *v = values + NUMBERS * i;
        prefix_of(i, prefix);
        EAD_TRY(ead_patchcore_write(model->members[i], prefix, writer));
        v[0] = r->least_score, v[1] = r->most_score, v[2] = r->least_map, v[3] = r->most_map;
    }
    return ead_vector_write(writer, "ranges", NUMBERS * model->count, values);
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadPatchcoreEnsemble *model = (const EadPatchcoreEnsemble *)base;
    size_t sum = 0;
    for (int i = 0; i < model->count; i++) {
        const EadModel *member = &model->members[i]->base;
        sum += member->method->functions->bytes(member);
    }
    return sum;
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadPatchcoreEnsemble *model = (const EadPatchcoreEnsemble *)base;
    const char *fusion =
        model->fusion == EAD_FUSION_TEST ? "the statistics of the test set" : "held-out good images";
    snprintf(text, size, "PatchCore ensemble at %dx%d, fused by %s:", base->height, base->width, fusion);
    for (int i = 0; i < model->count; i++) {
        const EadPatchcore *member = model->members[i];
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s bank of %d patches of %s", i ? "," : "", member->rows,
                 member->backbone.name);
    }
}

extern const EadMethodFunctions ead_patchcore_ensemble_functions;
const EadMethodFunctions ead_patchcore_ensemble_functions = {
    .read = read, .write = write, .build = build, .bytes = bytes, .describe = describe, .free = free_model};
