/* The command-line parser. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "train/cli/arguments.h"

#include "core/base/printing.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/text.h"
#include "core/system/machine.h"
#include "core/system/openmp_threads.h"

#include <assert.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const EadCommand commands[EAD_COMMAND_COUNT] = {
#define EAD_COMMAND(name, min_paths, max_paths, words, synopsis, summary, exits, example)                    \
    {#name, min_paths, max_paths, words, synopsis, summary, exits, example},
#include "train/cli/commands.def"
#undef EAD_COMMAND
};

/* --select: the maps that any method has, as "a|b|c"; methods with a single map have no names for it. */
static char map_choices[128];
#define EAD_SELECTIONS map_choices

static void join_map_choices(void) {
    static const char *const maps[] = {
#define EAD_METHOD(name, maps) maps,
#include "models/methods.def"
#undef EAD_METHOD
    };
    size_t length = 0;
    for (size_t i = 0; i < sizeof maps / sizeof *maps && length < sizeof map_choices; i++)
        if (*maps[i])
            length += (size_t)snprintf(map_choices + length, sizeof map_choices - length, "%s%s",
                                       length ? "|" : "", maps[i]);
}

static const EadOption options[EAD_OPTION_COUNT] = {
#define EAD_OPTION(id, commands, name, letter, kind, placeholder, constraint, default_text, help)            \
    {commands, {name, EAD_KIND_##kind, constraint}, letter, placeholder, help, default_text},
#include "train/cli/options.def"
#undef EAD_OPTION
};

static const EadProgramOption program_options[] = {
    {"--help", EAD_ACTION_HELP, "this text; efficientad help COMMAND: options and an example"},
    {"--help-config", EAD_ACTION_HELP_CONFIG,
     "all config keys with default, range and meaning, as a config file"},
    {"--help-man", EAD_ACTION_HELP_MAN, "the manual page: efficientad --help-man | man -l -"},
    {"--completion", EAD_ACTION_COMPLETION,
     "completion for the shell: source <(efficientad --completion bash)"},
    {"--version", EAD_ACTION_VERSION, "the version"},
    {"--backends", EAD_ACTION_BACKENDS, "what this build can compute on"},
    {0},
};

const EadCommand *ead_command(int id) {
    return &commands[id];
}

const EadProgramOption *ead_program_option(int index) {
    return &program_options[index];
}

const EadOption *ead_option(EadOptionId id) {
    return &options[id];
}

bool ead_option_belongs(EadOptionId id, const char *command) {
    return ead_has_word(options[id].commands, command);
}

/* The option of a command by "--name" (its first `length` bytes) or by letter; -1 for none. */
static int find_option(const char *command, const char *name, size_t length, char letter) {
    static const char before[] = "--use"; /* what --select was called */
    if (name && length == strlen(before) && strncmp(name, before, length) == 0) {
        name = "--select";
        length = strlen(name);
    }
    for (int i = 0; i < EAD_OPTION_COUNT; i++) {
        const EadOption *option = &options[i];
        if (!ead_option_belongs((EadOptionId)i, command)) continue;
        bool named =
            name && strlen(option->rule.name) == length && strncmp(option->rule.name, name, length) == 0;
        if (named || (letter && option->letter == letter)) return i;
    }
    return -1;
}

static EadStatus unknown_option(const char *command, const char *text) {
    EadSuggestion suggestion = {0};
    for (int i = 0; i < EAD_OPTION_COUNT; i++)
        if (ead_option_belongs((EadOptionId)i, command))
            ead_suggestion_offer(&suggestion, text, options[i].rule.name, options[i].rule.name);
    if (suggestion.name)
        return ead_fail(EAD_BAD_ARGUMENT, "%s has no option %s; did you mean %s?", command, text,
                        suggestion.name);
    return ead_fail(EAD_BAD_ARGUMENT, "%s has no option %s", command, text);
}

/* The row of "key=value". */
static int find_key(const char *text) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    return ead_config_find(name);
}

/* The same key may be set again, but not by its old name beside its new one. */
static EadStatus check_names(const EadArguments *arguments, int setting) {
    const char *text = arguments->settings[setting];
    int length = (int)strcspn(text, "="), index = find_key(text);
    for (int i = 0; i < setting && index >= 0; i++) {
        const char *other = arguments->settings[i];
        int other_length = (int)strcspn(other, "=");
        if (find_key(other) == index && (other_length != length || strncmp(other, text, (size_t)length) != 0))
            return ead_fail(EAD_BAD_ARGUMENT, "--set: %.*s and %.*s are one key; set it by one name",
                            other_length, other, length, text);
    }
    return EAD_OK;
}

static void take_settings(const EadArguments *arguments, EadConfig *config) {
    for (int i = 0; i < arguments->setting_count; i++)
        if (ead_config_set(config, arguments->settings[i], "--set") == EAD_OK)
            ead_problems_add(&config->problems, check_names(arguments, i));
}

/* Settings are checked against a config of their own, so that a bad one is wrong usage like any other. A command
 * with a config tells it together with all else that is wrong with that. */
static EadStatus check_settings(EadArguments *arguments) {
    EadConfig config;
    EAD_TRY(ead_config_defaults(&config));
    take_settings(arguments, &config);
    arguments->wrong_settings = config.problems.lines.count > 0;
    if (arguments->command == EAD_COMMAND_sweep) ead_problems_add_all(&arguments->problems, &config.problems);
    ead_config_free(&config);
    return EAD_OK;
}

/* A path as ead_path_expand() makes it, which must not be empty; `name` is put before errors. */
static EadStatus expand(EadArguments *arguments, const char *name, const char **text) {
    char *path;
    if (!(*text)[0])
        return ead_fail(EAD_BAD_ARGUMENT, "%s: the path is empty; perhaps a variable of the shell is not set",
                        name);
    if ((*text)[0] != '~') return EAD_OK;
    EadStatus status = ead_path_expand(*text, &path);
    if (status != EAD_OK) return ead_fail_prefix(status, "%s: ", name);
    status = ead_strings_add(&arguments->expanded, path);
    free(path);
    if (status == EAD_OK) *text = arguments->expanded.items[arguments->expanded.count - 1];
    return status;
}

/* A value behind those that an option named before: colons stand between paths, line feeds between settings of a camera. */
static EadStatus join(EadArguments *arguments, int id, const char **text) {
    const char *before = arguments->values[id], *between = id == EAD_OPTION_CAMERA_SET ? "\n" : ":";
    if (strstr(*text, between))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: '%.200s' holds a %s, which stands between several; %s",
                        options[id].rule.name, *text, *between == ':' ? "colon" : "line feed",
                        *between == ':' ? "give it another name, or a link without one" : "leave it out");
    if (!before) return EAD_OK;
    EAD_TRY(ead_strings_print(&arguments->expanded, "%s%s%s", before, between, *text));
    *text = arguments->expanded.items[arguments->expanded.count - 1];
    return EAD_OK;
}

static EadStatus take_option_value(EadArguments *arguments, int id, const char *text) {
    EadValue value;
    if (id == EAD_OPTION_SET) {
        arguments->settings[arguments->setting_count++] = text;
        return EAD_OK;
    }
    const EadValueRule *rule = &options[id].rule;
    bool is_path = rule->kind == EAD_KIND_PATH;
    bool repeats = id == EAD_OPTION_ADD || id == EAD_OPTION_SERVED || id == EAD_OPTION_CAMERA_SET;
    if ((arguments->values[id] && !repeats) || arguments->refused[id])
        return ead_fail(EAD_BAD_ARGUMENT, "%s is given twice", rule->name);
    EadStatus status = ead_value_parse(rule, text, &value);
    if (status == EAD_OK && is_path) status = expand(arguments, rule->name, &text);
    if (status == EAD_OK && repeats) status = join(arguments, id, &text);
    if (status == EAD_OK) arguments->values[id] = text;
    arguments->refused[id] = status != EAD_OK;
    return status;
}

/* The value behind an option: "=value" or "-cvalue" in the same text, or the next text, over which *position
 * then moves. */
static EadStatus take_option(EadArguments *arguments, const char *command, int count, char **texts,
                             int *position) {
    const char *text = texts[*position], *attached = NULL;
    bool is_long = text[1] == '-';
    size_t length = is_long ? strcspn(text, "=") : 2;
    if (text[length] != '\0') attached = text + length + (is_long ? 1 : 0);
    int id = find_option(command, is_long ? text : NULL, length, is_long ? '\0' : text[1]);
    if (id < 0) {
        bool alone = attached || *position + 1 >= count || texts[*position + 1][0] == '-';
        arguments->unknown_option = true;
        if (!alone) ++*position; /* it may be its value */
        return unknown_option(command, text);
    }
    const char *name = options[id].rule.name;
    if (options[id].rule.kind == EAD_KIND_FLAG) {
        if (attached) return ead_fail(EAD_BAD_ARGUMENT, "%s takes no value", name);
        arguments->values[id] = text;
        return EAD_OK;
    }
    if (attached) return take_option_value(arguments, id, attached);
    arguments->refused[id] = *position + 1 >= count || strncmp(texts[*position + 1], "--", 2) == 0;
    if (arguments->refused[id]) {
        arguments->unknown_option = arguments->unknown_option || id == EAD_OPTION_SET;
        return ead_fail(EAD_BAD_ARGUMENT, "%s needs a value: %s %s", name, name, options[id].placeholder);
    }
    return take_option_value(arguments, id, texts[++*position]);
}

static void check_options(EadArguments *arguments, const EadCommand *command) {
    for (int i = 0; i < EAD_OPTION_COUNT; i++) {
        const EadOption *option = &options[i];
        bool required = option->default_text && strcmp(option->default_text, EAD_REQUIRED) == 0;
        bool given = arguments->values[i] || arguments->refused[i];
        if (required && !given && ead_option_belongs((EadOptionId)i, command->name))
            ead_problems_add(&arguments->problems, ead_fail(EAD_BAD_ARGUMENT, "%s needs %s %s", command->name,
                                                            option->rule.name, option->placeholder));
    }
}

/* One that is too many or means nothing is told, and left out. Whether they are enough is not known where an option is not
 * known. */
static void check_paths(EadArguments *arguments, const EadCommand *command) {
    EadProblems *problems = &arguments->problems;
    const EadValueRule rule = {command->name, EAD_KIND_CHOICE, command->words};
    EadValue value;
    if (arguments->path_count < command->min_paths && !arguments->unknown_option)
        ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT, "%s needs more: %s %s", command->name,
                                            command->name, command->synopsis));
    if (command->max_paths >= 0)
        for (; arguments->path_count > command->max_paths; arguments->path_count--)
            ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT, "%s takes no such argument: '%s'",
                                                command->name, arguments->paths[arguments->path_count - 1]));
    int known = 0;
    for (int i = 0; i < arguments->path_count; i++) {
        const char *path = arguments->paths[i];
        EadStatus status = command->words[0] ? ead_value_parse(&rule, path, &value)
                                             : expand(arguments, command->name, &path);
        ead_problems_add(problems, status);
        if (status == EAD_OK) arguments->paths[known++] = path;
    }
    arguments->refused_paths = arguments->path_count - known;
    arguments->path_count = known;
}

static bool is_device(const char *text) {
    bool numbered = strncmp(text, "cuda:", 5) == 0 && text[5] && strspn(text + 5, "0123456789") <= 3 &&
                    text[5 + strspn(text + 5, "0123456789")] == '\0';
    return strcmp(text, "cpu") == 0 || strcmp(text, "cuda") == 0 || numbered;
}

/* "cpu", "cuda" or "cuda:N"; anything else is wrong usage, whatever this build can do. One that is not there is told
 * with all else that is wrong. */
static EadStatus find_backend(EadArguments *arguments, const EadCommand *command) {
    if (!ead_option_belongs(EAD_OPTION_DEVICE, command->name)) return EAD_OK;
    const char *device = ead_arguments_text(arguments, EAD_OPTION_DEVICE);
    if (!is_device(device))
        return ead_fail(EAD_BAD_ARGUMENT, "--device: '%s' is not cpu, cuda or cuda:N", device);
    if (ead_backend_find(device, &arguments->backend) != EAD_OK) arguments->backend = NULL;
    return EAD_OK;
}

EadStatus ead_arguments_check_device(const EadArguments *arguments) {
    const EadBackend *backend;
    const char *device = ead_arguments_text(arguments, EAD_OPTION_DEVICE);
    if (arguments->backend || !is_device(device)) return EAD_OK;
    if (!ead_option_belongs(EAD_OPTION_DEVICE, commands[arguments->command].name)) return EAD_OK;
    EadStatus status = ead_backend_find(device, &backend);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(EAD_UNSUPPORTED, "--device: ");
}

static EadStatus unknown_command(const char *text) {
    EadSuggestion suggestion = {0};
    for (int i = 0; i < EAD_COMMAND_COUNT; i++)
        ead_suggestion_offer(&suggestion, text, commands[i].name, commands[i].name);
    ead_suggestion_offer(&suggestion, text, "help", "help");
    if (suggestion.name)
        return ead_fail(EAD_BAD_ARGUMENT, "unknown command '%s'; did you mean '%s'?", text, suggestion.name);
    return ead_fail(EAD_BAD_ARGUMENT, "unknown command '%s'", text);
}

static int find_command(const char *name) {
    for (int i = 0; i < EAD_COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0) return i;
    return -1;
}

/* What stands in place of a command; `follows` is the text behind it, or NULL. */
static EadStatus take_program_option(const char *text, const char *follows, EadArguments *arguments) {
    if (strcmp(text, "help") == 0 || strcmp(text, "-h") == 0) text = "--help";
    int found = 0;
    while (program_options[found].name && strcmp(program_options[found].name, text) != 0) found++;
    if (!program_options[found].name) {
        if (text[0] != '-') return unknown_command(text);
        return ead_fail(EAD_BAD_ARGUMENT, "unknown option %s; options stand after the command", text);
    }
    arguments->action = program_options[found].action;
    if (arguments->action == EAD_ACTION_HELP && follows && strcmp(follows, "help") != 0) {
        arguments->command = find_command(follows);
        return arguments->command < 0 ? unknown_command(follows) : EAD_OK;
    }
    bool bash = follows && strcmp(follows, "bash") == 0;
    if (arguments->action == EAD_ACTION_COMPLETION && !bash)
        return ead_fail(EAD_BAD_ARGUMENT, "--completion needs the name of the shell: --completion bash");
    return EAD_OK;
}

/* Takes options and paths, and adds what is wrong with them. They may be mixed; behind "--" all are paths. "-" is a
 * path: the standard input. */
static void take_words(EadArguments *arguments, const EadCommand *command, int count, char **texts) {
    EadProblems *problems = &arguments->problems;
    bool only_paths = false;
    for (int i = 2; i < count; i++) {
        bool is_option = !only_paths && texts[i][0] == '-' && texts[i][1] != '\0';
        if (is_option && strcmp(texts[i], "--") == 0)
            only_paths = true;
        else if (is_option)
            ead_problems_add(problems, take_option(arguments, command->name, count, texts, &i));
        else
            arguments->paths[arguments->path_count++] = texts[i];
    }
    if (arguments->values[EAD_OPTION_HELP_CONFIG]) return;
    ead_problems_add(problems, check_settings(arguments));
    check_options(arguments, command);
    check_paths(arguments, command);
    ead_problems_add(problems, find_backend(arguments, command));
}

static EadStatus take_command(EadArguments *arguments, int id, int count, char **texts) {
    arguments->command = id;
    for (int i = 2; i < count; i++)
        if (strcmp(texts[i], "--help") == 0 || strcmp(texts[i], "-h") == 0) {
            arguments->action = EAD_ACTION_HELP;
            return EAD_OK;
        }
    take_words(arguments, &commands[id], count, texts);
    if (!arguments->values[EAD_OPTION_HELP_CONFIG]) return ead_problems_since(&arguments->problems, 0);
    arguments->action = EAD_ACTION_HELP_CONFIG;
    return ead_problems_tell(&arguments->problems, stderr);
}

EadStatus ead_arguments_parse(int count, char **texts, EadArguments *arguments) {
    join_map_choices();
    *arguments = (EadArguments){.command = -1};
    if (count < 2) return ead_fail(EAD_BAD_ARGUMENT, "no command given");
    arguments->settings = ead_new(count, sizeof *arguments->settings, "the command line");
    arguments->paths = ead_new(count, sizeof *arguments->paths, "the command line");
    if (!arguments->settings || !arguments->paths) return EAD_NO_MEMORY;
    int command = find_command(texts[1]);
    if (command >= 0) return take_command(arguments, command, count, texts);
    return take_program_option(texts[1], count > 2 ? texts[2] : NULL, arguments);
}

void ead_arguments_free(EadArguments *arguments) {
    free(arguments->settings);
    free(arguments->paths);
    ead_strings_free(&arguments->expanded);
    ead_problems_free(&arguments->problems);
    arguments->settings = arguments->paths = NULL;
}

bool ead_arguments_given(const EadArguments *arguments, EadOptionId id) {
    return arguments->values[id] != NULL;
}

const char *ead_arguments_text(const EadArguments *arguments, EadOptionId id) {
    return arguments->values[id] ? arguments->values[id] : options[id].default_text;
}

EadValue ead_arguments_value(const EadArguments *arguments, EadOptionId id) {
    EadValue value = {0};
    EadStatus status = ead_value_parse(&options[id].rule, ead_arguments_text(arguments, id), &value);
    assert(status == EAD_OK);
    (void)status;
    return value;
}

EadStatus ead_arguments_plan_options(const EadArguments *arguments, EadPlanOptions *plan) {
    EadPrecision precision = (EadPrecision)ead_arguments_value(arguments, EAD_OPTION_PRECISION).i64;
    *plan = (EadPlanOptions){0};
    if (!arguments->backend) return ead_arguments_check_device(arguments);
    EAD_TRY(ead_precision_check(arguments->backend, precision, false, "--precision"));
    *plan = (EadPlanOptions){.backend = arguments->backend,
                             .precision = precision,
                             .no_capture = ead_arguments_given(arguments, EAD_OPTION_NO_CAPTURE),
                             .streams = (int)ead_arguments_value(arguments, EAD_OPTION_STREAMS).i64,
                             .print = ead_debug("graph") ? stderr : NULL};
    return EAD_OK;
}

/* The file of -c. A run to resume without one has its own; its folder may have been moved since. */
static EadStatus load_file(const EadArguments *arguments, EadConfig *config) {
    const char *given = arguments->values[EAD_OPTION_CONFIG], *output = arguments->values[EAD_OPTION_OUTPUT];
    EadPath folder, path;
    config->unread = config->unread || arguments->unknown_option || arguments->refused_paths > 0 ||
                     arguments->refused[EAD_OPTION_CONFIG];
    if (given) return ead_config_load(given, config);
    if (config->unread) return EAD_OK; /* the run may not be known either */
    if (!ead_arguments_given(arguments, EAD_OPTION_RESUME)) return EAD_OK;
    bool others =
        false; /* a run may be described by --set alone, and begun by the same command that resumes it */
    for (int i = arguments->setting_count - 1; i >= 0; i--) {
        bool names = find_key(arguments->settings[i]) == EAD_KEY_output;
        if (names && !output) output = strchr(arguments->settings[i], '=') + 1;
        others = others || !names;
    }
    EAD_TRY(ead_path_in(folder, "", output ? output : config->output));
    EAD_TRY(ead_path_in(path, folder, "config.yaml"));
    if (access(path, F_OK) == 0) {
        EAD_TRY(ead_config_load(path, config));
        return ead_config_set_key(config, EAD_KEY_output, folder);
    }
    if (others) {
        ead_print(stderr, "no config file %s: --set and the defaults hold\n", path);
        return EAD_OK;
    }
    config->unread = true;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: there is no run to resume; --output names its folder, or -c the config of a new one",
                    folder);
}

EadStatus ead_arguments_configure(const EadArguments *arguments, EadConfig *config) {
    int known = config->renamed.count; /* those of a model file are nothing that the user could change */
    int problems = config->problems.lines.count;
    ead_problems_add_all(&config->problems, &arguments->problems);
    int before = config->problems.lines.count;
    EadStatus status = load_file(arguments, config);
    if (config->problems.lines.count == before) ead_problems_add(&config->problems, status);
    ead_problems_add(&config->problems, ead_arguments_check_device(arguments));
    take_settings(arguments, config);
    for (int i = known; i < config->renamed.count; i++) ead_print(stderr, "%s\n", config->renamed.items[i]);
    const char *output = arguments->values[EAD_OPTION_OUTPUT];
    if (!output) output = arguments->values[EAD_OPTION_EVAL_OUTPUT];
    if (!output) output = arguments->values[EAD_OPTION_MEASURE_OUTPUT];
    if (output) ead_problems_add(&config->problems, ead_config_set_key(config, EAD_KEY_output, output));
    if (arguments->values[EAD_OPTION_EVAL_MAPS]) config->eval_maps = true;
    if (arguments->values[EAD_OPTION_EVAL_OVERLAYS]) config->eval_overlays = true;
    if (arguments->values[EAD_OPTION_UNTIL_CONVERGED]) config->train_until_converged = true;
    return ead_problems_since(&config->problems, problems);
}

void ead_arguments_given_keys(const EadArguments *arguments, bool given[EAD_CONFIG_KEYS]) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) given[i] = false;
    for (int i = 0; i < arguments->setting_count; i++) {
        int index = find_key(arguments->settings[i]);
        if (index >= 0) given[index] = true;
    }
}

#ifdef __linux__
static void pin_threads(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0) return;
#pragma omp parallel
    {
        size_t cpu = 0; /* that of the thread's number, counted around */
        for (int left = omp_get_thread_num() % CPU_COUNT(&allowed); left > 0 || !CPU_ISSET(cpu, &allowed);
             cpu++)
            if (CPU_ISSET(cpu, &allowed)) left--;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(cpu, &own);
        sched_setaffinity(0, sizeof own, &own); /* 0: the calling thread; if refused it just stays unpinned */
    }
}
#else
static void pin_threads(void) {}
#endif

void ead_arguments_use_threads(const EadArguments *arguments, int default_count) {
    bool given = ead_arguments_given(arguments, EAD_OPTION_THREADS);
    int count = given ? (int)ead_arguments_value(arguments, EAD_OPTION_THREADS).i64 : default_count;
    omp_set_num_threads(count > 0 ? count : ead_machine_threads());
    int wanted = omp_get_max_threads(), possible = ead_openmp_threads();
    if (possible < wanted) {
        ead_print(stderr, "the system lets fewer than %d threads be started: working with %d\n", wanted,
                  possible);
        omp_set_num_threads(possible);
    }
    if (ead_arguments_given(arguments, EAD_OPTION_PIN)) pin_threads();
}
