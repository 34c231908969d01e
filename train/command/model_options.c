/* What counts: the option, else what the caller knows. */
#include "train/command/model_options.h"

#include <math.h>
#include <stdio.h>

EadStatus ead_model_options_apply(const EadArguments *arguments, int map_choice, EadModel *model) {
    bool given = ead_arguments_given(arguments, EAD_OPTION_THRESHOLD);
    if (ead_arguments_given(arguments, EAD_OPTION_SELECT))
        EAD_TRY(ead_model_find_maps(model, ead_arguments_text(arguments, EAD_OPTION_SELECT), &map_choice));
    if (map_choice != model->map_choice && !isnan(model->threshold) && !given)
        fputs("the model's threshold is for other maps and is not used; set --threshold\n", stderr);
    if (map_choice != model->map_choice) model->threshold = NAN;
    EAD_TRY(ead_model_choose_maps(model, map_choice));
    if (given) model->threshold = (float)ead_arguments_value(arguments, EAD_OPTION_THRESHOLD).f64;
    return EAD_OK;
}
