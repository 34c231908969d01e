/* The command line: values, wrong usage, help. */
#define S "build/scratch/test_arguments/"
#include "train/cli/arguments.h"

#include "test/support/scratch.h"

#include <string.h>

enum { MOST = 24 };

/* Parses a command line given as one text, split at blanks; the texts live until the next call's storage
 * goes. */
static EadStatus parse(const char *line, char storage[512], EadArguments *arguments) {
    char *texts[MOST] = {"efficientad"};
    int count = 1;
    snprintf(storage, 512, "%s", line);
    for (char *word = strtok(storage, " "); word && count < MOST; word = strtok(NULL, " "))
        texts[count++] = word;
    return ead_arguments_parse(count, texts, arguments);
}

static void refuses(const char *line, const char *message) {
    char storage[512];
    EadArguments arguments;
    ck_assert_msg(parse(line, storage, &arguments) == EAD_BAD_ARGUMENT, "accepted: %s", line);
    ck_assert_str_eq(ead_error_message(), message);
    ead_arguments_free(&arguments);
}

START_TEST(test_train) {
    char storage[512];
    EadArguments arguments;
    ck_assert_int_eq(parse("train -c a.yaml --set train.steps=3 --set=output=o --resume --device cpu --set "
                           "train.steps=4",
                           storage, &arguments),
                     EAD_OK);
    ck_assert_int_eq(arguments.action, EAD_ACTION_RUN);
    ck_assert_int_eq(arguments.command, EAD_COMMAND_train);
    ck_assert_str_eq(ead_arguments_text(&arguments, EAD_OPTION_CONFIG), "a.yaml");
    ck_assert_int_eq(arguments.setting_count, 3);
    ck_assert_str_eq(arguments.settings[1], "output=o");
    ck_assert(ead_arguments_given(&arguments, EAD_OPTION_RESUME));
    ck_assert(!ead_arguments_given(&arguments, EAD_OPTION_QUIET));
    ck_assert_ptr_null(ead_arguments_text(&arguments, EAD_OPTION_OUTPUT));
    ck_assert_ptr_eq(arguments.backend, &ead_backend_cpu);
    ead_arguments_free(&arguments);
}
END_TEST

/* Defaults, then the file, then --set in order, then options. */
START_TEST(test_configure) {
    char storage[512];
    EadArguments arguments;
    EadConfig config;
    ck_assert_int_eq(ead_config_defaults(&config), EAD_OK);
    ck_assert_int_eq(
        parse("train -cconfigs/tiny.yaml --set train.steps=3 --set train.steps=4 --set output=x -o y",
              storage, &arguments),
        EAD_OK);
    ck_assert_int_eq(ead_arguments_configure(&arguments, &config), EAD_OK);
    ck_assert_int_eq(config.train_steps, 4);
    ck_assert_int_eq(config.model_image_size.height, 128);
    ck_assert_str_eq(config.output, "y");
    ead_arguments_free(&arguments);
    ck_assert_int_eq(parse("eval --model m --maps --output=z", storage, &arguments), EAD_OK);
    config.eval_overlays = false;
    ck_assert_int_eq(ead_arguments_configure(&arguments, &config), EAD_OK);
    ck_assert(config.eval_maps && !config.eval_overlays);
    ck_assert_str_eq(config.output, "z");
    ead_arguments_free(&arguments);
    ead_config_free(&config);
}
END_TEST

/* A run to resume without -c has its own config.yaml, wherever its folder is now. */
START_TEST(test_resume_without_config) {
    static const char *const lines[] = {"train --resume -o " S "moved --set train.steps=9",
                                        "distill --resume --set output=" S "moved --set train.steps=9",
                                        "train --resume -o " S "empty --set train.steps=9",
                                        "train --resume -o " S "moved -c configs/tiny.yaml"};
    static const int steps[] = {9, 9, 9, 300}, seeds[] = {7, 7, 42, 42};
    shell_ok("rm -rf " S "*; mkdir -p " S "moved " S "empty");
    write_text(S "moved/config.yaml", "output: before\ntrain: {steps: 5, seed: 7}\n");
    for (int i = 0; i < 4; i++) {
        char storage[512];
        EadArguments arguments;
        EadConfig config;
        ck_assert_int_eq(parse(lines[i], storage, &arguments), EAD_OK);
        ck_assert_int_eq(ead_config_defaults(&config), EAD_OK);
        ck_assert_int_eq(ead_arguments_configure(&arguments, &config), EAD_OK);
        ck_assert_int_eq(config.train_steps, steps[i]);
        ck_assert_uint_eq(config.train_seed, (uint64_t)seeds[i]);
        ck_assert_str_eq(config.output, i == 2 ? S "empty" : S "moved");
        ead_arguments_free(&arguments);
        ead_config_free(&config);
    }
}
END_TEST

START_TEST(test_paths) {
    char storage[512];
    EadArguments arguments;
    ck_assert_int_eq(parse("predict a --model m - b --threshold -0.5 -- --c", storage, &arguments), EAD_OK);
    ck_assert_int_eq(arguments.path_count, 4);
    ck_assert_str_eq(arguments.paths[0], "a");
    ck_assert_str_eq(arguments.paths[1], "-");
    ck_assert_str_eq(arguments.paths[3], "--c");
    ck_assert(ead_arguments_value(&arguments, EAD_OPTION_THRESHOLD).f64 == -0.5);
    ead_arguments_free(&arguments);
}
END_TEST

START_TEST(test_values) {
    char storage[512];
    EadArguments arguments;
    ck_assert_int_eq(parse("predict --model m --use=ae p", storage, &arguments), EAD_OK);
    ck_assert_int_eq(ead_arguments_value(&arguments, EAD_OPTION_SELECT).i64, EAD_SELECT_CHOICE_AE);
    ead_arguments_free(&arguments);
    ck_assert_int_eq(
        parse("synth -o d --size 64x96 --category gasket --seed 7 --train=9", storage, &arguments), EAD_OK);
    ck_assert_int_eq(ead_arguments_value(&arguments, EAD_OPTION_SYNTH_SIZE).size.height, 64);
    ck_assert_int_eq(ead_arguments_value(&arguments, EAD_OPTION_SYNTH_SIZE).size.width, 96);
    ck_assert_int_eq(ead_arguments_value(&arguments, EAD_OPTION_SYNTH_CATEGORY).i64, 1);
    ck_assert_uint_eq(ead_arguments_value(&arguments, EAD_OPTION_SYNTH_SEED).u64, 7);
    ck_assert_int_eq(ead_arguments_value(&arguments, EAD_OPTION_SYNTH_TRAIN).i64, 9);
    ck_assert_int_eq(ead_arguments_value(&arguments, EAD_OPTION_SYNTH_TEST_GOOD).i64, 20);
    ck_assert_ptr_null(arguments.backend);
    ead_arguments_free(&arguments);
}
END_TEST

START_TEST(test_wrong_usage) {
    refuses("", "no command given");
    refuses("tarin", "unknown command 'tarin'; did you mean 'train'?");
    refuses("zzzzz", "unknown command 'zzzzz'");
    refuses("help zzzzz", "unknown command 'zzzzz'");
    refuses("hlep", "unknown command 'hlep'; did you mean 'help'?");
    refuses("--completion", "--completion needs the name of the shell: --completion bash");
    refuses("--completion zsh", "--completion needs the name of the shell: --completion bash");
    refuses("--quiet train", "unknown option --quiet; options stand after the command");
    refuses("train --sett a=b", "train has no option --sett; did you mean --set?");
    refuses("train -x", "train has no option -x");
    refuses("train --model m", "train has no option --model");
    refuses("train photos extra", "train takes no such argument: 'extra'");
    refuses("train -c", "--config needs a value: --config FILE");
    refuses("train -c --resume", "--config needs a value: --config FILE");
    refuses("train --resume=1", "--resume takes no value");
    refuses("train -c configs/efficientad_s.yaml -c b", "--config is given twice");
    refuses("train --config=", "--config: the path is empty; perhaps a variable of the shell is not set");
    refuses("sweep a.yaml --set train.lr=2", "--set: train.lr: 2 is out of the range (0, 1]");
    refuses("eval --model m --use st --select st", "--select is given twice");
    refuses("train --device gpu", "--device: 'gpu' is not cpu, cuda or cuda:N");
    refuses("train --device cuda:", "--device: 'cuda:' is not cpu, cuda or cuda:N");
    refuses("train --device cuda:1x", "--device: 'cuda:1x' is not cpu, cuda or cuda:N");
    refuses("eval", "eval needs --model FILE");
    refuses("predict --model m", "predict needs more: predict --model FILE [options] PATH...");
    refuses("predict --model m --threshold high a", "--threshold: expected a number, got 'high'");
    refuses("synth", "synth needs --output DIR");
    refuses("synth -o d --train 0", "--train: 0 is out of the range [1, 100000]");
    refuses("synth -o d --category gaskets", "--category: 'gaskets' is not one of all|gasket");
}
END_TEST

/* Commands with a config tell wrong settings together with all else that is wrong with it. */
START_TEST(test_wrong_settings) {
    static const char *const cases[][2] = {
        {"train --set train.steps", "--set: 'train.steps' is not key=value"},
        {"eval --model m --set train.lr=2", "--set: train.lr: 2 is out of the range (0, 1]"},
        {"distill --set maps.use=st --set maps.select=ae",
         "--set: maps.use and maps.select are one key; set it by one name"},
    };
    char storage[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadArguments arguments;
        EadConfig config;
        ck_assert_int_eq(parse(cases[i][0], storage, &arguments), EAD_OK);
        ck_assert(arguments.wrong_settings);
        ck_assert_int_eq(ead_config_defaults(&config), EAD_OK);
        ck_assert_int_eq(ead_arguments_configure(&arguments, &config), EAD_BAD_ARGUMENT);
        ck_assert_str_eq(ead_error_message(), cases[i][1]);
        ck_assert_int_eq(config.problems.lines.count, 1);
        ead_config_free(&config);
        ead_arguments_free(&arguments);
    }
}
END_TEST

START_TEST(test_device) {
    char storage[512];
    EadArguments arguments;
    SKIP_UNLESS(strcmp(ead_backend_names(), "cpu") == 0, "this build has CUDA");
    /* Told with all else that is wrong, not by the parser. */
    static const char *const lines[] = {"train --device cuda:1", "predict -m a --device cuda b",
                                        "bench infer --device cuda"};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(parse(lines[i], storage, &arguments), EAD_OK);
        ASSERT_FAILS(ead_arguments_check_device(&arguments), EAD_UNSUPPORTED, "--device: device 'cuda");
        ead_arguments_free(&arguments);
    }
    EadConfig config;
    ASSERT_OK(ead_config_defaults(&config));
    ck_assert_int_eq(parse("train --device cuda --set train.lr=x", storage, &arguments), EAD_OK);
    ck_assert(ead_arguments_configure(&arguments, &config) != EAD_OK);
    ck_assert_int_eq(config.problems.lines.count, 2);
    ead_config_free(&config);
    ead_arguments_free(&arguments);
}
END_TEST

START_TEST(test_actions) {
    const struct {
        const char *line;
        EadAction action;
        int command;
    } cases[] = {{"--help", EAD_ACTION_HELP, -1},
                 {"-h", EAD_ACTION_HELP, -1},
                 {"--version", EAD_ACTION_VERSION, -1},
                 {"--backends", EAD_ACTION_BACKENDS, -1},
                 {"--help-config", EAD_ACTION_HELP_CONFIG, -1},
                 {"--help-man", EAD_ACTION_HELP_MAN, -1},
                 {"--completion bash", EAD_ACTION_COMPLETION, -1},
                 {"help", EAD_ACTION_HELP, -1},
                 {"help help", EAD_ACTION_HELP, -1},
                 {"help eval", EAD_ACTION_HELP, EAD_COMMAND_eval},
                 {"--help sweep", EAD_ACTION_HELP, EAD_COMMAND_sweep},
                 {"predict --nonsense -h", EAD_ACTION_HELP, EAD_COMMAND_predict},
                 {"eval --help-config", EAD_ACTION_HELP_CONFIG, EAD_COMMAND_eval}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char storage[512];
        EadArguments arguments;
        ck_assert_int_eq(parse(cases[i].line, storage, &arguments), EAD_OK);
        ck_assert_int_eq(arguments.action, cases[i].action);
        ck_assert_int_eq(arguments.command, cases[i].command);
        ead_arguments_free(&arguments);
    }
}
END_TEST

static char *help_text(int command) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ead_help_print(stream, command);
    fclose(stream);
    return text;
}

/* Whether a text has a sentence, however its lines are broken. */
static bool says(const char *text, const char *sentence) {
    for (; *text; text++) {
        const char *at = text, *rest = sentence;
        for (; *rest && (*at == *rest || (*rest == ' ' && *at == '\n')); at++) rest++;
        if (!*rest) return true;
    }
    return false;
}

/* Each help names every option of its command and its exit codes alone, and its example is a valid command line. */
START_TEST(test_help) {
    char *program = help_text(-1);
    for (int i = 0; i < EAD_COMMAND_COUNT; i++) {
        char storage[512];
        EadArguments arguments;
        const EadCommand *command = ead_command(i);
        char *text = help_text(i);
        ck_assert_ptr_nonnull(strstr(program, command->summary));
        ck_assert_ptr_nonnull(strstr(text, command->example));
        ck_assert(says(text, "Exit codes: 0 done, 1 failed, 2 wrong usage"));
        for (int other = 0; other < EAD_COMMAND_COUNT; other++) {
            const char *exits = ead_command(other)->exits;
            ck_assert_int_eq(*exits && says(text, exits), *exits && strstr(command->exits, exits));
        }
        for (int option = 0; option < EAD_OPTION_COUNT; option++)
            if (ead_option_belongs((EadOptionId)option, command->name))
                ck_assert_ptr_nonnull(strstr(text, ead_option((EadOptionId)option)->rule.name));
        const char *line = command->example + strlen("efficientad ");
        ck_assert_msg(parse(line, storage, &arguments) == EAD_OK, "%s: %s", line, ead_error_message());
        ead_arguments_free(&arguments);
        free(text);
    }
    free(program);
}
END_TEST

static char *printed(void (*print)(FILE *stream)) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    print(stream);
    fclose(stream);
    return text;
}

/* The manual page names every command, option and key, with its minus signs as such. */
START_TEST(test_man) {
    char *text = printed(ead_help_print_man), name[64];
    ck_assert_ptr_nonnull(strstr(text, ".SH CONFIG KEYS\n"));
    for (int i = 0; i < EAD_COMMAND_COUNT; i++) {
        snprintf(name, sizeof name, ".SS %s\n", ead_command(i)->name);
        ck_assert_ptr_nonnull(strstr(text, name));
    }
    for (int i = 0; i < EAD_CONFIG_KEYS; i++)
        ck_assert_ptr_nonnull(strstr(text, ead_config_key(i)->rule.name));
    ck_assert_ptr_nonnull(strstr(text, "\\-c, \\-\\-config"));
    ck_assert_ptr_null(strstr(text, "--"));
    free(text);
}
END_TEST

/* The script, run by a bash that is asked what may follow. */
START_TEST(test_completion) {
    static const char *const cases[][2] = {
        {"efficientad tra", "train"},
        {"efficientad help pre", "predict"},
        {"efficientad train --res", "--resume"},
        {"efficientad eval --select s", "st"},
        {"efficientad train --set maps.q_e", "maps.q_end="},
        {"efficientad bench inf", "infer"},
        {"efficientad train --device c", "cpu cuda"},
        {"efficientad train -c patch", "patchcore patchcore_ensemble"},
        {"efficientad eval --config efficientad_", "efficientad_m efficientad_s"},
        {"efficientad distill -c d", "distill_m distill_s"},
        {"efficientad distill -c patch", ""},
        {"efficientad train -c d", "dsr"},
        {"efficientad train -c di", ""},
        {"efficientad sweep ta", "table1 table2 table3 table4 table5"},
        {"efficientad sweep coll", ""}, /* the paper's collections are no sweep */
        {"efficientad sweep bui", ""},  /* bash goes on with files */
    };
    SKIP_UNLESS(system("bash -c : 2>/dev/null") == 0, "no bash");
    char *text = printed(ead_help_print_completion);
    FILE *script = fopen("build/scratch/completion.bash", "w");
    ck_assert_ptr_nonnull(script);
    fprintf(script,
            "%scompopt() { :; }\nCOMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _efficientad\n"
            "[ \"${COMPREPLY[*]}\" = \"$2\" ] || { echo \"$1: ${COMPREPLY[*]}\"; exit 1; }\n",
            text);
    fclose(script);
    free(text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256];
        snprintf(command, sizeof command, "bash build/scratch/completion.bash '%s' '%s'", cases[i][0],
                 cases[i][1]);
        ck_assert_msg(system(command) == 0, "%s", command);
    }
}
END_TEST

/* Options: commands exist, defaults parse, no command has a name or letter twice. */
START_TEST(test_rows) {
    for (int i = 0; i < EAD_OPTION_COUNT; i++) {
        EadValue value;
        const EadOption *option = ead_option((EadOptionId)i);
        bool has_default = option->default_text && strcmp(option->default_text, EAD_REQUIRED) != 0;
        if (has_default)
            ck_assert_int_eq(ead_value_parse(&option->rule, option->default_text, &value), EAD_OK);
        int users = 0;
        for (int c = 0; c < EAD_COMMAND_COUNT; c++) {
            const char *command = ead_command(c)->name;
            if (!ead_option_belongs((EadOptionId)i, command)) continue;
            users++;
            for (int j = 0; j < i; j++) {
                const EadOption *other = ead_option((EadOptionId)j);
                if (!ead_option_belongs((EadOptionId)j, command)) continue;
                ck_assert_str_ne(other->rule.name, option->rule.name);
                ck_assert(!option->letter || option->letter != other->letter);
            }
        }
        ck_assert_int_gt(users, 0);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("arguments");
    TCase *tests = tcase_create("arguments");
    tcase_add_test(tests, test_train);
    tcase_add_test(tests, test_configure);
    tcase_add_test(tests, test_resume_without_config);
    tcase_add_test(tests, test_paths);
    tcase_add_test(tests, test_values);
    tcase_add_test(tests, test_wrong_usage);
    tcase_add_test(tests, test_wrong_settings);
    tcase_add_test(tests, test_device);
    tcase_add_test(tests, test_actions);
    tcase_add_test(tests, test_help);
    tcase_add_test(tests, test_man);
    tcase_add_test(tests, test_completion);
    tcase_add_test(tests, test_rows);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
