/* The device of the host runner: core/backend/device.h on host memory, in the place of core/cuda/device.cu.
 * Work is done at once, so streams and events have nothing to do; captures record nothing.
 *
 * Its memory is closed to everybody (pages without access) but kernels and copies: host code that follows a
 * device address crashes here as it would with a GPU. A page that is never opened lies behind each
 * allocation. */
#include "test/cuda_host/host_runner.h"

extern "C" {
#include "core/backend/device.h"
}

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <mutex>
#include <vector>

namespace {

constexpr size_t PAGE = 4096, ALIGNMENT = 256;

struct Region {
    unsigned char *pages;
    size_t bytes; /* without the last page */
    void *memory;
};

std::recursive_mutex mutex;
std::vector<Region> regions;
int entered;
char handle; /* what streams and events point at */

void protect(const Region &region, int access) {
    if (mprotect(region.pages, region.bytes, access) != 0) ead_host_fail("mprotect failed");
}

EadStatus open(int index) {
    if (index == 0) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED, "there is no GPU %d: the host runner is cuda:0", index);
}

void use(int) {}

EadStatus facts(int, EadDeviceFacts *out) {
    *out = {};
    strcpy(out->name, "host runner");
    out->major = 9;
    out->multiprocessors = 4;
    out->memory = size_t{1} << 32;
    return EAD_OK;
}

size_t free_memory() {
    return size_t{1} << 32;
}

size_t rounded(size_t bytes, size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

/* At the end of its pages, so that the closed one follows at once. */
void *allocate(size_t bytes) {
    std::lock_guard lock(mutex);
    size_t used = rounded(bytes ? bytes : 1, ALIGNMENT), opened = rounded(used, PAGE);
    void *pages = mmap(nullptr, opened + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return nullptr;
    unsigned char *first = static_cast<unsigned char *>(pages);
    regions.push_back({first, opened, first + opened - used});
    if (entered) protect(regions.back(), PROT_READ | PROT_WRITE);
    return regions.back().memory;
}

void release(void *memory) {
    std::lock_guard lock(mutex);
    for (size_t i = 0; memory && i < regions.size(); i++) {
        if (regions[i].memory != memory) continue;
        munmap(regions[i].pages, regions[i].bytes + PAGE);
        regions.erase(regions.begin() + static_cast<std::ptrdiff_t>(i));
        return;
    }
    if (memory) ead_host_fail("release of what was not allocated");
}

void copy(void *to, const void *from, size_t bytes) {
    ead_host_memory_enter();
    if (bytes) memcpy(to, from, bytes);
    ead_host_memory_leave();
}

void copy_in(void *device, const void *host, size_t bytes, void *) {
    copy(device, host, bytes);
}
void copy_out(void *host, const void *device, size_t bytes, void *) {
    copy(host, device, bytes);
}
void copy_within(void *to, const void *from, size_t bytes, void *) {
    copy(to, from, bytes);
}

void *new_handle() {
    return &handle;
}
void *no_graph(void *) {
    return nullptr;
}
void nothing(void *) {}
void nothing_for_two(void *, void *) {}

EadStatus synchronize(void *) {
    return EAD_OK;
}

} // namespace

void ead_host_memory_enter() {
    mutex.lock();
    if (entered++ == 0)
        for (const Region &region : regions) protect(region, PROT_READ | PROT_WRITE);
}

void ead_host_memory_leave() {
    if (--entered == 0)
        for (const Region &region : regions) protect(region, PROT_NONE);
    mutex.unlock();
}

extern "C" const EadDevice ead_device_cuda = {
    .open = open,
    .use = use,
    .facts = facts,
    .free_memory = free_memory,
    .allocate = allocate,
    .release = release,
    .allocate_pinned = malloc,
    .release_pinned = free,
    .stream_new = new_handle,
    .stream_free = nothing,
    .copy_in = copy_in,
    .copy_out = copy_out,
    .copy_within = copy_within,
    .event_new = new_handle,
    .event_free = nothing,
    .event_record = nothing_for_two,
    .event_wait = nothing_for_two,
    .event_synchronize = nothing,
    .capture_begin = nothing,
    .capture_end = no_graph,
    .graph_launch = nothing_for_two,
    .graph_free = nothing,
    .synchronize = synchronize,
};
