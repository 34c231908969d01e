/* efficientad distill. */
#include "train/cli/arguments.h"
#include "train/distill/distiller.h"

EadStatus ead_command_distill(const EadArguments *arguments) {
    return ead_run_by_command(arguments, ead_config_check_distillation, ead_distill);
}
