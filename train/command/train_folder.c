/* Defaults from the name of a folder. */
#include "train/command/train_folder.h"

#include "core/base/paths.h"
#include "core/base/printing.h"
#include "data/dataset/folder_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder_of(const EadArguments *arguments) {
    return arguments->path_count > 0 ? arguments->paths[0] : NULL;
}

/* The last part of a path that does not only say that the images are good ones to train on. Shortens path. */
static const char *name_of(char *path) {
    for (;;) {
        const char *name = ead_path_base(path);
        EadFolderMeaning meaning = ead_folder_meaning(name);
        char *slash = strrchr(path, '/');
        bool says_role = meaning == EAD_FOLDER_GOOD || meaning == EAD_FOLDER_TRAIN;
        if (!says_role || !slash || slash == path) return *name ? name : "images";
        *slash = '\0';
    }
}

EadStatus ead_train_folder_begin(const EadArguments *arguments, EadConfig *config) {
    const char *folder = folder_of(arguments);
    EadPath output, whole;
    if (!folder || !ead_path_real(whole, folder))
        return EAD_OK; /* that it is not there is told with all else */
    EAD_TRY(ead_path_in(output, "runs", name_of(whole)));
    return ead_config_set_key(config, EAD_KEY_output, output);
}

/* Penalty images need no files, so that whoever has none can begin; start() of the fit says what they are. The folder
 * that a config of ours names, the paper's, is there or not; given: the user names one. */
static EadStatus default_penalty(const EadArguments *arguments, const EadFit *fit, bool given,
                                 EadConfig *config) {
    const char *file = arguments->values[EAD_OPTION_CONFIG];
    bool needed = fit && strcmp(fit->name, "efficientad") == 0 && config->loss_penalty;
    if (!needed || ead_config_was_refused(config, EAD_KEY_penalty_path)) return EAD_OK;
    bool set = config->penalty_path[0], ours = set && !given && file && ead_config_is_shipped(file);
    if (set && (!ours || access(config->penalty_path, F_OK) == 0)) return EAD_OK;
    if (set)
        ead_print(stderr, "penalty.path: %s, which the config %s names, is not there\n", config->penalty_path,
                  file);
    return ead_config_set_key(config, EAD_KEY_penalty_path, "drawn");
}

/* Few photographs leave few for validation, and the highest of a few scores is soon exceeded by good images: a fifth of them
 * instead of a tenth, and a threshold at a distance. A config of the user's own keeps its rules. */
static EadStatus default_threshold(const EadArguments *arguments, const bool given[EAD_CONFIG_KEYS],
                                   EadConfig *config) {
    const char *file = arguments->values[EAD_OPTION_CONFIG];
    if (file && !ead_config_is_shipped(file)) return EAD_OK;
    if (!given[EAD_KEY_dataset_validation_fraction])
        EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_validation_fraction, "0.2"));
    return given[EAD_KEY_threshold_method]
               ? EAD_OK
               : ead_config_set_key(config, EAD_KEY_threshold_method, "prediction");
}

/* Whether the command line says anything about what to train on. */
static bool names_images(const EadArguments *arguments, const EadConfig *config) {
    bool given[EAD_CONFIG_KEYS], some = false;
    ead_arguments_given_keys(arguments, given);
    for (int key = EAD_KEY_dataset_type; key <= EAD_KEY_dataset_masks; key++) some = some || given[key];
    return some || config->unread || arguments->unknown_option ||
           ead_arguments_given(arguments, EAD_OPTION_CONFIG) ||
           ead_arguments_given(arguments, EAD_OPTION_INIT) ||
           ead_arguments_given(arguments, EAD_OPTION_ADD) ||
           ead_arguments_given(arguments, EAD_OPTION_RESUME);
}

EadStatus ead_train_folder_apply(const EadArguments *arguments, const EadFit *fit, EadConfig *config) {
    const char *folder = folder_of(arguments);
    bool given[EAD_CONFIG_KEYS];
    if (!folder && !names_images(arguments, config)) {
        ead_problems_add(
            &config->problems,
            ead_fail(EAD_BAD_ARGUMENT,
                     "train needs images: efficientad train FOLDER, such as photos/good, a folder of "
                     "good images; or -c CONFIG.yaml, such as configs/efficientad_s.yaml"));
        config->unread = true; /* what it would have to name in that case is nothing that lacks */
    }
    if (!folder) return EAD_OK;
    ead_arguments_given_keys(arguments, given);
    const EadConfigKeyId keys[] = {EAD_KEY_dataset_type, EAD_KEY_dataset_path, EAD_KEY_dataset_category};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (given[keys[i]])
            ead_problems_add(&config->problems,
                             ead_fail(EAD_BAD_ARGUMENT,
                                      "--set %s and the folder %s both name the data set; leave "
                                      "one of them out",
                                      ead_config_key((int)keys[i])->rule.name, folder));
    EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_type, "folder"));
    EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_path, folder));
    EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_category, ""));
    EAD_TRY(default_threshold(arguments, given, config));
    return default_penalty(arguments, fit, given[EAD_KEY_penalty_path], config);
}
