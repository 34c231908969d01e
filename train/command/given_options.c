/* What counts: the option, else what the caller knows. */
#include "train/command/given_options.h"

#include "core/base/printing.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

bool ead_pixel_threshold_given(const EadArguments *arguments, const EadModel *model) {
    return ead_arguments_given(arguments, EAD_OPTION_PIXEL_THRESHOLD) ||
           (ead_model_scores_by_peak(model) && ead_arguments_given(arguments, EAD_OPTION_THRESHOLD));
}

EadStatus ead_model_options_apply(const EadArguments *arguments, int map_choice, EadModel *model) {
    bool given = ead_arguments_given(arguments, EAD_OPTION_THRESHOLD),
         pixels_given = ead_arguments_given(arguments, EAD_OPTION_PIXEL_THRESHOLD);
    if (ead_arguments_given(arguments, EAD_OPTION_SELECT))
        EAD_TRY(ead_model_find_maps(model, ead_arguments_text(arguments, EAD_OPTION_SELECT), &map_choice));
    if (map_choice != model->map_choice && !isnan(model->threshold) && !given)
        fputs("the model's threshold is for other maps and is not used; set --threshold\n", stderr);
    EAD_TRY(ead_model_choose_maps(model, map_choice));
    if (given) model->threshold = (float)ead_arguments_value(arguments, EAD_OPTION_THRESHOLD).f64;
    if (given && ead_pixel_threshold_given(arguments, model)) model->pixel_threshold = model->threshold;
    if (pixels_given)
        model->pixel_threshold = (float)ead_arguments_value(arguments, EAD_OPTION_PIXEL_THRESHOLD).f64;
    return EAD_OK;
}

/* ---- keys without effect ---- */

void ead_tell_idle_keys(const EadArguments *arguments, const EadFit *fit, const EadConfig *config,
                        bool (*is_idle)(const EadFit *fit, const EadConfig *config, int key), const char *why,
                        ...) {
    bool given[EAD_CONFIG_KEYS];
    char reason[128];
    va_list values;
    va_start(values, why);
    vsnprintf(reason, sizeof reason, why, values);
    va_end(values);
    ead_arguments_given_keys(arguments, given);
    for (int key = 0; key < EAD_CONFIG_KEYS; key++)
        if (given[key] && is_idle(fit, config, key))
            ead_print(stderr, "--set %s has no effect%s\n", ead_config_key(key)->rule.name, reason);
}
