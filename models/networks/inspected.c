/* The mask at an output's size as a constant of the graph. */
#include "models/networks/inspected.h"

#include "core/ops/fill_cells/fill_cells.h"

EadNode *ead_outside_filled(EadGraph *graph, const EadRegion *region, EadNode *x, int border, double value) {
    const EadTensor *t = &x->y;
    if (!region->mask || ead_graph_status(graph) != EAD_OK) return x;
    real *cells = ead_graph_memory(graph, (int64_t)t->h * t->w, sizeof *cells, "a region of interest");
    if (cells) ead_region_cells(region, t->h, t->w, border, cells);
    return ead_fill_cells(graph, x, ead_leaf(graph, "inside", EAD_REAL, 1, t->h, t->w, 1, cells), value);
}
