/* YAML files as trees, for configs and sweeps. Only what these need is understood: one document of mappings
 * and lists of plain or quoted scalars; anchors, aliases, tags, a second document and deep nesting are
 * refused with their line, so that a slip never passes as something else. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum EadYamlKind { EAD_YAML_SCALAR, EAD_YAML_LIST, EAD_YAML_MAPPING } EadYamlKind;

typedef struct EadYamlNode EadYamlNode;
struct EadYamlNode {
    EadYamlKind kind;
    size_t line;          /* of the key, or of the value where there is none; from 1 */
    const char *label;    /* names the file in errors */
    char *key;            /* of an entry of a mapping: no control characters; else NULL */
    char *text;           /* of a scalar: "" where nothing was written */
    bool quoted, control; /* of a scalar: in quotes; holds control characters, or bytes past a NUL */
    EadYamlNode *first, *last, *next; /* entries of a list or mapping; the entry behind this one */
    int count;                        /* of the entries */
};

/* Reads a text of `size` bytes, at most 1 MB. label: the file's name, for errors; what: "config", "sweep",
 * what a file is called in them. An empty document is an empty scalar. Errors: EAD_BAD_FILE, "LABEL:LINE:
 * ..."; EAD_NO_MEMORY; *root is NULL then. The caller frees the root. */
EadStatus ead_yaml_parse(const void *bytes, size_t size, const char *label, const char *what,
                         EadYamlNode **root);

/* The same for a file. Errors: also EAD_IO. */
EadStatus ead_yaml_load(const char *path, const char *what, EadYamlNode **root);

/* Frees a root with all below it; NULL is harmless. */
void ead_yaml_free(EadYamlNode *root);

/* Whether nothing was written: a key without value, an empty document. */
bool ead_yaml_is_empty(const EadYamlNode *node);

/* "LABEL:LINE: " before the message of a failure; EAD_BAD_ARGUMENT becomes EAD_BAD_FILE. */
EadStatus ead_yaml_at(const EadYamlNode *node, EadStatus status);

/* Fails at a node with EAD_BAD_FILE. */
EadStatus ead_yaml_fail(const EadYamlNode *node, const char *format, ...) EAD_PRINTF(2, 3);
