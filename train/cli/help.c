/* The help texts, made from the tables of commands and options. */
#include "train/cli/arguments.h"

#include <string.h>

static void print_program_help(FILE *stream) {
    fputs("usage: efficientad COMMAND [options] [PATH...]\n\n"
          "Trains, measures and runs EfficientAD anomaly detection (arXiv 2303.14535).\n\ncommands:\n",
          stream);
    for (int i = 0; i < EAD_COMMAND_COUNT; i++)
        fprintf(stream, "  %-8s  %s\n", ead_command(i)->name, ead_command(i)->summary);
    fputs("\nefficientad COMMAND --help   options and an example\n"
          "efficientad --help-config    all config keys with default, range and meaning\n"
          "efficientad --version        the version\n"
          "efficientad --backends       what this build can compute on\n\n"
          "Exit codes: 0 done, 1 failed, 2 wrong usage. Results go to stdout, all else to stderr.\n",
          stream);
}

/* "  -c, --config FILE        what it is (default x; range)". */
static void print_option(FILE *stream, const EadOption *option) {
    char left[64], letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s%s %s", letter, option->rule.name, option->placeholder);
    fprintf(stream, "  %-30s %s", left, option->help);
    bool required = option->default_text && strcmp(option->default_text, EAD_REQUIRED) == 0;
    bool ranged = option->rule.constraint[0] != '\0' && option->rule.kind != EAD_KIND_DOUBLE;
    if (required) fputs(" (required)", stream);
    if (ranged) fprintf(stream, "; %s", option->rule.constraint);
    if (option->default_text && !required) fprintf(stream, " (default %s)", option->default_text);
    fputc('\n', stream);
}

void ead_help_print(FILE *stream, int command) {
    if (command < 0) {
        print_program_help(stream);
        return;
    }
    const EadCommand *row = ead_command(command);
    fprintf(stream, "usage: efficientad %s %s\n\nThis command %s.\n\noptions:\n", row->name, row->synopsis,
            row->summary);
    for (int i = 0; i < EAD_OPTION_COUNT; i++)
        if (ead_option_belongs((EadOptionId)i, row->name)) print_option(stream, ead_option((EadOptionId)i));
    fprintf(stream, "\nexample:\n  %s\n", row->example);
    if (ead_option_belongs(EAD_OPTION_CONFIG, row->name))
        fprintf(stream,
                "\nConfig keys with default, range and meaning: efficientad %s --help-config\n"
                "Order of precedence: defaults, the config file, --set, options. Relative paths, also those "
                "in a\n"
                "config file, are relative to the current directory.\n",
                row->name);
}
