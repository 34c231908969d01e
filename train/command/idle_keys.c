/* The teller of both commands. */
#include "train/command/idle_keys.h"

#include "core/base/printing.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const EadMethod *ead_method_of_key(int key) {
    const char *name = ead_config_key(key)->rule.name;
    const EadMethod *method;
    for (int i = 0; (method = ead_method_at(i)) != NULL; i++) {
        size_t length = strlen(method->name);
        if (strncmp(name, method->name, length) == 0 && name[length] == '.') return method;
    }
    return NULL;
}

void ead_tell_idle_keys(const EadArguments *arguments, const EadFit *fit, const EadConfig *config,
                        bool (*is_idle)(const EadFit *fit, const EadConfig *config, int key), const char *why,
                        ...) {
    bool given[EAD_CONFIG_KEYS];
    char reason[128];
    va_list values;
    va_start(values, why);
    vsnprintf(reason, sizeof reason, why, values);
    va_end(values);
    ead_arguments_given_keys(arguments, given);
    for (int key = 0; key < EAD_CONFIG_KEYS; key++)
        if (given[key] && is_idle(fit, config, key))
            ead_print(stderr, "--set %s has no effect%s\n", ead_config_key(key)->rule.name, reason);
}
