/* The CUDA runtime behind core/backend/device.h. */
#include "core/backend/device.h"

#include "core/cuda/blas.h"

#include <cuda_runtime.h>

#include <stdio.h>
#include <string.h>

static EadStatus fail(cudaError_t error, const char *what) {
    return ead_fail(EAD_UNSUPPORTED, "CUDA: %s: %s", what, cudaGetErrorString(error));
}

static EadStatus check_driver(int index) {
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver)
        return ead_fail(EAD_UNSUPPORTED,
                        "the NVIDIA driver is missing or older than this build's CUDA %d.%d needs; install a "
                        "newer driver, or use --device cpu",
                        CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
        return ead_fail(EAD_UNSUPPORTED,
                        "no NVIDIA GPU is visible (see nvidia-smi and CUDA_VISIBLE_DEVICES); use "
                        "--device cpu");
    if (error != cudaSuccess) return fail(error, "the driver does not answer; use --device cpu");
    if (index < count) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED, "there is no GPU %d: the last of the %d here is cuda:%d", index, count,
                    count - 1);
}

static EadStatus facts(int index, EadDeviceFacts *out) {
    cudaDeviceProp properties;
    cudaError_t error = cudaGetDeviceProperties(&properties, index);
    if (error != cudaSuccess) return fail(error, "properties of the GPU");
    snprintf(out->name, sizeof out->name, "%s", properties.name);
    out->major = properties.major;
    out->minor = properties.minor;
    out->multiprocessors = properties.multiProcessorCount;
    out->memory = properties.totalGlobalMem;
    return EAD_OK;
}

static EadStatus open(int index) {
    EadDeviceFacts found;
    EAD_TRY(check_driver(index));
    EAD_TRY(facts(index, &found));
    if (found.major < 8)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s has compute capability %d.%d; 8.0 (Ampere) or above is needed; use --device cpu",
                        found.name, found.major, found.minor);
    cudaError_t error = cudaSetDevice(index);
    if (error == cudaSuccess) error = cudaFree(NULL); /* makes the context now, where it can be reported */
    return error == cudaSuccess ? EAD_OK : fail(error, found.name);
}

static void use(int index) {
    cudaSetDevice(index);
}

static size_t free_memory(void) {
    size_t available = 0, total = 0;
    return cudaMemGetInfo(&available, &total) == cudaSuccess ? available : 0;
}

/* Zeroed when it returns: our streams do not wait for the default one that does it. A failed allocation must
 * not be found again by synchronize. */
static void *allocate(size_t bytes) {
    void *memory = NULL;
    bool made = cudaMalloc(&memory, bytes ? bytes : 1) == cudaSuccess;
    bool zeroed =
        made && cudaMemset(memory, 0, bytes) == cudaSuccess && cudaStreamSynchronize(NULL) == cudaSuccess;
    if (zeroed) return memory;
    if (made) cudaFree(memory);
    cudaGetLastError();
    return NULL;
}

static void release(void *memory) {
    cudaFree(memory);
}

static void *allocate_pinned(size_t bytes) {
    void *memory = NULL;
    if (cudaHostAlloc(&memory, bytes ? bytes : 1, cudaHostAllocDefault) == cudaSuccess) return memory;
    cudaGetLastError();
    return NULL;
}

static void release_pinned(void *memory) {
    cudaFreeHost(memory);
}

static cudaStream_t as_stream(void *stream) {
    return static_cast<cudaStream_t>(stream);
}

static cudaEvent_t as_event(void *event) {
    return static_cast<cudaEvent_t>(event);
}

static void *stream_new(void) {
    cudaStream_t stream;
    return cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess ? stream : NULL;
}

static void stream_free(void *stream) {
    cudaStreamDestroy(as_stream(stream));
}

static void copy_in(void *device, const void *host, size_t bytes, void *stream) {
    cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, as_stream(stream));
}

static void copy_out(void *host, const void *device, size_t bytes, void *stream) {
    cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, as_stream(stream));
}

static void copy_within(void *to, const void *from, size_t bytes, void *stream) {
    cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, as_stream(stream));
}

static void *event_new(void) {
    cudaEvent_t event;
    return cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess ? event : NULL;
}

static void event_free(void *event) {
    cudaEventDestroy(as_event(event));
}

static void event_record(void *event, void *stream) {
    cudaEventRecord(as_event(event), as_stream(stream));
}

static void event_wait(void *event, void *stream) {
    cudaStreamWaitEvent(as_stream(stream), as_event(event), 0);
}

static void event_synchronize(void *event) {
    cudaEventSynchronize(as_event(event));
}

/* Thread-local: what other threads do meanwhile (copies of a loader) is none of the graph's business. */
static void capture_begin(void *stream) {
    cudaStreamBeginCapture(as_stream(stream), cudaStreamCaptureModeThreadLocal);
}

static void *capture_end(void *stream) {
    cudaGraph_t graph;
    cudaGraphExec_t executable = NULL;
    if (cudaStreamEndCapture(as_stream(stream), &graph) != cudaSuccess) return NULL;
    if (cudaGraphInstantiate(&executable, graph, 0) != cudaSuccess) executable = NULL;
    cudaGraphDestroy(graph);
    return executable;
}

static void graph_launch(void *graph, void *stream) {
    cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), as_stream(stream));
}

static void graph_free(void *graph) {
    cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
}

static EadStatus synchronize(void *stream) {
    cudaError_t launched = cudaGetLastError(), done = cudaStreamSynchronize(as_stream(stream));
    cudaError_t first = launched != cudaSuccess ? launched : done;
    return first == cudaSuccess ? EAD_OK : fail(first, "the GPU stopped");
}

const EadDevice ead_device_cuda = {.open = open,
                                   .use = use,
                                   .facts = facts,
                                   .open_fp32 = ead_cublas_open,
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
