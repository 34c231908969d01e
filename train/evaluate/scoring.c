/* Decode, detect, count the time. */
#include "train/evaluate/scoring.h"

#include "core/system/clock.h"
#include "core/base/memory.h"
#include "train/evaluate/scorer.h"
#include "train/support/progress.h"

#include <stdlib.h>

EadStatus ead_score_image(EadDetector *detector, const EadImage *image, float **map, float *score) {
    *map = ead_new((int64_t)image->width * image->height, sizeof **map, "the map of an image");
    if (!*map) return EAD_NO_MEMORY;
    EadStatus status = (EadStatus)ead_detector_run(detector, image->pixels, image->width, image->height,
                                                   (ptrdiff_t)3 * image->width, *map, score);
    if (status == EAD_OK) return EAD_OK;
    free(*map);
    *map = NULL;
    return status;
}

EadStatus ead_score_decode(const char *path, const EadImageRules *rules, EadScored *out) {
    double start = ead_clock_seconds();
    *out = (EadScored){.map = NULL};
    EadStatus status = ead_image_load_with(path, rules, &out->image);
    out->decoding_seconds = ead_clock_seconds() - start;
    return status;
}

EadStatus ead_score_decoded(EadDetector *detector, const char *path, EadScored *out) {
    double start = ead_clock_seconds();
    EadStatus status = ead_score_image(detector, &out->image, &out->map, &out->score);
    out->inference_seconds = ead_clock_seconds() - start;
    for (int i = 0; i < EAD_MAP_PARTS && status == EAD_OK; i++)
        status = ead_detector_part(detector, i, &out->parts[i]);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", path);
}

EadStatus ead_score_file(EadDetector *detector, const char *path, const EadImageRules *rules,
                         EadScored *out) {
    EAD_TRY(ead_score_decode(path, rules, out));
    return ead_score_decoded(detector, path, out);
}

void ead_scored_free(EadScored *scored) {
    ead_image_free(&scored->image);
    free(scored->map);
    for (int i = 0; i < EAD_MAP_PARTS; i++) ead_map_free(&scored->parts[i]);
    *scored = (EadScored){.map = NULL};
}

typedef struct Scores {
    EadScorer *scorer;
    const EadStringList *files;
    const EadImageRules *rules;
    EadImageScores *out;
} Scores;

static void sum_up_map(const float *map, int64_t count, float *peak, float *mean) {
    double sum = 0;
    *peak = map[0];
    for (int64_t i = 0; i < count; i++) {
        *peak = map[i] > *peak ? map[i] : *peak;
        sum += (double)map[i];
    }
    *mean = (float)(sum / (double)count);
}

static EadStatus score_one(void *context, int index, void *piece) {
    const Scores *s = context;
    EadScored scored;
    (void)piece;
    EadStatus status = ead_scorer_score_file(s->scorer, s->files->items[index], s->rules, &scored);
    s->out->scores[index] = scored.score;
    if (status == EAD_OK)
        sum_up_map(scored.map, (int64_t)scored.image.width * scored.image.height, &s->out->peaks[index],
                   &s->out->means[index]);
    ead_scored_free(&scored);
    return status;
}

static EadStatus pass_on(void *context, int index, void *piece, EadStatus status) {
    (void)context, (void)index, (void)piece;
    return status;
}

EadStatus ead_score_images(const EadModel *model, const EadPlanOptions *plan, const EadStringList *files,
                           const EadImageRules *rules, bool quiet, EadImageScores *out) {
    static const char what[] = "the scores of the validation images";
    Scores s = {NULL, files, rules, out};
    *out = (EadImageScores){.count = files->count};
    out->scores = ead_new(files->count, sizeof *out->scores, what);
    out->peaks = out->scores ? ead_new(files->count, sizeof *out->peaks, what) : NULL;
    out->means = out->peaks ? ead_new(files->count, sizeof *out->means, what) : NULL;
    if (!out->means) return EAD_NO_MEMORY;
    EAD_TRY(ead_scorer_new(model, plan, files->count, false, &s.scorer));
    EadWalk walk = {.what = "scoring validation images", .count = files->count, .quiet = quiet};
    EadWalkWork work = {.work = score_one, .deliver = pass_on};
    EadStatus status = ead_walk_side_by_side(&walk, &work, ead_scorer_threads(s.scorer), &s);
    ead_scorer_free(s.scorer);
    return status;
}

void ead_image_scores_free(EadImageScores *scores) {
    free(scores->scores);
    free(scores->peaks);
    free(scores->means);
    *scores = (EadImageScores){0};
}
