/* The command line: efficientad COMMAND [options] [PATH...], parsed by the tables commands.def and
 * options.def. Every value is checked for type and range here, so that wrong usage is reported before any
 * work begins. */
#pragma once

#include "core/plan/plan.h"
#include "train/config/config.h"

/* What bench measures: X(word); the functions are ead_bench_<word>() in bench/benchmarks.h. */
#define EAD_BENCHMARKS(X)         X(infer) X(step) X(ops) X(metrics) X(distill) X(features) X(loader)
#define EAD_BENCHMARK_BAR(word)   "|" #word
#define EAD_BENCHMARK_WORDS(more) (&(EAD_BENCHMARKS(EAD_BENCHMARK_BAR) more)[1])

/* --size of bench: those of model.size, or one after the other. */
#define EAD_BENCH_SIZES(X) EAD_SIZE_CHOICES(X) X(EAD_BENCH_SIZE_BOTH, "both")
enum { EAD_BENCH_SIZE_BOTH = EAD_SIZE_CHOICE_MEDIUM + 1 };

typedef enum EadCommandId {
#define EAD_COMMAND(name, min_paths, max_paths, words, synopsis, summary, exits, example) EAD_COMMAND_##name,
#include "train/cli/commands.def"
#undef EAD_COMMAND
    EAD_COMMAND_COUNT
} EadCommandId;

typedef struct EadCommand {
    const char *name;
    int min_paths, max_paths; /* max_paths -1: any number */
    const char *words;        /* "first|second" where the paths are a choice, else "" */
    const char *synopsis, *summary;
    const char *exits; /* what its exit codes mean beyond those of every command; "" where nothing */
    const char *example;
} EadCommand;

typedef enum EadOptionId {
#define EAD_OPTION(id, commands, name, letter, kind, placeholder, constraint, default_text, help)            \
    EAD_OPTION_##id,
#include "train/cli/options.def"
#undef EAD_OPTION
    EAD_OPTION_COUNT
} EadOptionId;

typedef struct EadOption {
    const char *commands; /* names of the commands that know it, separated by blanks */
    EadValueRule rule;    /* name, kind, constraint */
    char letter;          /* short form, or 0 */
    const char *placeholder, *help;
    const char *default_text; /* NULL: absent unless given; EAD_REQUIRED: must be given */
} EadOption;

#define EAD_REQUIRED "(required)"

/* What main() has to do. */
typedef enum EadAction {
    EAD_ACTION_RUN, /* call the command's function */
    EAD_ACTION_HELP,
    EAD_ACTION_HELP_CONFIG,
    EAD_ACTION_HELP_MAN,
    EAD_ACTION_COMPLETION,
    EAD_ACTION_VERSION,
    EAD_ACTION_BACKENDS,
} EadAction;

typedef struct EadArguments {
    EadAction action;
    int command;               /* EadCommandId; -1 for the program itself */
    const EadBackend *backend; /* by --device; NULL without that option, or where it is not there */
    const char *values[EAD_OPTION_COUNT]; /* as given, borrowed; NULL: not given */
    const char **settings;                /* --set key=value, in order; owned array of borrowed texts */
    int setting_count;
    bool wrong_settings;  /* one is refused, which is wrong usage; ead_arguments_configure() tells it */
    EadProblems problems; /* all that is wrong with it; the command tells it with all else that is wrong */
    bool refused[EAD_OPTION_COUNT]; /* it was given, but not with a value of its kind */
    bool unknown_option; /* one is not known, or --set without a value: what lacks may stand there */
    const char **paths;  /* what is no option, in order; owned array of borrowed texts */
    int path_count;
    int refused_paths;      /* of the user's, that mean nothing and are not among them */
    EadStringList expanded; /* paths among both that began with "~" */
} EadArguments;

/* An option of the program itself, in place of a command. */
typedef struct EadProgramOption {
    const char *name; /* "--version"; NULL behind the last */
    EadAction action;
    const char *help;
} EadProgramOption;

const EadProgramOption *ead_program_option(int index);
const EadCommand *ead_command(int id);
const EadOption *ead_option(EadOptionId id);

/* Whether a command knows an option. */
bool ead_option_belongs(EadOptionId id, const char *command);

/* Parses argv. Errors: EAD_BAD_ARGUMENT for wrong usage (arguments->command is then what was known of it by
 * then), for a command the first of arguments->problems, with which it may still be called: it does nothing but
 * tell them, with all else that is wrong; EAD_NO_MEMORY. Free *arguments in every case. */
EadStatus ead_arguments_parse(int count, char **texts, EadArguments *arguments);

/* Frees the arrays; harmless on a zeroed struct. */
void ead_arguments_free(EadArguments *arguments);

/* Whether an option was given on the command line. */
bool ead_arguments_given(const EadArguments *arguments, EadOptionId id);

/* The value of an option as given, else (or if that was refused) its default, else NULL. */
const char *ead_arguments_text(const EadArguments *arguments, EadOptionId id);

/* The value parsed; only for options that were given or have a default. Cannot fail: parsing checked it. */
EadValue ead_arguments_value(const EadArguments *arguments, EadOptionId id);

/* Whether the device of --device is there. Errors: EAD_UNSUPPORTED, EAD_IO. */
EadStatus ead_arguments_check_device(const EadArguments *arguments);

/* How --device and --precision plan graphs; zeroed where --device was refused. Errors: EAD_UNSUPPORTED if there is
 * no such device, or it lacks the precision. */
EadStatus ead_arguments_plan_options(const EadArguments *arguments, EadPlanOptions *plan);

/* Adds arguments->problems, checks the device, and applies the file of -c (with --resume and without -c: config.yaml of the run folder), every --set, then
 * --output, --maps and --overlays, to a config that holds the defaults (or the config of a model file). Old
 * names of keys are noted on stderr. Errors: the first of what has been put into
 * config->problems. */
EadStatus ead_arguments_configure(const EadArguments *arguments, EadConfig *config);

/* Marks the keys that --set names. */
void ead_arguments_given_keys(const EadArguments *arguments, bool given[EAD_CONFIG_KEYS]);

/* Applies --threads (else `default_count`; 0: ead_machine_threads()) and --pin, which binds
 * each thread to one of the CPUs that this process may use, in order, so that none is moved and two never
 * share one (Linux only). Results do not depend on either. */
void ead_arguments_use_threads(const EadArguments *arguments, int default_count);

/* The help of the program (command -1) or of a command. */
void ead_help_print(FILE *stream, int command);

/* The manual page in roff; the completion script for bash. */
void ead_help_print_man(FILE *stream);
void ead_help_print_completion(FILE *stream);

/* The functions behind the rows of commands.def. Each takes the parsed command line, does its work, and
 * leaves printing its error to main(). Results go to stdout, progress and notes to stderr. Errors: any; files
 * already written stay complete. */
#define EAD_COMMAND(name, min_paths, max_paths, words, synopsis, summary, exits, example)                    \
    EadStatus ead_command_##name(const EadArguments *arguments);
#include "train/cli/commands.def"
#undef EAD_COMMAND
