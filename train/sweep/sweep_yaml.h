/* A YAML file as a tree with checks, for sweep files: libyaml's document, whose nodes are numbered from 1.
 * Every failure is "FILE:LINE: ...", EAD_BAD_FILE. */
#ifndef EAD_TRAIN_SWEEP_YAML_H
#define EAD_TRAIN_SWEEP_YAML_H

#include "train/sweep/sweep.h"

typedef struct EadSweepYaml EadSweepYaml;

/* Reads a file of at most 1 MB that holds one document in UTF-8 without anchors and tags. Errors: EAD_IO,
 * EAD_BAD_FILE, EAD_NO_MEMORY; *out is NULL then. Close it in every case. */
EadStatus ead_sweep_yaml_open(const char *path, EadSweepYaml **out);
void ead_sweep_yaml_close(EadSweepYaml *yaml);

/* The node of the whole document. */
enum { EAD_SWEEP_YAML_ROOT = 1 };

/* Fails at a node. */
EadStatus ead_sweep_yaml_fail(const EadSweepYaml *yaml, int node, const char *format, ...) EAD_PRINTF(3, 4);

bool ead_sweep_yaml_is_text(const EadSweepYaml *yaml, int node);

/* The node as a text without control characters, a list or a mapping, called `what` in errors. */
EadStatus ead_sweep_yaml_text(const EadSweepYaml *yaml, int node, const char *what, const char **text);
EadStatus ead_sweep_yaml_list(const EadSweepYaml *yaml, int node, const char *what, int *count);
EadStatus ead_sweep_yaml_mapping(const EadSweepYaml *yaml, int node, const char *what, int *count);

/* Entry number `index` of a list or mapping. */
int ead_sweep_yaml_item(const EadSweepYaml *yaml, int node, int index);
void ead_sweep_yaml_pair(const EadSweepYaml *yaml, int node, int index, int *key, int *value);

/* The values of a mapping that may hold the fields `names` (ends with NULL), each at most once; 0 for those
 * it does not hold. */
EadStatus ead_sweep_yaml_fields(const EadSweepYaml *yaml, int node, const char *what,
                                const char *const *names, int *values);

/* The text of a mapping, all before it blanked. Empty for a node without content. */
EadStatus ead_sweep_yaml_layer(const EadSweepYaml *yaml, int node, EadSweepLayer *layer);

#endif
