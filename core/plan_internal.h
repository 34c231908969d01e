/* What a plan holds, shared by the files core/plan*.c and by nobody else. */
#ifndef EAD_CORE_PLAN_INTERNAL_H
#define EAD_CORE_PLAN_INTERNAL_H

#include "core/plan.h"

/* A stretch of the caller's memory that leaves or results lie in, and its copy in the arena of a device. */
typedef struct EadRegion {
    unsigned char *host;
    size_t bytes, offset; /* offset in the arena */
    bool written;         /* a run changes it */
} EadRegion;

enum { EAD_STAGING_SLOTS = 2 };

/* What only plans on a device have. */
typedef struct EadDeviceRun {
    void *stream;
    void *captured;                            /* the graph of a run; NULL: none yet */
    bool captures;                             /* runs are to be captured */
    bool warm;                                 /* one run has been made call by call */
    unsigned char *staging[EAD_STAGING_SLOTS]; /* pinned, each as large as the largest leaf */
    void *staged[EAD_STAGING_SLOTS];           /* events: the slot has been copied */
    int turn;                                  /* the slot to be used next */
    void *result;                              /* pinned, as large as the largest kept value */
} EadDeviceRun;

struct EadPlan {
    const EadBackend *backend;
    int node_count;
    EadTensor *tensors; /* by node: what calls point at */
    EadCall *calls;
    const EadNode **call_nodes;
    int call_count;
    int threads; /* the most that workspaces have room for */
    unsigned char *arena;
    size_t arena_bytes;
    EadRegion *regions; /* sorted by address; none on the host */
    int region_count;
    EadDeviceRun *device; /* NULL on the host */
};

/* core/plan_regions.c: collects the regions of the live nodes, merging those that overlap. Errors:
 * EAD_NO_MEMORY.
 */
EadStatus ead_plan_collect_regions(EadPlan *plan, EadGraph *graph, const bool *live);

/* The device's address of the caller's memory at `host`, which lies in one of the regions. */
void *ead_plan_region_address(const EadPlan *plan, const void *host);

/* Copies all regions to the device. */
void ead_plan_upload(const EadPlan *plan);

/* core/plan_types.c: decides which values are stored in 16 bits and sets the types of plan->tensors. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_plan_choose_types(EadPlan *plan, EadGraph *graph, const bool *live, EadPrecision precision);

/* core/plan_device.c: what a plan on a device has besides. Errors: EAD_NO_MEMORY. */
EadStatus ead_plan_device_new(EadPlan *plan, EadGraph *graph, const bool *live, bool captures);
void ead_plan_device_free(EadPlan *plan);
void ead_plan_device_run(const EadPlan *plan);

/* The thread's device becomes the plan's. */
static inline void ead_plan_use_device(const EadPlan *plan) {
    if (plan->backend->device) plan->backend->device->use(plan->backend->index);
}

#endif
