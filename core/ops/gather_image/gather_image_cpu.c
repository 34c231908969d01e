/* One image on the CPU. */
#include "core/graph/op.h"

#include <string.h>

static void gather_image(const EadCall *call) {
    int64_t index = *(const int64_t *)call->x[1]->data;
    size_t bytes = ead_bytes(call->y);
    memcpy(call->y->data, (const unsigned char *)call->x[0]->data + (size_t)index * bytes, bytes);
}

const EadKernel ead_gather_image_cpu = {.run = gather_image};
