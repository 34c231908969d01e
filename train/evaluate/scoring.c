/* Decode, detect, count the time. */
#include "train/evaluate/scoring.h"

#include "core/system/clock.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "train/evaluate/scorer.h"
#include "train/support/progress.h"

#include <stdlib.h>

enum { PART_SIDE = 128, DARKER = 3 };

EadImageRules ead_model_image_rules(const EadModel *model, int64_t max_pixels) {
    return (EadImageRules){.bits = model->image_bits, .white = model->image_white, .max_pixels = max_pixels};
}

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

/* What a part of the map says of the whole image, of which it covers the box; small, for it is to be looked at. */
static EadStatus spread_part(const EadRegion *region, const EadScored *scored, EadMap *part) {
    const EadImage *image = &scored->image;
    EadMap out;
    int box_width = region->width ? region->width : image->width;
    int box_height = region->width ? region->height : image->height;
    int divisor = ead_max(1, ead_max(image->width, image->height) / PART_SIDE);
    int64_t cells = 0;
    EAD_TRY(ead_map_alloc(&out, part->name, ead_max(1, image->width / divisor),
                          ead_max(1, image->height / divisor)));
    uint8_t *inside = ead_new((int64_t)out.width * out.height, 1, "a map");
    for (int v = 0; inside && v < out.height; v++)
        for (int u = 0; u < out.width; u++, cells++) {
            int x = (2 * u + 1) * image->width / (2 * out.width);
            int y = (2 * v + 1) * image->height / (2 * out.height);
            inside[cells] = scored->inside[(int64_t)y * image->width + x];
            int64_t column = (int64_t)(x - region->x) * part->width / box_width;
            int64_t row = (int64_t)(y - region->y) * part->height / box_height;
            out.values[cells] = inside[cells] ? part->values[row * part->width + column] : 0;
        }
    if (inside) ead_fill_outside(inside, cells, out.values);
    free(inside);
    ead_map_free(part);
    *part = out;
    return inside ? EAD_OK : EAD_NO_MEMORY;
}

/* Marks what is inside of the region, and darkens the rest of the picture. */
static EadStatus mark_region(const EadRegion *region, EadScored *out) {
    EadImage *image = &out->image;
    int64_t pixels = (int64_t)image->width * image->height;
    if (ead_region_is_whole(region) || out->inside) return EAD_OK;
    out->inside = ead_new(pixels, 1, "the region of interest of an image");
    if (!out->inside) return EAD_NO_MEMORY;
    ead_region_inside(region, image->width, image->height, out->inside);
    for (int64_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3 && !out->inside[i]; c++) image->pixels[3 * i + c] /= DARKER;
    for (int i = 0; i < EAD_MAP_PARTS; i++)
        if (out->parts[i].values) EAD_TRY(spread_part(region, out, &out->parts[i]));
    return EAD_OK;
}

EadStatus ead_score_decoded(EadDetector *detector, const char *path, EadScored *out) {
    double start = ead_clock_seconds();
    EadStatus status = ead_score_image(detector, &out->image, &out->map, &out->score);
    out->inference_seconds = ead_clock_seconds() - start;
    for (int i = 0; i < EAD_MAP_PARTS && status == EAD_OK; i++)
        status = ead_detector_part(detector, i, &out->parts[i]);
    if (status == EAD_OK) status = mark_region(ead_detector_region(detector), out);
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
    free(scored->inside);
    for (int i = 0; i < EAD_MAP_PARTS; i++) ead_map_free(&scored->parts[i]);
    *scored = (EadScored){.map = NULL};
}

typedef struct Scores {
    EadScorer *scorer;
    const EadStringList *files;
    const EadImageRules *rules;
    EadImageScores *out;
} Scores;

/* Outside of the region no value is the largest; of the mean they are no part. */
static void sum_up_map(const EadScored *scored, float *peak, float *mean) {
    int64_t count = (int64_t)scored->image.width * scored->image.height, counted = 0;
    const float *map = scored->map;
    double sum = 0;
    *peak = map[0];
    for (int64_t i = 0; i < count; i++) {
        *peak = map[i] > *peak ? map[i] : *peak;
        if (scored->inside && !scored->inside[i]) continue;
        sum += (double)map[i];
        counted++;
    }
    *mean = (float)(sum / (double)counted);
}

static EadStatus score_one(void *context, int index, void *piece) {
    const Scores *s = context;
    EadScored scored;
    (void)piece;
    EadStatus status = ead_scorer_score_file(s->scorer, s->files->items[index], s->rules, &scored);
    s->out->scores[index] = scored.score;
    if (status == EAD_OK) sum_up_map(&scored, &s->out->peaks[index], &s->out->means[index]);
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
