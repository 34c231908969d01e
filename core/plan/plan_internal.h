/* What a plan holds, for the files of core/plan/ and for nobody else. */
#pragma once

#include "core/plan/plan.h"

/* A stretch of the caller's memory that leaves or results lie in, and its copy in the arena of a device. */
typedef struct EadHostRegion {
    unsigned char *host;
    size_t bytes, offset; /* offset in the arena */
    bool written;         /* a run changes it */
} EadHostRegion;

enum { EAD_STAGING_SLOTS = 2, EAD_MAX_STREAMS = 4 };

/* The place of a call among the streams. */
typedef struct EadLane {
    int stream;
    int waits[EAD_MAX_STREAMS]; /* by stream: the call there that must be done before, -1: none */
    bool awaited;               /* calls of other streams wait for this one */
} EadLane;

/* What only plans on a device have. */
typedef struct EadDeviceRun {
    int stream_count;
    void *streams[EAD_MAX_STREAMS]; /* runs begin and end on the first */
    void *ends[EAD_MAX_STREAMS];    /* events: a stream has done its part; of the first: the run has begun */
    EadLane *lanes;                 /* by call */
    void **done;                    /* events, by call; NULL where nobody waits */
    void *captured;                 /* the graph of a run; NULL: none yet */
    bool captures;                  /* runs are to be captured */
    bool warm;                      /* one run has been made call by call */
    unsigned char *staging[EAD_STAGING_SLOTS]; /* pinned, each for the largest leaf or image of a table */
    void *staged[EAD_STAGING_SLOTS];           /* events: the slot has been copied */
    int turn;                                  /* the slot to be used next */
    void *result;                              /* pinned, as large as the largest output */
} EadDeviceRun;

/* What EAD_DEBUG=nan has found. */
typedef struct EadPlanDebug {
    void *values;      /* of a device's output: a copy, pinned */
    char message[512]; /* "" while all values were finite */
} EadPlanDebug;

struct EadPlan {
    const EadBackend *backend;
    EadGraph *graph;
    int node_count;
    EadTensor *tensors; /* by node: what calls point at */
    EadCall *calls;
    const EadNode **call_nodes;
    int call_count;
    int threads; /* the most that workspaces have room for */
    unsigned char *arena;
    size_t arena_bytes;
    EadHostRegion *regions; /* sorted by address; none on the host */
    int region_count;
    EadDeviceRun *device; /* NULL on the host */
    EadPlanDebug *debug;  /* NULL: values are not looked at */
};

/* core/plan/plan_debug.c: the look at call i's output, which has just been computed; and what was found, as
 * an error. Errors of new: EAD_NO_MEMORY. */
EadStatus ead_plan_debug_new(EadPlan *plan);
void ead_plan_debug_call(const EadPlan *plan, int i);
EadStatus ead_plan_debug_status(const EadPlan *plan);
void ead_plan_debug_free(EadPlan *plan);

/* core/plan/plan_regions.c: collects the regions of the live nodes, merging those that overlap. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_plan_collect_regions(EadPlan *plan, EadGraph *graph, const bool *live);

/* The device's address of the caller's memory at `host`, which lies in one of the regions. */
void *ead_plan_region_address(const EadPlan *plan, const void *host);

/* Copies all regions to the device. */
void ead_plan_upload(const EadPlan *plan);

/* core/plan/plan_types.c: decides which values are stored in 16 bits and sets the types of plan->tensors.
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_plan_choose_types(EadPlan *plan, EadGraph *graph, const bool *live, EadPrecision precision);

/* core/plan/plan_order.c: which nodes' calls are done before another's by the graph's edges. */
typedef struct EadOrder {
    int words;        /* of a set of nodes */
    uint64_t *before; /* by node: the nodes before it */
    uint64_t *users;  /* by storage: the nodes that use it */
} EadOrder;

/* Errors: EAD_NO_MEMORY. Free with ead_order_free (harmless on a zeroed struct) in every case. */
EadStatus ead_order_new(EadGraph *graph, int storages, EadOrder *order);
void ead_order_free(EadOrder *order);
void ead_order_add_user(EadOrder *order, int storage, int node);

/* Whether all users of the storage come before the node. */
bool ead_order_done_before(const EadOrder *order, int storage, int node);

/* core/plan/plan_streams.c: fills plan->device->lanes for that many streams. Errors: EAD_NO_MEMORY. */
EadStatus ead_plan_schedule(EadPlan *plan, int streams);

/* Whether two calls touch the same bytes and one of them writes there. */
bool ead_plan_calls_collide(const EadPlan *plan, int a, int b);

/* core/plan/plan_device.c: what a plan on a device has besides: first memory and streams, then, when all
 * calls have their addresses, their order on the streams. Errors: EAD_NO_MEMORY. */
EadStatus ead_plan_device_new(EadPlan *plan, EadGraph *graph, const bool *live,
                              const EadPlanOptions *options);
EadStatus ead_plan_device_schedule(EadPlan *plan);
void ead_plan_device_free(EadPlan *plan);
void ead_plan_device_run(const EadPlan *plan);

/* Lets the other streams wait for what the first was given, and the first for what the others were given. */
void ead_plan_fork_streams(const EadPlan *plan);
void ead_plan_join_streams(const EadPlan *plan);

/* The thread's device becomes the plan's. */
static inline void ead_plan_use_device(const EadPlan *plan) {
    if (plan->backend->device) plan->backend->device->use(plan->backend->index);
}
