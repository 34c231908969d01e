/* What the reader and the writer of .safetensors share: element types, shapes, names; and the one way by
 * which stored numbers become floats. Values that are not finite stop here, before they reach a network. */
#include "core/file/safetensors.h"
#include "core/base/half.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensor bytes are used as they lie in the file");

static const struct {
    const char *name;
    size_t size;
} types[EAD_FILE_TYPE_COUNT] = {
#define X(name, size) {#name, size},
    EAD_FILE_TYPE_LIST(X)
#undef X
};

const char *ead_file_type_name(EadFileType type) {
    return types[type].name;
}

size_t ead_file_type_size(EadFileType type) {
    return types[type].size;
}

bool ead_file_shape_size(EadFileType type, int dims, const int64_t *shape, int64_t *count, size_t *bytes) {
    if (dims < 0 || dims > EAD_FILE_MAX_DIMS) return false;
    int64_t product = 1, limit = INT64_MAX / (int64_t)types[type].size;
    for (int i = 0; i < dims; i++) {
        if (shape[i] < 0 || (product > 0 && shape[i] > limit / product)) return false;
        product *= shape[i];
    }
    *count = product;
    *bytes = (size_t)product * types[type].size;
    return true;
}

bool ead_file_name_valid(const char *name) {
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F) return false;
    return *name && strcmp(name, "__metadata__") != 0;
}

/* One loop a type, or the choice would be made for every element. */
static void decode(EadFileType type, const char *bytes, int64_t count, double *out) {
    uint16_t half;
    float single;
    switch (type) {
    case EAD_FILE_F64:
        memcpy(out, bytes, 8 * (size_t)count);
        break;
    case EAD_FILE_F32:
        for (int64_t i = 0; i < count; i++) memcpy(&single, bytes + 4 * i, 4), out[i] = (double)single;
        break;
    case EAD_FILE_F16:
        for (int64_t i = 0; i < count; i++)
            memcpy(&half, bytes + 2 * i, 2), out[i] = (double)ead_half_to_float(half);
        break;
    case EAD_FILE_BF16:
        for (int64_t i = 0; i < count; i++)
            memcpy(&half, bytes + 2 * i, 2), out[i] = (double)ead_bfloat16_to_float(half);
        break;
    default:
        assert(false && "check_is_float() let it through");
    }
}

static bool all_finite(const double *x, int64_t count, double largest) {
    bool finite = true;
    for (int64_t i = 0; i < count; i++) finite &= fabs(x[i]) <= largest; /* false for NaN as well */
    return finite;
}

/* The error for the first value of x that is not within +-largest; x[0] is element `first` of the tensor. */
static EadStatus fail_not_finite(const EadSafetensors *file, const EadFileTensor *tensor, const double *x,
                                 int64_t first, double largest) {
    int64_t i = 0;
    while (fabs(x[i]) <= largest) i++;
    return ead_fail(
        EAD_BAD_FILE,
        "%s: tensor '%.200s': element %lld is %g, not a finite number; the file is damaged or its "
        "training diverged, export or download it again",
        ead_safetensors_path(file), tensor->name, (long long)(first + i), x[i]);
}

static EadStatus check_is_float(const EadSafetensors *file, const EadFileTensor *tensor) {
    EadFileType type = tensor->type;
    if (type == EAD_FILE_F16 || type == EAD_FILE_BF16 || type == EAD_FILE_F32 || type == EAD_FILE_F64)
        return EAD_OK;
    return ead_fail(
        EAD_BAD_FILE,
        "%s: tensor '%.200s': dtype %s where numbers are needed; store it as F16, BF16, F32 or F64",
        ead_safetensors_path(file), tensor->name, ead_file_type_name(type));
}

EadStatus ead_file_tensor_to_double(const EadSafetensors *file, const EadFileTensor *tensor, double *out) {
    EAD_TRY(check_is_float(file, tensor));
    decode(tensor->type, tensor->data, tensor->count, out);
    if (all_finite(out, tensor->count, DBL_MAX)) return EAD_OK;
    return fail_not_finite(file, tensor, out, 0, DBL_MAX);
}

EadStatus ead_file_tensor_to_float(const EadSafetensors *file, const EadFileTensor *tensor, float *out) {
    enum { BLOCK = 1024 };
    double block[BLOCK];
    EAD_TRY(check_is_float(file, tensor));
    const char *bytes = tensor->data;
    for (int64_t first = 0; first < tensor->count; first += BLOCK) {
        int64_t count = tensor->count - first < BLOCK ? tensor->count - first : BLOCK;
        decode(tensor->type, bytes + (size_t)first * types[tensor->type].size, count, block);
        if (!all_finite(block, count, (double)FLT_MAX))
            return fail_not_finite(file, tensor, block, first, (double)FLT_MAX);
        for (int64_t i = 0; i < count; i++) out[first + i] = (float)block[i];
    }
    return EAD_OK;
}
