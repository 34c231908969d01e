/* The stack machine. Every opcode makes at most one value and pushes at most one, so the pickle's own length
 * and one limit bound all memory; no code here recurses, so nesting costs nothing. */
#include "data/torch/pickle.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define VALUES "the values of a pickle"

enum { CHUNK = 1024, MAX_VALUES = 1 << 20, MAX_PICKLE = 1 << 24 };

typedef struct Chunk {
    struct Chunk *next;
    int used;
    EadPickleValue values[CHUNK];
} Chunk;

/* A growable array of references. */
typedef struct Slots {
    EadPickleValue **values;
    int count, capacity;
} Slots;

struct EadPickle {
    Chunk *chunks;
    int made;
    Slots stack, memo; /* in the stack NULL is a mark, in the memo a number that was not given out */
    Slots outside;
    const uint8_t *bytes;
    size_t size, at;
    const char *const *calls;
};

/* A constant, so that the compiler sees that it is not EAD_OK. */
#define DAMAGED(...) (ead_fail(EAD_BAD_FILE, __VA_ARGS__), EAD_BAD_FILE)
#define NO_VALUE     "the stack holds no value where one is needed"

static EadStatus too_large(void) {
    return DAMAGED("the pickle makes more than 2^20 values; save the state_dict alone");
}

static EadStatus make(EadPickle *pickle, EadPickleKind kind, EadPickleValue **out) {
    *out = NULL;
    if (pickle->made == MAX_VALUES) return too_large();
    if (!pickle->chunks || pickle->chunks->used == CHUNK) {
        Chunk *chunk = ead_new(1, sizeof *chunk, VALUES);
        if (!chunk) return EAD_NO_MEMORY;
        chunk->next = pickle->chunks;
        pickle->chunks = chunk;
    }
    pickle->made++;
    *out = &pickle->chunks->values[pickle->chunks->used++];
    (*out)->kind = kind;
    return EAD_OK;
}

static EadStatus append(Slots *slots, EadPickleValue *value) {
    if (slots->count == MAX_VALUES) return too_large();
    EAD_TRY(ead_grow(&slots->values, &slots->capacity, slots->count, sizeof(EadPickleValue *), VALUES));
    slots->values[slots->count++] = value;
    return EAD_OK;
}

static EadStatus push(EadPickle *pickle, EadPickleValue *value) {
    return append(&pickle->stack, value);
}

static EadStatus push_new(EadPickle *pickle, EadPickleValue value) {
    EadPickleValue *made;
    EAD_TRY(make(pickle, value.kind, &made));
    *made = value;
    return push(pickle, made);
}

/* The topmost value, off the stack; a mark is none. */
static EadStatus pop(EadPickle *pickle, EadPickleValue **out) {
    Slots *stack = &pickle->stack;
    if (stack->count == 0 || !stack->values[stack->count - 1]) return DAMAGED(NO_VALUE);
    *out = stack->values[--stack->count];
    return EAD_OK;
}

/* The topmost value, left where it is. */
static EadStatus peek(EadPickle *pickle, EadPickleValue **out) {
    EAD_TRY(pop(pickle, out));
    pickle->stack.count++;
    return EAD_OK;
}

/* Takes away the last mark, from under the *count values above it. */
static EadStatus close_mark(EadPickle *pickle, int *count) {
    Slots *stack = &pickle->stack;
    int at = stack->count;
    while (at > 0 && stack->values[at - 1]) at--;
    if (at == 0) return DAMAGED("a mark is missing on the stack");
    *count = stack->count-- - at;
    memmove(stack->values + at - 1, stack->values + at, (size_t)*count * sizeof(EadPickleValue *));
    return EAD_OK;
}

/* Moves the topmost `count` values to the end of a value's items. */
static EadStatus move_items(EadPickle *pickle, EadPickleValue *to, int count) {
    Slots *stack = &pickle->stack;
    if (count > MAX_VALUES - to->count) return too_large();
    if (to->count + count > to->capacity) { /* no ead_grow(): tuples are many, and as small as they come */
        int capacity = to->capacity > count ? 2 * to->capacity : to->count + count;
        const EadPickleValue **items = realloc(to->items, (size_t)capacity * sizeof *items);
        if (!items) return ead_fail(EAD_NO_MEMORY, "no memory for " VALUES);
        to->items = items;
        to->capacity = capacity;
    }
    stack->count -= count;
    for (int i = 0; i < count; i++) to->items[to->count++] = stack->values[stack->count + i];
    return EAD_OK;
}

/* ---- looking at values ---- */

/* With a dot for the line feed between a global's module and name. */
static char character(const EadPickleValue *value, size_t i) {
    return value->kind == EAD_PICKLE_GLOBAL && value->text[i] == '\n' ? '.' : value->text[i];
}

bool ead_pickle_is(const EadPickleValue *value, const char *text) {
    if (!value || (value->kind != EAD_PICKLE_TEXT && value->kind != EAD_PICKLE_GLOBAL)) return false;
    if (value->length != strlen(text)) return false;
    for (size_t i = 0; i < value->length; i++)
        if (text[i] != character(value, i)) return false;
    return true;
}

bool ead_pickle_copy(const EadPickleValue *value, char *out, size_t size) {
    size_t length = value->length < size ? value->length : size - 1;
    for (size_t i = 0; i < length; i++) out[i] = character(value, i);
    out[length] = '\0';
    return length == value->length && strlen(out) == length;
}

const EadPickleValue *ead_pickle_member(const EadPickleValue *dict, const char *key) {
    if (!dict || (dict->kind != EAD_PICKLE_DICT && dict->kind != EAD_PICKLE_CALL)) return NULL;
    for (int i = 0; i + 1 < dict->count; i += 2)
        if (dict->items[i]->kind == EAD_PICKLE_TEXT && ead_pickle_is(dict->items[i], key))
            return dict->items[i + 1];
    return NULL;
}

/* ---- reading ---- */

static EadStatus take(EadPickle *pickle, size_t size, const uint8_t **out) {
    if (size > pickle->size - pickle->at) return DAMAGED("the pickle is cut short");
    *out = pickle->bytes + pickle->at;
    pickle->at += size;
    return EAD_OK;
}

/* A little-endian number of `size` bytes, 0 to 8; the caller knows whether it is signed. */
static EadStatus take_number(EadPickle *pickle, size_t size, uint64_t *out) {
    const uint8_t *bytes;
    EAD_TRY(take(pickle, size, &bytes));
    *out = 0;
    for (size_t i = 0; i < size; i++) *out |= (uint64_t)bytes[i] << (8 * i);
    return EAD_OK;
}

/* ---- one function for each group of opcodes; `width` is the size of their argument ---- */

static EadStatus push_text(EadPickle *pickle, size_t width) {
    const uint8_t *bytes;
    uint64_t length;
    EAD_TRY(take_number(pickle, width, &length));
    EAD_TRY(take(pickle, (size_t)length, &bytes));
    return push_new(
        pickle,
        (EadPickleValue){.kind = EAD_PICKLE_TEXT, .text = (const char *)bytes, .length = (size_t)length});
}

static EadStatus push_unsigned(EadPickle *pickle, size_t width) {
    uint64_t number;
    EAD_TRY(take_number(pickle, width, &number));
    return push_new(pickle, (EadPickleValue){.kind = EAD_PICKLE_INT, .integer = (int64_t)number});
}

static EadStatus push_signed(EadPickle *pickle, size_t width) {
    uint64_t number;
    if (width > 8) return DAMAGED("a whole number of %zu bytes; at most 8 can be read", width);
    EAD_TRY(take_number(pickle, width, &number));
    uint64_t sign = width > 0 ? UINT64_C(1) << (8 * width - 1) : 0;
    int64_t integer = (int64_t)((number ^ sign) - sign);
    return push_new(pickle, (EadPickleValue){.kind = EAD_PICKLE_INT, .integer = integer});
}

static EadStatus push_long(EadPickle *pickle, size_t width) {
    uint64_t size;
    EAD_TRY(take_number(pickle, width, &size));
    return push_signed(pickle, (size_t)size);
}

/* Big-endian, unlike all else. */
static EadStatus push_float(EadPickle *pickle, size_t width) {
    EadPickleValue value = {.kind = EAD_PICKLE_FLOAT};
    const uint8_t *bytes;
    uint64_t bits = 0;
    EAD_TRY(take(pickle, width, &bytes));
    for (size_t i = 0; i < width; i++) bits = bits << 8 | bytes[i];
    memcpy(&value.number, &bits, sizeof bits);
    return push_new(pickle, value);
}

/* The lines "module" and "name" lie side by side and are one text with a line feed for the dot. */
static EadStatus push_global(EadPickle *pickle, size_t width) {
    const uint8_t *text = pickle->bytes + pickle->at, *end = text - 1;
    (void)width;
    for (int lines = 0; lines < 2; lines++) {
        end = memchr(end + 1, '\n', pickle->size - (size_t)(end + 1 - pickle->bytes));
        if (!end) return DAMAGED("the pickle is cut short");
    }
    size_t length = (size_t)(end - text);
    pickle->at += length + 1;
    return push_new(
        pickle, (EadPickleValue){.kind = EAD_PICKLE_GLOBAL, .text = (const char *)text, .length = length});
}

static EadStatus push_bool(EadPickle *pickle, size_t value) {
    return push_new(pickle, (EadPickleValue){.kind = EAD_PICKLE_BOOL, .integer = (int64_t)value});
}

static EadStatus push_empty(EadPickle *pickle, size_t kind) {
    return push_new(pickle, (EadPickleValue){.kind = (EadPickleKind)kind});
}

static EadStatus push_mark(EadPickle *pickle, size_t width) {
    (void)width;
    return push(pickle, NULL);
}

/* Of the topmost `count` values, all of which must be above the last mark. */
static EadStatus push_tuple(EadPickle *pickle, size_t count) {
    EadPickleValue *value;
    const Slots *stack = &pickle->stack;
    for (int i = 1; i <= (int)count; i++)
        if (i > stack->count || !stack->values[stack->count - i]) return DAMAGED(NO_VALUE);
    EAD_TRY(make(pickle, EAD_PICKLE_TUPLE, &value));
    EAD_TRY(move_items(pickle, value, (int)count));
    return push(pickle, value);
}

static EadStatus push_marked_tuple(EadPickle *pickle, size_t width) {
    int count;
    (void)width;
    EAD_TRY(close_mark(pickle, &count));
    return push_tuple(pickle, (size_t)count);
}

/* Moves the topmost `count` values into the container below them. */
static EadStatus fill(EadPickle *pickle, int count, bool pairs) {
    Slots *stack = &pickle->stack;
    int at = stack->count - count - 1;
    EadPickleValue *to = at >= 0 ? stack->values[at] : NULL;
    /* Instances of classes derived from dict are filled like one. */
    bool dict =
        to && (to->kind == EAD_PICKLE_DICT || to->kind == EAD_PICKLE_CALL || to->kind == EAD_PICKLE_OBJECT);
    bool fits = pairs ? dict && count % 2 == 0 : to && to->kind == EAD_PICKLE_LIST;
    if (!fits) return DAMAGED("items without the %s they belong to", pairs ? "dict" : "list");
    for (int i = at; i < stack->count; i++)
        if (!stack->values[i]) return DAMAGED(NO_VALUE);
    return move_items(pickle, to, count);
}

static EadStatus fill_one(EadPickle *pickle, size_t count) {
    return fill(pickle, (int)count, count == 2);
}

static EadStatus fill_marked(EadPickle *pickle, size_t pairs) {
    int count;
    EAD_TRY(close_mark(pickle, &count));
    return fill(pickle, count, pairs != 0);
}

static EadStatus put_memo(EadPickle *pickle, size_t width) {
    EadPickleValue *value;
    Slots *memo = &pickle->memo;
    uint64_t index;
    EAD_TRY(take_number(pickle, width, &index));
    EAD_TRY(peek(pickle, &value));
    if (index >= MAX_VALUES) return too_large();
    while (memo->count <= (int)index) EAD_TRY(append(memo, NULL));
    memo->values[index] = value;
    return EAD_OK;
}

static EadStatus get_memo(EadPickle *pickle, size_t width) {
    uint64_t index;
    EAD_TRY(take_number(pickle, width, &index));
    if (index >= (uint64_t)pickle->memo.count || !pickle->memo.values[index])
        return DAMAGED("memo number %llu was never given out", (unsigned long long)index);
    return push(pickle, pickle->memo.values[index]);
}

/* Takes the argument, a tuple, and below it the function or class that is called. */
static EadStatus call(EadPickle *pickle, size_t kind) {
    EadPickleValue *callee, *argument;
    char name[128];
    EAD_TRY(pop(pickle, &argument));
    EAD_TRY(pop(pickle, &callee));
    bool named = callee->kind == EAD_PICKLE_GLOBAL;
    bool kept = kind == EAD_PICKLE_OBJECT && callee->kind == EAD_PICKLE_OUTSIDE; /* a class with its source */
    if (argument->kind != EAD_PICKLE_TUPLE || !(named || kept))
        return DAMAGED("a call of something that is not a function, or without a tuple of arguments");
    bool allowed = kind == EAD_PICKLE_OBJECT;
    for (const char *const *known = pickle->calls; *known && !allowed; known++)
        allowed = ead_pickle_is(callee, *known);
    if (allowed)
        return push_new(
            pickle, (EadPickleValue){.kind = (EadPickleKind)kind, .callee = callee, .argument = argument});
    ead_pickle_copy(callee, name, sizeof name);
    return ead_fail(EAD_UNSUPPORTED,
                    "wants to call %s; only what builds tensors is read, nothing was run; if you trust the "
                    "file, load it in Python and save its state_dict",
                    name);
}

static EadStatus push_outside(EadPickle *pickle, size_t width) {
    EadPickleValue *argument;
    (void)width;
    EAD_TRY(pop(pickle, &argument));
    EAD_TRY(push_new(pickle, (EadPickleValue){.kind = EAD_PICKLE_OUTSIDE, .argument = argument}));
    return append(&pickle->outside, pickle->stack.values[pickle->stack.count - 1]);
}

static EadStatus set_state(EadPickle *pickle, size_t width) {
    EadPickleValue *state, *object;
    (void)width;
    EAD_TRY(pop(pickle, &state));
    EAD_TRY(peek(pickle, &object));
    if (object->kind != EAD_PICKLE_OBJECT && object->kind != EAD_PICKLE_CALL)
        return DAMAGED("a state without the object it belongs to");
    object->state = state;
    return EAD_OK;
}

/* ---- running ---- */

enum { PROTOCOL = 0x80, STOP = '.' };

/* What protocol 2 has and torch.save writes; the names are those of Python's pickletools. */
static const struct {
    EadStatus (*run)(EadPickle *pickle, size_t width);
    size_t width; /* of the number that follows the opcode, or what the function takes instead */
} opcodes[256] = {
    ['N'] = {push_empty, EAD_PICKLE_NONE},  /* NONE */
    ['}'] = {push_empty, EAD_PICKLE_DICT},  /* EMPTY_DICT */
    [']'] = {push_empty, EAD_PICKLE_LIST},  /* EMPTY_LIST */
    [')'] = {push_empty, EAD_PICKLE_TUPLE}, /* EMPTY_TUPLE */
    [0x88] = {push_bool, true},             /* NEWTRUE */
    [0x89] = {push_bool, false},            /* NEWFALSE */
    ['K'] = {push_unsigned, 1},             /* BININT1 */
    ['M'] = {push_unsigned, 2},             /* BININT2 */
    ['J'] = {push_signed, 4},               /* BININT */
    [0x8A] = {push_long, 1},                /* LONG1 */
    [0x8B] = {push_long, 4},                /* LONG4 */
    ['G'] = {push_float, 8},                /* BINFLOAT */
    ['X'] = {push_text, 4},                 /* BINUNICODE */
    ['U'] = {push_text, 1},                 /* SHORT_BINSTRING */
    ['T'] = {push_text, 4},                 /* BINSTRING */
    ['c'] = {push_global, 0},               /* GLOBAL */
    ['('] = {push_mark, 0},                 /* MARK */
    [0x85] = {push_tuple, 1},               /* TUPLE1 */
    [0x86] = {push_tuple, 2},               /* TUPLE2 */
    [0x87] = {push_tuple, 3},               /* TUPLE3 */
    ['t'] = {push_marked_tuple, 0},         /* TUPLE */
    ['a'] = {fill_one, 1},                  /* APPEND */
    ['s'] = {fill_one, 2},                  /* SETITEM */
    ['e'] = {fill_marked, false},           /* APPENDS */
    ['u'] = {fill_marked, true},            /* SETITEMS */
    ['q'] = {put_memo, 1},                  /* BINPUT */
    ['r'] = {put_memo, 4},                  /* LONG_BINPUT */
    ['h'] = {get_memo, 1},                  /* BINGET */
    ['j'] = {get_memo, 4},                  /* LONG_BINGET */
    ['R'] = {call, EAD_PICKLE_CALL},        /* REDUCE */
    [0x81] = {call, EAD_PICKLE_OBJECT},     /* NEWOBJ */
    ['b'] = {set_state, 0},                 /* BUILD */
    ['Q'] = {push_outside, 0},              /* BINPERSID */
};

static EadStatus run(EadPickle *pickle) {
    const uint8_t *head, *opcode;
    EAD_TRY(take(pickle, 2, &head));
    if (head[0] != PROTOCOL) return DAMAGED("does not begin like a pickle");
    if (head[1] != 2)
        return ead_fail(
            EAD_UNSUPPORTED,
            "pickle protocol %d; save the file again with protocol 2, which is torch.save's default",
            head[1]);
    for (;;) {
        EAD_TRY(take(pickle, 1, &opcode));
        if (*opcode == STOP) break;
        if (!opcodes[*opcode].run)
            return ead_fail(EAD_UNSUPPORTED, "opcode 0x%02X at byte %zu is not one that torch.save writes",
                            *opcode, pickle->at - 1);
        EAD_TRY(opcodes[*opcode].run(pickle, opcodes[*opcode].width));
    }
    bool one = pickle->stack.count == 1 && pickle->stack.values[0];
    return one ? EAD_OK : DAMAGED("it leaves no one value");
}

EadStatus ead_pickle_parse(const void *bytes, size_t size, const char *label, const char *const *calls,
                           EadPickle **out) {
    *out = NULL;
    if (size > MAX_PICKLE)
        return ead_fail(EAD_BAD_FILE, "%s: a pickle of %zu bytes; at most 16 MiB are read", label, size);
    EadPickle *pickle = ead_new(1, sizeof *pickle, VALUES);
    if (!pickle) return EAD_NO_MEMORY;
    pickle->bytes = bytes;
    pickle->size = size;
    pickle->calls = calls;
    EadStatus status = run(pickle);
    *out = status == EAD_OK ? pickle : NULL;
    if (status == EAD_OK) return EAD_OK;
    ead_pickle_close(pickle);
    return ead_fail_prefix(status, "%s: ", label);
}

void ead_pickle_close(EadPickle *pickle) {
    if (!pickle) return;
    for (Chunk *chunk = pickle->chunks, *next; chunk; chunk = next) {
        for (int i = 0; i < chunk->used; i++) free(chunk->values[i].items);
        next = chunk->next;
        free(chunk);
    }
    free(pickle->stack.values);
    free(pickle->memo.values);
    free(pickle->outside.values);
    free(pickle);
}

const EadPickleValue *ead_pickle_root(const EadPickle *pickle) {
    return pickle->stack.values[0];
}

size_t ead_pickle_size(const EadPickle *pickle) {
    return pickle->at;
}

const EadPickleValue *ead_pickle_outside(const EadPickle *pickle, int index) {
    return index < pickle->outside.count ? pickle->outside.values[index] : NULL;
}
