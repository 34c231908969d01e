/* The two launchers of an operand type, over all tiles of mma.sync: the whole of a file
 * conv2d_<type>_cuda.cu. A file a type, so that they are compiled side by side. */
#pragma once

#include "core/ops/conv2d/cuda/conv2d_pixel_tiles.cuh"
#include "core/ops/conv2d/cuda/conv2d_weight_tiles.cuh"

template <typename T> static void ead_launch_pixel_tile(const EadConvTask &task, int tile, void *stream) {
    using Narrow = EadTileShape<128, 64, 64, 32, 3>;
    if constexpr (sizeof(T) == 2)
        if (ead_conv_is_narrow<T>(task.view.c))
            return ead_launch_pixels<Narrow>(ead_multiply_pixels<T, Narrow, 8>, task, stream);
    switch (tile) {
#define TILE(m, n, wm, wn, stages, rate)                                                                     \
    case EAD_CONV_TILE_##m##x##n:                                                                            \
        return ead_launch_pixels<EadTileShape<m, n, wm, wn, stages>>(                                        \
            ead_multiply_pixels<T, EadTileShape<m, n, wm, wn, stages>, 16>, task, stream);
        EAD_CONV_TILES(TILE)
#undef TILE
    }
}

template <typename T>
static void ead_launch_weight_tile(const EadConvWeightTask &task, int tile, void *stream) {
    using Narrow = EadTileShape<128, 64, 64, 32, 3>;
    if constexpr (sizeof(T) == 2)
        if (ead_conv_is_narrow<T>(task.view.c))
            return ead_launch_weights<Narrow>(ead_multiply_weights<T, Narrow, 8>, task, stream);
    switch (tile) {
#define TILE(m, n, wm, wn, stages, rate)                                                                     \
    case EAD_CONV_TILE_##m##x##n:                                                                            \
        return ead_launch_weights<EadTileShape<m, n, wm, wn, stages>>(                                       \
            ead_multiply_weights<T, EadTileShape<m, n, wm, wn, stages>, 16>, task, stream);
        EAD_CONV_TILES(TILE)
#undef TILE
    }
}

#define EAD_CONV_DEFINE_LAUNCHERS(name, T)                                                                   \
    void ead_conv_multiply_##name(const EadConvTask &task, int tile, void *stream) {                         \
        ead_launch_pixel_tile<T>(task, tile, stream);                                                        \
    }                                                                                                        \
    void ead_conv_multiply_weight_##name(const EadConvWeightTask &task, int tile, void *stream) {            \
        ead_launch_weight_tile<T>(task, tile, stream);                                                       \
    }
