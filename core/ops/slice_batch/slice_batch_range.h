/* Attributes of the batch slice and its gradient. */
#ifndef EAD_CORE_SLICE_BATCH_RANGE_H
#define EAD_CORE_SLICE_BATCH_RANGE_H

typedef struct EadBatchRange {
    int begin; /* first image */
    int count; /* slice: its images; gradient: the images of the whole batch */
} EadBatchRange;

#endif
