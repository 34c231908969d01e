/* Queues, events as positions in them, graphs as recorded queues. */
#include "test/support/fake_device.h"

#include "core/base/philox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STREAMS = 16, MAX_PINNED = 64 };

typedef enum Kind { KERNEL, PACK, COPY, RECORD, WAIT, GRAPH } Kind;

typedef struct FakeTask {
    Kind kind;
    const EadCall *call;       /* KERNEL, PACK */
    void *to;                  /* COPY */
    const void *from;          /* COPY */
    void *staged;              /* COPY: its own copy of `from`, or NULL */
    size_t bytes;              /* COPY */
    int stream, position;      /* WAIT: until that stream has done the task at that position */
    const struct Graph *graph; /* GRAPH */
} FakeTask;

typedef struct Lane {
    FakeTask *tasks;
    int count, capacity, done;
} Lane;

typedef struct Graph {
    Lane lanes[MAX_STREAMS];
} Graph;

typedef struct Event {
    int stream, position; /* of its last record; stream -1: never */
    bool captured;
} Event;

/* Tests are one thread. */
static struct {
    uint64_t seed, draws;
    size_t memory;
    Lane lanes[MAX_STREAMS];
    bool used[MAX_STREAMS];
    Graph *capture; /* NULL: none under way */
    bool captured[MAX_STREAMS];
    struct {
        unsigned char *begin, *end;
    } pinned[MAX_PINNED];
    int graphs, kernels, held;
} world;

static int index_of(const void *stream) {
    return (int)((const Lane *)stream - world.lanes);
}

static void append(Lane *lane, FakeTask task) {
    if (lane->count == lane->capacity) {
        lane->capacity = 2 * lane->capacity + 64;
        lane->tasks = realloc(lane->tasks, (size_t)lane->capacity * sizeof *lane->tasks);
        assert(lane->tasks);
    }
    lane->tasks[lane->count++] = task;
}

static Lane *lane_of(int stream) {
    return world.captured[stream] ? &world.capture->lanes[stream] : &world.lanes[stream];
}

static void work(Lane *lanes);

/* The CPU's functions for a call, which are found by its algorithm: that points to `name`. */
typedef struct CpuFunctions {
    char name[32];
    const char *algorithm;
    void (*run)(const EadCall *call);
    void (*pack_weights)(const EadCall *call);
} CpuFunctions;

static CpuFunctions functions[512];

/* Puts the functions of a planned call aside. Calls with the same have the same algorithm. */
static void hide_functions(EadCall *call) {
    CpuFunctions wanted = {
        .algorithm = call->algorithm, .run = call->run, .pack_weights = call->pack_weights};
    int i = 0;
    for (; functions[i].run; i++)
        if (functions[i].algorithm == wanted.algorithm && functions[i].run == wanted.run &&
            functions[i].pack_weights == wanted.pack_weights)
            break;
    assert(i + 1 < (int)(sizeof functions / sizeof *functions));
    if (!functions[i].run) {
        snprintf(wanted.name, sizeof wanted.name, "%s", wanted.algorithm ? wanted.algorithm : "");
        functions[i] = wanted;
    }
    call->algorithm = functions[i].name;
}

static EadCall cpu_call(const EadCall *hidden) {
    EadCall call = *hidden;
    const CpuFunctions *found = (const CpuFunctions *)(const void *)hidden->algorithm; /* name is its first */
    if (!hidden->run) return call;
    call.run = found->run, call.pack_weights = found->pack_weights, call.algorithm = found->algorithm;
    return call;
}

static void execute(const FakeTask *task) {
    if (task->kind == KERNEL || task->kind == PACK) {
        EadCall call = cpu_call(task->call);
        (task->kind == KERNEL ? call.run : call.pack_weights)(&call);
    } else if (task->kind == COPY) {
        memcpy(task->to, task->staged ? task->staged : task->from, task->bytes);
        free(task->staged);
    } else if (task->kind == GRAPH) {
        Graph graph = *task->graph;
        for (int s = 0; s < MAX_STREAMS; s++) graph.lanes[s].done = 0;
        work(graph.lanes);
    }
}

static bool can_go(const Lane *lanes, int s) {
    const Lane *lane = &lanes[s];
    if (lane->done == lane->count) return false;
    const FakeTask *task = &lane->tasks[lane->done];
    return task->kind != WAIT || lanes[task->stream].done > task->position;
}

/* One task of a random stream; false if none can go on. */
static bool work_once(Lane *lanes) {
    int first = (int)(ead_philox_word(world.seed, EAD_STREAM_TEST, world.draws++) % MAX_STREAMS);
    for (int i = 0; i < MAX_STREAMS; i++) {
        int s = (first + i) % MAX_STREAMS;
        if (!can_go(lanes, s)) continue;
        execute(&lanes[s].tasks[lanes[s].done]);
        lanes[s].done++;
        return true;
    }
    return false;
}

static void work(Lane *lanes) {
    while (work_once(lanes)) {
    }
    for (int s = 0; s < MAX_STREAMS; s++)
        assert(lanes[s].done == lanes[s].count && "streams wait for each other");
}

static void work_until(int stream, int position) {
    while (world.lanes[stream].done <= position) {
        bool went_on = work_once(world.lanes);
        assert(went_on && "streams wait for each other");
        (void)went_on;
    }
}

static EadStatus synchronize(void *stream) {
    work_until(index_of(stream), ((Lane *)stream)->count - 1);
    return EAD_OK;
}

/* ---- memory ---- */

static EadStatus open(int index) {
    return index == 0 ? EAD_OK : ead_fail(EAD_UNSUPPORTED, "there is no GPU %d", index);
}

static void use(int index) {
    (void)index;
}

static EadStatus facts(int index, EadDeviceFacts *out) {
    (void)index;
    *out = (EadDeviceFacts){.name = "fake", .major = 8, .multiprocessors = 1, .memory = world.memory};
    return EAD_OK;
}

static size_t free_memory(void) {
    return world.memory;
}

static void *allocate(size_t bytes) {
    void *memory = NULL;
    if (bytes > world.memory || posix_memalign(&memory, 256, bytes + 1) != 0) return NULL;
    world.held++;
    return memset(memory, 0, bytes);
}

static void release(void *memory) {
    world.held--;
    free(memory);
}

static void *allocate_pinned(size_t bytes) {
    unsigned char *memory = malloc(bytes + 1);
    for (int i = 0; i < MAX_PINNED && memory; i++) {
        if (world.pinned[i].begin) continue;
        world.pinned[i].begin = memory;
        world.pinned[i].end = memory + bytes + 1;
        world.held++;
        return memory;
    }
    free(memory);
    return NULL;
}

static bool is_pinned(const void *memory) {
    const unsigned char *address = memory;
    for (int i = 0; i < MAX_PINNED; i++)
        if (world.pinned[i].begin && address >= world.pinned[i].begin && address < world.pinned[i].end)
            return true;
    return false;
}

static void release_pinned(void *memory) {
    for (int i = 0; i < MAX_PINNED; i++)
        if (world.pinned[i].begin == memory) world.pinned[i].begin = NULL;
    world.held--;
    free(memory);
}

/* ---- streams, events, copies ---- */

static void *stream_new(void) {
    for (int s = 0; s < MAX_STREAMS; s++) {
        if (world.used[s]) continue;
        world.used[s] = true;
        world.held++;
        return &world.lanes[s];
    }
    return NULL;
}

/* Its tasks may point at calls that are gone. */
static void stream_free(void *stream) {
    Lane *lane = stream;
    assert(lane->done == lane->count);
    free(lane->tasks);
    *lane = (Lane){0};
    world.used[index_of(stream)] = false;
    world.held--;
}

/* What is not pinned has been read when the call returns. */
static void copy_in(void *device, const void *host, size_t bytes, void *stream) {
    FakeTask task = {.kind = COPY, .to = device, .from = host, .bytes = bytes};
    if (!is_pinned(host)) {
        task.staged = malloc(bytes + 1);
        assert(task.staged);
        memcpy(task.staged, host, bytes);
    }
    append(lane_of(index_of(stream)), task);
}

static void copy_within(void *to, const void *from, size_t bytes, void *stream) {
    append(lane_of(index_of(stream)), (FakeTask){.kind = COPY, .to = to, .from = from, .bytes = bytes});
}

static void copy_out(void *host, const void *device, size_t bytes, void *stream) {
    copy_within(host, device, bytes, stream);
    if (!is_pinned(host)) synchronize(stream);
}

static void *event_new(void) {
    Event *event = malloc(sizeof *event);
    if (event) *event = (Event){.stream = -1};
    world.held += event != NULL;
    return event;
}

static void event_free(void *event) {
    world.held--;
    free(event);
}

static void event_record(void *event, void *stream) {
    Event *e = event;
    Lane *lane = lane_of(index_of(stream));
    *e = (Event){index_of(stream), lane->count, world.captured[index_of(stream)]};
    append(lane, (FakeTask){.kind = RECORD});
}

/* A stream that waits for an event inside a capture becomes part of it. */
static void event_wait(void *event, void *stream) {
    const Event *e = event;
    if (e->stream < 0) return;
    if (e->captured) world.captured[index_of(stream)] = true;
    assert(world.captured[index_of(stream)] == e->captured && "a capture waits for what lies outside");
    append(lane_of(index_of(stream)), (FakeTask){.kind = WAIT, .stream = e->stream, .position = e->position});
}

static void event_synchronize(void *event) {
    const Event *e = event;
    assert(!e->captured);
    if (e->stream >= 0) work_until(e->stream, e->position);
}

/* ---- captures ---- */

static void capture_begin(void *stream) {
    assert(!world.capture);
    world.capture = calloc(1, sizeof *world.capture);
    assert(world.capture);
    world.captured[index_of(stream)] = true;
}

/* CUDA refuses a capture in which a stream is still ahead of the one that began. */
static void check_joined(const Graph *graph, int origin) {
    for (int s = 0; s < MAX_STREAMS; s++) {
        bool joined = s == origin || graph->lanes[s].count == 0;
        for (int i = 0; i < graph->lanes[origin].count; i++) {
            const FakeTask *task = &graph->lanes[origin].tasks[i];
            joined = joined ||
                     (task->kind == WAIT && task->stream == s && task->position == graph->lanes[s].count - 1);
        }
        assert(joined && "a stream was not joined");
        (void)joined;
    }
}

static void *capture_end(void *stream) {
    Graph *graph = world.capture;
    check_joined(graph, index_of(stream));
    world.capture = NULL;
    memset(world.captured, 0, sizeof world.captured);
    world.held++;
    return graph;
}

static void graph_launch(void *graph, void *stream) {
    world.graphs++;
    append(lane_of(index_of(stream)), (FakeTask){.kind = GRAPH, .graph = graph});
}

static void graph_free(void *graph) {
    for (int s = 0; s < MAX_STREAMS; s++) free(((Graph *)graph)->lanes[s].tasks);
    world.held--;
    free(graph);
}

static const EadDevice device = {.open = open,
                                 .use = use,
                                 .facts = facts,
                                 .free_memory = free_memory,
                                 .allocate = allocate,
                                 .release = release,
                                 .allocate_pinned = allocate_pinned,
                                 .release_pinned = release_pinned,
                                 .stream_new = stream_new,
                                 .stream_free = stream_free,
                                 .copy_in = copy_in,
                                 .copy_out = copy_out,
                                 .copy_within = copy_within,
                                 .event_new = event_new,
                                 .event_free = event_free,
                                 .event_record = event_record,
                                 .event_wait = event_wait,
                                 .event_synchronize = event_synchronize,
                                 .capture_begin = capture_begin,
                                 .capture_end = capture_end,
                                 .graph_launch = graph_launch,
                                 .graph_free = graph_free,
                                 .synchronize = synchronize};

/* ---- kernels ---- */

static void launch(const EadCall *call) {
    world.kernels += !world.capture;
    append(lane_of(index_of(call->stream)), (FakeTask){.kind = KERNEL, .call = call});
}

static void launch_pack(const EadCall *call) {
    append(lane_of(index_of(call->stream)), (FakeTask){.kind = PACK, .call = call});
}

/* Plans like the CPU's kernel and puts its functions aside. */
static void plan_like(EadCall *call, const EadKernel *kernel) {
    call->run = kernel->run, call->algorithm = NULL;
    if (kernel->plan) kernel->plan(call);
    if (call->run) hide_functions(call);
    if (call->run) call->run = launch;
    if (call->pack_weights) call->pack_weights = launch_pack;
}

#define EAD_OP(name)                                                                                         \
    extern const EadKernel ead_##name##_cpu;                                                                 \
    static void plan_##name(EadCall *call) {                                                                 \
        plan_like(call, &ead_##name##_cpu);                                                                  \
    }                                                                                                        \
    static size_t can_save_##name(const EadCall *earlier, const EadCall *call) {                             \
        EadCall a = cpu_call(earlier), b = cpu_call(call);                                                   \
        return ead_##name##_cpu.can_save ? ead_##name##_cpu.can_save(&a, &b) : 0;                            \
    }                                                                                                        \
    static const EadKernel name##_kernel = {.plan = plan_##name, .can_save = can_save_##name};
#include "core/ops/op_table.def"
#undef EAD_OP

static const EadKernel *const kernels[EAD_OP_COUNT] = {
#define EAD_OP(name) [EAD_OP_##name] = &name##_kernel,
#include "core/ops/op_table.def"
#undef EAD_OP
};

const EadBackend fake_backend = {.name = "fake", .kernels = kernels, .device = &device};

void fake_device_start(uint64_t seed, size_t memory) {
    world.seed = seed;
    world.draws = 0;
    world.memory = memory;
    world.graphs = world.kernels = world.held = 0;
}

int fake_device_graphs(void) {
    return world.graphs;
}

int fake_device_kernels(void) {
    return world.kernels;
}

int fake_device_leaks(void) {
    return world.held;
}
