/* Times of what a training does with images besides its steps, done with a few of them. */
#include "train/pace.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/system/clock.h"
#include "train/evaluate/scorer.h"
#include "train/metrics/metrics.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A choice is only worth timing of many rows; more than one image in tiles would take too long. */
enum { LOOKED_AT = 8, CHOSEN_OF = 32, ROUNDS = 2 };

/* What is timed, and a few of its training images. */
typedef struct ImageTiming {
    const EadFit *fit;
    const EadRunSpec *spec;
    const EadDataset *dataset;
    EadRegion region;
    EadStringList files; /* a view */
    EadPaceImages *out;
} ImageTiming;

static bool in_tiles(const ImageTiming *t) {
    return t->spec->config->tiles_size > 0;
}

/* From the whole list: neighbours may be alike. items [CHOSEN_OF] */
static void pick_files(ImageTiming *t, char **items) {
    const EadStringList *all = &t->dataset->train;
    int most = in_tiles(t) ? 1 : t->fit->choose ? CHOSEN_OF : LOOKED_AT, count = ead_min(all->count, most);
    for (int i = 0; i < count; i++) items[i] = all->items[(int64_t)i * all->count / count];
    t->files = (EadStringList){.items = items, .count = count};
}

/* The first `count` of them, as the fit finds them in its cache. */
static EadStatus open_few(const ImageTiming *t, int count, EadImageCache **cache) {
    EadStringList first = {.items = t->files.items, .count = count};
    EadImageList list = {0};
    *cache = NULL;
    EadStatus status = ead_image_list_add_files(&list, &first);
    if (status == EAD_OK) status = ead_open_in_memory(t->spec->config, &list, &t->region, cache);
    ead_image_list_free(&list);
    return status;
}

static EadStatus new_sample(const ImageTiming *t, bool usable, void **state) {
    int images = t->dataset->train.count;
    *state = NULL;
    EAD_TRY(usable ? ead_fit_sample(t->fit, t->spec, images, state) : t->fit->sample(t->spec, images, state));
    return ead_region_copy(&t->region, &t->fit->model(*state)->region);
}

/* ---- before the steps ---- */

/* Planning is in both times. */
static EadStatus time_look(const ImageTiming *t, void *state, const EadImageCache *one,
                           const EadImageCache *few) {
    int more = t->files.count - 1;
    double start = ead_clock_seconds();
    EAD_TRY(t->fit->look(state, one));
    double middle = ead_clock_seconds(), first = middle - start;
    t->out->look = first;
    if (more == 0) return EAD_OK;
    EAD_TRY(t->fit->look(state, few));
    t->out->look = fmax(0, ead_clock_seconds() - middle - first) / more;
    return EAD_OK;
}

static EadStatus time_choice(const ImageTiming *t, void *state) {
    if (!t->fit->choose) return EAD_OK;
    double start = ead_clock_seconds();
    EAD_TRY(t->fit->choose(state));
    t->out->choice = ead_clock_seconds() - start;
    t->out->choice_power = t->fit->choose_power;
    t->out->chosen_of = t->files.count;
    return EAD_OK;
}

static EadStatus time_fit(const ImageTiming *t, const EadImageCache *few) {
    EadImageCache *one = NULL;
    void *state = NULL;
    if (!t->fit->look) return EAD_OK;
    EadStatus status = open_few(t, 1, &one);
    if (status == EAD_OK) status = new_sample(t, false, &state);
    if (status == EAD_OK) status = time_look(t, state, one, few);
    if (status == EAD_OK) status = time_choice(t, state);
    if (state) t->fit->free(state);
    ead_image_cache_close(one);
    return status;
}

static EadStatus time_before(const ImageTiming *t) {
    EadImageCache *few;
    double start = ead_clock_seconds();
    EAD_TRY(open_few(t, t->files.count, &few));
    t->out->decode = (ead_clock_seconds() - start) / t->files.count;
    EadStatus status = time_fit(t, few);
    ead_image_cache_close(few);
    return status;
}

/* ---- after them ---- */

typedef struct Scoring {
    const ImageTiming *timing;
    EadScorer *scorer;
    EadImageRules rules;
    EadScored last;
} Scoring;

static EadStatus score_one(void *context, int index, void *piece) {
    const Scoring *s = context;
    const EadStringList *files = &s->timing->files;
    return ead_scorer_score_file(s->scorer, files->items[index % files->count], &s->rules, piece);
}

static EadStatus keep_last(void *context, int index, void *piece, EadStatus status) {
    Scoring *s = context;
    (void)index;
    EAD_TRY(status);
    ead_scored_free(&s->last);
    s->last = *(EadScored *)piece;
    *(EadScored *)piece = (EadScored){.map = NULL};
    return EAD_OK;
}

static void free_piece(void *piece) {
    ead_scored_free(piece);
}

static EadStatus score_images(Scoring *s, int count) {
    EadWalk walk = {.what = "timing", .count = count, .quiet = true};
    EadWalkWork work = {sizeof(EadScored), NULL, score_one, keep_last, free_piece};
    return ead_walk_side_by_side(&walk, &work, ead_scorer_threads(s->scorer), s);
}

/* The first image of each thread plans and does not count; in tiles that makes no difference. */
static EadStatus time_scores(Scoring *s) {
    bool tiles = in_tiles(s->timing);
    int threads = ead_scorer_threads(s->scorer), count = tiles ? threads : ROUNDS * threads;
    if (!tiles) EAD_TRY(score_images(s, threads));
    double start = ead_clock_seconds();
    EAD_TRY(score_images(s, count));
    s->timing->out->score = (ead_clock_seconds() - start) / count;
    return EAD_OK;
}

/* A square in the middle. */
static EadStatus draw_defect(const EadImage *image, EadGroundTruth *truth) {
    EAD_TRY(ead_image_alloc(&truth->mask, image->width, image->height, 1));
    for (int y = image->height / 3; y < image->height / 2; y++)
        memset(truth->mask.pixels + (int64_t)y * image->width + image->width / 3, 1,
               (size_t)image->width / 6);
    return EAD_OK;
}

/* The metrics of the last map: once as of a good image, once as of one with a defect. */
static EadStatus measure(EadEvaluation *evaluation, const EadScored *scored, const EadGroundTruth *truth) {
    const EadImage *image = &scored->image;
    EadMetrics metrics = {0};
    for (int anomalous = 0; anomalous < 2; anomalous++)
        EAD_TRY(ead_evaluation_add(evaluation, anomalous ? "b" : "a", NULL, anomalous, scored->score,
                                   scored->map, image->width, image->height, anomalous ? truth : NULL, NULL));
    EadStatus status = ead_evaluation_finish(evaluation, &metrics);
    ead_metrics_free(&metrics);
    return status;
}

static EadStatus time_metrics(const ImageTiming *t, const EadScored *scored) {
    EadEvaluation *evaluation = NULL;
    EadGroundTruth truth = {.channels = NULL};
    if (!t->dataset->has_masks) return EAD_OK;
    EadStatus status = draw_defect(&scored->image, &truth);
    double start = ead_clock_seconds();
    if (status == EAD_OK) status = ead_evaluation_new(&evaluation);
    if (status == EAD_OK) status = measure(evaluation, scored, &truth);
    t->out->measure = (ead_clock_seconds() - start) / 2;
    ead_evaluation_free(evaluation);
    ead_ground_truth_free(&truth);
    return status;
}

static EadStatus time_after(const ImageTiming *t) {
    EadPlanOptions plan = {.backend = t->spec->backend};
    Scoring s = {.timing = t, .rules = ead_config_image_rules(t->spec->config)};
    int images = t->dataset->test_count > 0 ? t->dataset->test_count : t->dataset->validation.count;
    void *state = NULL;
    EadStatus status = new_sample(t, true, &state);
    if (status == EAD_OK) status = ead_scorer_new(t->fit->model(state), &plan, images, false, &s.scorer);
    if (status == EAD_OK) status = time_scores(&s);
    if (status == EAD_OK) status = time_metrics(t, &s.last);
    ead_scored_free(&s.last);
    ead_scorer_free(s.scorer);
    if (state) t->fit->free(state);
    return status;
}

EadStatus ead_pace_images(const EadFit *fit, const EadRunSpec *spec, const EadDataset *dataset,
                          EadPaceImages *images) {
    EadRunSpec quiet = *spec;
    char *items[CHOSEN_OF];
    ImageTiming t = {.fit = fit, .spec = &quiet, .dataset = dataset, .out = images};
    quiet.quiet = true;
    *images = (EadPaceImages){0};
    EadStatus status = ead_train_data_region(spec->config, &dataset->train, &t.region);
    pick_files(&t, items);
    if (status == EAD_OK) status = time_before(&t);
    if (status == EAD_OK) status = time_after(&t);
    ead_region_free(&t.region);
    return status;
}
