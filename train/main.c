/* The program: parses the command line, calls the command, reports its failure. */
#include "train/cli/arguments.h"
#include "train/support/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static EadStatus run_command(const EadArguments *arguments) {
    static EadStatus (*const functions[EAD_COMMAND_COUNT])(const EadArguments *) = {
#define EAD_COMMAND(name, min_paths, max_paths, words, synopsis, summary, example) ead_command_##name,
#include "train/cli/commands.def"
#undef EAD_COMMAND
    };
    return functions[arguments->command](arguments);
}

static EadStatus act(const EadArguments *arguments) {
    switch (arguments->action) {
    case EAD_ACTION_RUN:
        return run_command(arguments);
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
        printf("efficientad %s: backends: %s\n", ead_version(), ead_backend_names());
        break;
    }
    return EAD_OK;
}

/* Output that did not arrive (a full disk, a closed pipe) is a failure like any other. */
static EadStatus flush_output(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return EAD_OK;
    return ead_fail(EAD_IO, "standard output: %s", strerror(errno));
}

static int report_usage(const EadArguments *arguments) {
    const char *command = arguments->command < 0 ? "" : ead_command(arguments->command)->name;
    fprintf(stderr, "efficientad: %s\ntry: efficientad %s%s--help\n", ead_error_message(), command,
            *command ? " " : "");
    return EXIT_USAGE;
}

static int report_failure(void) {
    fprintf(stderr, "efficientad: %s\n", ead_error_message());
    return EXIT_FAILED;
}

int main(int argc, char **argv) {
    EadArguments arguments;
    EadStatus status = ead_arguments_parse(argc, argv, &arguments);
    int code = EXIT_DONE;
    if (status == EAD_BAD_ARGUMENT) {
        code = report_usage(&arguments);
    } else {
        if (status == EAD_OK) status = act(&arguments);
        if (status == EAD_OK) status = flush_output();
        if (status != EAD_OK) code = report_failure();
    }
    ead_arguments_free(&arguments);
    return code;
}
