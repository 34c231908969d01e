/* From a command line to a run. */
#include "train/loop/run_spec.h"

EAD_SAME_VALUE(EAD_PRECISION_CHOICE_FP32, EAD_PRECISION_FP32);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_TF32, EAD_PRECISION_TF32);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_BF16, EAD_PRECISION_BF16);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_FP16, EAD_PRECISION_FP16);
EAD_SAME_VALUE(EAD_PRECISION_CHOICE_AUTO, EAD_PRECISION_AUTO);

EadPlanOptions ead_run_plan_options(const EadRunSpec *spec) {
    return (EadPlanOptions){.backend = spec->backend,
                            .precision = (EadPrecision)spec->config->train_precision,
                            .no_capture = spec->no_capture,
                            .streams = spec->streams,
                            .print = ead_debug("graph") ? stderr : NULL};
}

int64_t ead_run_drop_step(double share, int64_t steps) {
    if (share >= 1) return -1;
    return (int64_t)(share * (double)steps + 1e-6); /* a share such as 0.29 is a little less than it says */
}

static EadStatus check_and_run(const EadArguments *arguments, const EadConfig *config,
                               EadStatus (*check)(const EadConfig *config),
                               EadStatus (*run)(const EadRunSpec *spec)) {
    EAD_TRY(check(config));
    EAD_TRY(ead_precision_check(arguments->backend, (EadPrecision)config->train_precision, true,
                                "train.precision"));
    ead_arguments_use_threads(arguments, config->train_threads);
    return run(&(EadRunSpec){.config = config,
                             .backend = arguments->backend,
                             .no_capture = ead_arguments_given(arguments, EAD_OPTION_NO_CAPTURE),
                             .streams = (int)ead_arguments_value(arguments, EAD_OPTION_STREAMS).i64,
                             .resume = ead_arguments_given(arguments, EAD_OPTION_RESUME),
                             .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET)});
}

EadStatus ead_run_by_command(const EadArguments *arguments, EadStatus (*check)(const EadConfig *config),
                             EadStatus (*run)(const EadRunSpec *spec)) {
    EadConfig config;
    EAD_TRY(ead_config_defaults(&config));
    EadStatus status = ead_arguments_configure(arguments, &config);
    if (status == EAD_OK) status = check_and_run(arguments, &config, check, run);
    ead_config_free(&config);
    return status;
}
