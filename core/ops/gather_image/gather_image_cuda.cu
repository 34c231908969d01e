/* One image on CUDA, eight elements a thread: bound by memory bandwidth. Numbers may be stored in 16 bits, as
 * what would have computed them would have stored them. */
#include "core/cuda/stored.cuh"

/* y[i] = x[*index count + i]. */
static __global__ void gather_numbers(int64_t count, const int64_t *index, EadStored x, EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float v[EAD_GROUP];
    int n = ead_group_size(at, count);
    ead_load(x, *index * count + at, n, v);
    ead_save(y, at, n, v);
}

/* The same; words: x and y may be read and written as 8-byte words. */
static __global__ void gather_bytes(int64_t count, const int64_t *index, const unsigned char *x, bool words,
                                    unsigned char *y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    const unsigned char *from = x + *index * count + at;
    int n = ead_group_size(at, count);
    if (words)
        *reinterpret_cast<uint2 *>(y + at) = *reinterpret_cast<const uint2 *>(from);
    else
        for (int k = 0; k < n; k++) y[at + k] = from[k];
}

static bool in_words(const EadTensor *t, int64_t count) {
    return reinterpret_cast<uintptr_t>(t->data) % sizeof(uint2) == 0 && count % EAD_GROUP == 0;
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    const int64_t *index = static_cast<const int64_t *>(call->x[1]->data);
    int64_t count = ead_count(y);
    if (x->type == EAD_U8)
        EAD_LAUNCH(gather_bytes, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, index,
                   static_cast<const unsigned char *>(x->data), in_words(x, count) && in_words(y, count),
                   static_cast<unsigned char *>(y->data));
    else
        EAD_LAUNCH(gather_numbers, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, index,
                   ead_stored(x, count), ead_stored(y));
}

EAD_CUDA_KERNEL(gather_image, .run = run, .half_out = true);
