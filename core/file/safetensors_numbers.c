/* The one way by which stored numbers become floats: values that are not finite stop here, before they reach a network. */
#include "core/file/safetensors.h"

#include "core/base/half.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

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
        assert(false && "ead_file_tensor_check_float() let it through");
    }
}

/* Fails at the first of count values that is not within +-largest; x[0] is element `first` of the tensor. */
static EadStatus check_finite(const EadSafetensors *file, const EadFileTensor *tensor, const double *x,
                              int64_t count, int64_t first, double largest) {
    bool finite = true;
    int64_t i = 0;
    for (int64_t k = 0; k < count; k++) finite &= fabs(x[k]) <= largest; /* false for NaN as well */
    if (finite) return EAD_OK;
    while (fabs(x[i]) <= largest) i++;
    return ead_fail(
        EAD_BAD_FILE,
        "%s: tensor '%.200s': element %lld is %g, not a finite number; the file is damaged or its "
        "training diverged, export or download it again",
        ead_safetensors_path(file), tensor->name, (long long)(first + i), x[i]);
}

EadStatus ead_file_tensor_check_float(const EadSafetensors *file, const EadFileTensor *tensor) {
    EadFileType type = tensor->type;
    if (type == EAD_FILE_F16 || type == EAD_FILE_BF16 || type == EAD_FILE_F32 || type == EAD_FILE_F64)
        return EAD_OK;
    return ead_fail(
        EAD_BAD_FILE,
        "%s: tensor '%.200s': dtype %s where numbers are needed; store it as F16, BF16, F32 or F64",
        ead_safetensors_path(file), tensor->name, ead_file_type_name(type));
}

EadStatus ead_file_tensor_to_double(const EadSafetensors *file, const EadFileTensor *tensor, double *out) {
    EAD_TRY(ead_file_tensor_check_float(file, tensor));
    decode(tensor->type, tensor->data, tensor->count, out);
    return check_finite(file, tensor, out, tensor->count, 0, DBL_MAX);
}

EadStatus ead_file_tensor_to_float(const EadSafetensors *file, const EadFileTensor *tensor, float *out) {
    enum { BLOCK = 1024 };
    double block[BLOCK];
    EAD_TRY(ead_file_tensor_check_float(file, tensor));
    const char *bytes = tensor->data;
    for (int64_t first = 0; first < tensor->count; first += BLOCK) {
        int64_t count = tensor->count - first < BLOCK ? tensor->count - first : BLOCK;
        decode(tensor->type, bytes + (size_t)first * ead_file_type_size(tensor->type), count, block);
        EAD_TRY(check_finite(file, tensor, block, count, first, (double)FLT_MAX));
        for (int64_t i = 0; i < count; i++) out[first + i] = (float)block[i];
    }
    return EAD_OK;
}
