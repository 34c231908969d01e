/* The number type of every kernel. The product is built in float; the same sources built with EAD_DOUBLE give
 * the library in which gradients are checked, because finite differences in float prove nothing. */
#ifndef EAD_CORE_REAL_H
#define EAD_CORE_REAL_H

#ifdef EAD_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
