/* The number type of every kernel. The product is built in float; the same sources built with EAD_DOUBLE give
 * the library in which gradients are checked, because finite differences in float prove nothing. */
#pragma once

#ifdef EAD_DOUBLE
typedef double real;
#else
typedef float real;
#endif
