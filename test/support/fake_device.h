/* A device without hardware, for the tests of plans on devices: CPU kernels on host memory, but as
 * asynchronous as a GPU. Whatever it is told (kernels, copies, events) waits in the queue of its stream until
 * the host waits for something; then queues are worked off in a random order that respects nothing but what
 * streams and events ask for. A plan that forgets a dependency, or touches pinned memory too early, gets
 * wrong numbers here. */
#pragma once

#include "core/backend/backend.h"

extern const EadBackend fake_backend;

/* The order in which queues are worked off from now on, and the bytes that can still be allocated. */
void fake_device_start(uint64_t seed, size_t memory);

/* Graphs launched, and kernels launched one by one, since the start. */
int fake_device_graphs(void);
int fake_device_kernels(void);

/* What was allocated (device memory, pinned memory, streams, events, graphs) and not released. */
int fake_device_leaks(void);
