/* The table of ops, and shape rules that several of them share. */
#include "core/graph/op.h"

#include "core/base/philox_rounds.h"

#define EAD_OP(name) extern const EadOp ead_op_##name;
#include "core/ops/op_table.def"
#undef EAD_OP

static const EadOp leaf = {.name = "leaf"};

const EadOp *ead_op(EadOpId id) {
    static const EadOp *const ops[EAD_OP_COUNT] = {
        [EAD_OP_LEAF] = &leaf,
#define EAD_OP(name) [EAD_OP_##name] = &ead_op_##name,
#include "core/ops/op_table.def"
#undef EAD_OP
    };
    return ops[id];
}

EadStatus ead_shape_like_first(const EadNode *node, EadTensor *y) {
    const EadTensor *x = &node->x[0]->y;
    if (x->type != EAD_REAL) return ead_fail(EAD_BAD_SHAPE, "%s: the input must be real numbers", node->name);
    *y = *x;
    y->data = NULL;
    return EAD_OK;
}

EadStatus ead_shape_all_same(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    for (int i = 1; i < EAD_MAX_INPUTS && node->x[i]; i++) {
        const EadTensor *x = &node->x[i]->y;
        if (x->type != EAD_REAL || !ead_same_shape(x, y))
            return ead_fail(EAD_BAD_SHAPE, "%s: [%d,%d,%d,%d] and [%d,%d,%d,%d] differ", node->name, y->n,
                            y->h, y->w, y->c, x->n, x->h, x->w, x->c);
    }
    return EAD_OK;
}

EadStatus ead_shape_of_step_words(const EadNode *node, EadTensor *y) {
    const EadTensor *step = &node->x[1]->y;
    EAD_TRY(ead_shape_like_first(node, y));
    if (step->type != EAD_I64 || ead_count(step) != 1)
        return ead_fail(EAD_BAD_SHAPE, "%s: the step must be one counter", node->name);
    if (ead_count(y) >> EAD_STEP_WORDS_LOG2)
        return ead_fail(EAD_BAD_SHAPE, "%s: more than 2^%d elements", node->name, EAD_STEP_WORDS_LOG2);
    return EAD_OK;
}

EadStatus ead_shape_image_of_step(const EadNode *node, EadTensor *y) {
    const EadTensor *x = &node->x[0]->y, *step = &node->x[1]->y;
    if (x->type != EAD_U8 || x->c != 3)
        return ead_fail(EAD_BAD_SHAPE, "%s: the input must be 8-bit with 3 channels, not %d", node->name,
                        x->c);
    if (step->type != EAD_I64 || ead_count(step) != 1)
        return ead_fail(EAD_BAD_SHAPE, "%s: the step must be one counter", node->name);
    *y = *x;
    y->data = NULL;
    return EAD_OK;
}

int64_t ead_alias_first(const EadNode *node) {
    (void)node;
    return 0;
}
