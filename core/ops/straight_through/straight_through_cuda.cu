/* On CUDA, too, it is a view and runs nothing. */
#include "core/cuda/stored.cuh"

EAD_CUDA_KERNEL(straight_through, .run = NULL, .half_in = 1, .half_out = true);
