/* Finding the teacher's statistics and the maps' quantiles among the tensors of others. */
#ifndef EAD_TRAIN_IMPORT_VECTORS_H
#define EAD_TRAIN_IMPORT_VECTORS_H

#include "train/import/import_source.h"

enum { EAD_IMPORT_VECTORS = 3, EAD_IMPORT_PIECES = 4 };

typedef struct EadImportVector {
    const char *name; /* ours: "teacher_mean", "teacher_std", "quantiles" */
    int elements;
    EadImportTensor
        *pieces[EAD_IMPORT_PIECES]; /* the first alone, or each of one element; all NULL: not found */
    EadFileType type;
    const void *data; /* [elements]; NULL: not found, or not whole */
    void *joined;     /* owned, what data points to where there are several pieces */
} EadImportVector;

/* Finds them, marks their tensors as used and reads them. What is there but all zero was never set (anomalib
 * keeps zeros until it has trained) and is left out. Errors: EAD_BAD_FILE for two tensors for the same
 * elements and for pieces of different types; those of ead_import_load(). Free in every case. */
EadStatus ead_import_vectors_find(EadImportVector vectors[EAD_IMPORT_VECTORS], EadImportSource *source);
void ead_import_vectors_free(EadImportVector vectors[EAD_IMPORT_VECTORS]);

#endif
