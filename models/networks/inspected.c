/* The mask at an output's size as a constant of the graph. */
#include "models/networks/inspected.h"

#include "core/ops/fill_cells/fill_cells.h"

#include <string.h>

#define INSIDE "inside" /* what these leaves are called */

EadNode *ead_inside_cells(EadGraph *graph, const EadRegion *region, const EadNode *x, int border,
                          int *count) {
    const EadTensor *t = &x->y;
    real *cells = ead_graph_memory(graph, (int64_t)t->h * t->w, sizeof *cells, "a region of interest");
    *count = cells ? ead_region_cells(region, t->h, t->w, border, cells) : 0;
    return ead_leaf(graph, INSIDE, EAD_REAL, 1, t->h, t->w, 1, cells);
}

void ead_inspect_region(EadGraph *graph, const EadRegion *region) {
    for (int i = 0; i < ead_graph_count(graph); i++) {
        EadNode *leaf = ead_graph_at(graph, i);
        if (leaf->op == EAD_OP_LEAF && strcmp(leaf->name, INSIDE) == 0)
            ead_region_cells(region, leaf->y.h, leaf->y.w, 0, leaf->y.data);
    }
}

EadNode *ead_outside_filled(EadGraph *graph, const EadRegion *region, EadNode *x, int border, double value) {
    int count;
    if (!region->mask || ead_graph_status(graph) != EAD_OK) return x;
    return ead_fill_cells(graph, x, ead_inside_cells(graph, region, x, border, &count), value);
}
