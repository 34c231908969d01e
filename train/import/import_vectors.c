/* Vectors, by the ends of names and the number of elements. */
#include "train/import/import.h"

#include <string.h>

/* Tensor `theirs`, whatever its dimensions, is elements first, first + 1, ... of our vector. */
typedef struct VectorRow {
    EadImportVectorId ours;
    int elements, first;
    const char *theirs;
} VectorRow;

static const VectorRow rows[] = {
    {EAD_IMPORT_TEACHER_MEAN, 384, 0, "teacher_mean"}, {EAD_IMPORT_TEACHER_MEAN, 384, 0, "mean_std.mean"},
    {EAD_IMPORT_TEACHER_STD, 384, 0, "teacher_std"},   {EAD_IMPORT_TEACHER_STD, 384, 0, "mean_std.std"},
    {EAD_IMPORT_QUANTILES, 4, 0, "quantiles"},         {EAD_IMPORT_QUANTILES, 4, 0, "quantiles.qa_st"},
    {EAD_IMPORT_QUANTILES, 4, 1, "quantiles.qb_st"},   {EAD_IMPORT_QUANTILES, 4, 2, "quantiles.qa_ae"},
    {EAD_IMPORT_QUANTILES, 4, 3, "quantiles.qb_ae"},   {EAD_IMPORT_QUANTILES, 4, 0, "q_st_start"},
    {EAD_IMPORT_QUANTILES, 4, 1, "q_st_end"},          {EAD_IMPORT_QUANTILES, 4, 2, "q_ae_start"},
    {EAD_IMPORT_QUANTILES, 4, 3, "q_ae_end"},
};

static EadStatus take(EadImportVector *vector, const VectorRow *row, EadImportSource *source,
                      EadImportTensor *tensor) {
    const EadImportTensor *other = vector->pieces[row->first];
    if (other)
        return ead_fail(EAD_BAD_FILE,
                        "%s: '%.200s' is a second %s beside %s: '%.200s'; name the files to take",
                        ead_import_path(source, tensor), tensor->view->name, vector->name,
                        ead_import_path(source, other), other->view->name);
    vector->elements = row->elements;
    vector->pieces[row->first] = tensor;
    tensor->used = true;
    return ead_import_load(source, tensor);
}

static EadStatus join(EadImportVector *vector, const EadImportSource *source) {
    size_t size = ead_file_type_size(vector->type);
    char *to = (char *)vector->joined;
    for (int i = 0; i < EAD_IMPORT_PIECES; i++) {
        const EadImportTensor *piece = vector->pieces[i];
        if (!piece) return EAD_OK;
        if (piece->view->type != vector->type || piece->view->count != 1)
            return ead_fail(EAD_BAD_FILE, "%s: '%.200s' does not go with the other parts of %s",
                            ead_import_path(source, piece), piece->view->name, vector->name);
        memcpy(to + (size_t)i * size, piece->view->data, size);
    }
    vector->data = vector->joined;
    return EAD_OK;
}

static EadStatus complete(EadImportVector *vector, bool can_be_unset, const EadImportSource *source) {
    const EadImportTensor *first = vector->pieces[0];
    if (!first) return EAD_OK;
    vector->type = first->view->type;
    if (first->view->count == vector->elements)
        vector->data = first->view->data;
    else
        EAD_TRY(join(vector, source));
    size_t size = (size_t)vector->elements * ead_file_type_size(vector->type);
    bool unset = can_be_unset && vector->data;
    for (size_t i = 0; unset && i < size; i++) unset = ((const char *)vector->data)[i] == 0;
    if (unset) vector->data = NULL;
    return EAD_OK;
}

EadStatus ead_import_vectors_find(EadImportVector vectors[EAD_IMPORT_VECTORS], EadImportSource *source) {
    static const char *const names[EAD_IMPORT_VECTORS] = {"teacher_mean", "teacher_std", "quantiles"};
    for (int v = 0; v < EAD_IMPORT_VECTORS; v++) vectors[v] = (EadImportVector){.name = names[v]};
    for (int i = 0; i < source->count; i++) {
        EadImportTensor *tensor = &source->tensors[i];
        for (size_t k = 0; k < sizeof rows / sizeof *rows && !tensor->used; k++) {
            bool whole = tensor->view->count == rows[k].elements && rows[k].first == 0;
            bool piece = tensor->view->count == 1 && rows[k].elements == EAD_IMPORT_PIECES;
            if ((whole || piece) && ead_import_prefix(tensor->view->name, rows[k].theirs) >= 0)
                EAD_TRY(take(&vectors[rows[k].ours], &rows[k], source, tensor));
        }
    }
    for (int v = 0; v < EAD_IMPORT_VECTORS; v++)
        EAD_TRY(complete(&vectors[v], v != EAD_IMPORT_TEACHER_MEAN, source)); /* a mean of zero is one */
    /* The mean is of no use without the standard deviation. */
    if (!vectors[EAD_IMPORT_TEACHER_STD].data) vectors[EAD_IMPORT_TEACHER_MEAN].data = NULL;
    return EAD_OK;
}
