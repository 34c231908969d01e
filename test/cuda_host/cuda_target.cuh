/* CUDA kernels as plain C++ on the host runner: the part of CUDA's language that the kernels use, in the
 * place of core/cuda/device/cuda_target.cuh. What is missing here does not compile, and so stays out of the
 * kernels: atomics on floats above all, which would make sums depend on the order of arrival. */
#pragma once

#include "test/cuda_host/host_runner.h"
#include "test/cuda_host/host_types.cuh"

#include <bit>
#include <math.h>
#include <string.h>
#include <tuple>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __launch_bounds__(...)
/* One block runs at a time, so a static variable is shared by just its threads. The section lets the runner
 * find all of them; -fsanitize-sections gives them red zones there, too. */
#define __shared__ static __attribute__((section("ead_shared")))

#define EAD_DYNAMIC_SHARED(type, name) type *name = static_cast<type *>(ead_host_dynamic_shared())

/* ---- where a thread is ---- */

#define threadIdx (ead_host_place.thread)
#define blockIdx  (ead_host_place.block)
#define blockDim  (ead_host_place.block_size)
#define gridDim   (ead_host_place.grid_size)
constexpr int warpSize = EAD_HOST_WARP;

struct dim3 : EadHostSize {
    dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : EadHostSize{a, b, c} {}
};

/* ---- launches ---- */

/* Dynamic shared memory that a kernel may have, if more than any kernel may. */
template <typename Kernel> size_t &ead_host_allowed(Kernel *kernel) {
    struct Allowed {
        Kernel *kernel;
        size_t bytes;
    };
    static Allowed allowed[64];
    for (Allowed &a : allowed) {
        if (!a.kernel) a = {kernel, EAD_HOST_SHARED};
        if (a.kernel == kernel) return a.bytes;
    }
    ead_host_fail("more kernels with much shared memory than there is room for");
}

template <typename Kernel> void ead_host_allow(Kernel *kernel, size_t bytes) {
    if (bytes > EAD_HOST_SHARED_ALLOWED)
        ead_host_fail("%zu bytes of shared memory are more than there are", bytes);
    ead_host_allowed(kernel) = bytes;
}
#define EAD_ALLOW_SHARED(kernel, bytes) ead_host_allow((kernel), static_cast<size_t>(bytes))

/* Arguments become the kernel's parameters once and are copied for each thread, as bytes. */
template <typename... P, typename... A>
void ead_host_launch_kernel(const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared,
                            A &&...arguments) {
    static_assert((std::is_trivially_copyable_v<P> && ...), "kernel parameters are copied as bytes");
    static_assert((sizeof(P) + ... + 0) <= 4096, "too many bytes of kernel parameters");
    struct Context {
        void (*kernel)(P...);
        std::tuple<P...> parameters;
    } context = {kernel, {static_cast<P>(arguments)...}};
    auto thread = [](void *c) {
        const Context *launched = static_cast<const Context *>(c);
        std::apply(launched->kernel, launched->parameters);
    };
    size_t allowed = EAD_HOST_SHARED;
    if (shared > allowed) allowed = ead_host_allowed(kernel);
    ead_host_launch(name, grid, block, shared, allowed, thread, &context);
}
#define EAD_LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                                           \
    (static_cast<void>(stream),                                                                              \
     ead_host_launch_kernel(#kernel, (kernel), (grid), (block), (shared_bytes), __VA_ARGS__))

/* ---- barriers and warps ---- */

inline void __syncthreads(EadHostLine line = EadHostLine::current()) {
    ead_host_barrier(0, line);
}
inline int __syncthreads_count(int predicate, EadHostLine line = EadHostLine::current()) {
    return static_cast<int>(ead_host_barrier(predicate != 0, line));
}
inline int __syncthreads_or(int predicate, EadHostLine line = EadHostLine::current()) {
    return ead_host_barrier(predicate != 0, line) != 0;
}

inline void __syncwarp(unsigned mask = ~0u, EadHostLine line = EadHostLine::current()) {
    ead_host_warp(
        mask, [](unsigned, void *const *) {}, nullptr, line);
}

/* value of lane `source`, which must be in the mask. */
template <typename T> T ead_host_shuffle(unsigned mask, T value, unsigned source, EadHostLine line) {
    struct Argument {
        T value;
        unsigned source;
        T result;
    } argument = {value, source, value};
    auto instruction = [](unsigned of, void *const *arguments) {
        for (unsigned lane = 0; lane < EAD_HOST_WARP; lane++) {
            if (!arguments[lane]) continue;
            Argument *mine = static_cast<Argument *>(arguments[lane]);
            if (!(of >> mine->source & 1))
                ead_host_fail("a shuffle reads lane %u outside of its mask", mine->source);
            mine->result = static_cast<const Argument *>(arguments[mine->source])->value;
        }
    };
    ead_host_warp(mask, instruction, &argument, line);
    return argument.result;
}

/* The four shuffles, within segments of `width` lanes; a lane that would look outside of its segment gets its
 * own value. */
inline unsigned ead_host_segment(int width) {
    return ead_host_lane() & ~(static_cast<unsigned>(width) - 1);
}
template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, EadHostLine line = EadHostLine::current()) {
    unsigned lane =
        ead_host_segment(width) + (static_cast<unsigned>(source) & static_cast<unsigned>(width - 1));
    return ead_host_shuffle(mask, value, lane, line);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32,
                  EadHostLine line = EadHostLine::current()) {
    unsigned lane = ead_host_lane(), source = lane ^ static_cast<unsigned>(bits);
    bool inside = source < ead_host_segment(width) + static_cast<unsigned>(width);
    return ead_host_shuffle(mask, value, inside ? source : lane, line);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32,
                   EadHostLine line = EadHostLine::current()) {
    unsigned lane = ead_host_lane(), source = lane + by;
    bool inside = source < ead_host_segment(width) + static_cast<unsigned>(width);
    return ead_host_shuffle(mask, value, inside ? source : lane, line);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32,
                 EadHostLine line = EadHostLine::current()) {
    unsigned lane = ead_host_lane();
    return ead_host_shuffle(mask, value, lane >= ead_host_segment(width) + by ? lane - by : lane, line);
}

/* Votes and warp reductions: join() of all lanes' values, for every lane. */
template <typename T, typename Join> T ead_host_reduce(unsigned mask, T value, Join, EadHostLine line) {
    auto instruction = [](unsigned, void *const *arguments) {
        T all{};
        bool first = true;
        for (unsigned lane = 0; lane < EAD_HOST_WARP; lane++) {
            if (!arguments[lane]) continue;
            T mine = *static_cast<const T *>(arguments[lane]);
            all = first ? mine : Join{}(all, mine);
            first = false;
        }
        for (unsigned lane = 0; lane < EAD_HOST_WARP; lane++)
            if (arguments[lane]) *static_cast<T *>(arguments[lane]) = all;
    };
    ead_host_warp(mask, instruction, &value, line);
    return value;
}
struct EadHostSum {
    template <typename T> T operator()(T a, T b) const { return a + b; }
};
struct EadHostLeast {
    template <typename T> T operator()(T a, T b) const { return a < b ? a : b; }
};
struct EadHostMost {
    template <typename T> T operator()(T a, T b) const { return a > b ? a : b; }
};

inline unsigned __ballot_sync(unsigned mask, int predicate, EadHostLine line = EadHostLine::current()) {
    unsigned bit = predicate ? 1u << ead_host_lane() : 0;
    return ead_host_reduce(mask, bit, EadHostSum{}, line);
}
inline int __any_sync(unsigned mask, int predicate, EadHostLine line = EadHostLine::current()) {
    return ead_host_reduce(mask, predicate != 0, EadHostMost{}, line);
}
inline int __all_sync(unsigned mask, int predicate, EadHostLine line = EadHostLine::current()) {
    return ead_host_reduce(mask, predicate != 0, EadHostLeast{}, line);
}
template <typename T> T __reduce_add_sync(unsigned mask, T value, EadHostLine line = EadHostLine::current()) {
    static_assert(std::is_integral_v<T> && sizeof(T) == 4, "warp reductions are of 32-bit integers");
    return ead_host_reduce(mask, value, EadHostSum{}, line);
}
template <typename T> T __reduce_min_sync(unsigned mask, T value, EadHostLine line = EadHostLine::current()) {
    static_assert(std::is_integral_v<T> && sizeof(T) == 4, "warp reductions are of 32-bit integers");
    return ead_host_reduce(mask, value, EadHostLeast{}, line);
}
template <typename T> T __reduce_max_sync(unsigned mask, T value, EadHostLine line = EadHostLine::current()) {
    static_assert(std::is_integral_v<T> && sizeof(T) == 4, "warp reductions are of 32-bit integers");
    return ead_host_reduce(mask, value, EadHostMost{}, line);
}

/* ---- memory ---- */

inline void __threadfence() {}
inline void __threadfence_block() {}
template <typename T> T __ldg(const T *from) {
    return *from;
}
template <typename T> T __ldcg(const T *from) {
    return *from;
}
template <typename T> T __ldcs(const T *from) {
    return *from;
}
template <typename T> void __stcs(T *to, T value) {
    *to = value;
}

/* Only one thread runs at a time. Returned is the old value. */
template <typename T, typename Update> T ead_host_atomic(T *at, Update update) {
    static_assert(std::is_integral_v<T> && sizeof(T) >= 4, "atomics are on integers");
    T old = *at;
    *at = update(old);
    return old;
}
template <typename T> T atomicAdd(T *at, std::type_identity_t<T> value) {
    return ead_host_atomic(at, [=](T old) { return static_cast<T>(old + value); });
}
template <typename T> T atomicInc(T *at, std::type_identity_t<T> most) {
    return ead_host_atomic(at, [=](T old) { return old >= most ? 0 : old + 1; });
}
template <typename T> T atomicMin(T *at, std::type_identity_t<T> value) {
    return ead_host_atomic(at, [=](T old) { return value < old ? value : old; });
}
template <typename T> T atomicMax(T *at, std::type_identity_t<T> value) {
    return ead_host_atomic(at, [=](T old) { return value > old ? value : old; });
}
template <typename T> T atomicOr(T *at, std::type_identity_t<T> value) {
    return ead_host_atomic(at, [=](T old) { return static_cast<T>(old | value); });
}
template <typename T> T atomicExch(T *at, std::type_identity_t<T> value) {
    return ead_host_atomic(at, [=](T) { return value; });
}
template <typename T> T atomicCAS(T *at, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
    return ead_host_atomic(at, [=](T old) { return old == expected ? value : old; });
}

/* ---- arithmetic ---- */

inline unsigned __float_as_uint(float v) {
    return std::bit_cast<unsigned>(v);
}
inline float __uint_as_float(unsigned v) {
    return std::bit_cast<float>(v);
}
inline int __float_as_int(float v) {
    return std::bit_cast<int>(v);
}
inline float __int_as_float(int v) {
    return std::bit_cast<float>(v);
}
inline float __fadd_rn(float a, float b) {
    return a + b;
}
inline float __fmul_rn(float a, float b) {
    return a * b;
}
inline float __fmaf_rn(float a, float b, float c) {
    return fmaf(a, b, c);
}
inline int __popc(unsigned v) {
    return std::popcount(v);
}
inline int __clz(int v) {
    return std::countl_zero(static_cast<unsigned>(v));
}
inline int __ffs(int v) {
    return v ? std::countr_zero(static_cast<unsigned>(v)) + 1 : 0;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}
template <typename T> constexpr T min(T a, T b) {
    return b < a ? b : a;
}
template <typename T> constexpr T max(T a, T b) {
    return a < b ? b : a;
}
