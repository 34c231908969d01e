#include "train/distill/judges.h"

#include "core/base/printing.h"
#include "core/file/json_text.h"
#include "train/loop/train_backbone.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define JUDGES EAD_KEY_distill_judges

static const char *name_of(const EadConfig *judge) {
    if (judge->dataset_category[0]) return judge->dataset_category;
    return judge->dataset_path[0] ? judge->dataset_path : judge->dataset_train_good;
}

/* The config of one judge; its run folder and network are still those of the distillation. To be freed. */
static EadStatus open_judge(const EadConfig *config, int index, EadConfig *judge) {
    EAD_TRY(ead_config_list_entry(config, JUDGES, index, judge));
    EadStatus status = ead_config_set_key(judge, EAD_KEY_model_method, "patchcore");
    if (status == EAD_OK)
        status = ead_config_set_key(judge, EAD_KEY_model_backbone, config->distill_backbone);
    if (status != EAD_OK) ead_config_free(judge);
    return status;
}

/* ---- before the work ---- */

/* The teacher has the features of any other. */
static EadStatus check_teacher(EadConfig *judge) {
    EAD_TRY(ead_config_set_key(judge, EAD_KEY_model_backbone, EAD_DEFAULT_BACKBONE));
    ead_check_backbone(judge, EAD_KEY_patchcore_layers);
    return EAD_OK;
}

static EadStatus check_judge(EadConfig *config, int index) {
    EadConfig judge;
    EadDataset dataset = {0};
    EAD_TRY(open_judge(config, index, &judge));
    bool named = ead_config_names_dataset(&judge, true);
    (void)ead_fit_find("patchcore")->check(&judge, EAD_CHECK_FILES);
    EAD_TRY(check_teacher(&judge));
    if (named) ead_problems_add(&judge.problems, ead_config_open_dataset(&judge, true, &dataset));
    for (int i = 0; i < judge.problems.lines.count && !judge.unread; i++) {
        bool told =
            strncmp(judge.problems.lines.items[i], "model.backbone: ", strlen("model.backbone: ")) == 0;
        if (told) continue; /* of distill.backbone */
        ead_problems_add(&config->problems, ead_fail(judge.problems.status, "judge %d of distill.judges: %s",
                                                     index + 1, judge.problems.lines.items[i]));
    }
    ead_dataset_free(&dataset);
    ead_config_free(&judge);
    return EAD_OK;
}

void ead_judges_check(EadConfig *config) {
    int count;
    if (config->unread) return;
    ead_problems_add(&config->problems, ead_config_list_count(config, JUDGES, &count));
    if (count > EAD_JUDGES_MOST)
        ead_config_wrong(config, JUDGES, "distill.judges: %d in the list; at most %d are run", count,
                         EAD_JUDGES_MOST);
    else
        ead_problems_add(&config->problems, ead_config_list_check(config, JUDGES, "judge"));
    for (int i = 0; i < count && i < EAD_JUDGES_MOST; i++)
        ead_problems_add(&config->problems, check_judge(config, i));
}

/* ---- at the end ---- */

static EadStatus read_metrics(const char *path, double *auroc, double *pro) {
    json_t *root;
    EadStatus status = ead_json_load(path, &root);
    if (status == EAD_BAD_FILE)
        return ead_fail(status, "%s; delete the folder of this judge", ead_error_message());
    EAD_TRY(status);
    json_t *a = json_object_get(root, "image_auroc"), *p = json_object_get(root, "au_pro_0.30");
    *auroc = json_is_number(a) ? json_number_value(a) : NAN;
    *pro = json_is_number(p) ? json_number_value(p) : NAN;
    json_decref(root);
    return EAD_OK;
}

/* folder: for the run, named behind OUTPUT/judges. */
static EadStatus run_judge(const EadRunSpec *spec, EadConfig *judge, const char *network, const char *folder,
                           double *auroc, double *pro) {
    EadPath judges, output, metrics;
    const EadFit *fit = ead_fit_find("patchcore");
    EAD_TRY(ead_path_in(judges, spec->config->output, "judges"));
    EAD_TRY(ead_path_in(output, judges, folder));
    EAD_TRY(ead_path_in(metrics, output, "metrics.json"));
    if (access(metrics, F_OK) == 0) return read_metrics(metrics, auroc, pro);
    EAD_TRY(ead_config_set_key(judge, EAD_KEY_model_backbone, network));
    EAD_TRY(ead_config_set_key(judge, EAD_KEY_output, output));
    EadRunSpec own = {
        .config = judge, .backend = spec->backend, .streams = spec->streams, .resume = true, .quiet = true};
    EAD_TRY(ead_fit_run(fit, &own));
    return read_metrics(metrics, auroc, pro);
}

static EadStatus run_both(const EadRunSpec *spec, int index, const char *teacher, int64_t steps,
                          EadJudgement *out) {
    EadConfig judge;
    char folder[64];
    EAD_TRY(open_judge(spec->config, index, &judge));
    snprintf(out->name, sizeof out->name, "%s", name_of(&judge));
    snprintf(folder, sizeof folder, "%d_backbone", index + 1);
    EadStatus status = run_judge(spec, &judge, spec->config->distill_backbone, folder, &out->backbone_auroc,
                                 &out->backbone_pro);
    snprintf(folder, sizeof folder, "%d_teacher_step_%lld", index + 1, (long long)steps);
    if (status == EAD_OK) status = run_judge(spec, &judge, teacher, folder, &out->auroc, &out->pro);
    ead_config_free(&judge);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "distill.judges, %s: ", out->name);
}

EadStatus ead_judges_run(const EadRunSpec *spec, const char *teacher, int64_t steps,
                         EadJudgements *judgements) {
    int count;
    *judgements = (EadJudgements){0};
    EAD_TRY(ead_config_list_count(spec->config, JUDGES, &count));
    for (; judgements->count < count; judgements->count++)
        EAD_TRY(run_both(spec, judgements->count, teacher, steps, &judgements->of[judgements->count]));
    return EAD_OK;
}

static void print_pair(FILE *stream, const char *name, double teacher, double backbone) {
    if (isnan(teacher) || isnan(backbone)) return;
    fprintf(stream, " %s %.1f %% (backbone %.1f %%)", name, 100 * teacher, 100 * backbone);
}

void ead_judges_print(FILE *stream, const EadJudgements *judgements) {
    for (int i = 0; i < judgements->count; i++) {
        const EadJudgement *j = &judgements->of[i];
        ead_print(stream, "nearest neighbours on %s:", j->name);
        print_pair(stream, "AU-ROC", j->auroc, j->backbone_auroc);
        print_pair(stream, "AU-PRO", j->pro, j->backbone_pro);
        fputc('\n', stream);
    }
}

void ead_judges_write(EadJson *json, const EadJudgements *judgements) {
    ead_json_open(json, "judges", '[');
    for (int i = 0; i < judgements->count; i++) {
        const EadJudgement *j = &judgements->of[i];
        ead_json_open(json, NULL, '{');
        ead_json_string(json, "name", j->name);
        ead_json_number(json, "image_auroc", j->auroc, 9);
        ead_json_number(json, "au_pro_0.30", j->pro, 9);
        ead_json_number(json, "backbone_image_auroc", j->backbone_auroc, 9);
        ead_json_number(json, "backbone_au_pro_0.30", j->backbone_pro, 9);
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
}
