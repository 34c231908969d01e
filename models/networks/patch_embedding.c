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
