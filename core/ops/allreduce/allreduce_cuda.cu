/* Ranks share out steps on the CPU alone: ead_step_new() refuses a device, and no plan there holds this op. */
#include "core/cuda/cuda.cuh"

EAD_CUDA_KERNEL(allreduce, .run = NULL);
