/* Keys whose values are lists of mappings of keys. */
#include "test/config/config_texts.h"

#define MEMBERS "patchcore_ensemble.members"

/* However a list is written, it is kept in one way, which gives it back. */
START_TEST(test_lists) {
    static const char *const same[] = {
        "patchcore_ensemble:\n  members:\n    - model: {backbone: a}\n      train.seed: 3\n"
        "    - patchcore:\n        width: 7\n        layers: 'layer2,layer3'\n    - {}\n",
        MEMBERS ": [{train.seed: 3, model.backbone: \"a\"}, {patchcore.layers: \"layer2,layer3\", "
                "patchcore.width: 7}, {}]",
    };
    static const char expected[] = "[{model.backbone: \"a\", train.seed: 3}, "
                                   "{patchcore.layers: \"layer2,layer3\", patchcore.width: 7}, {}]";
    for (size_t i = 0; i < 2; i++) {
        EadConfig config = defaults(), again = defaults(), entry;
        char *text;
        int count;
        ASSERT_OK(parse(same[i], &config));
        ck_assert_str_eq(config.patchcore_ensemble_members, expected);
        ASSERT_OK(ead_config_to_yaml(&config, &text));
        ASSERT_OK(parse(text, &again));
        ck_assert_str_eq(again.patchcore_ensemble_members, expected);
        ck_assert_int_eq(ead_config_difference(&config, &again, EAD_SAME_RESULT), -1);
        ASSERT_OK(ead_config_list_count(&config, EAD_KEY_patchcore_ensemble_members, &count));
        ck_assert_int_eq(count, 3);
        config.patchcore_width = 9;
        ASSERT_OK(ead_config_list_entry(&config, EAD_KEY_patchcore_ensemble_members, 0, &entry));
        ck_assert(entry.patchcore_width == 9 && entry.train_seed == 3 &&
                  strcmp(entry.model_backbone, "a") == 0);
        ead_config_free(&entry);
        ASSERT_OK(ead_config_list_entry(&config, EAD_KEY_patchcore_ensemble_members, 1, &entry));
        ck_assert(entry.patchcore_width == 7 && entry.train_seed == 42 && entry.model_backbone[0] == '\0');
        ead_config_free(&entry);
        free(text);
        ead_config_free(&again);
        ead_config_free(&config);
    }
    EadConfig config = defaults();
    char *before = strdup(config.patchcore_ensemble_members), setting[512];
    snprintf(setting, sizeof setting, MEMBERS "=%s", before); /* the default is kept in that way, too */
    ASSERT_OK(ead_config_set(&config, setting, "--set"));
    ck_assert_str_eq(config.patchcore_ensemble_members, before);
    free(before);
    ead_config_free(&config);
}
END_TEST

START_TEST(test_refused_lists) {
    refuses(MEMBERS ": 3\n", "t.yaml:1: " MEMBERS
                             ": expected a list of mappings of keys: [{train.seed: 3}, {train.seed: 40}]");
    refuses(MEMBERS ": [{}, pdn_small]\n",
            "t.yaml:1: " MEMBERS ": an entry is a mapping of keys: {train.seed: 3}");
    refuses(MEMBERS ":\n- {}\n- {patchcore.widht: 3}\n",
            "t.yaml:3: unknown key 'patchcore.widht'; did you mean 'patchcore.width'?");
    refuses(MEMBERS ":\n- {train.seed: x}\n",
            "t.yaml:2: train.seed: expected a whole number of 0 to 2^64-1, got 'x'");
    refuses(MEMBERS ":\n- train:\n    seed: 3\n    steps: 4\n",
            "t.yaml:4: " MEMBERS
            ": an entry may set model.backbone, patchcore.*, train.seed, but not train.steps");
    refuses(MEMBERS ":\n- {" MEMBERS ": [{}]}\n",
            "t.yaml:2: " MEMBERS
            ": an entry may set model.backbone, patchcore.*, train.seed, but not " MEMBERS);
    refuses(MEMBERS ":\n- {train.seed: 1, train: {seed: 2}}\n",
            "t.yaml:2: 'train.seed' is given twice, first in line 2");
    refuses(MEMBERS ": [{}]\n" MEMBERS ": [{}]\n", "t.yaml:2: '" MEMBERS "' is given twice, first in line 1");
    EadConfig config = defaults();
    ck_assert_int_eq(parse(MEMBERS ":\n- {a: 1}\n- {train.seed: -1}\ntrain.lr: 7\n", &config), EAD_BAD_FILE);
    ck_assert_int_eq(config.problems.lines.count, 3); /* all of them are found */
    ead_config_free(&config);
    config = defaults();
    ck_assert_int_eq(ead_config_set(&config, MEMBERS "=[{train.seed: 3}", "--set"), EAD_BAD_FILE);
    ck_assert_msg(strncmp(ead_error_message(), "--set: " MEMBERS ":", 34) == 0, "%s", ead_error_message());
    ead_config_free(&config);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config_lists");
    TCase *tests = tcase_create("config_lists");
    tcase_add_test(tests, test_lists);
    tcase_add_test(tests, test_refused_lists);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
