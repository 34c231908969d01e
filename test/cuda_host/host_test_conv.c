/* The CUDA convolutions on the host runner, through every algorithm, bit for bit. */
#include "test/cuda_host/host_runner_c.h"
#include "test/support/suite.h"
#include "test/support/cuda_conv_cases.h"

static const EadBackend *runner(void) {
    const EadBackend *backend = NULL;
    ck_assert_int_eq(ead_backend_cuda(0, &backend), EAD_OK);
    return backend;
}

START_TEST(small_cases_are_exact) {
    const CudaConvCase *c = &cuda_conv_small[_i];
    cuda_conv_check(runner(), NULL, c,
                    (CudaConvSetup){.precision = EAD_PRECISION_FP32, .algorithm = "any", .packed = _i & 1},
                    true, 0);
    for (int a = 0; a < CUDA_CONV_ALGORITHMS; a++) {
        EadPrecision precision = cuda_conv_precisions[(_i + a) % CUDA_CONV_PRECISIONS];
        cuda_conv_check(runner(), NULL, c, cuda_conv_setup(precision, a, _i + a), true, 0);
    }
}
END_TEST

/* Takes seconds here: every other one goes through the products of warps, the rest through those of warpgroups. */
static bool is_large(const CudaConvCase *c) {
    return c->i * c->o * c->kh * c->kw > 64 * 384 * 9;
}

/* What the plan itself chooses, and one of the algorithms besides for those layers that are soon done. */
START_TEST(layers_are_exact) {
    enum { OWN_CHOICE = CUDA_CONV_ALGORITHMS - 1 };
    const CudaConvCase *c = &cuda_conv_layers[_i];
    if (is_large(c) && _i & 1) return;
    EadPrecision first = cuda_conv_precisions[_i % CUDA_CONV_PRECISIONS];
    EadPrecision second = cuda_conv_precisions[(_i + 1) % CUDA_CONV_PRECISIONS];
    cuda_conv_check(runner(), NULL, c, cuda_conv_setup(first, OWN_CHOICE, _i), true, 0);
    if (!is_large(c))
        cuda_conv_check(runner(), NULL, c, cuda_conv_setup(second, _i % OWN_CHOICE, _i + 3), true, 0);
}
END_TEST

/* A diverged run shows: with every way of adding up, with and without ReLU and pooling. */
START_TEST(nans_stay) {
    for (int a = 0; a < 3; a++) {
        CudaConvSetup setup = cuda_conv_setup(cuda_conv_precisions[(_i + a) % CUDA_CONV_PRECISIONS], a, _i);
        setup.with_nan = true;
        cuda_conv_check(runner(), NULL, &cuda_conv_small[_i], setup, true, 0);
    }
}
END_TEST

/* Any numbers: operands are rounded by up to half a unit each, relative: 2^-11 in tf32 and fp16, 2^-8 in
 * bf16. */
START_TEST(rounding_is_as_the_formats_say) {
    static const struct {
        EadPrecision precision;
        double error;
    } formats[] = {{EAD_PRECISION_FP32, 0x1p-20},
                   {EAD_PRECISION_TF32, 0x1.1p-10},
                   {EAD_PRECISION_FP16, 0x1.1p-10},
                   {EAD_PRECISION_BF16, 0x1.1p-7}};
    for (int f = 0; f < 4; f++)
        cuda_conv_check(runner(), NULL, &cuda_conv_small[_i],
                        cuda_conv_setup(formats[f].precision, (_i + f) % 3, _i + f), false, formats[f].error);
}
END_TEST

/* With the products of warpgroups, threads in both orders: a missing barrier shows in one of them. */
START_TEST(wgmma_small_cases_are_exact) {
    const CudaConvCase *c = &cuda_conv_small[_i];
    ead_host_descend(_i & 1);
    for (int a = 0; a < CUDA_CONV_WGMMA; a++) {
        EadPrecision precision = cuda_conv_precisions[1 + (_i + a) % 2];
        cuda_conv_check(runner(), NULL, c, cuda_conv_wgmma_setup(precision, a, _i + a), true, 0);
    }
    cuda_conv_check(runner(), NULL, c, cuda_conv_wgmma_setup(EAD_PRECISION_TF32, 0, _i), true, 0);
    ead_host_descend(false);
}
END_TEST

START_TEST(wgmma_layers_are_exact) {
    enum { OWN_CHOICE = CUDA_CONV_WGMMA - 1 };
    const CudaConvCase *c = &cuda_conv_layers[_i];
    if (is_large(c) && !(_i & 1)) return;
    ead_host_descend(_i & 2);
    cuda_conv_check(runner(), NULL, c,
                    cuda_conv_wgmma_setup(cuda_conv_precisions[1 + _i % 2], OWN_CHOICE, _i), true, 0);
    if (!is_large(c))
        cuda_conv_check(runner(), NULL, c,
                        cuda_conv_wgmma_setup(cuda_conv_precisions[2 - _i % 2], _i % OWN_CHOICE, _i + 3),
                        true, 0);
    ead_host_descend(false);
}
END_TEST

START_TEST(wgmma_rounds_and_keeps_nans) {
    const CudaConvCase *c = &cuda_conv_small[_i];
    CudaConvSetup setup = cuda_conv_wgmma_setup(EAD_PRECISION_FP16, _i % CUDA_CONV_WGMMA, _i);
    cuda_conv_check(runner(), NULL, c, setup, false, 0x1.1p-10);
    setup.with_nan = true;
    cuda_conv_check(runner(), NULL, c, setup, true, 0);
    setup = cuda_conv_wgmma_setup(EAD_PRECISION_BF16, (_i + 1) % CUDA_CONV_WGMMA, _i);
    cuda_conv_check(runner(), NULL, c, setup, false, 0x1.1p-7);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cuda convolutions on the host");
    TCase *tests = tcase_create("conv");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, small_cases_are_exact, 0, CUDA_CONV_SMALL);
    tcase_add_loop_test(tests, layers_are_exact, 0, CUDA_CONV_LAYERS);
    tcase_add_loop_test(tests, nans_stay, 0, CUDA_CONV_SMALL);
    tcase_add_loop_test(tests, rounding_is_as_the_formats_say, 0, CUDA_CONV_SMALL);
    suite_add_tcase(suite, tests);
    tests = tcase_create("wgmma");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, wgmma_small_cases_are_exact, 0, CUDA_CONV_SMALL);
    tcase_add_loop_test(tests, wgmma_layers_are_exact, 0, CUDA_CONV_LAYERS);
    tcase_add_loop_test(tests, wgmma_rounds_and_keeps_nans, 0, CUDA_CONV_SMALL);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
