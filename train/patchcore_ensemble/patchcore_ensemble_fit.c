/* The ensemble as a row of train/fits.def: every member is a fit of PatchCore with a config of its own; what is added
 * is what they say of images that are known, by which they are fused. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/plan/plan.h"
#include "models/patchcore_ensemble/patchcore_ensemble.h"
#include "train/fit.h"
#include "train/patchcore/coreset.h"
#include "train/patchcore/patchcore_fit.h"
#include "train/support/memory_budget.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_patchcore_ensemble, ead_fit_patchcore;

EAD_SAME_VALUE(EAD_FUSION_CHOICE_VALIDATION, EAD_FUSION_VALIDATION);
EAD_SAME_VALUE(EAD_FUSION_CHOICE_TEST, EAD_FUSION_TEST);

typedef struct EnsembleMember {
    EadConfig config;
    EadRunSpec spec; /* with that config */
    void *state;     /* of its fit, which owns its model */
} EnsembleMember;

typedef struct EnsembleFit {
    const EadRunSpec *spec;
    const EadTrainData *data; /* NULL: a sample */
    EadPatchcoreEnsemble *model;
    EnsembleMember members[EAD_ENSEMBLE_MOST];
    int count;
} EnsembleFit;

/* What has failed is a member's. */
static EadStatus of_member(int member, EadStatus status) {
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "member %d: ", member + 1);
}

/* ---- the members ---- */

/* By what the files of backbones hold: a name, a link or a copy of one makes no other member. */
static EadStatus check_new(const EnsembleFit *s, int index) {
    const EnsembleMember *m = &s->members[index];
    for (int i = 0; i < index; i++) {
        EadConfig other = s->members[i].config; /* borrowed */
        other.model_backbone = m->config.model_backbone;
        if (ead_config_difference(&other, &m->config, EAD_SAME_RESULT) < 0 &&
            ead_backbone_same(&s->model->members[i]->backbone, &s->model->members[index]->backbone))
            return ead_fail(
                EAD_BAD_ARGUMENT,
                "patchcore_ensemble.members: members %d and %d are the same, with the same network in "
                "two places; leave one of them out",
                i + 1, index + 1);
    }
    return EAD_OK;
}

/* data: NULL for a sample, as of so many images. */
static EadStatus add_member(EnsembleFit *s, EadTrainData *data, int images) {
    int index = s->count;
    EnsembleMember *m = &s->members[index];
    EAD_TRY(ead_config_list_entry(s->spec->config, EAD_KEY_patchcore_ensemble_members, index, &m->config));
    s->count++;
    m->spec = *s->spec;
    m->spec.config = &m->config;
    EadStatus made = data ? ead_fit_patchcore.create(&m->spec, data, &m->state)
                          : ead_fit_patchcore.sample(&m->spec, images, &m->state);
    EAD_TRY(of_member(index, made));
    s->model->members[s->model->count++] = (EadPatchcore *)ead_fit_patchcore.model(m->state);
    return check_new(s, index);
}

static EadStatus make(const EadRunSpec *spec, EadTrainData *data, int images, void **state) {
    const EadConfig *config = spec->config;
    int count;
    EnsembleFit *s = *state = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (EnsembleFit){.spec = spec, .data = data};
    EAD_TRY(ead_patchcore_ensemble_new(config->model_image_size.height, config->model_image_size.width,
                                       (EadFusion)config->patchcore_ensemble_fusion, &s->model));
    EAD_TRY(ead_config_list_count(config, EAD_KEY_patchcore_ensemble_members, &count));
    while (s->count < count) EAD_TRY(add_member(s, data, images));
    return EAD_OK;
}

/* Banks are kept, and one after another is filled; then one detector holds all networks and searches all banks. */
static size_t need_of(const EnsembleFit *s, size_t *kept) {
    size_t most = 0, detector = 0;
    *kept = 0;
    for (int i = 0; i < s->count; i++) {
        EadPatchcoreNeed need = ead_patchcore_fit_need(s->members[i].state);
        *kept += need.kept;
        detector += need.detector;
        if (*kept + need.besides > most) most = *kept + need.besides;
    }
    return *kept + detector > most ? *kept + detector : most;
}

static EadStatus later(void *state, size_t *bytes) {
    size_t kept;
    *bytes = need_of(state, &kept);
    return EAD_OK;
}

static EadStatus check_need(const EnsembleFit *s) {
    size_t kept, most = need_of(s, &kept), there = ead_available_memory(&ead_backend_cpu);
    if (most <= there) return EAD_OK;
    return ead_fail(
        EAD_NO_MEMORY,
        "filling the banks of %d members one after another takes up to %.0f MB, %.0f MB of it for "
        "the banks, but only %.0f MB are free; lower patchcore.coreset_ratio or patchcore.width, "
        "or model.image_size",
        s->count, 1e-6 * (double)most, 1e-6 * (double)kept, 1e-6 * (double)there);
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    if (spec->config->patchcore_ensemble_fusion == EAD_FUSION_CHOICE_TEST && data->dataset.test_count == 0)
        return ead_fail(EAD_BAD_ARGUMENT, "patchcore_ensemble.fusion is test, but the data set has no test "
                                          "images; set it to validation");
    EAD_TRY(make(spec, data, 0, state));
    return check_need(*state);
}

static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    EAD_TRY(make(spec, NULL, images, state));
    EadPatchcoreEnsemble *model = ((EnsembleFit *)*state)->model;
    return ead_patchcore_ensemble_set_ranges(model, model->ranges);
}

static void free_state(void *state) {
    EnsembleFit *s = state;
    if (s->model) {
        s->model->count = 0; /* the members belong to their fits */
        ead_model_free(&s->model->base);
    }
    for (int i = 0; i < s->count; i++) {
        if (s->members[i].state) ead_fit_patchcore.free(s->members[i].state);
        ead_config_free(&s->members[i].config);
    }
    free(s);
}

static EadStatus open_members(void *state) {
    EnsembleFit *s = state;
    for (int i = 0; i < s->count; i++) EAD_TRY(of_member(i, ead_fit_patchcore.open(s->members[i].state)));
    return EAD_OK;
}

static EadStatus start(void *state, const EadStep *step) {
    const EnsembleFit *s = state;
    ead_print(stderr, "PatchCore ensemble of %d members, fused by %s\n", s->count,
              s->model->fusion == EAD_FUSION_TEST
                  ? "the statistics of the test set, which no detector in use can know"
                  : "held-out good images");
    for (int i = 0; i < s->count; i++) {
        ead_print(stderr, "member %d: ", i + 1);
        EAD_TRY(ead_fit_patchcore.start(s->members[i].state, step));
    }
    return EAD_OK;
}

static EadStatus fit(void *state, int phase) {
    EnsembleFit *s = state;
    for (int i = 0; i < s->count; i++) {
        if (s->count > 1 && s->data) ead_print(stderr, "member %d of %d\n", i + 1, s->count);
        EAD_TRY(of_member(i, ead_fit_patchcore.fit(s->members[i].state, phase)));
    }
    return EAD_OK;
}

/* ---- what a forecast times ---- */

static EadStatus look(void *state, const EadImageCache *few) {
    const EnsembleFit *s = state;
    for (int i = 0; i < s->count; i++)
        EAD_TRY(of_member(i, ead_fit_patchcore.look(s->members[i].state, few)));
    return EAD_OK;
}

static EadStatus choose(void *state) {
    const EnsembleFit *s = state;
    for (int i = 0; i < s->count; i++) EAD_TRY(of_member(i, ead_fit_patchcore.choose(s->members[i].state)));
    return EAD_OK;
}

static int calibrated(const EadConfig *config, int validation, int test) {
    return config->patchcore_ensemble_fusion == EAD_FUSION_CHOICE_TEST ? test : validation;
}

/* ---- checkpoints ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    return ead_model_write(&((const EnsembleFit *)state)->model->base, writer);
}

static uint64_t growth(const void *state) {
    const EnsembleFit *s = state;
    uint64_t sum = 0;
    for (int i = 0; i < s->count; i++) sum += ead_patchcore_fit_need(s->members[i].state).stored;
    return sum;
}

static EadStatus adopt(EnsembleFit *s, EadPatchcoreEnsemble *read, const char *path) {
    if (read->base.method != s->model->base.method || read->count != s->count)
        return ead_fail(EAD_BAD_FILE, "%s: is not of an ensemble of %d members", path, s->count);
    for (int i = 0; i < s->count; i++)
        EAD_TRY(of_member(i, ead_patchcore_fit_adopt(s->members[i].state, read->members[i], path)));
    return EAD_OK;
}

static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    EadModel *base;
    EAD_TRY(ead_model_read(file, &base));
    EadStatus status = adopt(state, (EadPatchcoreEnsemble *)base, ead_safetensors_path(file));
    ead_model_free(base);
    return status;
}

/* ---- the fusion ---- */

/* A member that looks at one image after another. */
typedef struct Measure {
    const EnsembleFit *s;
    EadImageRules rules;
    EadPlan *plan;
    EadNode *images;
    EadDetection detection;
    EadMemberRange range;
    int unread; /* test images */
} Measure;

/* Image number `index` at the model's size, into the plan. false: it cannot be read. */
static EadStatus load(Measure *m, int index, bool *there) {
    const EadModel *model = &m->s->model->base;
    uint8_t *input = ead_plan_input_buffer(m->plan, m->images);
    EadImage image;
    *there = true;
    if (m->s->model->fusion == EAD_FUSION_VALIDATION)
        return ead_image_cache_read(m->s->data->validation, index, input);
    EadStatus status = ead_image_load_with(m->s->data->dataset.test[index].path, &m->rules, &image);
    *there = status == EAD_OK;
    if (status != EAD_OK) return status == EAD_NO_MEMORY ? status : EAD_OK;
    EadPixelRows rows = ead_image_rows(&image);
    status = ead_region_resize(&model->region, &rows, input, model->width, model->height);
    ead_image_free(&image);
    return status;
}

static EadStatus measure_image(void *context, int index) {
    Measure *m = context;
    EadMemberRange *r = &m->range;
    const void *value;
    bool there;
    EAD_TRY(load(m, index, &there));
    m->unread += !there;
    if (!there) return EAD_OK; /* the evaluation will name it */
    ead_plan_write(m->plan, m->images, ead_plan_input_buffer(m->plan, m->images));
    ead_plan_run(m->plan);
    EAD_TRY(ead_plan_fetch(m->plan, m->detection.score, &value));
    real score = *(const real *)value;
    r->least_score = score < r->least_score ? score : r->least_score;
    r->most_score = score > r->most_score ? score : r->most_score;
    EAD_TRY(ead_plan_fetch(m->plan, m->detection.map, &value));
    const real *map = value;
    const uint8_t *inside = m->s->model->base.region.mask;
    for (int64_t i = 0; i < ead_count(&m->detection.map->y); i++) {
        if (inside && !inside[i]) continue;
        r->least_map = map[i] < r->least_map ? map[i] : r->least_map;
        r->most_map = map[i] > r->most_map ? map[i] : r->most_map;
    }
    return EAD_OK;
}

/* Plans a member and shows it all images. */
static EadStatus run_member(Measure *m, const EadPatchcore *member, EadGraph *graph) {
    const EnsembleFit *s = m->s;
    bool test = s->model->fusion == EAD_FUSION_TEST;
    EadPlanOptions options = {.backend = s->spec->backend};
    EadWalk walk = {.what = "measuring for the fusion", .quiet = s->spec->quiet};
    walk.count = test ? s->data->dataset.test_count : ead_image_cache_count(s->data->validation);
    m->images = ead_leaf(graph, "images", EAD_U8, 1, member->base.height, member->base.width, 3, NULL);
    m->detection = ead_patchcore_build(graph, member, &s->model->base.region, m->images);
    EAD_TRY(ead_plan_new(graph, &options, &m->plan));
    EAD_TRY(ead_walk(&walk, measure_image, m));
    if (m->unread == walk.count) return ead_fail(EAD_BAD_FILE, "no test image can be read");
    return EAD_OK;
}

static EadStatus measure_member(Measure *m, int index) {
    const EnsembleFit *s = m->s;
    real infinity = (real)INFINITY;
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    m->range = (EadMemberRange){infinity, -infinity, infinity, -infinity};
    m->unread = 0;
    EadStatus status = run_member(m, s->model->members[index], graph);
    if (s->model->fusion == EAD_FUSION_VALIDATION) m->range.least_score = m->range.least_map = 0;
    ead_plan_free(m->plan);
    ead_graph_free(graph);
    m->plan = NULL;
    return of_member(index, status);
}

static EadStatus calibrate(void *state, const EadRunFolder *folder, const char *config_text, int64_t done) {
    EnsembleFit *s = state;
    EadMemberRange ranges[EAD_ENSEMBLE_MOST];
    Measure m = {.s = s, .rules = ead_config_image_rules(s->spec->config)};
    (void)folder, (void)config_text, (void)done;
    for (int i = 0; i < s->count; i++) {
        EAD_TRY(measure_member(&m, i));
        ranges[i] = m.range;
        ead_print(stderr, "member %d: scores %.4g to %.4g count as 0 to 1\n", i + 1,
                  (double)m.range.least_score, (double)m.range.most_score);
    }
    if (m.unread > 0)
        ead_print(stderr, "%d of %d test images cannot be read and are left out of the fusion\n", m.unread,
                  s->data->dataset.test_count);
    EadStatus status = ead_patchcore_ensemble_set_ranges(s->model, ranges);
    return status == EAD_OK ? EAD_OK
                            : ead_fail(status, "%s; scale by other images, or take another backbone for it",
                                       ead_error_message());
}

static EadModel *model_of(void *state) {
    return &((EnsembleFit *)state)->model->base;
}

/* ---- the config ---- */

static EadStatus check_member(EadConfig *config, int member, EadCheckScope scope) {
    EadConfig own;
    EAD_TRY(ead_config_list_entry(config, EAD_KEY_patchcore_ensemble_members, member, &own));
    (void)ead_fit_patchcore.check(&own, scope);
    for (int i = 0; i < own.problems.lines.count && !own.unread && !config->unread; i++)
        ead_problems_add(&config->problems,
                         ead_fail(own.problems.status, "member %d of patchcore_ensemble.members: %s",
                                  member + 1, own.problems.lines.items[i]));
    ead_config_free(&own);
    return EAD_OK;
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count, count;
    EAD_TRY(ead_config_list_count(config, EAD_KEY_patchcore_ensemble_members, &count));
    if (count < EAD_ENSEMBLE_LEAST || count > EAD_ENSEMBLE_MOST)
        ead_config_wrong(config, EAD_KEY_patchcore_ensemble_members,
                         "patchcore_ensemble.members: %d in the list; an ensemble has %d to %d", count,
                         EAD_ENSEMBLE_LEAST, EAD_ENSEMBLE_MOST);
    else
        EAD_TRY(ead_config_list_check(config, EAD_KEY_patchcore_ensemble_members, "member"));
    if (config->model_init[0] && scope >= EAD_CHECK_TRAINING)
        ead_config_wrong(
            config, EAD_KEY_model_init,
            "model.init: an ensemble starts from no model; add images to it by patchcore.add with "
            "--resume, or train it anew, which takes one pass");
    for (int i = 0; i < count; i++) EAD_TRY(check_member(config, i, scope));
    return ead_problems_since(&config->problems, known);
}

static const char *remark(const EadConfig *config) {
    return config->patchcore_ensemble_fusion == EAD_FUSION_CHOICE_TEST ? "fused by the test images" : NULL;
}

const EadFit ead_fit_patchcore_ensemble = {.name = "patchcore_ensemble",
                                           .model_name = "model.safetensors",
                                           .scope = EAD_SAME_STEPS,
                                           .maps_key = -1,
                                           .length_key = -1,
                                           .check = check,
                                           .remark = remark,
                                           .create = create,
                                           .sample = sample,
                                           .free = free_state,
                                           .later = later,
                                           .open = open_members,
                                           .start = start,
                                           .fit = fit,
                                           .look = look,
                                           .choose = choose,
                                           .choose_power = EAD_CORESET_POWER,
                                           .calibrated = calibrated,
                                           .write = write_checkpoint,
                                           .read = read_checkpoint,
                                           .growth = growth,
                                           .calibrate = calibrate,
                                           .model = model_of};
