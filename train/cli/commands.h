/* The functions behind the rows of commands.def. Each takes the parsed command line, does its work, and
 * leaves printing its error to main(). */
#ifndef EAD_TRAIN_COMMANDS_H
#define EAD_TRAIN_COMMANDS_H

#include "train/cli/arguments.h"

/* Results go to stdout, progress and notes to stderr. Errors: any; files already written stay complete. */
#define EAD_COMMAND(name, fewest, most, words, synopsis, summary, example)                                   \
    EadStatus ead_command_##name(const EadArguments *arguments);
#include "train/cli/commands.def"
#undef EAD_COMMAND

#endif
