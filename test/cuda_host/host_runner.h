/* Runs CUDA kernels on the host, thread by thread: the tests' stand-in for a GPU. One block runs at a time,
 * each of its threads on a fiber of its own as soon as it has to wait for another; what a GPU would do wrong
 * without a word (threads that part at a barrier, a warp instruction that not all lanes reach, sizes that
 * cannot be launched) ends the program with a message.
 *
 * Kernels are not raced against each other, but a thread runs until it must wait: with ascending numbers or,
 * on request, with descending ones. Results that differ between the two betray a missing barrier. */
#pragma once

#include "test/cuda_host/host_runner_c.h"

#include <source_location>
#include <stddef.h>
#include <stdint.h>

enum {
    EAD_HOST_WARP = 32,
    EAD_HOST_WARPGROUP = 128,
    EAD_HOST_THREADS = 1024,
    EAD_HOST_SHARED = 48 << 10,
    EAD_HOST_SHARED_ALLOWED = 227 << 10
};

struct EadHostSize {
    unsigned x, y, z;
};

/* Where the calling thread is, as in CUDA; set by the runner. */
struct EadHostPlace {
    EadHostSize thread, block, block_size, grid_size;
};
extern EadHostPlace ead_host_place;

/* Source line of a call, for messages. */
using EadHostLine = std::source_location;

/* Runs thread(context) for every thread of every block. name: the kernel, for messages. allowed: dynamic
 * shared memory that the kernel may have. */
void ead_host_launch(const char *name, EadHostSize grid, EadHostSize block, size_t shared_bytes,
                     size_t allowed, void (*thread)(void *context), void *context);

/* The launch's dynamic shared memory: a block of its own of exactly that many bytes, aligned to 1024.
 */
void *ead_host_dynamic_shared();

/* A barrier of the whole block; returns the sum of all threads' values. */
unsigned ead_host_barrier(unsigned value, EadHostLine line);

/* One instruction of a warp in lock step. Each lane of the mask gives an argument; the last to arrive
 * executes the instruction for all of them (arguments of lanes outside the mask are NULL), then all go on.
 * All lanes must ask for the same instruction and mask. */
typedef void EadHostInstruction(unsigned mask, void *const arguments[EAD_HOST_WARP]);
void ead_host_warp(unsigned mask, EadHostInstruction *instruction, void *argument, EadHostLine line);
unsigned ead_host_lane();

/* The same of a warpgroup: four warps from a multiple of four on, all their threads. */
typedef void EadHostGroupInstruction(void *const arguments[EAD_HOST_WARPGROUP]);
void ead_host_warpgroup(EadHostGroupInstruction *instruction, void *argument, EadHostLine line);

/* Device memory can be touched only between these two, which nest and may be called in any thread: launches
 * and copies do. Host code that reads a device address elsewhere crashes, as it would with a GPU. */
void ead_host_memory_enter();
void ead_host_memory_leave();

/* Prints the message, with kernel, block and thread if one runs, and aborts. */
[[noreturn]] void ead_host_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
