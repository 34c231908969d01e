/* Help, manual page and bash completion, all made from the tables of commands, options and config keys. */
#include "train/cli/arguments.h"

#include "train/support/shipped_file.h"
#include "train/support/version.h"

#include <string.h>

static const char summary[] =
    "trains, measures and runs EfficientAD (arXiv 2303.14535) and other methods of anomaly detection";
static const char precedence[] =
    "Values are taken from, the later ones winning: the defaults, the config file, --set, "
    "options. " EAD_PATH_RULE;
static const char environment[] =
    "Environment: EAD_DEBUG=nan names the first value that is not finite, EAD_DEBUG=graph prints every plan.";
static const char exit_codes[] = "Exit codes: 0 done, 1 failed, 2 wrong usage";
static const char streams[] = "Results go to stdout, all else to stderr.";

/* A command's first option from row number *next on (NULL: there is no more); moves *next behind it. */
static const EadOption *next_option(const char *command, int *next) {
    while (*next < EAD_OPTION_COUNT) {
        EadOptionId id = (EadOptionId)(*next)++;
        if (ead_option_belongs(id, command)) return ead_option(id);
    }
    return NULL;
}

static bool is_required(const EadOption *option) {
    return option->default_text && strcmp(option->default_text, EAD_REQUIRED) == 0;
}

/* Words from `column` on, broken into lines of at most 110 bytes, which begin with `indent` blanks. */
static void print_wrapped(FILE *stream, int column, int indent, const char *text) {
    enum { WIDTH = 110 };
    for (bool first = true; *text; first = false) {
        const char *blank = strchr(text, ' ');
        int word = blank ? (int)(blank - text) : (int)strlen(text);
        bool breaks = !first && column + 1 + word > WIDTH;
        if (breaks) fprintf(stream, "\n%*s", indent, "");
        if (!first && !breaks) fputc(' ', stream);
        column = breaks ? indent : column + !first;
        fprintf(stream, "%.*s", word, text);
        column += word;
        text += word + (blank != NULL);
    }
    fputc('\n', stream);
}

/* "help (required); range (default x)". */
static void describe_option(const EadOption *option, char *text, size_t size) {
    bool ranged = option->rule.constraint[0] != '\0' && option->rule.kind != EAD_KIND_DOUBLE;
    bool has_default = option->default_text && !is_required(option);
    snprintf(text, size, "%s%s%s%s%s%s%s", option->help, is_required(option) ? " (required)" : "",
             ranged ? "; " : "", ranged ? option->rule.constraint : "", has_default ? " (default " : "",
             has_default ? option->default_text : "", has_default ? ")" : "");
}

/* What is said of exit codes and streams; command NULL: of the program. */
static void print_ends(FILE *stream, const EadCommand *command) {
    char text[512];
    snprintf(text, sizeof text, "%s%s%s. %s", exit_codes, command && *command->exits ? "; " : "",
             command ? command->exits : "; help COMMAND has more", streams);
    print_wrapped(stream, 0, 0, text);
}

static void print_command_help(FILE *stream, const EadCommand *command) {
    enum { INDENT = 29 };
    char sentence[512];
    int usage = fprintf(stream, "usage: efficientad %s ", command->name);
    print_wrapped(stream, usage, usage, command->synopsis);
    fputc('\n', stream);
    snprintf(sentence, sizeof sentence, "This command %s.", command->summary);
    print_wrapped(stream, 0, 0, sentence);
    fputs("\noptions:\n", stream);
    const EadOption *option;
    for (int next = 0; (option = next_option(command->name, &next)) != NULL;) {
        char left[64], letter[8] = "    ", text[1024];
        if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(left, sizeof left, "%s%s %s", letter, option->rule.name, option->placeholder);
        describe_option(option, text, sizeof text);
        int column = fprintf(stream, "  %-26s ", left);
        print_wrapped(stream, column, INDENT, text);
    }
    fprintf(stream, "\nexample:\n  %s\n\n", command->example);
    print_ends(stream, command);
    if (!ead_option_belongs(EAD_OPTION_CONFIG, command->name)) return;
    fprintf(stream, "\nAll config keys with default, range and meaning: efficientad %s --help-config\n",
            command->name);
    print_wrapped(stream, 0, 0, precedence);
}

void ead_help_print(FILE *stream, int command) {
    if (command >= 0) {
        print_command_help(stream, ead_command(command));
        return;
    }
    fprintf(stream, "usage: efficientad COMMAND [options] [PATH...]\n\nefficientad %s.\n\ncommands:\n",
            summary);
    for (int i = 0; i < EAD_COMMAND_COUNT; i++) {
        int column = fprintf(stream, "  %-8s  ", ead_command(i)->name);
        print_wrapped(stream, column, column, ead_command(i)->summary);
    }
    fputs("\noptions without a command:\n", stream);
    for (int i = 0; ead_program_option(i)->name; i++) {
        int column = fprintf(stream, "  %-18s  ", ead_program_option(i)->name);
        print_wrapped(stream, column, column, ead_program_option(i)->help);
    }
    fputc('\n', stream);
    print_ends(stream, NULL);
    print_wrapped(stream, 0, 0, environment);
}

/* Two pieces of roff with a text between them that roff is not to interpret. */
static void man_line(FILE *stream, const char *before, const char *text, const char *behind) {
    fputs(before, stream);
    if (*text == '.' || *text == '\'') fputs("\\&", stream);
    for (; *text; text++) {
        if (*text == '-' || *text == '\\') fputc('\\', stream);
        fputc(*text == '\\' ? 'e' : *text, stream);
    }
    fputs(behind, stream);
}

static void man_command(FILE *stream, const EadCommand *command) {
    man_line(stream, ".SS ", command->name, "\n");
    man_line(stream, ".B efficientad ", command->name, "\n");
    man_line(stream, "", command->synopsis, "\n.PP\n");
    man_line(stream, "This command ", command->summary, ".\n");
    const EadOption *option;
    for (int next = 0; (option = next_option(command->name, &next)) != NULL;) {
        char letter[8] = "", text[1024];
        describe_option(option, text, sizeof text);
        if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
        man_line(stream, ".TP\n\\fB", letter, "");
        man_line(stream, "", option->rule.name, "\\fR");
        man_line(stream, " \\fI", option->placeholder, "\\fR\n");
        man_line(stream, "", text, ".\n");
    }
    if (*command->exits) man_line(stream, ".PP\nExit codes: ", command->exits, ".\n");
    man_line(stream, ".PP\nExample:\n.PP\n.RS\n.nf\n", command->example, "\n.fi\n.RE\n");
}

void ead_help_print_man(FILE *stream) {
    man_line(stream, ".TH EFFICIENTAD 1 \"\" \"efficientad ", ead_version(), "\" \"User Commands\"\n");
    man_line(stream, ".SH NAME\nefficientad \\- ", summary, "\n");
    fputs(".SH SYNOPSIS\n.B efficientad\n\\fICOMMAND\\fR [options] [\\fIPATH\\fR...]\n.SH OPTIONS\n", stream);
    for (int i = 0; ead_program_option(i)->name; i++) {
        man_line(stream, ".TP\n\\fB", ead_program_option(i)->name, "\\fR\n");
        man_line(stream, "", ead_program_option(i)->help, ".\n");
    }
    fputs(".SH COMMANDS\n", stream);
    for (int i = 0; i < EAD_COMMAND_COUNT; i++) man_command(stream, ead_command(i));
    man_line(stream, ".SH CONFIG KEYS\n", precedence, "\n");
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const EadConfigKey *key = ead_config_key(i);
        char readers[EAD_READERS_SIZE];
        man_line(stream, ".TP\n\\fB", key->rule.name, "\\fR");
        if (key->rule.constraint[0]) man_line(stream, " ", key->rule.constraint, "");
        man_line(stream, "\n", ead_config_readers(i, readers), "");
        man_line(stream, "", key->help, ".");
        if (key->default_text[0]) man_line(stream, " Default: ", key->default_text, ".");
        fputc('\n', stream);
    }
    man_line(stream, ".SH EXIT STATUS\n", exit_codes, "; more at each command.\n");
}

static void print_choices(FILE *stream, const char *choices) {
    for (; *choices; choices++) fputc(*choices == '|' ? ' ' : *choices, stream);
}

/* Names of sweeps that come with the program; where none of them begins so, bash offers the user's files. */
static void print_sweeps(FILE *stream) {
    EadStringList names = {0};
    if (ead_shipped_names("configs/paper", EAD_ROLE_SWEEP, &names) == EAD_OK)
        for (int i = 0; i < names.count; i++) fprintf(stream, "%s ", names.items[i]);
    ead_strings_free(&names);
}

static bool is_of_distillation(const char *name) {
    EadConfig config;
    if (ead_config_defaults(&config) != EAD_OK) return false;
    bool distils = ead_config_load(name, &config) == EAD_OK && ead_config_distils(&config);
    ead_config_free(&config);
    return distils;
}

/* The same of configs: distill takes those of distillations, other commands those of trainings. */
static void print_configs(FILE *stream, const EadCommand *command) {
    EadStringList names = {0};
    bool distils = command == ead_command(EAD_COMMAND_distill);
    if (ead_shipped_names("configs", EAD_ROLE_CONFIG, &names) == EAD_OK)
        for (int i = 0; i < names.count; i++)
            if (is_of_distillation(names.items[i]) == distils) fprintf(stream, "%s ", names.items[i]);
    ead_strings_free(&names);
}

/* What may follow an option, where that is one of a few words, or anything; else bash offers files. */
static void complete_values(FILE *stream, const EadCommand *command) {
    const EadOption *option;
    for (int next = 0; (option = next_option(command->name, &next)) != NULL;) {
        if (option->rule.kind == EAD_KIND_FLAG) continue;
        fprintf(stream, "    '%s %s'", command->name, option->rule.name);
        if (option->letter) fprintf(stream, "|'%s -%c'", command->name, option->letter);
        fputs(") words=\"", stream);
        if (option->rule.kind == EAD_KIND_CHOICE) print_choices(stream, option->rule.constraint);
        if (option == ead_option(EAD_OPTION_DEVICE)) fputs("cpu cuda", stream);
        if (option == ead_option(EAD_OPTION_SET)) fputs("$keys", stream);
        if (option == ead_option(EAD_OPTION_CONFIG)) print_configs(stream, command);
        fputs("\" ;;\n", stream);
    }
}

void ead_help_print_completion(FILE *stream) {
    fputs("# Completion for bash, made by: efficientad --completion bash\n"
          "_efficientad() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "    local commands=\"",
          stream);
    for (int i = 0; i < EAD_COMMAND_COUNT; i++) fprintf(stream, "%s ", ead_command(i)->name);
    fputs("help\"\n    local keys=\"", stream);
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) fprintf(stream, "%s= ", ead_config_key(i)->rule.name);
    fputs("\"\n    case ${COMP_WORDS[1]} in\n    help) words=$commands ;;\n", stream);
    for (int i = 0; i < EAD_COMMAND_COUNT; i++) { /* "train) ;;": its options and what its paths may be */
        const EadOption *option;
        fprintf(stream, "    %s) words=\"", ead_command(i)->name);
        print_choices(stream, ead_command(i)->words);
        if (i == EAD_COMMAND_sweep) print_sweeps(stream);
        for (int next = 0; (option = next_option(ead_command(i)->name, &next)) != NULL;)
            fprintf(stream, " %s", option->rule.name);
        fputs("\" ;;\n", stream);
    }
    fputs("    esac\n    case \"${COMP_WORDS[1]} $before\" in\n", stream);
    for (int i = 0; i < EAD_COMMAND_COUNT; i++) complete_values(stream, ead_command(i));
    fputs("    esac\n    [ \"$COMP_CWORD\" != 1 ] || words=\"$commands", stream);
    for (int i = 0; ead_program_option(i)->name; i++) fprintf(stream, " %s", ead_program_option(i)->name);
    fputs("\"\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace\n"
          "}\n"
          "complete -o default -F _efficientad efficientad\n",
          stream);
}
