/* efficientad train. */
#include "train/cli/arguments.h"
#include "train/efficientad/trainer.h"

EadStatus ead_command_train(const EadArguments *arguments) {
    return ead_run_by_command(arguments, ead_config_check_training, ead_train);
}
