/* efficientad train and efficientad distill. */
#include "train/cli/arguments.h"

#include "train/fit.h"

static EadStatus check_and_run(const EadArguments *arguments, const EadFit *fit, const EadConfig *config) {
    if (fit->model) EAD_TRY(ead_config_check(config));
    EAD_TRY(fit->check(config, true));
    EAD_TRY(ead_precision_check(arguments->backend, (EadPrecision)config->train_precision, true,
                                "train.precision"));
    ead_arguments_use_threads(arguments, config->train_threads);
    EadRunSpec spec = {.config = config,
                       .backend = arguments->backend,
                       .no_capture = ead_arguments_given(arguments, EAD_OPTION_NO_CAPTURE),
                       .streams = (int)ead_arguments_value(arguments, EAD_OPTION_STREAMS).i64,
                       .resume = ead_arguments_given(arguments, EAD_OPTION_RESUME),
                       .quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET)};
    return ead_fit_run(fit, &spec);
}

/* name: of the fit; NULL: the one that model.method names. */
static EadStatus run(const EadArguments *arguments, const char *name) {
    EadConfig config;
    const EadFit *fit = name ? ead_fit_find(name) : NULL;
    EAD_TRY(ead_config_defaults(&config));
    EadStatus status = ead_arguments_configure(arguments, &config);
    if (status == EAD_OK && !fit) status = ead_fit_of_config(&config, &fit);
    if (status == EAD_OK) status = check_and_run(arguments, fit, &config);
    ead_config_free(&config);
    return status;
}

EadStatus ead_command_train(const EadArguments *arguments) {
    return run(arguments, NULL);
}

EadStatus ead_command_distill(const EadArguments *arguments) {
    return run(arguments, "distill");
}
