/* Config files: defaults, parsing, every error with its line, round trip, cross-checks, the files in
 * configs/. */
#include "core/base/paths.h"
#include "core/base/utf8.h"
#include "test/config/config_texts.h"

#include <unistd.h>
#include <stdint.h>

/* As refuses() where libyaml's wording is not ours to fix: the message begins like this. */
static void refuses_like(const char *text, size_t size, const char *beginning) {
    EadConfig config = defaults();
    ck_assert_int_eq(ead_config_parse(text, size, "t.yaml", &config), EAD_BAD_FILE);
    ck_assert_msg(strncmp(ead_error_message(), beginning, strlen(beginning)) == 0, "%s", ead_error_message());
    ck_assert_ptr_null(strchr(ead_error_message(), '\n'));
    ead_config_free(&config);
}

/* The paper's settings (sections 3 and 4). */
START_TEST(test_defaults) {
    EadConfig config = defaults();
    ck_assert_int_eq(config.dataset_type, EAD_DATASET_mvtec_ad);
    ck_assert_int_eq(config.model_size, EAD_SIZE_CHOICE_SMALL);
    ck_assert(!config.model_padding);
    ck_assert_int_eq(config.model_image_size.height, 256);
    ck_assert_int_eq(config.model_image_size.width, 256);
    ck_assert_int_eq(config.train_steps, 70000);
    ck_assert(config.train_lr == 1e-4 && config.train_weight_decay == 1e-5);
    ck_assert(config.train_lr_drop_at == 0.95 && config.train_lr_drop_factor == 0.1);
    ck_assert(config.train_seed == 42 && config.loss_hard_quantile == 0.999);
    ck_assert(config.loss_penalty && config.augment_enabled && config.autoencoder_enabled);
    ck_assert(config.maps_q_start == 0.9 && config.maps_q_end == 0.995);
    ck_assert_int_eq(config.maps_normalization, EAD_NORMALIZATION_CHOICE_QUANTILE);
    ck_assert_str_eq(config.model_teacher, "");
    ead_config_free(&config);
}
END_TEST

/* Rows: defaults in range, names unique, sections together, help given. */
START_TEST(test_rows) {
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        EadValue value;
        const EadConfigKey *key = ead_config_key(i);
        ck_assert_int_eq(ead_value_parse(&key->rule, key->default_text, &value), EAD_OK);
        ck_assert_int_eq(ead_config_find(key->rule.name), i);
        ck_assert_uint_gt(strlen(key->help), 10);
        ck_assert_uint_lt(strlen(key->rule.name), 64);
        ck_assert(ead_value_is_storable(key->rule.kind));
    }
    EadConfig config = defaults();
    char name[EAD_CHOICE_SIZE];
    config.maps_normalization = EAD_NORMALIZATION_CHOICE_GAUSSIAN;
    ck_assert_str_eq(ead_config_choice(&config, EAD_KEY_maps_normalization, name), "gaussian");
    config.dataset_type = EAD_DATASET_folder;
    ck_assert_str_eq(ead_config_choice(&config, EAD_KEY_dataset_type, name), "folder");
    char *text;
    ck_assert_int_eq(ead_config_value_text(&config, EAD_KEY_loss_hard_quantile, &text), EAD_OK);
    ck_assert_str_eq(text, "0.999");
    free(text);
    ead_config_free(&config);
}
END_TEST

START_TEST(test_parse) {
    EadConfig config = defaults();
    const char *text = "# comment\n---\ndataset:\n  path: /d/ü x\n  category: 'o''k'\n  type: folder\n"
                       "train: {steps: 5, lr: 2.5e-3}\nmodel.image_size: 256x512\nloss:\n  penalty: false\n"
                       "train.seed: 18446744073709551615\naugment:\nmodel:\n  size: \"medium\"\n  init:\n";
    ck_assert_msg(parse(text, &config) == EAD_OK, "%s", ead_error_message());
    ck_assert_str_eq(config.dataset_path, "/d/ü x");
    ck_assert_str_eq(config.dataset_category, "o'k");
    ck_assert_int_eq(config.dataset_type, EAD_DATASET_folder);
    ck_assert(config.train_steps == 5 && config.train_lr == 2.5e-3);
    ck_assert(config.model_image_size.height == 256 && config.model_image_size.width == 512);
    ck_assert(!config.loss_penalty && config.train_seed == UINT64_MAX);
    ck_assert_int_eq(config.model_size, EAD_SIZE_CHOICE_MEDIUM);
    const char *const empty[] = {"", "\n\n", "# nothing\n", "---\n", "--- \n...\n", "{}"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        ck_assert_int_eq(parse(empty[i], &config), EAD_OK);
    ck_assert_int_eq(config.train_steps, 5);
    ead_config_free(&config);
}
END_TEST

START_TEST(test_unknown_and_twice) {
    refuses("train:\n  steps: 5\n  stesp: 6\n",
            "t.yaml:3: unknown key 'train.stesp'; did you mean 'train.steps'?");
    refuses("foo: 6\n", "t.yaml:1: unknown key 'foo'; efficientad train --help-config lists all keys");
    refuses("\nsteps: 6\n", "t.yaml:2: unknown key 'steps'; did you mean 'train.steps'?");
    refuses("zzzzzz: 6\n", "t.yaml:1: unknown key 'zzzzzz'; efficientad train --help-config lists all keys");
    refuses("trian:\n  steps: 6\n", "t.yaml:1: unknown section 'trian'; did you mean 'train'?");
    refuses("train:\n  steps: 5\n  lr: 1\n  steps: 5\n",
            "t.yaml:4: 'train.steps' is given twice, first in line 2");
    refuses("train.steps: 5\ntrain: {steps: 5}\n", "t.yaml:2: 'train.steps' is given twice, first in line 1");
    refuses("train:\n  lr: 1\nloss:\ntrain:\n  steps: 1\n",
            "t.yaml:4: 'train' is given twice, first in line 1");
    refuses("train: 5\n", "t.yaml:1: 'train' is a section of keys, such as train.steps, and takes no value");
    refuses("train:\n  steps:\n    a: 1\n", "t.yaml:2: 'train.steps' takes a value, not a mapping");
}
END_TEST

START_TEST(test_wrong_values) {
    refuses("train:\n\n  steps: many\n", "t.yaml:3: train.steps: expected a whole number, got 'many'");
    refuses("train.steps: 1e4", "t.yaml:1: train.steps: expected a whole number, got '1e4'");
    refuses("train.steps: \"5\"", "t.yaml:1: train.steps: expected a whole number, got the quoted text '5'");
    refuses("train.steps: 0", "t.yaml:1: train.steps: 0 is out of the range [1, 100000000]");
    refuses("train.steps: 99999999999999999999",
            "t.yaml:1: train.steps: 99999999999999999999 is out of the range [1, 100000000]");
    refuses("train.lr: 0", "t.yaml:1: train.lr: 0 is out of the range (0, 1]");
    refuses("train.lr: nan", "t.yaml:1: train.lr: expected a number, got 'nan'");
    refuses("train.lr: 0x1", "t.yaml:1: train.lr: expected a number, got '0x1'");
    refuses("train.lr:", "t.yaml:1: train.lr: expected a number, got ''");
    refuses("loss.hard_quantile: 1.0", "t.yaml:1: loss.hard_quantile: 1.0 is out of the range [0, 1)");
    refuses("train.seed: -1", "t.yaml:1: train.seed: expected a whole number of 0 to 2^64-1, got '-1'");
    refuses("train.seed: 18446744073709551616",
            "t.yaml:1: train.seed: expected a whole number of 0 to 2^64-1, got '18446744073709551616'");
    refuses("model:\n  padding: yes\n", "t.yaml:2: model.padding: expected true or false, got 'yes'");
    refuses("model.size: large", "t.yaml:1: model.size: 'large' is not one of small|medium");
    refuses("dataset.path: ~", "t.yaml:1: dataset.path: ~ is not a text; write \"\" for none");
    refuses("dataset.path: \"a\\nb\"",
            "t.yaml:1: dataset.path: the text holds line breaks or control characters");
    refuses("dataset.path: \"a\\0b\"",
            "t.yaml:1: dataset.path: the text holds line breaks or control characters");
}
END_TEST

/* Between two steps the nearest size is taken, and said. */
START_TEST(sizes_move_to_the_nearest_step) {
    static const struct {
        const char *text, *taken;
        int height, width;
    } rows[] = {{"250", "252", 252, 252},
                {"101x131", "100x132", 100, 132},
                {"65", "64", 64, 64},
                {"2047", "2048", 2048, 2048},
                {"256x510", "256x512", 256, 512}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64], notice[128];
        EadConfig config = defaults();
        snprintf(text, sizeof text, "model.image_size: %s", rows[i].text);
        snprintf(
            notice, sizeof notice,
            "model.image_size: %s lies between the possible sizes ([64, 2048] in steps of 4); %s is taken",
            rows[i].text, rows[i].taken);
        ck_assert_int_eq(parse(text, &config), EAD_OK);
        ck_assert_int_eq(config.model_image_size.height, rows[i].height);
        ck_assert_int_eq(config.model_image_size.width, rows[i].width);
        ck_assert_int_eq(config.renamed.count, 1);
        ck_assert_msg(strstr(config.renamed.items[0], notice) != NULL, "%s", config.renamed.items[0]);
        ead_config_free(&config);
    }
}
END_TEST

START_TEST(test_image_size) {
    const char *const bad[] = {"60", "63", "2049", "256x", "x256", "256x60", "256x256x256", "99999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64], message[256];
        snprintf(text, sizeof text, "model.image_size: %s", bad[i]);
        snprintf(message, sizeof message,
                 "t.yaml:1: model.image_size: '%s' is not possible; each side is in [64, 2048] in "
                 "steps of 4 (256, 256x512)",
                 bad[i]);
        refuses(text, message);
    }
    refuses("model.image_size: big",
            "t.yaml:1: model.image_size: expected a size, like 256 or 256x512 (height x width), got 'big'");
    EadConfig config = defaults();
    ck_assert_int_eq(parse("model.image_size: 2048x128", &config), EAD_OK);
    ck_assert(config.model_image_size.height == 2048 && config.model_image_size.width == 128);
    ead_config_free(&config);
}
END_TEST

START_TEST(test_refused_yaml) {
    refuses("train:\n  steps: [1, 2]\n",
            "t.yaml:2: train.steps: a list is not allowed here; it takes one value");
    refuses("- a\n", "t.yaml:1: a list is not allowed here; a config is lines of the form key: value");
    refuses("train:\n  steps: &x 5\n", "t.yaml:2: anchors (&name) and tags (!name) are not allowed");
    refuses("train:\n  steps: !!int 5\n", "t.yaml:2: anchors (&name) and tags (!name) are not allowed");
    refuses("train: &t\n  steps: 5\n", "t.yaml:1: anchors (&name) and tags (!name) are not allowed");
    refuses("train:\n  steps: *x\n", "t.yaml:2: aliases (*name) are not allowed");
    refuses("output: a\n---\noutput: b\n", "t.yaml:2: a second document; a config is one document");
    refuses("train: [1]\n",
            "t.yaml:1: 'train' is a section of keys, such as train.steps, and takes no value");
    refuses("a: [&x 1]\n", "t.yaml:1: anchors (&name) and tags (!name) are not allowed");
    refuses("[a]: c\n", "t.yaml:1: a list cannot be a key");
    refuses("just a text\n", "t.yaml:1: expected lines of the form key: value");
    refuses("? {a: b}\n: c\n", "t.yaml:1: a mapping cannot be a key");
    refuses("\"a\\nb\": c\n", "t.yaml:1: a key that is too long or holds control characters");
}
END_TEST

START_TEST(test_invalid_yaml) {
    const char *unclosed = "train:\n  steps: \"5\n", *tab = "train:\n\tsteps: 5\n",
               *bytes = "output: a\ntrain: \xFF\n";
    refuses_like(unclosed, strlen(unclosed), "t.yaml:3: not valid YAML: ");
    refuses_like(tab, strlen(tab), "t.yaml:2: not valid YAML: ");
    refuses_like(bytes, strlen(bytes), "t.yaml:2: not valid YAML: ");
    refuses_like("output: a\0b", 11, "t.yaml:1: not valid YAML: ");
    char deep[20000];
    memset(deep, '{', sizeof deep);
    refuses_like(deep, sizeof deep, "t.yaml:1: ");
    memset(deep, '[', sizeof deep);
    refuses_like(deep, sizeof deep, "t.yaml:1: nested more than 16 deep");
    char *large = calloc(1, 1000001);
    ck_assert_ptr_nonnull(large);
    memset(large, '\n', 1000001);
    refuses_like(large, 1000001, "t.yaml: larger than 1 MB");
    free(large);
}
END_TEST

static EadConfig parsed(const char *text) {
    EadConfig config = defaults();
    ck_assert_msg(parse(text, &config) == EAD_OK, "%s", ead_error_message());
    return config;
}

/* A path is the same however it is spelled; the word drawn is none. */
START_TEST(test_drawn_is_no_path) {
    EadConfig folder = parsed("penalty.path: ./drawn"), same = parsed("penalty.path: ././drawn"),
              word = parsed("penalty.path: drawn");
    ck_assert_int_eq(system("mkdir -p build/scratch/config/drawn"), 0);
    ck_assert_int_eq(chdir("build/scratch/config"), 0);
    ck_assert_int_eq(ead_config_difference(&folder, &same, EAD_SAME_STEPS), -1);
    ck_assert_int_eq(ead_config_difference(&folder, &word, EAD_SAME_STEPS), EAD_KEY_penalty_path);
    ck_assert_int_eq(chdir("../../.."), 0);
    ead_config_free(&folder);
    ead_config_free(&same);
    ead_config_free(&word);
}
END_TEST

/* Old names mean the same as new ones, with a notice that names the place; both at once are refused. */
START_TEST(test_renamed) {
    static const char before[] = "dataset.normal: d\nmaps:\n  use: st\neval.pro_limit: 0.2\n"
                                 "distill: {variant: caffe, gray: 0.5, held_out: 7}\n";
    static const char now[] =
        "dataset.train_good: d\nmaps:\n  select: st\neval.pro_max_fpr: 0.2\n"
        "distill: {backbone_variant: caffe, gray_probability: 0.5, validation_images: 7}\n";
    EadConfig old = parsed(before), new = parsed(now);
    ck_assert_int_eq(ead_config_difference(&old, &new, EAD_SAME_RESULT), -1);
    ck_assert_int_eq(ead_config_difference(&old, &new, EAD_SAME_DISTILLATION), -1);
    ck_assert_str_eq(new.dataset_train_good, "d");
    ck_assert_int_eq(new.maps_select, EAD_SELECT_CHOICE_ST);
    ck_assert(new.eval_pro_max_fpr == 0.2 && new.distill_gray_probability == 0.5);
    ck_assert_int_eq(new.distill_validation_images, 7);
    ck_assert_int_eq(new.distill_backbone_variant, EAD_VARIANT_CHOICE_CAFFE);
    ck_assert_int_eq(new.renamed.count, 0);
    ck_assert_int_eq(old.renamed.count, 6);
    ck_assert_str_eq(old.renamed.items[1],
                     "t.yaml: line 3: maps.use is now maps.select; the old name still works");
    ck_assert_int_eq(ead_config_set(&new, "maps.use=ae", "--set"), EAD_OK);
    ck_assert_int_eq(new.maps_select, EAD_SELECT_CHOICE_AE);
    ck_assert_str_eq(new.renamed.items[0], "--set: maps.use is now maps.select; the old name still works");
    refuses("maps.use: st\nmaps.select: st\n",
            "t.yaml:2: 'maps.select' is given twice, first in line 1 as 'maps.use'");
    refuses("maps:\n  select: st\n  use: st\n",
            "t.yaml:3: 'maps.use' is given twice, first in line 2 as 'select'");
    refuses("maps.use: all\n", "t.yaml:1: maps.select: 'all' is not one of both|st|ae");
    ead_config_free(&old);
    ead_config_free(&new);
}
END_TEST

START_TEST(test_set) {
    EadConfig config = defaults();
    ck_assert_int_eq(ead_config_set(&config, "train.steps=12", "--set"), EAD_OK);
    ck_assert_int_eq(ead_config_set(&config, "dataset.path=/a=b ~", "--set"), EAD_OK);
    ck_assert_int_eq(config.train_steps, 12);
    ck_assert_str_eq(config.dataset_path, "/a=b ~");
    ck_assert_int_eq(ead_config_set(&config, "train.stps=12", "--set"), EAD_BAD_ARGUMENT);
    ck_assert_str_eq(ead_error_message(), "--set: unknown key 'train.stps'; did you mean 'train.steps'?");
    ck_assert_int_eq(ead_config_set(&config, "train.steps", "--set"), EAD_BAD_ARGUMENT);
    ck_assert_str_eq(ead_error_message(), "--set: 'train.steps' is not key=value");
    ck_assert_int_eq(ead_config_set(&config, "train.steps=-3", "--set"), EAD_BAD_ARGUMENT);
    ck_assert_str_eq(ead_error_message(), "--set: train.steps: -3 is out of the range [1, 100000000]");
    ck_assert_int_eq(ead_config_set(&config, "output=\xC3", "--set"), EAD_BAD_ARGUMENT);
    ck_assert_int_eq(config.train_steps, 12);
    ead_config_free(&config);
}
END_TEST

/* Every key set to something else than its default survives writing and reading. */
START_TEST(test_round_trip) {
    EadConfig config = defaults(), again = defaults();
    const char *const settings[] = {"dataset.path=q\"uo\\te: #x",
                                    "dataset.category=\xE2\x80\xA8\xEF\xBB\xBF\xF0\x9F\x98\x80 true",
                                    "output=12",
                                    "train.lr=0.1234567890123456789",
                                    "train.weight_decay=3e-7",
                                    "train.seed=18446744073709551615",
                                    "model.image_size=128x192",
                                    "model.size=medium",
                                    "maps.normalization=none",
                                    "loss.penalty=false",
                                    "eval.maps=true",
                                    "train.threads=3"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        ck_assert_int_eq(ead_config_set(&config, settings[i], "--set"), EAD_OK);
    char *text, *second;
    ck_assert_int_eq(ead_config_to_yaml(&config, &text), EAD_OK);
    ck_assert_msg(parse(text, &again) == EAD_OK, "%s\n%s", ead_error_message(), text);
    ck_assert_int_eq(ead_config_to_yaml(&again, &second), EAD_OK);
    ck_assert_str_eq(text, second);
    ck_assert_str_eq(config.dataset_path, again.dataset_path);
    ck_assert_str_eq(config.dataset_category, again.dataset_category);
    ck_assert(config.train_lr == again.train_lr && config.train_seed == again.train_seed);
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const char *dot = strrchr(ead_config_key(i)->rule.name, '.');
        ck_assert_ptr_nonnull(strstr(text, dot ? dot + 1 : ead_config_key(i)->rule.name));
    }
    free(text);
    free(second);
    ead_config_free(&config);
    ead_config_free(&again);
}
END_TEST

/* --help-config is itself a config: that of the defaults. */
START_TEST(test_reference) {
    char *text = NULL, *expected, *got;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ead_config_print_reference(stream);
    fclose(stream);
    EadConfig config = defaults();
    ck_assert_int_eq(ead_config_to_yaml(&config, &expected), EAD_OK);
    ck_assert_int_eq(parse(text, &config), EAD_OK);
    ck_assert_int_eq(ead_config_to_yaml(&config, &got), EAD_OK);
    ck_assert_str_eq(expected, got);
    ck_assert_ptr_nonnull(strstr(text, "# efficientad: hard feature loss: quantile"));
    ck_assert_ptr_nonnull(strstr(text, "; [0, 1)"));
    free(text);
    free(expected);
    free(got);
    ead_config_free(&config);
}
END_TEST

static void check_says(EadConfig *config, EadStatus status, const char *part) {
    ck_assert_int_eq(ead_fit_check(config), status);
    ead_problems_free(&config->problems);
    if (status != EAD_OK) ck_assert_msg(strstr(ead_error_message(), part) != NULL, "%s", ead_error_message());
}

START_TEST(test_cross_checks) {
    EadConfig config = defaults();
    check_says(&config, EAD_BAD_ARGUMENT, "dataset.path is not set");
    ead_config_set(&config, "dataset.path=d", "");
    check_says(&config, EAD_BAD_ARGUMENT, "dataset.category is not set");
    ead_config_set(&config, "dataset.category=all", "");
    check_says(&config, EAD_BAD_ARGUMENT, "dataset.category is all, but a run has one category");
    ead_config_set(&config, "dataset.category=c", "");
    ck_assert_int_eq(ead_config_check(&config), EAD_OK);
    ead_config_set(&config, "maps.select=ae", "");
    ead_config_set(&config, "autoencoder.enabled=false", "");
    check_says(&config, EAD_BAD_ARGUMENT, "maps.select is ae, but autoencoder.enabled is false");
    ead_config_set(&config, "maps.select=both", "");
    ead_config_set(&config, "autoencoder.enabled=true", "");
    check_says(&config, EAD_BAD_ARGUMENT, "set loss.penalty=false");
    ead_config_set(&config, "penalty.path=p", "");
    check_says(&config, EAD_OK, "");
    ead_config_set(&config, "maps.q_start=0.995", "");
    check_says(&config, EAD_BAD_ARGUMENT, "maps.q_start (0.995) must be less than maps.q_end (0.995)");
    ead_config_set(&config, "maps.q_start=0.5", "");
    ead_config_set(&config, "dataset.type=folder", "");
    ead_config_set(&config, "dataset.masks=m", "");
    check_says(&config, EAD_BAD_ARGUMENT, "dataset.defects is not");
    ead_config_set(&config, "dataset.defects=x", "");
    ead_config_set(&config, "output=", "");
    check_says(&config, EAD_BAD_ARGUMENT, "output is not set");
    ead_config_free(&config);
}
END_TEST

START_TEST(test_load) {
    const char *const shipped[] = {"configs/efficientad_s.yaml",
                                   "configs/efficientad_m.yaml",
                                   "configs/tiny.yaml",
                                   "configs/patchcore.yaml",
                                   "configs/patchcore_ensemble.yaml",
                                   "patchcore",
                                   "large_images",
                                   "efficientad_m.yaml"};
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        EadConfig config = defaults();
        ck_assert_msg(ead_config_load(shipped[i], &config) == EAD_OK, "%s", ead_error_message());
        ck_assert_msg(ead_fit_check(&config) == EAD_OK, "%s", ead_error_message());
        ead_config_free(&config);
    }
    EadConfig config = defaults();
    ck_assert_int_eq(ead_config_load("build/scratch/none.yaml", &config), EAD_IO);
    ck_assert_str_eq(ead_error_message(),
                     "build/scratch/none.yaml: cannot open this config: No such file or directory");
    ck_assert_int_eq(ead_config_load("configs", &config), EAD_IO);
    ASSERT_FAILS(
        ead_config_load("no_such_config", &config), EAD_IO,
        "no_such_config: no such file, and no config of that name comes with the program; those are ");
    ASSERT_OK(ead_config_load("patchcore", &config));
    ck_assert_str_eq(config.model_method, "patchcore");
    ead_config_free(&config);
}
END_TEST

START_TEST(test_names_and_text) {
    ck_assert_int_eq(ead_edit_distance("kitten", "sitting"), 3);
    ck_assert_int_eq(ead_edit_distance("", "abc"), 3);
    ck_assert_int_eq(ead_edit_distance("same", "same"), 0);
    const char *const bad[] = {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82",
                               "a\tb",     "\x7F"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert(!ead_utf8_is_plain(bad[i]));
    ck_assert(ead_utf8_is_plain("Grüße, 世界 😀"));
}
END_TEST

START_TEST(test_paths) {
    const char *const cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"a", "/b", "/b"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *joined = ead_path_join(cases[i][0], cases[i][1]);
        ck_assert_str_eq(joined, cases[i][2]);
        free(joined);
    }
    bool holds = true;
    ck_assert_int_eq(ead_make_directories("build/scratch/config/a/b//c/"), EAD_OK);
    ck_assert_int_eq(ead_make_directories("build/scratch/config/a/b/c"), EAD_OK);
    ck_assert_int_eq(ead_directory_holds_files("build/scratch/config/a/b/c", &holds), EAD_OK);
    ck_assert(!holds);
    ck_assert_int_eq(ead_directory_holds_files("build/scratch/config/a", &holds), EAD_OK);
    ck_assert(holds);
    ck_assert_int_eq(ead_directory_holds_files("build/scratch/config/none", &holds), EAD_OK);
    ck_assert(!holds);
    ck_assert_int_eq(ead_directory_holds_files("Makefile", &holds), EAD_IO);
    EadStringList names = {0};
    ck_assert_int_eq(ead_make_directories("build/scratch/config/a/.a"), EAD_OK);
    ck_assert_int_eq(ead_folder_names("build/scratch/config/a", &names), EAD_OK);
    ck_assert_int_eq(ead_folder_names("build/scratch/config/none", &names), EAD_OK);
    ck_assert_int_eq(names.count, 2);
    ck_assert_str_eq(names.items[0], ".a");
    ck_assert_str_eq(names.items[1], "b");
    ck_assert_int_eq(ead_folder_names("Makefile", &names), EAD_IO);
    ck_assert_str_eq(ead_error_message(), "Makefile: cannot be read as a folder: Not a directory");
    ead_strings_free(&names);
    ck_assert_int_eq(ead_make_directories("Makefile/x"), EAD_IO);
    ck_assert_str_eq(ead_error_message(), "Makefile: cannot make this folder: File exists");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, test_defaults);
    tcase_add_test(tests, test_rows);
    tcase_add_test(tests, test_parse);
    tcase_add_test(tests, test_unknown_and_twice);
    tcase_add_test(tests, test_wrong_values);
    tcase_add_test(tests, test_image_size);
    tcase_add_test(tests, sizes_move_to_the_nearest_step);
    tcase_add_test(tests, test_refused_yaml);
    tcase_add_test(tests, test_invalid_yaml);
    tcase_add_test(tests, test_drawn_is_no_path);
    tcase_add_test(tests, test_renamed);
    tcase_add_test(tests, test_set);
    tcase_add_test(tests, test_round_trip);
    tcase_add_test(tests, test_reference);
    tcase_add_test(tests, test_cross_checks);
    tcase_add_test(tests, test_load);
    tcase_add_test(tests, test_names_and_text);
    tcase_add_test(tests, test_paths);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
