/* Which call runs on which stream of a device, and for which calls of other streams it waits.
 *
 * Calls depend on one another by the bytes they touch, not by the graph's edges: memory that is used again
 * and buffers of the caller's that several leaves look at count like any other. Calls are taken in their
 * order; each goes to the stream on which it could start first if kernels took as long as estimated here. The
 * estimates decide about speed only. */
#include "core/base/memory.h"
#include "core/plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

/* What call touches of memory. */
typedef struct Access {
    const unsigned char *begin, *end;
    bool writes;
} Access;

enum { MAX_ACCESSES = EAD_MAX_INPUTS + 5 };

typedef struct Touched {
    Access items[MAX_ACCESSES];
    int count;
} Touched;

static void touch(Touched *t, const void *memory, size_t bytes, bool writes) {
    const unsigned char *begin = memory;
    if (bytes) t->items[t->count++] = (Access){begin, begin + bytes, writes};
}

/* Ops with effects may write to any of their inputs. */
static Touched touched_by(const EadCall *call, const EadNode *node) {
    Touched t = {.count = 0};
    touch(&t, call->y->data, ead_bytes(call->y), true);
    for (int k = 0; k < EAD_MAX_INPUTS; k++)
        if (call->x[k]) touch(&t, call->x[k]->data, ead_bytes(call->x[k]), ead_op(node->op)->has_effects);
    touch(&t, call->workspace, call->workspace_bytes, true);
    touch(&t, call->packed, call->packed_bytes, !call->packed_at_plan);
    touch(&t, call->saved_input, call->saved_bytes, true);
    touch(&t, call->state, call->state_bytes, true);
    return t;
}

static bool collide(const Touched *a, const Touched *b) {
    for (int i = 0; i < a->count; i++)
        for (int k = 0; k < b->count; k++) {
            const Access *x = &a->items[i], *y = &b->items[k];
            if ((x->writes || y->writes) && x->begin < y->end && y->begin < x->end) return true;
        }
    return false;
}

bool ead_plan_calls_collide(const EadPlan *plan, int a, int b) {
    Touched x = touched_by(&plan->calls[a], plan->call_nodes[a]);
    Touched y = touched_by(&plan->calls[b], plan->call_nodes[b]);
    return collide(&x, &y);
}

/* Microseconds: a launch, products at 100 TFLOP/s, memory at 1 TB/s. */
static double estimate(const EadCall *call) {
    double bytes = (double)ead_bytes(call->y);
    for (int k = 0; k < EAD_MAX_INPUTS; k++)
        if (call->x[k]) bytes += (double)ead_bytes(call->x[k]);
    return 3 + 2e-8 * call->multiply_adds + 1e-6 * bytes;
}

typedef struct StreamScheduler {
    const EadPlan *plan;
    int streams;
    double free_at[EAD_MAX_STREAMS];             /* when a stream is through with what it has */
    int tail[EAD_MAX_STREAMS];                   /* its last call, -1 before the first */
    int known[EAD_MAX_STREAMS][EAD_MAX_STREAMS]; /* [s][t]: last call of t that s has waited for, -1: none */
    double *done_at;                             /* by call */
    int (*clock)[EAD_MAX_STREAMS];               /* by call: what its stream knew when it was done */
    Touched *touched;
} StreamScheduler;

/* Where it can start first; among equals where it need not wait for another stream, then the lowest. */
static int choose_stream(const StreamScheduler *s, const int needs[], double ready) {
    int best = 0;
    double best_start = 0;
    for (int t = 0; t < s->streams; t++) {
        double start = s->free_at[t] > ready ? s->free_at[t] : ready;
        bool follows = needs[t] >= 0 && needs[t] == s->tail[t];
        bool best_follows = needs[best] >= 0 && needs[best] == s->tail[best];
        if (t == 0 || start < best_start || (start <= best_start && follows && !best_follows))
            best = t, best_start = start;
    }
    return best;
}

static void place_call(StreamScheduler *s, int i) {
    EadLane *lanes = s->plan->device->lanes, *lane = &lanes[i];
    int needs[EAD_MAX_STREAMS]; /* the last call on each stream that call i depends on, -1: none */
    double ready = 0;           /* when these are all done */
    for (int t = 0; t < EAD_MAX_STREAMS; t++) needs[t] = lane->waits[t] = -1;
    for (int j = 0; j < i; j++) {
        if (!collide(&s->touched[j], &s->touched[i])) continue;
        needs[lanes[j].stream] = j;
        if (ready < s->done_at[j]) ready = s->done_at[j];
    }
    int own = lane->stream = choose_stream(s, needs, ready), *known = s->known[own];
    for (int t = 0; t < s->streams; t++) {
        if (t == own || needs[t] <= known[t]) continue;
        lane->waits[t] = needs[t];
        lanes[needs[t]].awaited = true;
        for (int u = 0; u < s->streams; u++)
            if (known[u] < s->clock[needs[t]][u]) known[u] = s->clock[needs[t]][u];
    }
    known[own] = s->tail[own] = i;
    double start = s->free_at[own] > ready ? s->free_at[own] : ready;
    s->done_at[i] = s->free_at[own] = start + estimate(&s->plan->calls[i]);
    memcpy(s->clock[i], known, sizeof s->clock[i]);
}

EadStatus ead_plan_schedule(EadPlan *plan, int streams) {
    StreamScheduler s = {.plan = plan, .streams = streams};
    plan->device->lanes = ead_new(plan->call_count, sizeof *plan->device->lanes, "a plan");
    s.done_at = ead_new(plan->call_count, sizeof *s.done_at, "a plan");
    s.clock = ead_new(plan->call_count, sizeof *s.clock, "a plan");
    s.touched = ead_new(plan->call_count, sizeof *s.touched, "a plan");
    bool enough = plan->device->lanes && s.done_at && s.clock && s.touched;
    memset(s.tail, -1, sizeof s.tail);
    memset(s.known, -1, sizeof s.known);
    for (int i = 0; i < plan->call_count && enough; i++) {
        s.touched[i] = touched_by(&plan->calls[i], plan->call_nodes[i]);
        place_call(&s, i);
    }
    free(s.done_at);
    free(s.clock);
    free(s.touched);
    return enough ? EAD_OK : EAD_NO_MEMORY;
}
