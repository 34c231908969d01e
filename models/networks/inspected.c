/* The mask at an output's size as a constant of the graph. */
#include "models/networks/inspected.h"

#include "core/ops/fill_cells/fill_cells.h"

EadNode *ead_inside_cells(EadGraph *graph, const EadRegion *region, const EadNode *x, int border,
                          int *count) {
    const EadTensor *t = &x->y;
    real *cells = ead_graph_memory(graph, (int64_t)t->h * t->w, sizeof *cells, "a region of interest");
    *count = cells ? ead_region_cells(region, t->h, t->w, border, cells) : 0;
    return ead_leaf(graph, "inside", EAD_REAL, 1, t->h, t->w, 1, cells);
}

EadNode *ead_outside_filled(EadGraph *graph, const EadRegion *region, EadNode *x, int border, double value) {
    int count;
    if (!region->mask || ead_graph_status(graph) != EAD_OK) return x;
    return ead_fill_cells(graph, x, ead_inside_cells(graph, region, x, border, &count), value);
}
