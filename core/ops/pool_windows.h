/* Which inputs a pooling window covers and which windows cover an input, along one axis; for C and for CUDA kernels. */
#pragma once

#ifndef EAD_DEVICE_FUNCTION /* a .cu file sets it to __device__ */
#define EAD_DEVICE_FUNCTION
#endif

/* Positions from begin to end, the latter not included. */
typedef struct EadSpan {
    int begin, end;
} EadSpan;

/* Windows of `kernel` inputs, `stride` apart, the first of which begins `padding` before the input. */
typedef struct EadPoolWindows {
    int kernel, stride, padding;
} EadPoolWindows;

/* The inputs of `size` that window i covers. */
static EAD_DEVICE_FUNCTION inline EadSpan ead_window_inputs(EadPoolWindows w, int i, int size) {
    int first = i * w.stride - w.padding, end = first + w.kernel;
    EadSpan span = {first < 0 ? 0 : first, end < size ? end : size};
    return span;
}

/* The windows of `outputs` that cover input i. */
static EAD_DEVICE_FUNCTION inline EadSpan ead_windows_with(EadPoolWindows w, int i, int outputs) {
    int first = i + w.padding - w.kernel + 1, end = (i + w.padding) / w.stride + 1;
    EadSpan span = {first <= 0 ? 0 : (first + w.stride - 1) / w.stride, end < outputs ? end : outputs};
    return span;
}
