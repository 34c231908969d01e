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
