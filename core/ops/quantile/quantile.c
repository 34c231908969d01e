/* The quantile by radix selection. On the CPU numbers become unsigned keys of the same order; each pass
 * counts, among the keys that begin with the digits found so far, how often each next digit occurs, and picks
 * the digit in which the wanted rank lies: 3 passes of 11 bits in float, 6 in double. Counts are integers, so
 * neither the number of parts nor of threads shows in the result. */
#include "core/ops/quantile/quantile.h"

#include "core/graph/op.h"
#include "core/ops/reduction.h"

#include <math.h>
#include <string.h>

EadNode *ead_quantile(EadGraph *graph, EadNode *x, double q) {
    EadQuantile attributes = {q};
    return ead_graph_add(graph, EAD_OP_quantile, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadQuantile *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (!(a->q >= 0 && a->q <= 1))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: q = %g is outside [0,1]", node->name, a->q);
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return EAD_OK;
}

const EadOp ead_op_quantile = {.name = "quantile", .shape = shape};

/* ---- on the CPU ---- */

#ifdef EAD_DOUBLE
typedef uint64_t Key;
#else
typedef uint32_t Key;
#endif

enum {
    KEY_BITS = 8 * sizeof(Key),
    DIGIT_BITS = 11,
    DIGITS = 1 << DIGIT_BITS,
    NAN_SLOT = DIGITS, /* counts the NaNs of a part */
    SLOTS,             /* counters of a part */
    MAX_PARTS = 32,
    BLOCK = 32, /* elements looked at together where hits are rare */
};

/* What a pass works on: elements cut into parts, each with counters of its own. */
typedef struct Selection {
    const real *x;
    int64_t count;
    int parts;
    int64_t *counters; /* [parts][SLOTS] */
    Key prefix;        /* the digits found so far */
    int found_bits;
} Selection;

/* Positive numbers get the sign bit, negative ones are inverted. */
static inline Key key_of(real value) {
    Key bits, sign = (Key)1 << (KEY_BITS - 1);
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((0 - (bits >> (KEY_BITS - 1))) | sign);
}

static real value_of(Key key) {
    real value;
    Key sign = (Key)1 << (KEY_BITS - 1), bits = key & sign ? key ^ sign : (Key)~key;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int part_count(int64_t count) {
    int64_t chunks = ead_chunk_count(count);
    return chunks < MAX_PARTS ? (int)chunks : MAX_PARTS;
}

static int64_t part_begin(const Selection *s, int part) {
    return s->count / s->parts * part;
}
static int64_t part_end(const Selection *s, int part) {
    return part == s->parts - 1 ? s->count : part_begin(s, part + 1);
}

/* Whether any of BLOCK elements has a key of low .. low + span: without branches, for vectors. */
static inline bool any_within(const real *x, Key low, Key span) {
    Key hits = 0;
    for (int k = 0; k < BLOCK; k++) hits |= key_of(x[k]) - low <= span;
    return hits;
}

static void count_digits(const Selection *s, int part, int bits) {
    int64_t *counters = s->counters + (int64_t)part * SLOTS, end = part_end(s, part);
    memset(counters, 0, SLOTS * sizeof *counters);
    int prefix_shift = KEY_BITS - s->found_bits, shift = prefix_shift - bits;
    Key mask = ((Key)1 << bits) - 1, low = s->prefix << prefix_shift, span = ((Key)1 << prefix_shift) - 1;
    for (int64_t i = part_begin(s, part), next; i < end; i = next) {
        next = i + BLOCK <= end ? i + BLOCK : end;
        if (next == i + BLOCK && !any_within(s->x + i, low, span)) continue;
        for (; i < next; i++) {
            Key key = key_of(s->x[i]);
            if (key - low <= span) counters[key >> shift & mask]++;
        }
    }
}

static int64_t total_count(const Selection *s, int slot) {
    int64_t total = 0;
    for (int part = 0; part < s->parts; part++) total += s->counters[(int64_t)part * SLOTS + slot];
    return total;
}

/* Extends the prefix by the digit in which *rank lies and makes *rank relative to it. Returns how many keys
 * have the prefix now. */
static int64_t choose_digit(Selection *s, int bits, int64_t *rank) {
    int digit = 0;
    int64_t inside = total_count(s, 0);
    while (*rank >= inside) {
        *rank -= inside;
        inside = total_count(s, ++digit);
    }
    s->prefix = (s->found_bits ? s->prefix << bits : 0) | (Key)digit;
    s->found_bits += bits;
    return inside;
}

/* The smallest key of a part above the prefix, which is a whole key by now. */
static Key next_key_of_part(const Selection *s, int part) {
    Key least = (Key) ~(Key)0, above = s->prefix + 1; /* never a wrap-around: the largest key is a NaN's */
    int64_t end = part_end(s, part);
    for (int64_t i = part_begin(s, part), next; i < end; i = next) {
        next = i + BLOCK <= end ? i + BLOCK : end;
        if (next == i + BLOCK && !any_within(s->x + i, above, least - above)) continue;
        for (; i < next; i++) {
            Key key = key_of(s->x[i]);
            if (key >= above && key < least) least = key;
        }
    }
    return least;
}

static Key next_key(const Selection *s) {
#pragma omp parallel for schedule(static)
    for (int part = 0; part < s->parts; part++) {
        Key least = next_key_of_part(s, part);
        memcpy(s->counters + (int64_t)part * SLOTS, &least, sizeof least);
    }
    Key least = (Key) ~(Key)0;
    for (int part = 0; part < s->parts; part++) {
        Key key;
        memcpy(&key, s->counters + (int64_t)part * SLOTS, sizeof key);
        if (key < least) least = key;
    }
    return least;
}

/* a + w (b - a), from the nearer end, so that w = 1 gives b exactly (as torch.lerp does). */
static real interpolate(real a, real b, real w) {
    return w < (real)0.5 ? a + w * (b - a) : b - (b - a) * (1 - w);
}

/* The element of that rank (in s->prefix, as a key) and how many elements after it, itself included, are
 * equal to it. 0: there are NaNs. */
static int64_t select_rank(Selection *s, int64_t rank) {
#pragma omp parallel for schedule(static)
    for (int part = 0; part < s->parts; part++) {
        int64_t *counters = s->counters + (int64_t)part * SLOTS, nans = 0;
        memset(counters, 0, SLOTS * sizeof *counters);
        for (int64_t i = part_begin(s, part); i < part_end(s, part); i++) {
            counters[key_of(s->x[i]) >> (KEY_BITS - DIGIT_BITS)]++;
            nans += s->x[i] != s->x[i];
        }
        counters[NAN_SLOT] = nans;
    }
    if (total_count(s, NAN_SLOT) > 0) return 0;
    int64_t inside = choose_digit(s, DIGIT_BITS, &rank);
    while (s->found_bits < KEY_BITS) {
        int left = KEY_BITS - s->found_bits, bits = left < DIGIT_BITS ? left : DIGIT_BITS;
#pragma omp parallel for schedule(static)
        for (int part = 0; part < s->parts; part++) count_digits(s, part, bits);
        inside = choose_digit(s, bits, &rank);
    }
    return inside - rank;
}

static void quantile(const EadCall *call) {
    const EadQuantile *a = call->attributes;
    Selection s = {.x = call->x[0]->data, .count = ead_count(call->x[0]), .counters = call->workspace};
    s.parts = part_count(s.count);
    double position = a->q * (double)(s.count - 1), whole = floor(position);
    real *y = call->y->data, weight = (real)(position - whole);
    int64_t equal = select_rank(&s, (int64_t)whole);
    if (equal == 0) {
        *y = (real)NAN;
        return;
    }
    real low = value_of(s.prefix);
    bool alone = equal == 1 && weight > 0;
    *y = alone ? interpolate(low, value_of(next_key(&s)), weight) : low;
}

static void plan(EadCall *call) {
    call->workspace_bytes = (size_t)part_count(ead_count(call->x[0])) * SLOTS * sizeof(int64_t);
}

const EadKernel ead_quantile_cpu = {.run = quantile, .plan = plan};
