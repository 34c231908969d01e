/* The words that op_cases.def and larger_cases.def write inputs in. Only for the two files that include
 * those. */
#ifndef EAD_TEST_OP_CASE_INPUTS_H
#define EAD_TEST_OP_CASE_INPUTS_H

#define REAL(n, h, w, c)                                                                                     \
    { OP_CASE_REAL, n, h, w, c }
#define TIES(n, h, w, c)                                                                                     \
    { OP_CASE_TIES, n, h, w, c }
#define CONST(n, h, w, c)                                                                                    \
    { OP_CASE_CONST, n, h, w, c }
#define HALF(n, h, w, c)                                                                                     \
    { OP_CASE_HALF, n, h, w, c }
#define BYTES(n, h, w, c)                                                                                    \
    { OP_CASE_BYTES, n, h, w, c }
#define STEP(value)                                                                                          \
    { OP_CASE_STEP, value, 1, 1, 1 }

#endif
