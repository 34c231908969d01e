/* The program: parses the command line, calls the command, reports its failure. */
#include "train/cli/arguments.h"

#include "core/base/printing.h"
#include "core/system/openmp_threads.h"
#include "core/system/thread_stacks.h"
#include "train/ranks/ranks_start.h"
#include "train/support/memory_budget.h"
#include "train/support/progress.h"
#include "train/support/shell_word.h"
#include "train/support/version.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SIGNALLED = 128 };

static EadStatus act(const EadArguments *arguments) {
    static EadStatus (*const functions[EAD_COMMAND_COUNT])(const EadArguments *) = {
#define EAD_COMMAND(name, min_paths, max_paths, words, synopsis, summary, exits, example) ead_command_##name,
#include "train/cli/commands.def"
#undef EAD_COMMAND
    };
    switch (arguments->action) {
    case EAD_ACTION_RUN:
        return functions[arguments->command](arguments);
    case EAD_ACTION_HELP:
        ead_help_print(stdout, arguments->command);
        break;
    case EAD_ACTION_HELP_CONFIG:
        ead_config_print_reference(stdout);
        break;
    case EAD_ACTION_HELP_MAN:
        ead_help_print_man(stdout);
        break;
    case EAD_ACTION_COMPLETION:
        ead_help_print_completion(stdout);
        break;
    case EAD_ACTION_VERSION:
        printf("efficientad %s\n", ead_version());
        break;
    case EAD_ACTION_BACKENDS:
        printf("efficientad %s: backends: %s%s\n", ead_version(), ead_backend_names(), ead_ranks_kind());
        break;
    }
    return EAD_OK;
}

/* A file of ours must not become descriptor 0, 1 or 2 where these are closed: messages would go into it. What
 * stands in for a closed one cannot be read or written either. */
static void hold_standard_descriptors(void) {
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFD) < 0 && open("/dev/null", i == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            open("/", O_RDONLY | O_DIRECTORY);
}

/* command: number of its row, or -1. Without memory nothing is lost but this. */
static void name_help(int command) {
    char *program = ead_program_word();
    const char *name = command >= 0 ? ead_command(command)->name : NULL;
    if (program) ead_print(stderr, "try: %s%s%s --help\n", program, name ? " " : "", name ? name : "");
    free(program);
}

static int run(int argc, char **argv) {
    EadArguments arguments;
    EadStatus status = ead_arguments_parse(argc, argv, &arguments);
    bool wrong_usage = status == EAD_BAD_ARGUMENT;
    bool told_by_command = arguments.action == EAD_ACTION_RUN && arguments.problems.lines.count > 0;
    if (status == EAD_OK || told_by_command) status = ead_stacks_check();
    if (status == EAD_OK) status = act(&arguments);
    wrong_usage |= status != EAD_OK && arguments.wrong_settings;
    /* Output that did not arrive (a full disk, a closed pipe) is a failure like any other. */
    if (status == EAD_OK) status = ead_print_flush(stdout);
    status = ead_name_memory_limit(status);
    const char *speaker = status == EAD_OK ? NULL : ead_ranks_speaker(status);
    if (speaker) ead_print(stderr, "efficientad: %s%s\n", speaker, ead_error_message());
    if (wrong_usage) name_help(arguments.command);
    ead_arguments_free(&arguments);
    int failure = wrong_usage ? EXIT_USAGE : EXIT_FAILED;
    if (status == EAD_INTERRUPTED && !ead_ranks()) failure = EXIT_SIGNALLED + ead_interrupt_signal();
    return ead_ranks_end(status, status == EAD_OK ? EXIT_DONE : failure);
}

int main(int argc, char **argv) {
    hold_standard_descriptors();
    ead_threads_save_space();
    ead_program_called(argc > 0 ? argv[0] : NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file over the limit of its size is an error like a full disk */
    return ead_stacks_run(run, argc, argv);
}
