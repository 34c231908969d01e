/* The configuration of a run: EadConfig has one member a row of config_keys.def, filled from defaults, a YAML
 * file and --set, in this order. Every value is checked against its row when it comes in; what must fit
 * together is checked by ead_config_check() and the method. Paths: EAD_PATH_RULE. */
#pragma once

#include "core/base/status.h"
#include "core/base/string_list.h"
#include "data/dataset/dataset.h"
#include "train/config/yaml.h"
#include "train/support/problems.h"
#include "train/support/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a path means, a sentence of the help. */
#define EAD_PATH_RULE                                                                                        \
    "A relative path starts from the current folder, wherever it is written (command line, config, model "   \
    "file, list on stdin), but dataset.train_good, dataset.test_good, dataset.defects and dataset.masks "    \
    "start from dataset.path, and files that a sweep file names (base, collections) from its own folder; "   \
    "~ is the home folder."

/* The choices of CHOICE members: X(value, word), in order. The rows in config_keys.def name their words by
 * these lists, and the enums are made of them; those of dataset.type stand in data/dataset/dataset.h. Where a
 * choice is cast to the enum of another folder, EAD_SAME_VALUE() holds the two together. */
#define EAD_SIZE_CHOICES(X) X(EAD_SIZE_CHOICE_SMALL, "small") X(EAD_SIZE_CHOICE_MEDIUM, "medium")
#define EAD_PRECISION_CHOICES(X)                                                                             \
    X(EAD_PRECISION_CHOICE_FP32, "fp32")                                                                     \
    X(EAD_PRECISION_CHOICE_TF32, "tf32")                                                                     \
    X(EAD_PRECISION_CHOICE_BF16, "bf16")                                                                     \
    X(EAD_PRECISION_CHOICE_FP16, "fp16") X(EAD_PRECISION_CHOICE_AUTO, "auto")
#define EAD_NORMALIZATION_CHOICES(X)                                                                         \
    X(EAD_NORMALIZATION_CHOICE_QUANTILE, "quantile")                                                         \
    X(EAD_NORMALIZATION_CHOICE_GAUSSIAN, "gaussian") X(EAD_NORMALIZATION_CHOICE_NONE, "none")
#define EAD_SELECT_CHOICES(X)                                                                                \
    X(EAD_SELECT_CHOICE_BOTH, "both") X(EAD_SELECT_CHOICE_ST, "st") X(EAD_SELECT_CHOICE_AE, "ae")
#define EAD_THRESHOLD_CHOICES(X)                                                                             \
    X(EAD_THRESHOLD_CHOICE_NONE, "none")                                                                     \
    X(EAD_THRESHOLD_CHOICE_QUANTILE, "quantile")                                                             \
    X(EAD_THRESHOLD_CHOICE_FALSE_ALARM_RATE, "false_alarm_rate")                                             \
    X(EAD_THRESHOLD_CHOICE_PREDICTION, "prediction")
#define EAD_SCORE_CHOICES(X)                                                                                 \
    X(EAD_SCORE_CHOICE_MAX, "max") X(EAD_SCORE_CHOICE_TOP_MEAN, "top_mean") X(EAD_SCORE_CHOICE_AREA, "area")
#define EAD_CORESET_CHOICES(X)                                                                               \
    X(EAD_CORESET_CHOICE_APPROXIMATE, "approximate") X(EAD_CORESET_CHOICE_EXACT, "exact")
#define EAD_KERNEL_CHOICES(X) X(EAD_KERNEL_CHOICE_MIXED, "mixed") X(EAD_KERNEL_CHOICE_3X3, "3x3")
#define EAD_STORED_CHOICES(X) X(EAD_STORED_CHOICE_FP32, "fp32") X(EAD_STORED_CHOICE_FP16, "fp16")
#define EAD_FUSION_CHOICES(X) X(EAD_FUSION_CHOICE_VALIDATION, "validation") X(EAD_FUSION_CHOICE_TEST, "test")
#define EAD_VARIANT_CHOICES(X)                                                                               \
    X(EAD_VARIANT_CHOICE_AUTO, "auto")                                                                       \
    X(EAD_VARIANT_CHOICE_TORCHVISION, "torchvision") X(EAD_VARIANT_CHOICE_CAFFE, "caffe")

#define EAD_ENUMERATOR(value, word) value,
typedef enum EadSizeChoice { EAD_SIZE_CHOICES(EAD_ENUMERATOR) } EadSizeChoice;
typedef enum EadPrecisionChoice { EAD_PRECISION_CHOICES(EAD_ENUMERATOR) } EadPrecisionChoice;
/* train.keep. */
#define EAD_KEEP_CHOICES(X) X(EAD_KEEP_CHOICE_ALL, "all") X(EAD_KEEP_CHOICE_MODEL, "model")
typedef enum EadKeepChoice { EAD_KEEP_CHOICES(EAD_ENUMERATOR) } EadKeepChoice;

#define EAD_TEACHER_CACHE_CHOICES(X)                                                                         \
    X(EAD_TEACHER_CACHE_CHOICE_AUTO, "auto")                                                                 \
    X(EAD_TEACHER_CACHE_CHOICE_TRUE, "true")                                                                 \
    X(EAD_TEACHER_CACHE_CHOICE_FALSE, "false")
typedef enum EadTeacherCacheChoice { EAD_TEACHER_CACHE_CHOICES(EAD_ENUMERATOR) } EadTeacherCacheChoice;
typedef enum EadNormalizationChoice { EAD_NORMALIZATION_CHOICES(EAD_ENUMERATOR) } EadNormalizationChoice;
typedef enum EadSelectChoice { EAD_SELECT_CHOICES(EAD_ENUMERATOR) } EadSelectChoice;
typedef enum EadThresholdChoice { EAD_THRESHOLD_CHOICES(EAD_ENUMERATOR) } EadThresholdChoice;
typedef enum EadScoreChoice { EAD_SCORE_CHOICES(EAD_ENUMERATOR) } EadScoreChoice;
typedef enum EadCoresetChoice { EAD_CORESET_CHOICES(EAD_ENUMERATOR) } EadCoresetChoice;
typedef enum EadKernelChoice { EAD_KERNEL_CHOICES(EAD_ENUMERATOR) } EadKernelChoice;
typedef enum EadStoredChoice { EAD_STORED_CHOICES(EAD_ENUMERATOR) } EadStoredChoice;
typedef enum EadFusionChoice { EAD_FUSION_CHOICES(EAD_ENUMERATOR) } EadFusionChoice;
typedef enum EadVariantChoice { EAD_VARIANT_CHOICES(EAD_ENUMERATOR) } EadVariantChoice;

/* "first|second" of such a list, a constant. */
#define EAD_BAR_AND_WORD(value, word) "|" word
#define EAD_WORDS(CHOICES)            (&(CHOICES(EAD_BAR_AND_WORD))[1])

/* Two enums that mean the same: one is cast to the other. */
#define EAD_SAME_VALUE(a, b) _Static_assert((int)(a) == (int)(b), #a " is cast to " #b)

#define EAD_DEFAULT_BACKBONE "pdn_small" /* where model.backbone is empty */

#define EAD_TYPE_STRING char *
#define EAD_TYPE_PATH   char *
#define EAD_TYPE_INT    int
#define EAD_TYPE_UINT64 uint64_t
#define EAD_TYPE_DOUBLE double
#define EAD_TYPE_BOOL   bool
#define EAD_TYPE_CHOICE int
#define EAD_TYPE_SIZE   EadSize
#define EAD_TYPE_LIST   char *

/* Texts are owned and never NULL after ead_config_defaults(). */
typedef struct EadConfig {
#define EAD_KEY_OF(readers, name, kind, member, default_text, constraint, help) EAD_TYPE_##kind member;
#include "train/config/config_keys.def"
#undef EAD_KEY_OF
    EadStringList renamed; /* a notice for each old name that was used */
    EadProblems problems;  /* all that is wrong with it, for ead_problems_tell() */
    bool unread;           /* a file for it could not be read: what lacks may stand there */
} EadConfig;

typedef enum EadConfigKeyId {
#define EAD_KEY_OF(readers, name, kind, member, default_text, constraint, help) EAD_KEY_##member,
#include "train/config/config_keys.def"
#undef EAD_KEY_OF
    EAD_CONFIG_KEYS
} EadConfigKeyId;

enum { EAD_CHOICE_SIZE = 32 }; /* bytes that hold the name of any choice */

/* One row of config_keys.def. */
typedef struct EadConfigKey {
    EadValueRule rule; /* name, kind, constraint */
    size_t offset;     /* of the member in EadConfig */
    const char *default_text, *help;
    const char *readers; /* names of the fits that read it, parted by blanks; "": all do */
} EadConfigKey;

/* Row number `index`, 0 <= index < EAD_CONFIG_KEYS. */
const EadConfigKey *ead_config_key(int index);

/* Whether the fit of that name (train/fits.def) reads a key: train.steps tells PatchCore nothing. */
bool ead_config_is_read_by(int key, const char *fit);

/* The same of the method that model.method names. */
bool ead_config_reads(const EadConfig *config, int key);

/* "efficientad, distill: ", the readers as they are told before a key's help, in buffer, which is returned; empty where
 * all read it, or the section has the name of the first. */
enum { EAD_READERS_SIZE = 96 };
const char *ead_config_readers(int key, char buffer[EAD_READERS_SIZE]);

/* Where a config holds the value of row number `index`. */
void *ead_config_member(const EadConfig *config, int index);

/* The number of the row with that name, or that had it before, or -1. */
int ead_config_find(const char *name);

/* Fills *config with the defaults; what it held is not freed. Error: EAD_NO_MEMORY; *config is empty then. */
EadStatus ead_config_defaults(EadConfig *config);

/* *out: the values of a config that was read whole; to be freed. Errors: EAD_NO_MEMORY; *out is empty then. */
EadStatus ead_config_copy(const EadConfig *config, EadConfig *out);

/* Frees the texts; harmless on a zeroed config. */
void ead_config_free(EadConfig *config);

/* Parses a YAML text of `size` bytes over what *config holds (defaults, or an earlier file). Nested mappings
 * and dotted names are the same thing. label names the text in errors. Errors: EAD_BAD_FILE, "LABEL:LINE:
 * ..." for anything but known keys, each once, with values of their type and range; EAD_NO_MEMORY. It is the
 * first of those kept in config->problems: lines behind an error are read, too. *config is still to be freed. */
EadStatus ead_config_parse(const void *bytes, size_t size, const char *label, EadConfig *config);

/* The same for a file of at most 1 MB, or the config of that name that comes with the program. Errors: also EAD_IO, for a
 * name that is neither with the nearest one. */
EadStatus ead_config_load(const char *path, EadConfig *config);

/* Whether that would read a config that comes with the program. */
bool ead_config_is_shipped(const char *path);

/* The same for a mapping of keys inside a file that has been read; an empty node sets nothing. */
EadStatus ead_config_apply(const EadYamlNode *node, EadConfig *config);

/* Sets a key from "key=value"; label ("--set") starts the error, which is kept in config->problems, too. Errors:
 * EAD_BAD_ARGUMENT, EAD_NO_MEMORY. */
EadStatus ead_config_set(EadConfig *config, const char *assignment, const char *label);

/* Sets row number `index` from text. Errors: EAD_BAD_ARGUMENT, "NAME: ..."; EAD_NO_MEMORY. */
EadStatus ead_config_set_key(EadConfig *config, int index, const char *text);

/* Keeps a notice in config->renamed, "WHERE: maps.use is now maps.select; ...", if `name` is the old name of
 * row number `index`. Errors: EAD_NO_MEMORY. */
EadStatus ead_config_note_renamed(EadConfig *config, int index, const char *name, const char *where);

/* Fails for an unknown name, with the nearest known one. section: a mapping of keys was expected. */
EadStatus ead_config_unknown(const char *name, bool section);

/* Checks what every use of a data set needs: that it is named completely. What a method asks of its own keys
 * is checked by the method (train/fit.h). Errors: EAD_BAD_ARGUMENT, with the keys and a remedy, for the first
 * of what it adds to config->problems. */
EadStatus ead_config_check(EadConfig *config);

/* ead_config_check(), and whether the data set's folders are there, which adds to config->problems; test_only: as for
 * ead_config_open_dataset(). Whether the data set can be looked for, and may tell more. */
bool ead_config_names_dataset(EadConfig *config, bool test_only);

/* Whether a value for the key was refused, or a name was that may have meant it; the config then holds another. */
bool ead_config_was_refused(const EadConfig *config, EadConfigKeyId key);

/* Adds to config->problems what is wrong with its values together, unless the value of `key`, on which it
 * depends, was refused before, or a file could not be read. */
void ead_config_wrong(EadConfig *config, EadConfigKeyId key, const char *format, ...) EAD_PRINTF(3, 4);

/* Whether a key is set to a path that can be read; one that is not there is added to config->problems. */
bool ead_config_is_there(EadConfig *config, EadConfigKeyId key);

/* Adds the thread's message behind the name of the key if status is that of a failure and the value of the key was not
 * refused before. What a config that could not be read whole does name is judged like any other. */
void ead_config_judge(EadConfig *config, EadConfigKeyId key, EadStatus status);

/* The name of a CHOICE member's value (key: EAD_KEY_dataset_type, ...), in buffer, which is returned. */
const char *ead_config_choice(const EadConfig *config, EadConfigKeyId key, char buffer[EAD_CHOICE_SIZE]);

/* The whole config as YAML text, every key in the order of the rows, in *text, which the caller frees.
 * Reading it back gives the same config. Errors: EAD_NO_MEMORY. */
EadStatus ead_config_to_yaml(const EadConfig *config, char **text);

/* The value of a key as it stands in a file, in *text, which the caller frees. Error: EAD_NO_MEMORY. */
EadStatus ead_config_value_text(const EadConfig *config, EadConfigKeyId key, char **text);

/* Writes the defaults as a commented YAML file: a template, and the reference of all keys. */
void ead_config_print_reference(FILE *stream);

/* ---- keys of the kind LIST ----
 * The value is a list of mappings of other keys, in which an entry differs from the rest of the config; which keys, the
 * constraint of the row says: "model.backbone, patchcore.*". In a file a YAML list, elsewhere the same in one line. */

/* Checks a list and sets row number `index` to it, with a mark for each entry that is wrong. What is wrong goes to
 * problems, all of it, with its line. Errors: the first of these; EAD_NO_MEMORY. */
EadStatus ead_config_take_list(const EadYamlNode *node, int index, EadConfig *config, EadProblems *problems);

/* The same from a text. Errors: the first thing that is wrong; the others are added to config->problems. */
EadStatus ead_config_parse_list(EadConfig *config, int index, const char *text);

/* The number of entries. Errors: EAD_NO_MEMORY. */
EadStatus ead_config_list_count(const EadConfig *config, EadConfigKeyId key, int *count);

/* Adds to config->problems two entries that mean the same; what: an entry's name, "member". Errors: those of reading. */
EadStatus ead_config_list_check(EadConfig *config, EadConfigKeyId key, const char *what);

/* Whether each entry sets row number `index` itself. Errors: those of reading. */
EadStatus ead_config_list_sets(const EadConfig *config, EadConfigKeyId key, int index, bool *all);

/* *out: the config with the keys of entry number `entry`, from 0; to be freed. It is `unread` if the entry was refused.
 * Errors: EAD_NO_MEMORY, EAD_BAD_FILE; *out is empty then. */
EadStatus ead_config_list_entry(const EadConfig *config, EadConfigKeyId key, int entry, EadConfig *out);

/* Opens the data set that dataset.* name, split by train.seed, or with test_only its test images alone, and
 * writes its notes and what it leaves out to stderr. Errors: those of ead_dataset_open() and, where output lies
 * among its images, of ead_check_output_apart(). *dataset is empty then, else the caller frees it. */
EadStatus ead_config_open_dataset(const EadConfig *config, bool test_only, EadDataset *dataset);

/* The same for a training; tells nothing. Errors: those of ead_dataset_open(). */
EadStatus ead_config_list_dataset(const EadConfig *config, EadDataset *dataset);

/* Whether that would succeed. Errors: as there. */
EadStatus ead_config_try_dataset(const EadConfig *config);

/* Appends the folders that dataset.add names to list. Errors: EAD_BAD_ARGUMENT for a ~name, EAD_NO_MEMORY. */
EadStatus ead_config_added(const EadConfig *config, EadStringList *list);

/* Whether two configs name the same data set, as they spell it. */
bool ead_config_same_dataset(const EadConfig *a, const EadConfig *b);

/* Writes doubts about a data set to stderr. Where dataset.strict is set they, and `missed` pictures that are left
 * out, are an error that names all: EAD_BAD_FILE. */
EadStatus ead_config_tell_doubts(const EadConfig *config, const EadStringList *doubts, int64_t missed);

/* Checks its test set (ead_dataset_check_tests()) and tells what is doubtful or left out, as above. */
EadStatus ead_config_check_tests(const EadConfig *config, EadDataset *dataset);

/* Whether it is the config of a distillation, which names images and no data set; else it is one of a training. */
bool ead_config_distils(const EadConfig *config);

/* Whether penalty.path is the word drawn and no path. */
bool ead_config_draws_penalty(const EadConfig *config);

/* How the images of that data set are read. */
EadImageRules ead_config_image_rules(const EadConfig *config);

/* What people call the data set: the category, or the last folder of dataset.path. Borrowed from config. */
const char *ead_config_dataset_name(const EadConfig *config);

/* What a method that compares a backbone's features has for one: the name of its file, or of the network; of an ensemble
 * its members; of other methods "". Borrowed from config. */
const char *ead_config_backbone_name(const EadConfig *config);

/* What is to be the same in two configs. Of a training each includes those before it. */
typedef enum EadCompareScope {
    EAD_SAME_STEPS,    /* every training step; train.steps may differ, for those who want to train longer */
    EAD_SAME_TRAINING, /* the trained weights; maps.* may differ, which is measured after training */
    EAD_SAME_RESULT,   /* the metrics; files, folders, threads and logs may differ */
    EAD_SAME_DISTILLATION, /* every step of a distillation, as EAD_SAME_STEPS; distill.steps may differ */
} EadCompareScope;

/* Whether the metrics of a training depend on a key at all. */
bool ead_config_matters(int key);

/* The first key in which they differ as far as `scope` asks, or -1. */
int ead_config_difference(const EadConfig *a, const EadConfig *b, EadCompareScope scope);

/* Fails with "LABEL: was made with KEY: X, the config now says Y; HINT" of the values in a and in b. Returns
 * EAD_BAD_ARGUMENT or EAD_NO_MEMORY. */
EadStatus ead_config_fail_difference(const EadConfig *a, const EadConfig *b, int key, const char *label,
                                     const char *hint);
