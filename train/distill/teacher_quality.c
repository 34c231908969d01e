/* Passes over the held-out images. */
#include "train/distill/distill.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "train/support/channel_sums.h"
#include "train/support/json_writer.h"
#include "train/support/progress.h"

#include <stdlib.h>
#include <string.h>

typedef struct TeacherEval {
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images, *y;
    float *target;          /* [positions][EAD_FEATURES], normalised */
    EadChannelSums targets; /* for their variance */
    double errors[EAD_FEATURES];
    EadFeatureSource *source;
    EadShare share;          /* of the held-out images */
    const float *mean, *std; /* of the features */
} TeacherEval;

static EadStatus plan_teacher(TeacherEval *j, const EadPdn *teacher, const EadDistillImages *images,
                              const EadBackend *backend) {
    EadPdn constant = *teacher;
    constant.trainable = false;
    j->graph = ead_graph_new();
    j->target = malloc((size_t)images->features * sizeof *j->target);
    if (!j->graph || !j->target) return ead_fail(EAD_NO_MEMORY, "no memory to judge the teacher");
    j->images = ead_leaf(j->graph, "images", EAD_U8, 1, images->height, images->width, 3, NULL);
    EadNode *x = ead_normalize_image(j->graph, j->images);
    j->y = ead_keep(ead_pdn_head(j->graph, &constant, ead_pdn_trunk(j->graph, &constant, x), 0, 0));
    return ead_plan_new(j->graph, &(EadPlanOptions){.backend = backend}, &j->plan);
}

static EadStatus run_image(void *context, int index) {
    TeacherEval *j = context;
    int64_t positions = ead_count(&j->y->y) / EAD_FEATURES;
    const float *features;
    const void *value;
    void *image = ead_plan_input_buffer(j->plan, j->images);
    EAD_TRY(ead_feature_source_read(j->source, j->share.first + index, image, &features));
    ead_plan_write(j->plan, j->images, image);
    ead_plan_run(j->plan);
    EAD_TRY(ead_plan_fetch(j->plan, j->y, &value));
    const real *y = value;
    for (int64_t p = 0; p < positions; p++)
        for (int c = 0; c < EAD_FEATURES; c++) {
            int64_t i = p * EAD_FEATURES + c;
            j->target[i] = (features[i] - j->mean[c]) / (j->std[c] > 0 ? j->std[c] : 1);
            double error = (double)y[i] - (double)j->target[i];
            j->errors[c] += error * error;
        }
    ead_channel_sums_add(&j->targets, j->target, positions);
    return EAD_OK;
}

EadStatus ead_teacher_quality_measure(const EadPdn *teacher, const EadRunSpec *run, EadFeatureSource *source,
                                      const float mean[EAD_FEATURES], const float std[EAD_FEATURES],
                                      EadTeacherQuality *quality) {
    double target_mean[EAD_FEATURES], target_std[EAD_FEATURES];
    *quality = (EadTeacherQuality){.images = source->images->held_out};
    TeacherEval *j = ead_new(1, sizeof *j, "judging the teacher");
    if (!j) return EAD_NO_MEMORY;
    *j = (TeacherEval){.source = source,
                       .share = ead_ranks_share(run->ranks, source->images->held_out),
                       .mean = mean,
                       .std = std};
    EadStatus status = ead_channel_sums_new(EAD_FEATURES, &j->targets);
    if (status == EAD_OK) status = plan_teacher(j, teacher, source->images, run->backend);
    EadWalk walk = {.what = "judging the teacher", .count = j->share.count, .quiet = run->quiet};
    if (status == EAD_OK) status = ead_walk(&walk, run_image, j);
    status = ead_ranks_agree(run->ranks, status);
    if (status == EAD_OK) ead_channel_sums_join(&j->targets, run->ranks);
    if (status == EAD_OK && run->ranks) run->ranks->sum_doubles(run->ranks, j->errors, EAD_FEATURES);
    if (status == EAD_OK) ead_channel_sums_result(&j->targets, target_mean, target_std);
    for (int c = 0; c < EAD_FEATURES && status == EAD_OK; c++) {
        double error = j->errors[c] / (double)j->targets.count, variance = target_std[c] * target_std[c];
        quality->loss += error / EAD_FEATURES;
        quality->explained[c] = variance > 0 ? 1 - error / variance : 0;
    }
    ead_plan_free(j->plan);
    ead_graph_free(j->graph);
    free(j->target);
    ead_channel_sums_free(&j->targets);
    free(j);
    return status;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

EadExplained ead_teacher_quality_summary(const EadTeacherQuality *quality) {
    double sorted[EAD_FEATURES], sum = 0;
    memcpy(sorted, quality->explained, sizeof sorted);
    qsort(sorted, EAD_FEATURES, sizeof *sorted, ascending);
    for (int c = 0; c < EAD_FEATURES; c++) sum += sorted[c];
    double median = (sorted[EAD_FEATURES / 2 - 1] + sorted[EAD_FEATURES / 2]) / 2;
    return (EadExplained){sum / EAD_FEATURES, sorted[0], median, sorted[EAD_FEATURES - 1]};
}

void ead_teacher_quality_print(FILE *stream, const EadTeacherQuality *quality) {
    EadExplained e = ead_teacher_quality_summary(quality);
    fprintf(stream,
            "teacher: loss %.4f on %d held-out images; explained variance of the channels: mean %.1f %%, "
            "median %.1f %%, %.1f to %.1f %%\n",
            quality->loss, quality->images, 100 * e.mean, 100 * e.median, 100 * e.least, 100 * e.greatest);
}

EadStatus ead_teacher_quality_write(const char *path, const EadTeacherQuality *quality,
                                    const EadJudgements *judgements) {
    EadExplained e = ead_teacher_quality_summary(quality);
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadJson json = {.stream = file.stream};
    ead_json_open(&json, NULL, '{');
    ead_json_number(&json, "held_out_loss", quality->loss, 9);
    ead_json_integer(&json, "held_out_images", quality->images);
    ead_json_open(&json, "explained_variance", '{');
    ead_json_number(&json, "mean", e.mean, 9);
    ead_json_number(&json, "least", e.least, 9);
    ead_json_number(&json, "median", e.median, 9);
    ead_json_number(&json, "greatest", e.greatest, 9);
    ead_json_open(&json, "channels", '[');
    for (int c = 0; c < EAD_FEATURES; c++) ead_json_number(&json, NULL, quality->explained[c], 6);
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    ead_judges_write(&json, judgements);
    ead_json_close(&json, '}');
    putc('\n', file.stream);
    return ead_atomic_file_commit(&file);
}
