/* What must be done before what, by the graph's edges alone. On one stream storages may share memory when one
 * is done with before the other begins in the order of the list. On parallel streams that would chain
 * branches to one another that have nothing to do with each other: there, memory is shared only where the
 * edges order it anyway. */
#include "core/base/memory.h"
#include "core/plan/plan_internal.h"

#include <stdlib.h>

enum { WORD_BITS = 64 };

static void set_bit(uint64_t *bits, int i) {
    bits[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
}

EadStatus ead_order_new(EadGraph *graph, int storages, EadOrder *order) {
    int nodes = ead_graph_count(graph), words = nodes / WORD_BITS + 1;
    *order = (EadOrder){.words = words};
    order->before = ead_new(nodes, (size_t)words * sizeof *order->before, "a plan");
    order->users = ead_new(storages, (size_t)words * sizeof *order->users, "a plan");
    if (!order->before || !order->users) return EAD_NO_MEMORY;
    for (int i = 0; i < nodes; i++) {
        const EadNode *node = ead_graph_at(graph, i);
        uint64_t *bits = order->before + (int64_t)i * words;
        for (int k = 0; k < EAD_MAX_INPUTS; k++) {
            if (!node->x[k]) continue;
            const uint64_t *input = order->before + (int64_t)node->x[k]->index * words;
            for (int w = 0; w < words; w++) bits[w] |= input[w];
            set_bit(bits, node->x[k]->index);
        }
    }
    return EAD_OK;
}

void ead_order_free(EadOrder *order) {
    free(order->before);
    free(order->users);
    *order = (EadOrder){0};
}

void ead_order_add_user(EadOrder *order, int storage, int node) {
    set_bit(order->users + (int64_t)storage * order->words, node);
}

bool ead_order_done_before(const EadOrder *order, int storage, int node) {
    const uint64_t *users = order->users + (int64_t)storage * order->words;
    const uint64_t *before = order->before + (int64_t)node * order->words;
    for (int w = 0; w < order->words; w++)
        if (users[w] & ~before[w]) return false;
    return true;
}
