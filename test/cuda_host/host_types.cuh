/* CUDA's small vectors and its 16-bit floats on the host: storage and conversions, no arithmetic, because
 * kernels compute in float. */
#pragma once

#include <stdint.h>

extern "C" {
#include "core/base/half.h"
}

/* type1..type4 and make_type2, make_type4; bytes is the alignment of the vector of four. */
#define EAD_HOST_VECTORS(name, T, bytes)                                                                     \
    struct alignas(bytes / 2) name##2 {                                                                      \
        T x, y;                                                                                              \
    };                                                                                                       \
    struct name##3 {                                                                                         \
        T x, y, z;                                                                                           \
    };                                                                                                       \
    struct alignas(bytes) name##4 {                                                                          \
        T x, y, z, w;                                                                                        \
    };                                                                                                       \
    inline name##2 make_##name##2(T x, T y) {                                                                \
        return {x, y};                                                                                       \
    }                                                                                                        \
    inline name##4 make_##name##4(T x, T y, T z, T w) {                                                      \
        return {x, y, z, w};                                                                                 \
    }
EAD_HOST_VECTORS(float, float, 16)
EAD_HOST_VECTORS(int, int, 16)
EAD_HOST_VECTORS(uint, unsigned, 16)
EAD_HOST_VECTORS(short, short, 8)
EAD_HOST_VECTORS(ushort, unsigned short, 8)
EAD_HOST_VECTORS(char, signed char, 4)
EAD_HOST_VECTORS(uchar, unsigned char, 4)
#undef EAD_HOST_VECTORS

struct alignas(16) double2 {
    double x, y;
};
inline double2 make_double2(double x, double y) {
    return {x, y};
}

struct __half {
    uint16_t bits;
};
struct alignas(4) __half2 {
    __half x, y;
};
struct __nv_bfloat16 {
    uint16_t bits;
};
struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};

inline float __half2float(__half v) {
    return ead_half_to_float(v.bits);
}
inline __half __float2half_rn(float v) {
    return {ead_half_from_float(v)};
}
inline float __low2float(__half2 v) {
    return __half2float(v.x);
}
inline float __high2float(__half2 v) {
    return __half2float(v.y);
}
inline float2 __half22float2(__half2 v) {
    return {__half2float(v.x), __half2float(v.y)};
}
inline __half2 __floats2half2_rn(float x, float y) {
    return {__float2half_rn(x), __float2half_rn(y)};
}
inline __half __ushort_as_half(unsigned short v) {
    return {v};
}
inline unsigned short __half_as_ushort(__half v) {
    return v.bits;
}

inline float __bfloat162float(__nv_bfloat16 v) {
    return ead_bfloat16_to_float(v.bits);
}
inline __nv_bfloat16 __float2bfloat16_rn(float v) {
    return {ead_bfloat16_from_float(v)};
}
inline float2 __bfloat1622float2(__nv_bfloat162 v) {
    return {__bfloat162float(v.x), __bfloat162float(v.y)};
}
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) {
    return {__float2bfloat16_rn(x), __float2bfloat16_rn(y)};
}
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short v) {
    return {v};
}
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 v) {
    return v.bits;
}
