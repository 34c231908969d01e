/* Typed values from text and back, for config keys and command-line options alike: one parser, one notation
 * of ranges, one wording of the errors; and "did you mean" for the names in front of them. A kind of value is
 * one row of the table in value.c. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum EadValueKind {
    EAD_KIND_STRING, /* any text in UTF-8 without control characters */
    EAD_KIND_PATH,   /* the same; "~" and "~/x" are stored as ead_path_expand() makes them */
    EAD_KIND_INT,    /* constraint "[1, 100]" */
    EAD_KIND_UINT64, /* constraint "" */
    EAD_KIND_DOUBLE, /* constraint "[0, 1)": round brackets exclude the limit */
    EAD_KIND_BOOL,   /* true or false */
    EAD_KIND_CHOICE, /* constraint "first|second"; the value is the index */
    EAD_KIND_SIZE,   /* "256" or "HxW"; constraint "[128, 2048] in steps of 64" */
    EAD_KIND_CAMERA, /* "256" or "WxH": a size as cameras are said to have; options only */
    EAD_KIND_LIST, /* mappings of config keys as YAML in one line, see train/config/config.h; constraint: which */
    EAD_KIND_SHARD, /* "2/8": part 2 of 8; "array/8" or "array": that of a job array; options only */
    EAD_KIND_FLAG,  /* options only: has no value */
} EadValueKind;

/* Height and width of pictures, in pixels. */
typedef struct EadSize {
    int height, width;
} EadSize;

/* Part `part` (1 .. parts) of `parts`; part 0: the number of this job in its array; parts 0: the array's
 * length. */
typedef struct EadShard {
    int part, parts;
} EadShard;

typedef struct EadValueRule {
    const char *name; /* "train.lr", "--seed": starts every error */
    EadValueKind kind;
    const char *constraint; /* see EadValueKind; "" where there is none */
} EadValueRule;

typedef struct EadValue {
    const char *text; /* the text parsed, borrowed */
    union {
        int64_t i64;    /* INT, CHOICE (index) */
        uint64_t u64;   /* UINT64 */
        double f64;     /* DOUBLE */
        bool flag;      /* BOOL */
        EadSize size;   /* SIZE */
        EadShard shard; /* SHARD */
    };
} EadValue;

/* Parses text by the rule. Errors: EAD_BAD_ARGUMENT, "NAME: ..." with the value and what is possible. */
EadStatus ead_value_parse(const EadValueRule *rule, const char *text, EadValue *value);

/* Whether a text is a size in the range of a rule of the kind SIZE, but between its steps; the nearest size that is none, the larger
 * one of two, is put into `nearest`. */
enum { EAD_SIZE_TEXT = 24 };
bool ead_value_nearest_size(const EadValueRule *rule, const char *text, char nearest[EAD_SIZE_TEXT]);

/* The kind for help texts: "a whole number", "true or false", ... */
const char *ead_value_kind_name(EadValueKind kind);

/* The choice number `index` of "first|second" (its length into *length), or NULL past the last. */
const char *ead_value_choice(const char *constraint, int index, size_t *length);

/* Whether values of a kind can be members of a struct, as those of a config are, for the four functions
 * below: char * (owned), int for INT and CHOICE, else the type of EadValue's member. */
bool ead_value_is_storable(EadValueKind kind);

/* Puts a parsed value into a member; a text there before is freed. Errors: EAD_NO_MEMORY; EAD_BAD_ARGUMENT
 * for a path that cannot be expanded any more. */
EadStatus ead_value_store(EadValueKind kind, const EadValue *value, void *member);

/* Frees what a member owns. */
void ead_value_free(EadValueKind kind, void *member);

bool ead_value_equal(EadValueKind kind, const void *a, const void *b);

/* Writes a member as YAML: what ead_value_parse() reads, texts in quotes. */
void ead_value_write(FILE *stream, const EadValueRule *rule, const void *member);

/* The number of single-byte insertions, removals and replacements between two names (Levenshtein distance).
 * Names longer than 63 bytes count as infinitely far (INT_MAX). */
int ead_edit_distance(const char *a, const char *b);

/* The search for the known name nearest to a mistyped one; start with {0}. name NULL: none is near enough. */
typedef struct EadSuggestion {
    const char *name;
    int distance;
} EadSuggestion;

/* Offers a candidate, compared by its spelling `as` (which may be a part of the name). Near enough is a third
 * of the typed name's length, at least 2. */
void ead_suggestion_offer(EadSuggestion *suggestion, const char *typed, const char *as, const char *name);
