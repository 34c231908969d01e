/* The pickles that torch.save writes, read without Python: a program for a small stack machine is run, but
 * all it can make are inert values of this file. Nothing is ever called or imported: a call becomes a node
 * that names the function, and only those functions pass that the caller lists, which is how a pickle that
 * would run os.system() is refused by name. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum EadPickleKind {
    EAD_PICKLE_NONE,
    EAD_PICKLE_BOOL,   /* integer: 0 or 1 */
    EAD_PICKLE_INT,    /* integer */
    EAD_PICKLE_FLOAT,  /* number */
    EAD_PICKLE_TEXT,   /* text: str or bytes */
    EAD_PICKLE_GLOBAL, /* text: "module\nname" of a class or function; never looked up */
    EAD_PICKLE_TUPLE,  /* items */
    EAD_PICKLE_LIST,   /* items; sets too */
    EAD_PICKLE_DICT,   /* items: key, value, key, value, ... */
    EAD_PICKLE_CALL,   /* callee(*argument), and items as those of a dict if it was filled like one */
    EAD_PICKLE_OBJECT, /* an instance of class callee, made of argument; state if it was set; items as CALL */
    EAD_PICKLE_OUTSIDE, /* argument: what the pickler's owner keeps elsewhere (storages of tensors) */
} EadPickleKind;

typedef struct EadPickleValue {
    EadPickleKind kind;
    int64_t integer;
    double number;
    const char *text; /* [length], not terminated */
    size_t length;
    const struct EadPickleValue *callee, *argument, *state;
    const struct EadPickleValue **items;
    int count, capacity;
} EadPickleValue;

typedef struct EadPickle EadPickle;

/* Runs a pickle of protocol 2, which is what torch.save writes; what follows its end is not looked at. calls:
 * NULL-terminated names ("collections.OrderedDict") that may be called. Values may contain each other and
 * themselves, so whoever walks them must bound depth and steps. bytes must outlive *out. Errors, naming
 * label: EAD_BAD_FILE for truncated, malformed or overlong pickles (16 MiB, 2^20 values); EAD_UNSUPPORTED,
 * naming it, for a call that is not listed and for opcodes that torch.save does not write; EAD_NO_MEMORY. */
EadStatus ead_pickle_parse(const void *bytes, size_t size, const char *label, const char *const *calls,
                           EadPickle **out);

/* What the pickle is of. */
const EadPickleValue *ead_pickle_root(const EadPickle *pickle);

/* How many bytes it took. */
size_t ead_pickle_size(const EadPickle *pickle);

/* Every EAD_PICKLE_OUTSIDE that was made, index 0..; NULL behind the last. */
const EadPickleValue *ead_pickle_outside(const EadPickle *pickle, int index);

/* Whether a value is that text, or the global of that name ("os.system"); NULL is not. */
bool ead_pickle_is(const EadPickleValue *value, const char *text);

/* Copies a text, or a global's name with its dot, cut to size - 1 bytes. False if cut or holding a NUL. */
bool ead_pickle_copy(const EadPickleValue *value, char *out, size_t size);

/* The value under a text key in the items of a dict; NULL if there is none or `dict` is NULL or no dict. */
const EadPickleValue *ead_pickle_member(const EadPickleValue *dict, const char *key);

/* Harmless on NULL. */
void ead_pickle_close(EadPickle *pickle);
