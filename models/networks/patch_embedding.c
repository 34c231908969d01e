/* The embedding out of pooling, resizing and joining. Resizing mixes positions, pooling mixes what a patch holds, so
 * the fewer numbers are resized. */
#include "models/networks/patch_embedding.h"

#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/patch_pool/patch_pool.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"

enum { PATCH = 3 };

EadNode *ead_patch_embedding(EadGraph *graph, int count, EadNode *const features[], int per_layer,
                             int width) {
    const EadTensor *grid = &features[0]->y;
    EadNode *parts[EAD_MAX_INPUTS], *all;
    for (int i = 0; i < count; i++) {
        parts[i] = ead_patch_pool(graph, features[i], (EadPatchPool){PATCH, per_layer});
        if (parts[i]->y.h != grid->h || parts[i]->y.w != grid->w)
            parts[i] = ead_resize_bilinear(graph, parts[i], grid->h, grid->w);
    }
    all = count > 1 ? ead_concat_channels(graph, count, parts) : parts[0];
    return count * per_layer == width ? all : ead_patch_pool(graph, all, (EadPatchPool){1, width});
}

EadNode *ead_backbone_patches(EadGraph *graph, const EadBackbone *backbone, const EadTaps *taps,
                              int per_layer, int width, EadNode *images) {
    EadNode *features[EAD_TAPS_CHOSEN];
    ead_backbone_build(graph, backbone, images, taps, features);
    return ead_patch_embedding(graph, taps->count, features, per_layer, width);
}

EadStatus ead_backbone_patch_grid(const EadBackbone *backbone, const EadTaps *taps, int per_layer, int length,
                                  int height, int width, int grid[2]) {
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, height, width, 3, NULL);
    EadNode *patches = ead_backbone_patches(graph, backbone, taps, per_layer, length, images);
    grid[0] = patches->y.h;
    grid[1] = patches->y.w;
    EadStatus status = ead_graph_status(graph);
    ead_graph_free(graph);
    if (status == EAD_OK) return status;
    return ead_fail_prefix(EAD_BAD_ARGUMENT, "images of %dx%d do not go through %s: ", height, width,
                           backbone->name);
}
