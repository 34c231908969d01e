/* The configuration of a run: EadConfig has one member a row of config_keys.def, filled from defaults, a YAML
 * file and --set, in this order. Every value is checked against its row when it comes in; what must fit
 * together is checked by ead_config_check(). Relative paths are relative to the current directory. */
#ifndef EAD_TRAIN_CONFIG_H
#define EAD_TRAIN_CONFIG_H

#include "core/base/status.h"
#include "data/dataset/dataset.h"
#include "train/support/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Values of CHOICE members, in the order of the row's choices; those of dataset.type are EadDatasetType
 * (data/dataset/dataset.h), those of train.precision EadPrecision (core/graph/kernel.h), those of
 * threshold.method EadThresholdMethod (train/metrics/threshold_rule.h), those of maps.use EadMapUse (models/efficientad/model.h). */
typedef enum EadSizeChoice { EAD_SIZE_CHOICE_SMALL, EAD_SIZE_CHOICE_MEDIUM } EadSizeChoice;
typedef enum EadNormalizationChoice {
    EAD_NORMALIZATION_CHOICE_QUANTILE,
    EAD_NORMALIZATION_CHOICE_GAUSSIAN,
    EAD_NORMALIZATION_CHOICE_NONE,
} EadNormalizationChoice;
/* Those of distill.variant behind EAD_VARIANT_CHOICE_AUTO are EadResnetVariant (models/networks/resnet.h) in its
 * order. */
typedef enum EadVariantChoice { EAD_VARIANT_CHOICE_AUTO, EAD_VARIANT_CHOICE_FIRST } EadVariantChoice;

#define EAD_TYPE_STRING char *
#define EAD_TYPE_PATH   char *
#define EAD_TYPE_INT    int
#define EAD_TYPE_UINT64 uint64_t
#define EAD_TYPE_DOUBLE double
#define EAD_TYPE_BOOL   bool
#define EAD_TYPE_CHOICE int
#define EAD_TYPE_SIZE   EadSize

/* Texts are owned and never NULL after ead_config_defaults(). */
typedef struct EadConfig {
#define EAD_KEY(name, kind, member, default_text, constraint, help) EAD_TYPE_##kind member;
#include "train/config/config_keys.def"
#undef EAD_KEY
} EadConfig;

typedef enum EadConfigKeyId {
#define EAD_KEY(name, kind, member, default_text, constraint, help) EAD_KEY_##member,
#include "train/config/config_keys.def"
#undef EAD_KEY
    EAD_CONFIG_KEYS
} EadConfigKeyId;

enum { EAD_CHOICE_SIZE = 32 }; /* bytes that hold the name of any choice */

/* One row of config_keys.def. */
typedef struct EadConfigKey {
    EadValueRule rule; /* name, kind, constraint */
    size_t offset;     /* of the member in EadConfig */
    const char *default_text, *help;
} EadConfigKey;

/* Row number `index`, 0 <= index < EAD_CONFIG_KEYS. */
const EadConfigKey *ead_config_key(int index);

/* The number of the row with that name, or -1. */
int ead_config_find(const char *name);

/* Whether a row belongs to the section distill, and so to no training or evaluation. */
bool ead_config_key_is_of_distillation(EadConfigKeyId key);

/* Fills *config with the defaults; what it held is not freed. Errors: EAD_NO_MEMORY (*config is then empty).
 */
EadStatus ead_config_defaults(EadConfig *config);

/* Frees the texts; harmless on a zeroed config. */
void ead_config_free(EadConfig *config);

/* Parses a YAML text of `size` bytes over what *config holds (defaults, or an earlier file). Nested mappings
 * and dotted names are the same thing. label names the text in errors. Errors: EAD_BAD_FILE, "LABEL:LINE:
 * ..." for anything but known keys, each once, with values of their type and range; EAD_NO_MEMORY. After an
 * error *config may have been changed by the lines before it, and is still to be freed. */
EadStatus ead_config_parse(const void *bytes, size_t size, const char *label, EadConfig *config);

/* The same for a file of at most 1 MB. Errors: also EAD_IO. */
EadStatus ead_config_load(const char *path, EadConfig *config);

/* Sets one key from "key=value"; label (such as "--set") starts the error. Errors: EAD_BAD_ARGUMENT,
 * EAD_NO_MEMORY. */
EadStatus ead_config_set(EadConfig *config, const char *assignment, const char *label);

/* Sets row number `index` from text. Errors: EAD_BAD_ARGUMENT, "NAME: ..."; EAD_NO_MEMORY. */
EadStatus ead_config_set_key(EadConfig *config, int index, const char *text);

/* Fails for an unknown name, with the nearest known one. section: a mapping of keys was expected. */
EadStatus ead_config_unknown(const char *name, bool section);

/* Checks what every use of a data set needs: a data set that is named completely, quantiles in order.
 * Errors: EAD_BAD_ARGUMENT, with the keys and the cure. */
EadStatus ead_config_check(const EadConfig *config);

/* ead_config_check() and what training needs besides: a teacher, images for the penalty. */
EadStatus ead_config_check_training(const EadConfig *config);

/* What distillation needs: backbone, images, a folder for the output. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_config_check_distillation(const EadConfig *config);

/* The name of a CHOICE member's value (key: EAD_KEY_dataset_type, ...), written into buffer, which is
 * returned. */
const char *ead_config_choice(const EadConfig *config, EadConfigKeyId key, char buffer[EAD_CHOICE_SIZE]);

/* The whole config as YAML text, every key in the order of the rows, in *text, which the caller frees.
 * Reading it back gives the same config. Errors: EAD_NO_MEMORY. */
EadStatus ead_config_to_yaml(const EadConfig *config, char **text);

/* The value of one key as it would stand in the file, in *text, which the caller frees. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_config_value_text(const EadConfig *config, EadConfigKeyId key, char **text);

/* Writes the defaults as a commented YAML file: a template, and the reference of all keys. */
void ead_config_print_reference(FILE *stream);

#endif
