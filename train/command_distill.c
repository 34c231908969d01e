/* efficientad distill. */
#include "train/commands.h"
#include "train/distiller.h"

#include "core/precision.h"

static EadStatus distill(const EadArguments *arguments, const EadConfig *config) {
    EAD_TRY(ead_config_check_distillation(config));
    EAD_TRY(ead_precision_check(arguments->backend, (EadPrecision)config->train_precision, true,
                                "train.precision"));
    ead_arguments_use_threads(arguments, config->train_threads);
    return ead_distill(
        &(EadDistillSpec){.config = config,
                          .backend = arguments->backend,
                          .no_capture = ead_arguments_given(arguments, EAD_OPTION_NO_CAPTURE),
                          .streams = (int)ead_arguments_value(arguments, EAD_OPTION_STREAMS).whole,
                          .resume = ead_arguments_given(arguments, EAD_OPTION_RESUME),
                          .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET)});
}

EadStatus ead_command_distill(const EadArguments *arguments) {
    EadConfig config;
    EAD_TRY(ead_config_defaults(&config));
    EadStatus status = ead_arguments_configure(arguments, &config);
    if (status == EAD_OK) status = distill(arguments, &config);
    ead_config_free(&config);
    return status;
}
