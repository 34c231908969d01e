/* Which fit reads which key, and how that is told. */
#include "test/config/config_texts.h"

/* Keys of some methods, and those of all. */
START_TEST(methods_read_their_keys) {
    static const struct {
        const char *method, *reads, *leaves;
    } cases[] = {
        {"efficientad", "train.steps maps.q_end model.size train.seed", "patchcore.width fastflow.lr"},
        {"efficientad", "model.init tiles.overlap", "model.backbone distill.steps"},
        {"patchcore", "patchcore.width model.backbone",
         "train.steps train.lr loss.penalty simplenet.sigma train.validate_every tiles.scale"},
        {"patchcore_ensemble", "patchcore.width patchcore_ensemble.fusion", "train.steps model.size"},
        {"simplenet", "simplenet.epochs roi.box", "train.steps patchcore_ensemble.fusion"},
    };
    EadConfig config = defaults();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char setting[64], keys[128];
        snprintf(setting, sizeof setting, "model.method=%s", cases[i].method);
        ck_assert_int_eq(ead_config_set(&config, setting, "--set"), EAD_OK);
        for (int read = 0; read < 2; read++) {
            snprintf(keys, sizeof keys, "%s", read ? cases[i].reads : cases[i].leaves);
            for (char *key = strtok(keys, " "); key; key = strtok(NULL, " ")) {
                ck_assert_int_ge(ead_config_find(key), 0);
                ck_assert_msg(ead_config_reads(&config, ead_config_find(key)) == read, "%s: %s", setting,
                              key);
            }
        }
    }
    ead_config_free(&config);
    ck_assert(ead_config_is_read_by(EAD_KEY_patchcore_width, "distill")); /* by its judges */
    ck_assert(!ead_config_is_read_by(EAD_KEY_tiles_size, "distill"));
}
END_TEST

/* Every reader is a fit, and is told before the help, or by the section; the help does not say it again. */
START_TEST(readers_are_fits) {
    char text[EAD_READERS_SIZE], word[32];
    for (int i = 0; i < EAD_CONFIG_KEYS; i++) {
        const EadConfigKey *key = ead_config_key(i);
        const char *rest = key->readers, *name = key->rule.name;
        for (int length; sscanf(rest, "%31s%n", word, &length) == 1; rest += length) {
            ck_assert_msg(ead_fit_find(word) != NULL, "%s: '%s' is no fit", name, word);
            if (strncmp(name, key->readers, strcspn(name, ".")) != 0)
                ck_assert_msg(strstr(ead_config_readers(i, text), word) != NULL, "%s: %s", name, text);
            ck_assert_msg(strncmp(key->help, word, strlen(word)) != 0, "%s: %s", name, key->help);
        }
        ck_assert_uint_lt(strlen(ead_config_readers(i, text)) + 1, EAD_READERS_SIZE);
    }
    ck_assert_str_eq(ead_config_readers(EAD_KEY_model_size, text), "efficientad, distill: ");
    ck_assert_str_eq(ead_config_readers(EAD_KEY_patchcore_width, text), "");
    ck_assert_str_eq(ead_config_readers(EAD_KEY_train_seed, text), "");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config_readers");
    TCase *tests = tcase_create("config_readers");
    tcase_add_test(tests, methods_read_their_keys);
    tcase_add_test(tests, readers_are_fits);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
