/* Typed values from text, for config keys and command-line options alike: one parser, one way to state a
 * range, one wording of the errors. */
#ifndef EAD_TRAIN_VALUE_H
#define EAD_TRAIN_VALUE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum EadValueKind {
    EAD_KIND_STRING, /* any text in UTF-8 without control characters */
    EAD_KIND_PATH,   /* the same; relative paths are relative to the current directory */
    EAD_KIND_INT,    /* constraint "[1, 100]" */
    EAD_KIND_UINT64, /* constraint "" */
    EAD_KIND_DOUBLE, /* constraint "[0, 1)": round brackets exclude the limit */
    EAD_KIND_BOOL,   /* true or false */
    EAD_KIND_CHOICE, /* constraint "first|second"; the value is the index */
    EAD_KIND_SIZE,   /* "256" or "HxW"; constraint "[128, 2048] in steps of 64" */
    EAD_KIND_SHARE,  /* "2/8": part 2 of 8; options only */
    EAD_KIND_FLAG,   /* options only: has no value */
} EadValueKind;

/* Height and width of pictures, in pixels. */
typedef struct EadSize {
    int height, width;
} EadSize;

/* Part `part` (1 .. parts) of `parts`. */
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
        EadShard share; /* SHARE */
    };
} EadValue;

/* Parses text by the rule. Errors: EAD_BAD_ARGUMENT, "NAME: ..." with the value and what is possible. */
EadStatus ead_value_parse(const EadValueRule *rule, const char *text, EadValue *value);

/* The kind for help texts: "a whole number", "true or false", ... */
const char *ead_value_kind_name(EadValueKind kind);

/* The choice number `index` of "first|second" (its length into *length), or NULL past the last. */
const char *ead_value_choice(const char *constraint, int index, size_t *length);

#endif
