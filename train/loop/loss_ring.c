/* The ring as a leaf, and reading it. */
#include "train/loop/loss_ring.h"

#include "core/ops/ring_write/ring_write.h"

#include <assert.h>
#include <string.h>

void ead_loss_ring_build(EadLossRing *ring, EadGraph *graph, EadNode *step, int columns,
                         EadNode *const values[]) {
    ring->columns = columns;
    ring->rows = ead_keep(ead_leaf(graph, "losses", EAD_REAL, 1, 1, EAD_LOSS_ROWS, columns, NULL));
    ead_ring_write(graph, ring->rows, step, values);
}

void ead_loss_ring_advance(EadLossRing *ring) {
    ring->count++;
    ring->unread++;
}

void ead_loss_ring_restart(EadLossRing *ring, int64_t count) {
    ring->count = count;
    ring->unread = 0;
}

EadStatus ead_loss_ring_read(EadLossRing *ring, const EadPlan *plan, float *rows, int *count) {
    const void *value;
    assert(ring->unread <= EAD_LOSS_ROWS);
    EAD_TRY(ead_plan_fetch(plan, ring->rows, &value));
    for (int64_t i = 0; i < ring->unread; i++) {
        int64_t row = (ring->count - ring->unread + i) % EAD_LOSS_ROWS;
        memcpy(rows + i * ring->columns, (const float *)value + row * ring->columns,
               (size_t)ring->columns * sizeof *rows);
    }
    *count = (int)ring->unread;
    ring->unread = 0;
    return EAD_OK;
}

bool ead_loss_ring_is_due(const EadBackend *backend, int64_t done) {
    return !backend->device || done % EAD_LOSS_ROWS == 0;
}
