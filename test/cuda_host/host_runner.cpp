/* Fibers, barriers and warps of the host runner.
 *
 * A fiber runs thread after thread of a block as long as none of them waits, so a kernel without barriers
 * costs no switch at all. A thread that waits keeps its fiber; another fiber goes on with a thread that can
 * run, those that have started first. Fibers are made once and kept. This file is compiled without the
 * address sanitizer, which is told of every switch instead. */
#include "test/cuda_host/host_runner.h"

#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <deque>
#include <vector>

namespace {

constexpr size_t STACK_BYTES = 256 << 10, GUARD_BYTES = 4096;

struct Fiber {
    void *jump[5]; /* of __builtin_setjmp: the place to go on at */
    ucontext_t start;
    const void *stack;
    size_t stack_bytes;
    void *fake_stack; /* the sanitizer's */
    bool fresh;       /* not entered yet */
};

enum class State { unstarted, running, at_barrier, in_warp, in_group, ready, done };

struct Thread {
    State state;
    Fiber *fiber;
    EadHostLine line; /* where it waits */
};

/* Lanes that have arrived at a warp instruction. Disjoint masks may be under way in one warp, so there is one
 * of these for each possible lowest lane. */
struct Meeting {
    unsigned mask, arrived;
    EadHostInstruction *instruction;
    EadHostLine line;
    void *arguments[EAD_HOST_WARP];
};

struct GroupMeeting {
    unsigned arrived;
    EadHostGroupInstruction *instruction;
    EadHostLine line;
    void *arguments[EAD_HOST_WARPGROUP];
};

struct Launch {
    const char *name;
    void (*body)(void *context);
    void *context;
    unsigned char *shared;
    size_t shared_bytes;
};

struct Block {
    unsigned threads, started, done, waiting; /* waiting: at the barrier */
    unsigned barrier_sum, barrier_results[2], barriers;
    EadHostLine barrier_line; /* where the first of them waits */
    Thread thread[EAD_HOST_THREADS];
    Meeting meetings[EAD_HOST_THREADS]; /* [warp][lowest lane] */
    GroupMeeting group_meetings[EAD_HOST_THREADS / EAD_HOST_WARPGROUP];
};

Launch launch;
Block block;
std::deque<unsigned> ready; /* threads that can go on */
std::vector<Fiber *> idle;
Fiber fibers[EAD_HOST_THREADS + 1]; /* every thread may wait on one of its own, and one goes on */
int fiber_count;
Fiber main_fiber, *current_fiber = &main_fiber;
unsigned current;
bool running, descending;

} // namespace

EadHostPlace ead_host_place;

/* Freed memory is kept back for a while, to notice who still reads it. Not much, or every block is new memory
 * that the system must clear first. */
extern "C" const char *__asan_default_options() {
    return "quarantine_size_mb=8";
}

/* All static shared memory lies in one section, between these two. */
extern "C" unsigned char __start_ead_shared[], __stop_ead_shared[];
__attribute__((section("ead_shared"), used)) static unsigned char some_shared[16];

void ead_host_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "cuda host runner: ");
    const EadHostPlace &p = ead_host_place;
    if (running)
        fprintf(stderr, "%s, block (%u,%u,%u), thread (%u,%u,%u): ", launch.name, p.block.x, p.block.y,
                p.block.z, p.thread.x, p.thread.y, p.thread.z);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    fflush(nullptr);
    abort();
}

/* __builtin_longjmp may not stand in the function of its setjmp. */
[[gnu::noinline, noreturn]] static void jump_to(Fiber *to) {
    if (!to->fresh) __builtin_longjmp(to->jump, 1);
    to->fresh = false;
    setcontext(&to->start);
    abort();
}

[[gnu::noinline]] static void switch_to(Fiber *to) {
    Fiber *from = current_fiber;
    if (from == to) return;
    current_fiber = to;
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_bytes);
    if (__builtin_setjmp(from->jump) == 0) jump_to(to);
    __sanitizer_finish_switch_fiber(current_fiber->fake_stack, nullptr, nullptr);
}

static void become(unsigned thread) {
    EadHostSize size = ead_host_place.block_size;
    current = thread;
    ead_host_place.thread = {thread % size.x, thread / size.x % size.y, thread / size.x / size.y};
}

static void fiber_main();

static Fiber *new_fiber() {
    void *memory = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE) != 0)
        ead_host_fail("no memory for a fiber");
    Fiber *fiber = &fibers[fiber_count++];
    fiber->fresh = true;
    fiber->stack = memory;
    fiber->stack_bytes = STACK_BYTES;
    getcontext(&fiber->start);
    fiber->start.uc_stack.ss_sp = memory;
    fiber->start.uc_stack.ss_size = STACK_BYTES;
    makecontext(&fiber->start, fiber_main, 0);
    return fiber;
}

static Fiber *idle_fiber() {
    if (idle.empty()) return new_fiber();
    Fiber *fiber = idle.back();
    idle.pop_back();
    return fiber;
}

/* Says where everybody is. */
[[noreturn]] static void fail_stuck(const char *reason) {
    fprintf(stderr, "cuda host runner: %s: %s:\n", launch.name, reason);
    for (unsigned i = 0; i < block.threads; i++) {
        const Thread &t = block.thread[i];
        bool as_before =
            i > 0 && block.thread[i - 1].state == t.state && block.thread[i - 1].line.line() == t.line.line();
        if (as_before) continue;
        if (t.state == State::done)
            fprintf(stderr, "  from thread %u on: has returned\n", i);
        else
            fprintf(stderr, "  from thread %u on: waits %s at %s:%u\n", i,
                    t.state == State::at_barrier ? "for the block"
                    : t.state == State::in_group ? "for its warpgroup"
                                                 : "for its warp",
                    t.line.file_name(), static_cast<unsigned>(t.line.line()));
    }
    ead_host_fail("threads part");
}

/* Leaves the running thread, which waits or has ended, for one that can go on. */
static void run_others() {
    if (!ready.empty()) {
        unsigned next = ready.front();
        ready.pop_front();
        block.thread[next].state = State::running;
        become(next);
        switch_to(block.thread[next].fiber);
    } else if (block.started < block.threads) {
        switch_to(idle_fiber());
    } else if (block.done == block.threads) {
        switch_to(&main_fiber);
    } else {
        fail_stuck("no thread can go on");
    }
}

static void make_ready(unsigned first, unsigned count, State waiting) {
    for (unsigned k = 0; k < count; k++) {
        unsigned i = descending ? first + count - 1 - k : first + k;
        Thread &t = block.thread[i];
        if (i == current || t.state != waiting) continue;
        t.state = State::ready;
        ready.push_back(i);
    }
}

/* Threads of the block, as many as need not wait. */
static void run_threads() {
    while (block.started < block.threads && ready.empty()) {
        unsigned number = block.started++;
        become(descending ? block.threads - 1 - number : number);
        Thread &t = block.thread[current];
        t.state = State::running;
        t.fiber = current_fiber;
        launch.body(launch.context);
        block.thread[current].state = State::done;
        block.done++;
        if (block.waiting) fail_stuck("a thread has left the kernel, others wait at a barrier");
    }
}

static void fiber_main() {
    __sanitizer_finish_switch_fiber(nullptr, main_fiber.stack ? nullptr : &main_fiber.stack,
                                    main_fiber.stack ? nullptr : &main_fiber.stack_bytes);
    for (;;) {
        run_threads();
        idle.push_back(current_fiber);
        run_others();
    }
}

unsigned ead_host_barrier(unsigned value, EadHostLine line) {
    if (!running) ead_host_fail("a barrier outside of a kernel");
    if (!block.waiting) block.barrier_line = line;
    block.thread[current].line = line;
    block.thread[current].state = State::at_barrier;
    if (block.barrier_line.line() != line.line()) fail_stuck("two barriers at a time");
    if (block.done) fail_stuck("a thread has left the kernel before a barrier");
    unsigned parity = block.barriers & 1;
    block.barrier_sum += value;
    if (++block.waiting < block.threads) {
        run_others();
        return block.barrier_results[parity];
    }
    block.thread[current].state = State::running;
    block.barrier_results[parity] = block.barrier_sum;
    block.barrier_sum = block.waiting = 0;
    block.barriers++;
    make_ready(0, block.threads, State::at_barrier);
    return block.barrier_results[parity];
}

unsigned ead_host_lane() {
    return current % EAD_HOST_WARP;
}

static void check_mask(unsigned mask, EadHostLine line) {
    unsigned first = current - ead_host_lane();
    for (unsigned lane = 0; lane < EAD_HOST_WARP; lane++) {
        if (!(mask >> lane & 1)) continue;
        if (first + lane >= block.threads || block.thread[first + lane].state == State::done)
            ead_host_fail("line %u: lane %u of the mask %08x is not there",
                          static_cast<unsigned>(line.line()), lane, mask);
    }
}

void ead_host_warp(unsigned mask, EadHostInstruction *instruction, void *argument, EadHostLine line) {
    if (!running) ead_host_fail("a warp instruction outside of a kernel");
    unsigned lane = ead_host_lane(), first = current - lane;
    if (!(mask >> lane & 1))
        ead_host_fail("line %u: a lane outside of the mask %08x", static_cast<unsigned>(line.line()), mask);
    Meeting &meeting = block.meetings[first + static_cast<unsigned>(__builtin_ctz(mask))];
    if (!meeting.arrived) {
        check_mask(mask, line);
        meeting.mask = mask;
        meeting.instruction = instruction;
        meeting.line = line;
        memset(meeting.arguments, 0, sizeof meeting.arguments);
    }
    if (meeting.mask != mask || meeting.instruction != instruction || meeting.line.line() != line.line())
        ead_host_fail("lanes of one warp part: line %u with the mask %08x, line %u with %08x",
                      static_cast<unsigned>(line.line()), mask, static_cast<unsigned>(meeting.line.line()),
                      meeting.mask);
    meeting.arguments[lane] = argument;
    meeting.arrived |= 1u << lane;
    if (meeting.arrived != mask) {
        block.thread[current].line = line;
        block.thread[current].state = State::in_warp;
        run_others();
        return;
    }
    meeting.arrived = 0;
    instruction(mask, meeting.arguments);
    for (unsigned k = 0; k < EAD_HOST_WARP; k++) {
        unsigned other = descending ? EAD_HOST_WARP - 1 - k : k;
        if (mask >> other & 1) make_ready(first + other, 1, State::in_warp);
    }
}

void ead_host_warpgroup(EadHostGroupInstruction *instruction, void *argument, EadHostLine line) {
    if (!running) ead_host_fail("an instruction of a warpgroup outside of a kernel");
    const unsigned first = current - current % EAD_HOST_WARPGROUP;
    GroupMeeting &meeting = block.group_meetings[first / EAD_HOST_WARPGROUP];
    if (first + EAD_HOST_WARPGROUP > block.threads) ead_host_fail("a warpgroup without four warps");
    if (!meeting.arrived) {
        meeting.instruction = instruction;
        meeting.line = line;
    }
    if (meeting.instruction != instruction || meeting.line.line() != line.line())
        ead_host_fail("threads of one warpgroup part: lines %u and %u", static_cast<unsigned>(line.line()),
                      static_cast<unsigned>(meeting.line.line()));
    meeting.arguments[current - first] = argument;
    if (++meeting.arrived < EAD_HOST_WARPGROUP) {
        block.thread[current].line = line;
        block.thread[current].state = State::in_group;
        run_others();
        return;
    }
    meeting.arrived = 0;
    instruction(meeting.arguments);
    make_ready(first, EAD_HOST_WARPGROUP, State::in_group);
}

void *ead_host_dynamic_shared() {
    return launch.shared;
}

void ead_host_descend(bool on) {
    descending = on;
}

/* Shared memory holds garbage when a block starts: NaNs, and indices that lead astray. A loop, because the
 * sanitizer's memset would stumble over its own red zones between the variables. */
[[gnu::optimize("no-tree-loop-distribute-patterns")]] static void spoil_shared() {
    typedef unsigned char Chunk __attribute__((vector_size(32), aligned(1), may_alias));
    memset(launch.shared, 0xFF, launch.shared_bytes);
    unsigned char *p = __start_ead_shared;
    for (; p + sizeof(Chunk) <= __stop_ead_shared; p += sizeof(Chunk))
        *reinterpret_cast<Chunk *>(p) = ~Chunk{};
    for (; p < __stop_ead_shared; p++) *p = 0xFF;
}

static void run_block() {
    block.threads = ead_host_place.block_size.x * ead_host_place.block_size.y * ead_host_place.block_size.z;
    block.started = block.done = block.waiting = block.barrier_sum = block.barriers = 0;
    for (unsigned i = 0; i < block.threads; i++) block.thread[i] = Thread{};
    spoil_shared();
    switch_to(idle_fiber());
}

static void check_sizes(const char *name, EadHostSize grid, EadHostSize size, size_t shared_bytes,
                        size_t allowed) {
    uint64_t threads = uint64_t{size.x} * size.y * size.z;
    bool grid_fits = grid.x && grid.y && grid.z && grid.x <= INT32_MAX && grid.y <= 65535 && grid.z <= 65535;
    bool block_fits =
        threads && threads <= EAD_HOST_THREADS && size.x <= 1024 && size.y <= 1024 && size.z <= 64;
    if (!grid_fits || !block_fits)
        ead_host_fail("%s cannot be launched on (%u,%u,%u) blocks of (%u,%u,%u) threads", name, grid.x,
                      grid.y, grid.z, size.x, size.y, size.z);
    if (shared_bytes > allowed)
        ead_host_fail("%s asks for %zu bytes of shared memory, allowed are %zu", name, shared_bytes, allowed);
}

static void run_grid(EadHostSize grid) {
    uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t number = descending ? blocks - 1 - i : i;
        ead_host_place.block = {static_cast<unsigned>(number % grid.x),
                                static_cast<unsigned>(number / grid.x % grid.y),
                                static_cast<unsigned>(number / grid.x / grid.y)};
        run_block();
    }
}

void ead_host_launch(const char *name, EadHostSize grid, EadHostSize size, size_t shared_bytes,
                     size_t allowed, void (*thread)(void *context), void *context) {
    static const pthread_t owner = pthread_self();
    if (running) ead_host_fail("a kernel launches %s", name);
    if (!pthread_equal(owner, pthread_self())) ead_host_fail("%s is launched by a second thread", name);
    check_sizes(name, grid, size, shared_bytes, allowed);
    void *shared = nullptr;
    if (posix_memalign(&shared, 1024, shared_bytes) != 0) ead_host_fail("no memory for shared memory");
    ead_host_memory_enter();
    launch = Launch{name, thread, context, static_cast<unsigned char *>(shared), shared_bytes};
    running = true;
    ead_host_place.block_size = size;
    ead_host_place.grid_size = grid;
    run_grid(grid);
    running = false;
    ead_host_memory_leave();
    free(shared);
}
