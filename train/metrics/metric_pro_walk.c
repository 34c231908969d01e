/* Metrics and curves: one walk down the defect pixels by score. Between two of them the curves only move to
 * the right, by the pixels without defect in between: those are counted in sorted arrays, never visited. */
#include "train/metrics/pixel_store.h"

#include "core/base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A sum that carries its rounding error along (Neumaier): tens of millions of terms, full precision. */
typedef struct Sum {
    double value, error;
} Sum;

static void sum_add(Sum *sum, double term) {
    double next = sum->value + term;
    sum->error += fabs(sum->value) >= fabs(term) ? sum->value - next + term : term - next + sum->value;
    sum->value = next;
}

static double sum_value(Sum sum) {
    return sum.value + sum.error;
}

/* Pixels without defect that take part: ascending keys. */
typedef struct Keys {
    const uint32_t *keys; /* [count] */
    int64_t count;
} Keys;

/* Each step takes one run of defect pixels of equal score. */
typedef struct Walk {
    const EadProAccumulator *accumulator;
    int group;          /* whose defects count */
    int type;           /* what channels count; ANY_TYPE: those of the group */
    EadProGroup totals; /* the counts of all that takes part */
    Keys *keys;         /* [key_arrays] */
    int64_t *seen;      /* [key_arrays] how many of each lie at or above the run */
    int64_t key_arrays;
    int64_t position;         /* in the defects */
    int64_t *covered;         /* [channel_count] defect pixels so far */
    uint32_t key;             /* of the present run, inverted */
    int64_t above;            /* normal pixels above the run's score */
    int64_t normal;           /* normal pixels at or above it */
    int64_t good_above, good; /* the same of the good images alone, which come first in keys */
    int64_t defect, run;      /* defect pixels at or above it, and in the run */
    Sum pro, spro, pimo;      /* sums over components, channels and images of their covered share */
} Walk;

enum { ANY_TYPE = -1 };

static int takes_part(int group, int wanted) {
    return wanted == EAD_PRO_ALL || group == EAD_PRO_GOOD || group == wanted;
}

/* Takes part with at most so many arrays of pixels without defect. */
static EadStatus walk_new(Walk *walk, const EadProAccumulator *a, int64_t max_arrays) {
    *walk = (Walk){.accumulator = a, .group = EAD_PRO_ALL, .type = ANY_TYPE};
    walk->keys = ead_new(max_arrays, sizeof *walk->keys, "the pixel metrics");
    walk->seen = ead_new(max_arrays, sizeof *walk->seen, "the pixel metrics");
    walk->covered = ead_new(a->channel_count, sizeof *walk->covered, "the pixel metrics");
    return walk->keys && walk->seen && walk->covered ? EAD_OK : EAD_NO_MEMORY;
}

static void add_keys(Walk *walk, const uint32_t *keys, int64_t count) {
    walk->keys[walk->key_arrays++] = (Keys){keys, count};
    walk->totals.normal_count += count;
}

static EadStatus walk_group(Walk *walk, const EadProAccumulator *a, int group) {
    assert(a->sorted || a->pixel_count == 0);
    EAD_TRY(walk_new(walk, a, a->group_count));
    walk->group = group;
    for (int g = 0; g < a->group_count; g++) {
        if (!takes_part(g, group)) continue;
        add_keys(walk, ead_pro_normal(&a->groups[g]), a->groups[g].normal_count);
        walk->totals.defect_count += a->groups[g].defect_count;
        walk->totals.components += a->groups[g].components;
        walk->totals.channels += a->groups[g].channels;
        walk->totals.images += a->groups[g].images;
    }
    return EAD_OK;
}

static EadStatus walk_type(Walk *walk, const EadProAccumulator *a, int type) {
    assert(a->segments_sorted || a->segment_count == 0);
    EAD_TRY(walk_new(walk, a, a->segment_count + 1));
    walk->type = type;
    if (a->group_count > 0)
        add_keys(walk, ead_pro_normal(&a->groups[EAD_PRO_GOOD]), a->groups[EAD_PRO_GOOD].normal_count);
    for (int64_t i = 0; i < a->segment_count; i++) {
        const EadProSegment *segment = &a->segments[i];
        int64_t channels = 0;
        for (int c = 0; c < segment->channel_count; c++)
            channels += a->channels[segment->first_channel + c].type == type;
        walk->totals.channels += channels;
        if (channels > 0)
            add_keys(walk, ead_pro_normal(&a->groups[segment->group]) + segment->first, segment->count);
    }
    return EAD_OK;
}

static void walk_end(Walk *walk) {
    free(walk->keys);
    free(walk->seen);
    free(walk->covered);
}

/* The first index from `start` on whose key is at least `least`: leaps of doubling length, then halving. */
static int64_t first_at_least(const Keys *array, int64_t start, uint64_t least) {
    int64_t low = start, high = start, leap = 1;
    while (high < array->count && array->keys[high] < least) {
        low = high + 1;
        high += leap;
        leap *= 2;
    }
    if (high > array->count) high = array->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (array->keys[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Takes a defect pixel, unless its region does not count. */
static void take_pixel(Walk *walk, const EadProRegion *region) {
    const EadProAccumulator *a = walk->accumulator;
    bool any = walk->type == ANY_TYPE, counts = any;
    if (any && !takes_part(region->group, walk->group)) return;
    for (int32_t i = 0; i < region->member_count; i++) {
        int64_t channel = a->members[region->first_member + i];
        if (!any && a->channels[channel].type != walk->type) continue;
        counts = true;
        if (walk->covered[channel]++ < a->channels[channel].saturation)
            sum_add(&walk->spro, a->channels[channel].weight);
    }
    if (!counts) return;
    walk->run++;
    sum_add(&walk->pro, region->weight);
    sum_add(&walk->pimo, region->image_weight);
}

static int walk_next(Walk *walk) {
    const EadProAccumulator *a = walk->accumulator;
    const uint64_t *defects = ead_pro_defects(a);
    int64_t i = walk->position;
    walk->run = 0;
    while (i < a->defect_count && walk->run == 0) {
        walk->key = (uint32_t)(defects[i] >> 32);
        for (; i < a->defect_count && (uint32_t)(defects[i] >> 32) == walk->key; i++)
            take_pixel(walk, &a->regions[(uint32_t)defects[i]]);
    }
    walk->position = i;
    walk->defect += walk->run;
    walk->above = walk->normal = 0;
    for (int64_t k = 0; k < walk->key_arrays && walk->run > 0; k++) {
        int64_t above = first_at_least(&walk->keys[k], walk->seen[k], walk->key);
        walk->seen[k] = first_at_least(&walk->keys[k], above, (uint64_t)walk->key + 1);
        walk->above += above;
        walk->normal += walk->seen[k];
        if (k > 0) continue;
        walk->good_above = above;
        walk->good = walk->seen[k];
    }
    return walk->run > 0;
}

/* The way back from inverted_key() in metric_pro.c. */
static double key_score(uint32_t key) {
    uint32_t bits = key & 0x80000000u ? key : ~key & 0x7fffffffu;
    float score;
    memcpy(&score, &bits, sizeof score);
    return (double)score;
}

static double share(Sum sum, int64_t count) {
    return fmin(sum_value(sum) / (double)count, 1);
}

static double false_positive_rate(const Walk *walk, int64_t normal) {
    return (double)normal / (double)walk->totals.normal_count;
}

static double precision(const Walk *walk) {
    return (double)walk->defect / (double)(walk->defect + walk->normal);
}

/* Area under a curve up to several limits, point after point. */
typedef struct Area {
    Sum sums[EAD_PRO_MAX_LIMITS];
    double x, y; /* the last point */
} Area;

/* The part of the trapezoid between two points that lies left of the limit. */
static double area_until(double limit, double x0, double y0, double x1, double y1) {
    if (x0 >= limit) return 0;
    if (x1 > limit) {
        y1 = y0 + (y1 - y0) * (limit - x0) / (x1 - x0);
        x1 = limit;
    }
    return 0.5 * (y0 + y1) * (x1 - x0);
}

static void area_to(Area *area, double x, double y, const double *limits, int limit_count) {
    for (int i = 0; i < limit_count; i++)
        sum_add(&area->sums[i], area_until(limits[i], area->x, area->y, x, y));
    area->x = x;
    area->y = y;
}

static void take_spro(Area *area, const Walk *walk, const double *limits, int limit_count) {
    area_to(area, false_positive_rate(walk, walk->above), area->y, limits, limit_count);
    area_to(area, false_positive_rate(walk, walk->normal), share(walk->spro, walk->totals.channels), limits,
            limit_count);
}

/* ---- AUPIMO ---- */

/* Area over the logarithm of a number of good pixels, between two of them. */
typedef struct LogArea {
    Sum sum;
    double low, high; /* low NAN: undefined */
    double x, y;      /* the last point */
} LogArea;

/* Rates of 1e-5 and 1e-4, as good pixels for each of which one is a false alarm: so whole bounds stay whole. */
static const double pimo_low = 1e5, pimo_high = 1e4;

static LogArea log_area_new(const Walk *walk) {
    LogArea area = {.low = NAN};
    const Keys *good = walk->keys;
    if (walk->key_arrays == 0 || good->count == 0 || walk->accumulator->good_pixels < 0) return area;
    double low = (double)good->count / pimo_low;
    int64_t least = first_at_least(good, 0, (uint64_t)good->keys[0] + 1); /* that a threshold reaches */
    if ((double)least <= low) area.low = low, area.high = (double)good->count / pimo_high;
    return area;
}

/* The curve is straight over the logarithm, where pixels of equal score move it to the right and up at once: never from
 * 0 good pixels on to more than the lower bound. */
static void log_area_to(LogArea *area, double x, double y) {
    double from = fmax(area->x, area->low), to = fmin(x, area->high);
    if (from < to) {
        double middle = area->y;
        if (y > area->y)
            middle += (y - area->y) * 0.5 * log(from / area->x * (to / area->x)) / log(x / area->x);
        sum_add(&area->sum, middle * log(to / from));
    }
    area->x = x;
    area->y = y;
}

static void take_pimo(LogArea *area, const Walk *walk) {
    log_area_to(area, (double)walk->good_above, area->y);
    log_area_to(area, (double)walk->good, share(walk->pimo, walk->totals.images));
}

static double log_area_value(LogArea *area, int64_t good) {
    if (isnan(area->low)) return NAN;
    log_area_to(area, (double)good, area->y); /* all defects are found */
    return fmin(sum_value(area->sum) / log(area->high / area->low), 1);
}

EadStatus ead_pro_measure(const EadProAccumulator *accumulator, int group, const double *limits,
                          int limit_count, EadProAreas *areas, EadMetricSet *set) {
    assert(limit_count >= 0 && limit_count <= EAD_PRO_MAX_LIMITS);
    for (int i = 0; i < EAD_PRO_MAX_LIMITS; i++) areas->au_pro[i] = areas->au_spro[i] = NAN;
    Walk walk;
    EadStatus status = walk_group(&walk, accumulator, group);
    const EadProGroup *totals = &walk.totals;
    bool defined = status == EAD_OK && totals->normal_count > 0 && totals->components > 0;
    double normal = (double)totals->normal_count, defects = (double)totals->defect_count;
    Area pro = {.x = 0}, spro = {.x = 0};
    LogArea pimo = {.low = NAN};
    if (defined) pimo = log_area_new(&walk);
    Sum ap = {0};
    uint64_t twice = 0; /* twice the number of pixel pairs in the right order */
    while (defined && walk_next(&walk)) {
        area_to(&pro, false_positive_rate(&walk, walk.above), pro.y, limits, limit_count);
        area_to(&pro, false_positive_rate(&walk, walk.normal), share(walk.pro, totals->components), limits,
                limit_count);
        if (totals->channels > 0) take_spro(&spro, &walk, limits, limit_count);
        take_pimo(&pimo, &walk);
        int64_t below = totals->normal_count - walk.normal, tied = walk.normal - walk.above;
        twice += (uint64_t)walk.run * (uint64_t)(2 * below + tied);
        sum_add(&ap, (double)walk.run * precision(&walk));
        double f1 = 2 * (double)walk.defect / (double)(walk.defect + walk.normal + totals->defect_count);
        if (isnan(set->pixel_f1_best) || f1 > set->pixel_f1_best) {
            set->pixel_f1_best = f1;
            set->pixel_f1_threshold = key_score(walk.key);
        }
    }
    area_to(&pro, 1, 1, limits, limit_count);
    area_to(&spro, 1, 1, limits, limit_count);
    for (int i = 0; defined && i < limit_count; i++) {
        areas->au_pro[i] = sum_value(pro.sums[i]) / limits[i];
        if (totals->channels > 0) areas->au_spro[i] = sum_value(spro.sums[i]) / limits[i];
    }
    if (defined) set->pixel_auroc = (double)twice / (2 * normal * defects);
    if (defined) set->pixel_ap = sum_value(ap) / defects;
    if (defined) set->aupimo = log_area_value(&pimo, walk.keys[0].count);
    walk_end(&walk);
    return status;
}

EadStatus ead_pro_measure_type(const EadProAccumulator *accumulator, int type, const double *limits,
                               int limit_count, double *au_spro) {
    assert(type >= 0 && limit_count >= 0 && limit_count <= EAD_PRO_MAX_LIMITS);
    Walk walk;
    Area area = {.x = 0};
    EadStatus status = walk_type(&walk, accumulator, type);
    bool defined = status == EAD_OK && walk.totals.normal_count > 0 && walk.totals.channels > 0;
    while (defined && walk_next(&walk)) take_spro(&area, &walk, limits, limit_count);
    area_to(&area, 1, 1, limits, limit_count);
    for (int i = 0; i < limit_count; i++) au_spro[i] = defined ? sum_value(area.sums[i]) / limits[i] : NAN;
    walk_end(&walk);
    return status;
}

/* A point for the thinned curve; `last` is the one before, kept or not. */
static EadStatus offer(EadCurve *curve, double step, EadCurvePoint point, EadCurvePoint *last) {
    EadCurvePoint kept = curve->points[curve->count - 1];
    *last = point;
    if (fabs(point.x - kept.x) < step && fabs(point.y - kept.y) < step) return EAD_OK;
    if (point.x == kept.x && point.y == kept.y) return EAD_OK;
    return ead_curve_push(curve, point);
}

static EadStatus trace(Walk *walk, EadPixelCurve kind, double step, EadCurve *curve) {
    const EadProGroup *totals = &walk->totals;
    if (totals->normal_count == 0 || totals->components == 0) return EAD_OK;
    if (kind == EAD_CURVE_SPRO && totals->channels == 0) return EAD_OK;
    EadCurvePoint last = {INFINITY, 0, kind == EAD_CURVE_PR ? 1 : 0};
    EAD_TRY(ead_curve_push(curve, last));
    while (walk_next(walk)) {
        double score = key_score(walk->key), recall = (double)walk->defect / (double)totals->defect_count;
        if (kind == EAD_CURVE_PR) {
            EAD_TRY(offer(curve, step, (EadCurvePoint){score, recall, precision(walk)}, &last));
            continue;
        }
        double height = kind == EAD_CURVE_PRO    ? share(walk->pro, totals->components)
                        : kind == EAD_CURVE_SPRO ? share(walk->spro, totals->channels)
                                                 : recall;
        /* Where the curve arrives from the left just above the run's score, and where it is then. */
        EadCurvePoint corner = {(double)nextafterf((float)score, INFINITY),
                                false_positive_rate(walk, walk->above), last.y};
        EAD_TRY(offer(curve, step, corner, &last));
        EadCurvePoint point = {score, false_positive_rate(walk, walk->normal), height};
        EAD_TRY(offer(curve, step, point, &last));
    }
    if (kind == EAD_CURVE_PR) return offer(curve, 0, last, &last);
    /* It ends at the lowest score of all pixels, where everything is called a defect. */
    uint32_t lowest = walk->key; /* of the last defect pixel */
    for (int64_t i = 0; i < walk->key_arrays; i++) {
        const Keys *array = &walk->keys[i];
        if (array->count > 0 && array->keys[array->count - 1] > lowest)
            lowest = array->keys[array->count - 1];
    }
    return offer(curve, 0, (EadCurvePoint){key_score(lowest), 1, 1}, &last);
}

EadStatus ead_pro_curve(const EadProAccumulator *accumulator, int group, EadPixelCurve kind, double step,
                        EadCurve *curve) {
    *curve = (EadCurve){0};
    Walk walk;
    EadStatus status = walk_group(&walk, accumulator, group);
    if (status == EAD_OK) status = trace(&walk, kind, step, curve);
    walk_end(&walk);
    if (status != EAD_OK) ead_curve_free(curve);
    return status;
}
