/* Configs as texts. */
#pragma once

#include "test/support/scratch.h"
#include "train/config/config.h"
#include "train/fit.h"

static inline EadStatus parse(const char *text, EadConfig *config) {
    return ead_config_parse(text, strlen(text), "t.yaml", config);
}

static inline EadConfig defaults(void) {
    EadConfig config;
    ck_assert_int_eq(ead_config_defaults(&config), EAD_OK);
    return config;
}

/* Asserts that a text is refused with exactly this message. */
static inline void refuses(const char *text, const char *message) {
    EadConfig config = defaults();
    ck_assert_int_eq(parse(text, &config), EAD_BAD_FILE);
    ck_assert_str_eq(ead_error_message(), message);
    ead_config_free(&config);
}
