/* A config from a model file, and folders behind those that it names. */
#include "train/command/train_init.h"

#include "core/base/paths.h"
#include "core/base/printing.h"
#include "models/method.h"

#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- a run folder ---- */

/* The first of runs/NAME-2, runs/NAME-3, ... that is not there. name: perhaps with such a number already. */
static EadStatus name_output(const char *name, EadConfig *config) {
    enum { MOST = 1000000 };
    EadPath output, numbered;
    size_t length = strlen(name), digits = length;
    while (digits > 0 && strchr("0123456789", name[digits - 1])) digits--;
    if (digits > 1 && digits < length && name[digits - 1] == '-') length = digits - 1;
    for (int i = 2; i < MOST; i++) {
        if (snprintf(numbered, sizeof numbered, "%.*s-%d", (int)length, name, i) >= (int)sizeof numbered)
            break;
        EAD_TRY(ead_path_in(output, "runs", numbered));
        if (access(output, F_OK) != 0) return ead_config_set_key(config, EAD_KEY_output, output);
    }
    return ead_fail(EAD_BAD_ARGUMENT, "runs/%s-2 and what follows is there already; --output names another",
                    name);
}

/* That of a model in a folder "mine" is runs/mine-2. */
static EadStatus place_output(const char *model, EadConfig *config) {
    EadPath folder, whole;
    if (!ead_path_real(whole, model)) return ead_fail(EAD_IO, "%s: %s", model, strerror(errno));
    EAD_TRY(ead_path_folder(folder, whole));
    const char *name = ead_path_base(folder);
    return name_output(*name ? name : "model", config);
}

/* ---- the data set of the model ---- */

/* Whether the command line names what to train on besides --add. */
static bool names_other_data(const EadArguments *arguments) {
    bool given[EAD_CONFIG_KEYS], some = false;
    ead_arguments_given_keys(arguments, given);
    for (int key = EAD_KEY_dataset_type; key <= EAD_KEY_dataset_masks; key++)
        some = some || (given[key] && key != EAD_KEY_dataset_add);
    return some || arguments->path_count > 0 || ead_arguments_given(arguments, EAD_OPTION_CONFIG);
}

/* Whether its folders are there, but for those of dataset.add. */
static bool data_is_there(const EadConfig *config) {
    EadPath path;
    if (config->dataset_path[0] && !ead_path_is_folder(config->dataset_path)) return false;
    if (!config->dataset_train_good[0]) return true;
    return ead_path_in(path, config->dataset_path, config->dataset_train_good) == EAD_OK &&
           ead_path_is_folder(path);
}

static EadStatus forget_data(EadConfig *config) {
    EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_type, "folder"));
    for (int key = EAD_KEY_dataset_path; key <= EAD_KEY_dataset_masks; key++)
        EAD_TRY(ead_config_set_key(config, key, ""));
    return EAD_OK;
}

static EadStatus leave_old_images(const char *model, EadConfig *config) {
    const char *path = config->dataset_path[0] ? config->dataset_path : config->dataset_train_good;
    ead_print(
        stderr,
        "warning: %s, on whose images %s was trained, is not there: it goes on with the images of --add "
        "alone, for validation and thresholds, too, and may forget what only the old ones look like; if "
        "they have moved, name them by --set dataset.path=FOLDER\n",
        path, model);
    return forget_data(config);
}

/* What an earlier --add named and is gone is left out. */
static EadStatus leave_old_additions(const char *model, EadConfig *config) {
    EadStringList added = {0};
    EadPath left = "";
    if (ead_config_added(config, &added) != EAD_OK) return EAD_OK; /* told with all else */
    EadStatus status = EAD_OK;
    for (int i = 0; i < added.count; i++) {
        size_t used = strlen(left);
        if (ead_path_is_folder(added.items[i]))
            snprintf(left + used, sizeof left - used, "%s%s", used ? ":" : "", added.items[i]);
        else
            ead_print(stderr,
                      "warning: %s, on whose images %s was trained, too (dataset.add), is not there: it goes "
                      "on without them, and may forget what only they look like; if they have moved, name "
                      "them by --add FOLDER\n",
                      added.items[i], model);
    }
    if (strcmp(left, config->dataset_add) != 0)
        status = ead_config_set_key(config, EAD_KEY_dataset_add, left);
    ead_strings_free(&added);
    return status;
}

/* The division of the images follows from their number and names: with others, images that were trained on may be for
 * validation now. */
static EadStatus compare_images(const char *model, const char *trained, const EadConfig *config) {
    EadDataset dataset;
    int before = trained ? atoi(trained) : 0;
    if (before <= 0 || ead_config_list_dataset(config, &dataset) != EAD_OK)
        return EAD_OK; /* told with all else */
    if (dataset.train.count != before)
        ead_print(
            stderr,
            "warning: the data set of %s has %d images to train on now, and had %d: images that the model "
            "was trained on may be for validation now, which makes thresholds too low; put new images "
            "into a folder of their own, for --add\n",
            model, dataset.train.count, before);
    ead_dataset_free(&dataset);
    return EAD_OK;
}

static EadStatus look_at_data(const EadArguments *arguments, const char *model, const char *trained,
                              EadConfig *config) {
    bool given[EAD_CONFIG_KEYS], other = names_other_data(arguments);
    bool adds = ead_arguments_given(arguments, EAD_OPTION_ADD);
    ead_arguments_given_keys(arguments, given);
    if (adds && !other && !data_is_there(config)) return leave_old_images(model, config);
    if (!given[EAD_KEY_dataset_add]) EAD_TRY(leave_old_additions(model, config));
    return other || !data_is_there(config) ? EAD_OK : compare_images(model, trained, config);
}

/* ---- the config ---- */

/* Of a model that was converted, its file knows the networks alone. */
static EadStatus set_shape(const EadModel *model, EadConfig *config) {
    char size[32];
    snprintf(size, sizeof size, "%dx%d", model->height, model->width);
    EAD_TRY(ead_config_set_key(config, EAD_KEY_model_image_size, size));
    return ead_config_set_key(config, EAD_KEY_model_method, model->method->name);
}

/* A student belongs to the teacher that it learned from. */
static EadStatus start_from(const EadModel *model, const char *path, EadConfig *config) {
    EAD_TRY(ead_config_set_key(config, EAD_KEY_model_init, path));
    if (strcmp(model->method->name, "efficientad") != 0) return EAD_OK;
    return ead_config_set_key(config, EAD_KEY_model_teacher, path);
}

/* What the new run goes on from, as far as the file says. */
static void tell_model(const char *path, const EadSafetensors *file) {
    const char *steps = ead_safetensors_metadata(file, "steps"),
               *images = ead_safetensors_metadata(file, "train_images"),
               *data = ead_safetensors_metadata(file, "data");
    bool counted = steps && strcmp(steps, "0") != 0;
    if (images && data)
        ead_print(stderr, "--init: going on from %s, of %s images of %s%s%s%s\n", path, images, data,
                  counted ? ", " : "", counted ? steps : "", counted ? " steps" : "");
}

static EadStatus take_model(const EadArguments *arguments, const char *path, EadConfig *config) {
    EadSafetensors *file;
    EadModel *model;
    char label[EAD_PATH_SIZE + 16];
    EadStatus status = ead_model_open_file(path, &file, &model);
    if (status != EAD_OK) return ead_fail_prefix(status, "--init: ");
    const char *text = ead_safetensors_metadata(file, "config");
    snprintf(label, sizeof label, "%s: its config", path);
    if (text)
        (void)ead_config_parse(text, strlen(text), label, config); /* what is wrong is told with all else */
    else
        status = set_shape(model, config);
    tell_model(path, file);
    if (status == EAD_OK && text)
        status = look_at_data(arguments, path, ead_safetensors_metadata(file, "train_images"), config);
    if (status == EAD_OK) status = start_from(model, path, config);
    if (status == EAD_OK) status = place_output(path, config);
    ead_model_free(model);
    ead_safetensors_close(file);
    return status;
}

EadStatus ead_train_init_begin(const EadArguments *arguments, EadConfig *config) {
    const char *path = arguments->values[EAD_OPTION_INIT];
    if (!path || ead_arguments_given(arguments, EAD_OPTION_RESUME)) return EAD_OK;
    EadStatus status = take_model(arguments, path, config);
    config->unread = config->unread || status != EAD_OK;
    ead_problems_add(&config->problems, status);
    return status == EAD_NO_MEMORY ? status : EAD_OK;
}

/* Where nothing else is named, the first folder is the data set. */
static EadStatus add_folders(const char *folders, EadConfig *config) {
    EadPath first, all;
    size_t length = strcspn(folders, ":");
    bool alone = !config->dataset_path[0] && !config->dataset_train_good[0];
    if (alone) {
        EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_type, "folder"));
        if (snprintf(first, sizeof first, "%.*s", (int)length, folders) >= (int)sizeof first)
            return ead_fail(EAD_BAD_ARGUMENT, "--add: the path is too long");
        EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_path, first));
        folders += length + (folders[length] == ':');
    }
    const char *before = config->dataset_add;
    if (snprintf(all, sizeof all, "%s%s%s", before, *before && *folders ? ":" : "", folders) >=
        (int)sizeof all)
        return ead_fail(EAD_BAD_ARGUMENT, "--add: the folders' paths are too long together");
    return ead_config_set_key(config, EAD_KEY_dataset_add, all);
}

/* Where the config that they would be added to is not known. */
static void check_folders(const char *folders, EadProblems *problems) {
    for (size_t length; *folders; folders += length + (folders[length] == ':')) {
        EadPath folder;
        length = strcspn(folders, ":");
        bool fits = snprintf(folder, sizeof folder, "%.*s", (int)length, folders) < (int)sizeof folder;
        if (!fits || ead_path_is_folder(folder)) continue;
        ead_problems_add(problems, ead_fail(EAD_BAD_ARGUMENT, "--add: %s: no such folder", folder));
    }
}

EadStatus ead_train_init_apply(const EadArguments *arguments, EadConfig *config) {
    const char *folders = arguments->values[EAD_OPTION_ADD];
    bool given[EAD_CONFIG_KEYS], inits = ead_arguments_given(arguments, EAD_OPTION_INIT);
    ead_arguments_given_keys(arguments, given);
    if ((folders || inits) && ead_arguments_given(arguments, EAD_OPTION_RESUME))
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "--resume goes on with a run as it was begun; --init and --add begin a new one; leave "
            "one of the two out");
    if (inits && (given[EAD_KEY_train_seed] || given[EAD_KEY_dataset_validation_fraction]))
        ead_problems_add(&config->problems,
                         ead_fail(EAD_BAD_ARGUMENT,
                                  "--init divides the images of the model as they were; leave --set %s out",
                                  given[EAD_KEY_train_seed] ? "train.seed" : "dataset.validation_fraction"));
    if (!folders) return EAD_OK;
    if (!inits && !names_other_data(arguments) && !config->dataset_path[0] &&
        !config->dataset_train_good[0]) {
        config->unread = true; /* what a training on nothing else would lack is no news */
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "--add %s: to what? --init MODEL names the model that goes on with these images; without "
            "one, name the images it adds to: efficientad train FOLDER --add %s",
            folders, folders);
    }
    if (given[EAD_KEY_dataset_add])
        return ead_fail(EAD_BAD_ARGUMENT, "--add and --set dataset.add name the same; leave one of them out");
    if (!config->unread) return add_folders(folders, config);
    check_folders(folders, &config->problems);
    return EAD_OK;
}
