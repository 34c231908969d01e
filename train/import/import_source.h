/* The tensors of the files that are imported, whatever their format: by torch.save or .safetensors. */
#ifndef EAD_TRAIN_IMPORT_SOURCE_H
#define EAD_TRAIN_IMPORT_SOURCE_H

#include "core/file/safetensors.h"
#include "data/source/image_list.h"
#include "data/torch/torch_file.h"

typedef struct EadImportTensor {
    const EadFileTensor *view; /* its data may be NULL until ead_import_load() */
    int file, index;           /* which file's which tensor */
    bool used;                 /* set by whoever found a place for it */
} EadImportTensor;

typedef struct EadImportFile {
    EadSafetensors *safetensors; /* one of the two */
    EadTorchFile *torch;
} EadImportFile;

typedef struct EadImportSource {
    EadStringList paths;
    EadImportFile *files;     /* [paths.count] */
    EadImportTensor *tensors; /* [count], in the order of the files and of their tensors */
    EadImportTensor **sorted; /* [count], by file and name */
    int count;
} EadImportSource;

/* Opens files, told apart by content, and the .pth, .pt, .ckpt and .safetensors in folders (those called
 * *_tmp.*, which a running training leaves, are passed over). Errors: those of the readers; EAD_BAD_ARGUMENT
 * for a folder without such files. Close in every case. */
EadStatus ead_import_source_open(EadImportSource *source, const char *const *paths, int count);
void ead_import_source_close(EadImportSource *source);

/* The tensor of that name in a file, or NULL. */
EadImportTensor *ead_import_find(const EadImportSource *source, int file, const char *name);

/* The path of the file that a tensor is in. */
const char *ead_import_path(const EadImportSource *source, const EadImportTensor *tensor);

/* The padding of the convolution that a tensor belongs to, or -1 where the file does not say. */
int ead_import_padding(const EadImportSource *source, const EadImportTensor *tensor);

/* The metadata string of the file that a tensor is in, or NULL; only .safetensors have any. */
const char *ead_import_metadata(const EadImportSource *source, const EadImportTensor *tensor,
                                const char *key);

/* Sees to it that view->data holds the numbers. Errors: those of the readers; EAD_BAD_FILE if they are none
 * (F16, BF16, F32, F64 are). */
EadStatus ead_import_load(EadImportSource *source, EadImportTensor *tensor);

/* "name [3,4] F32", cut to size - 1 bytes. */
void ead_import_describe(const EadFileTensor *tensor, char *out, size_t size);

#endif
