/* The CUDA convolutions on a GPU: every case through every algorithm in every precision, and the layers on as
 * many pixels as fill the GPU, bit for bit with sums in double. Skipped without a GPU. */
#include "test/support/suite.h"
#include "test/support/cuda_conv_cases.h"

/* NULL without a GPU. */
static const EadBackend *gpu(void) {
    const EadBackend *backend = NULL;
    return ead_backend_find("cuda", &backend) == EAD_OK ? backend : NULL;
}

static void check_fp32(const CudaConvCase *c, int number) {
    CudaConvSetup setup = {.precision = EAD_PRECISION_FP32, .algorithm = "gemm", .packed = number & 1};
    if (ead_precision_check(gpu(), EAD_PRECISION_FP32, true, "fp32") == EAD_OK)
        cuda_conv_check(gpu(), gpu()->device, c, setup, true, 0);
    else
        printf("skipped: %s by cuBLAS: %s\n", c->name, ead_error_message());
}

static void check_tensor_cores(const CudaConvCase *c, int algorithm, int number) {
    for (int p = 0; p < CUDA_CONV_PRECISIONS; p++)
        cuda_conv_check(gpu(), gpu()->device, c,
                        cuda_conv_setup(cuda_conv_precisions[p], algorithm, number + algorithm + p), true, 0);
}

START_TEST(small_cases_are_exact) {
    SKIP_UNLESS(gpu(), ead_error_message());
    check_fp32(&cuda_conv_small[_i], _i);
    for (int a = 0; a < CUDA_CONV_ALGORITHMS; a++) check_tensor_cores(&cuda_conv_small[_i], a, _i);
}
END_TEST

START_TEST(layers_are_exact) {
    SKIP_UNLESS(gpu(), ead_error_message());
    check_fp32(&cuda_conv_layers[_i], _i);
    for (int a = 0; a < CUDA_CONV_ALGORITHMS; a++) check_tensor_cores(&cuda_conv_layers[_i], a, _i);
}
END_TEST

/* Ten times as high and wide, so that the GPU is full and pipelines run long: by the plan's choice and one
 * other. */
START_TEST(large_layers_are_exact) {
    SKIP_UNLESS(gpu(), ead_error_message());
    enum { OWN_CHOICE = CUDA_CONV_ALGORITHMS - 1 };
    CudaConvCase large = cuda_conv_layers[_i];
    large.h *= 10;
    large.w *= 10;
    check_fp32(&large, _i);
    check_tensor_cores(&large, OWN_CHOICE, _i);
    check_tensor_cores(&large, _i % OWN_CHOICE, _i + 1);
}
END_TEST

/* The products of warpgroups, which only compute capability 9.0 has. */
static const char *no_hopper(void) {
    EadDeviceFacts facts;
    if (!gpu()) return ead_error_message();
    if (gpu()->device->facts(0, &facts) != EAD_OK) return ead_error_message();
    return facts.major == 9 && facts.minor == 0 ? NULL : "the GPU's compute capability is not 9.0";
}

/* In fp16 or bf16, in turn. */
static void check_wgmma(const CudaConvCase *c, int algorithm, int number) {
    CudaConvSetup setup = cuda_conv_wgmma_setup(cuda_conv_precisions[1 + number % 2], algorithm, number / 2);
    cuda_conv_check(gpu(), gpu()->device, c, setup, true, 0);
}

START_TEST(wgmma_small_cases_are_exact) {
    SKIP_UNLESS(!no_hopper(), no_hopper());
    for (int k = 0; k < 2 * CUDA_CONV_WGMMA; k++) check_wgmma(&cuda_conv_small[_i], k / 2, _i + k);
}
END_TEST

START_TEST(wgmma_layers_are_exact) {
    SKIP_UNLESS(!no_hopper(), no_hopper());
    for (int a = 0; a < CUDA_CONV_WGMMA; a++) check_wgmma(&cuda_conv_layers[_i], a, _i + a);
    CudaConvCase large = cuda_conv_layers[_i];
    large.h *= 10;
    large.w *= 10;
    check_wgmma(&large, _i % CUDA_CONV_WGMMA, _i);
    check_wgmma(&large, (_i + 1) % CUDA_CONV_WGMMA, _i + 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cuda convolutions");
    TCase *tests = tcase_create("conv");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, small_cases_are_exact, 0, CUDA_CONV_SMALL);
    tcase_add_loop_test(tests, layers_are_exact, 0, CUDA_CONV_LAYERS);
    tcase_add_loop_test(tests, large_layers_are_exact, 0, CUDA_CONV_LAYERS);
    suite_add_tcase(suite, tests);
    tests = tcase_create("wgmma");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, wgmma_small_cases_are_exact, 0, CUDA_CONV_SMALL);
    tcase_add_loop_test(tests, wgmma_layers_are_exact, 0, CUDA_CONV_LAYERS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
