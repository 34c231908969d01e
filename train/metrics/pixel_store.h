/* The store of the pixel metrics: metric_pro.c fills it, pixel_sort.c sorts, metric_pro_walk.c reads it. */
#pragma once

#include "core/system/spill.h"
#include "train/metrics/metric_pro.h"

/* A set of defect pixels with the same component and channels, see train/metrics/defect_regions.h. */
typedef struct EadProRegion {
    int group;
    int32_t member_count;
    int64_t first_member; /* its channels: members[first_member ..] */
    double weight;        /* 1 / area of the component */
    double image_weight;  /* 1 / pixels with defect in its image */
} EadProRegion;

typedef struct EadProChannel {
    int64_t saturation; /* area, in pixels */
    double weight;      /* 1 / saturation */
    int type;           /* EadDefectChannel.type */
} EadProChannel;

/* One image with channels: where its pixels without defect stand in its group until all are sorted. */
typedef struct EadProSegment {
    int group;
    int channel_count;
    int64_t first, count;
    int64_t first_channel;
} EadProSegment;

typedef struct EadProGroup {
    EadSpillArray normal; /* uint32_t [normal_count], keys of the pixels without defect */
    int64_t normal_count, defect_count, components, channels;
    int64_t images; /* with a pixel of a defect */
} EadProGroup;

/* Score keys are inverted: ascending keys are descending scores. */
struct EadProAccumulator {
    EadProGroup *groups;
    int group_count, group_capacity;
    EadSpillArray defects; /* uint64_t [defect_count], key << 32 | region, of all groups */
    int64_t defect_count;
    EadSpill spill; /* for both: they are the program's largest arrays */
    EadProRegion *regions;
    int64_t region_count, region_capacity;
    int64_t *members; /* numbers of channels */
    int64_t member_count, member_capacity;
    EadProChannel *channels;
    int64_t channel_count, channel_capacity;
    EadProSegment *segments;
    int64_t segment_count, segment_capacity;
    int64_t pixel_count;
    int64_t good_pixels; /* of each good image; 0: there is none; -1: they differ */
    int segments_sorted, sorted;
    int mixed; /* the segments are no more */
};

static inline uint32_t *ead_pro_normal(const EadProGroup *group) {
    return group->normal.items;
}

static inline uint64_t *ead_pro_defects(const EadProAccumulator *accumulator) {
    return accumulator->defects.items;
}

/* Sorts keys [count] ascending, in place, by radix from the top; parts run in parallel (OpenMP tasks). */
void ead_pixel_sort_keys(uint32_t *keys, int64_t count);

/* Sorts words [count] ascending by their upper 32 bits, in the same way. The order among equal keys is
 * unspecified, but the same in every run. */
void ead_pixel_sort_words(uint64_t *words, int64_t count);
