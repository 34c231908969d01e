/* The accumulator holds one 64-bit word a pixel: the inverted score key above, the region below, so that
 * ascending words are descending scores. Filters (one kind of defect with the good images) need no second
 * sort: the walk looks up each pixel's region and passes over those of other groups. */
#include "train/metric_pro.h"

#include "train/components.h"
#include "train/pixel_sort.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Region {
    double weight; /* 1 / area of a component; 0 for background */
    int group;
} Region;

typedef struct Group {
    int64_t normal, defect; /* pixels */
    int64_t components;
} Group;

struct EadProAccumulator {
    uint64_t *pixels;
    int64_t pixel_count, pixel_capacity;
    Region *regions;
    int64_t region_count, region_capacity;
    Group *groups;
    int group_count;
    int sorted;
};

EadStatus ead_pro_new(EadProAccumulator **accumulator) {
    *accumulator = calloc(1, sizeof **accumulator);
    if (!*accumulator) return ead_fail(EAD_NO_MEMORY, "no memory for the AU-PRO accumulator");
    return EAD_OK;
}

void ead_pro_free(EadProAccumulator *accumulator) {
    if (!accumulator) return;
    free(accumulator->pixels);
    free(accumulator->regions);
    free(accumulator->groups);
    free(accumulator);
}

/* Makes room for `more` items beyond count; NULL when memory cannot be had. */
static void *grow(void *items, int64_t count, int64_t more, int64_t *capacity, size_t item_size) {
    if (items && count + more <= *capacity) return items;
    int64_t wanted = count + more > 2 * *capacity ? count + more : 2 * *capacity;
    void *grown = realloc(items, (size_t)wanted * item_size);
    if (grown) *capacity = wanted;
    return grown;
}

static EadStatus reserve(EadProAccumulator *a, int64_t pixels, int64_t regions, int group) {
    void *grown = grow(a->pixels, a->pixel_count, pixels, &a->pixel_capacity, sizeof *a->pixels);
    if (!grown) goto no_memory;
    a->pixels = grown;
    grown = grow(a->regions, a->region_count, regions, &a->region_capacity, sizeof *a->regions);
    if (!grown) goto no_memory;
    a->regions = grown;
    if (group < a->group_count) return EAD_OK;
    grown = realloc(a->groups, ((size_t)group + 1) * sizeof *a->groups);
    if (!grown) goto no_memory;
    a->groups = grown;
    memset(a->groups + a->group_count, 0, (size_t)(group + 1 - a->group_count) * sizeof *a->groups);
    a->group_count = group + 1;
    return EAD_OK;
no_memory:
    return ead_fail(EAD_NO_MEMORY, "no memory to hold %lld pixels for AU-PRO (8 bytes each)",
                    (long long)(a->pixel_count + pixels));
}

/* Floats ordered as unsigned numbers: flip all bits of negative ones, the sign bit of the others. */
static uint32_t ordered_key(float score) {
    score += 0.0f; /* -0 and +0 are equal scores and must be equal keys */
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static double key_score(uint32_t key) {
    uint32_t bits = key & 0x80000000u ? key & 0x7fffffffu : ~key;
    float score;
    memcpy(&score, &bits, sizeof score);
    return (double)score;
}

static EadStatus check_map(const float *map, int width, int height) {
    if (width < 1 || height < 1 || width > 65535 || height > 65535)
        return ead_fail(EAD_BAD_SHAPE, "anomaly map of %d x %d: sizes are 1 to 65,535", width, height);
    int64_t pixels = (int64_t)width * height;
    for (int64_t i = 0; i < pixels; i++) {
        if (isfinite(map[i])) continue;
        return ead_fail(EAD_BAD_ARGUMENT,
                        "anomaly map holds %g at pixel (%lld, %lld): the model's weights are broken",
                        (double)map[i], (long long)(i % width), (long long)(i / width));
    }
    return EAD_OK;
}

/* labels NULL: all background. */
static void append(EadProAccumulator *a, const float *map, const EadComponents *parts, int64_t pixels,
                   int group) {
    uint64_t first_region = (uint64_t)a->region_count;
    Group *totals = &a->groups[group];
    a->regions[a->region_count++] = (Region){0, group};
    for (int32_t label = 1; label <= parts->count; label++)
        a->regions[a->region_count++] = (Region){1.0 / (double)parts->areas[label], group};
    int64_t normal = parts->labels ? parts->areas[0] : pixels;
    totals->normal += normal;
    totals->defect += pixels - normal;
    totals->components += parts->count;
    uint64_t *out = a->pixels + a->pixel_count;
    for (int64_t i = 0; i < pixels; i++) {
        uint64_t region = first_region + (parts->labels ? (uint64_t)parts->labels[i] : 0);
        out[i] = (uint64_t)(uint32_t)~ordered_key(map[i]) << 32 | region;
    }
    a->pixel_count += pixels;
    a->sorted = 0;
}

EadStatus ead_pro_add(EadProAccumulator *accumulator, const float *map, const uint8_t *mask, int width,
                      int height, int group) {
    assert(group >= 0);
    EAD_TRY(check_map(map, width, height));
    EadComponents parts = {0};
    if (mask) EAD_TRY(ead_components_label(&parts, mask, width, height));
    int64_t pixels = (int64_t)width * height, regions = (int64_t)parts.count + 1;
    EadStatus status = EAD_OK;
    /* 2^32 pixels also keep the pair counts of the AU-ROC within 64 bits. */
    if (accumulator->region_count + regions > UINT32_MAX || accumulator->pixel_count + pixels > UINT32_MAX)
        status =
            ead_fail(EAD_UNSUPPORTED, "AU-PRO over more than 2^32 pixels: evaluate fewer images at once");
    else
        status = reserve(accumulator, pixels, regions, group);
    if (status == EAD_OK) append(accumulator, map, &parts, pixels, group);
    ead_components_free(&parts);
    return status;
}

void ead_pro_sort(EadProAccumulator *accumulator) {
    if (!accumulator->sorted) ead_pixel_sort(accumulator->pixels, accumulator->pixel_count);
    accumulator->sorted = 1;
}

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

/* The walk down the sorted pixels; each step takes one run of equal scores. */
typedef struct Walk {
    const EadProAccumulator *accumulator;
    int group;
    int64_t position;
    Group totals;
    int64_t normal, defect;         /* pixels seen, the present run included */
    int64_t run_normal, run_defect; /* pixels of the present run */
    Sum overlap;                    /* sum over components of their covered share */
    uint32_t key;                   /* inverted key of the present run */
} Walk;

static Walk walk_start(const EadProAccumulator *a, int group) {
    assert(a->sorted || a->pixel_count == 0);
    Walk walk = {.accumulator = a, .group = group};
    for (int g = 0; g < a->group_count; g++) {
        if (group != EAD_PRO_ALL && g != EAD_PRO_GOOD && g != group) continue;
        walk.totals.normal += a->groups[g].normal;
        walk.totals.defect += a->groups[g].defect;
        walk.totals.components += a->groups[g].components;
    }
    return walk;
}

static int walk_next(Walk *walk) {
    const EadProAccumulator *a = walk->accumulator;
    walk->run_normal = walk->run_defect = 0;
    int64_t i = walk->position;
    while (i < a->pixel_count && walk->run_normal + walk->run_defect == 0) {
        walk->key = (uint32_t)(a->pixels[i] >> 32);
        for (; i < a->pixel_count && (uint32_t)(a->pixels[i] >> 32) == walk->key; i++) {
            const Region *region = &a->regions[(uint32_t)a->pixels[i]];
            if (walk->group != EAD_PRO_ALL && region->group != EAD_PRO_GOOD && region->group != walk->group)
                continue;
            if (region->weight > 0) {
                walk->run_defect++;
                sum_add(&walk->overlap, region->weight);
            } else
                walk->run_normal++;
        }
    }
    walk->position = i;
    walk->normal += walk->run_normal;
    walk->defect += walk->run_defect;
    return walk->run_normal + walk->run_defect > 0;
}

static EadCurvePoint walk_point(const Walk *walk) {
    double pro = sum_value(walk->overlap) / (double)walk->totals.components;
    return (EadCurvePoint){key_score(~walk->key), (double)walk->normal / (double)walk->totals.normal,
                           pro < 1 ? pro : 1};
}

/* The part of the trapezoid between two points that lies left of the limit. */
static double area_until(double limit, EadCurvePoint from, EadCurvePoint to) {
    if (from.x >= limit) return 0;
    if (to.x > limit) {
        to.y = from.y + (to.y - from.y) * (limit - from.x) / (to.x - from.x);
        to.x = limit;
    }
    return 0.5 * (from.y + to.y) * (to.x - from.x);
}

EadProFigures ead_pro_measure(const EadProAccumulator *accumulator, int group, const double *limits,
                              int limit_count) {
    assert(limit_count >= 0 && limit_count <= EAD_PRO_MAX_LIMITS);
    Walk walk = walk_start(accumulator, group);
    EadProFigures figures = {.pixel_auroc = NAN};
    for (int i = 0; i < limit_count; i++) figures.au_pro[i] = NAN;
    if (walk.totals.normal == 0 || walk.totals.components == 0) return figures;
    Sum areas[EAD_PRO_MAX_LIMITS] = {{0, 0}};
    uint64_t twice = 0; /* twice the number of pixel pairs in the right order */
    EadCurvePoint last = {INFINITY, 0, 0};
    while (walk_next(&walk)) {
        EadCurvePoint point = walk_point(&walk);
        for (int i = 0; i < limit_count; i++) sum_add(&areas[i], area_until(limits[i], last, point));
        twice += (uint64_t)walk.run_normal * (uint64_t)(2 * walk.defect - walk.run_defect);
        last = point;
    }
    for (int i = 0; i < limit_count; i++) figures.au_pro[i] = sum_value(areas[i]) / limits[i];
    figures.pixel_auroc = (double)twice / (2 * (double)walk.totals.normal * (double)walk.totals.defect);
    return figures;
}

EadStatus ead_pro_curve(const EadProAccumulator *accumulator, int group, double step, EadCurve *curve) {
    *curve = (EadCurve){0};
    Walk walk = walk_start(accumulator, group);
    if (walk.totals.normal == 0 || walk.totals.components == 0) return EAD_OK;
    EadCurvePoint last = {INFINITY, 0, 0}, point = last;
    EadStatus status = ead_curve_push(curve, last);
    while (status == EAD_OK && walk_next(&walk)) {
        point = walk_point(&walk);
        if (point.x - last.x < step && point.y - last.y < step) continue;
        status = ead_curve_push(curve, point);
        last = point;
    }
    if (status == EAD_OK && (last.x < 1 || last.y < 1))
        status = ead_curve_push(curve, (EadCurvePoint){point.threshold, 1, 1});
    if (status != EAD_OK) ead_curve_free(curve);
    return status;
}
