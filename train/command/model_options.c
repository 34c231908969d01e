/* What counts: the option, else what the caller knows. */
#include "train/command/model_options.h"

#include <math.h>
#include <stdio.h>

bool ead_pixel_threshold_given(const EadArguments *arguments, const EadModel *model) {
    return ead_arguments_given(arguments, EAD_OPTION_PIXEL_THRESHOLD) ||
           (model->method->functions->scores_by_peak && ead_arguments_given(arguments, EAD_OPTION_THRESHOLD));
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
