/* Fuzz target: any bytes as a config. What is accepted must survive writing and reading back unchanged. */
#include "train/config/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char *to_yaml(const EadConfig *config) {
    char *text;
    if (ead_config_to_yaml(config, &text) != EAD_OK) abort();
    return text;
}

static void check_round_trip(const EadConfig *config) {
    EadConfig again;
    char *text = to_yaml(config);
    if (ead_config_defaults(&again) != EAD_OK) abort();
    if (ead_config_parse(text, strlen(text), "again", &again) != EAD_OK) abort();
    char *second = to_yaml(&again);
    if (strcmp(text, second) != 0) abort();
    free(text);
    free(second);
    ead_config_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadConfig config;
    if (ead_config_defaults(&config) != EAD_OK) abort();
    if (ead_config_parse(bytes, size, "fuzz", &config) == EAD_OK) check_round_trip(&config);
    ead_config_free(&config);
    return 0;
}
