/* Import of networks that others trained: the tensors of their files, whatever the format, and what is found
 * among them by name and shape: teacher, student and autoencoder by the names of their layers, the
 * teacher's statistics and the maps' quantiles, or a backbone. */
#pragma once

#include "core/base/string_list.h"
#include "core/file/safetensors.h"
#include "data/torch/torch_file.h"
#include "models/dsr/dsr.h"
#include "models/networks/backbone.h"
#include "models/networks/pdn.h"
#include "train/support/problems.h"

/* ---- the files ---- */

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

/* Opens files, whose format their content says, and the .pth, .pt, .ckpt and .safetensors in folders (those
 * called *_tmp.*, which a running training leaves, are passed over). Errors: the first of what it adds to problems:
 * those of the readers; EAD_BAD_ARGUMENT for a folder without such files. Close in every case. */
EadStatus ead_import_source_open(EadImportSource *source, const char *const *paths, int count,
                                 EadProblems *problems);
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

/* Reads the numbers into view->data. Errors: of the readers; EAD_BAD_FILE unless F16, BF16, F32 or F64. */
EadStatus ead_import_load(EadImportSource *source, EadImportTensor *tensor);

/* "name [3,4] F32", cut to size - 1 bytes. */
void ead_import_describe(const EadFileTensor *tensor, char *out, size_t size);

/* Where the prefix of a tensor's name ends if its rest is `rest`, which begins the name or stands behind a
 * dot: 8 in "teacher.conv1.weight" for "conv1.weight"; -1 if it is not. */
int ead_import_prefix(const char *name, const char *rest);

/* Whether weights O,I,KH,KW or biases O of a file are a parameter's, O,KH,KW,I in memory. */
bool ead_import_fits(const EadFileTensor *view, const EadParam *param);

/* ---- teacher, student, autoencoder ---- */

typedef enum EadImportRole {
    EAD_IMPORT_TEACHER,
    EAD_IMPORT_STUDENT,
    EAD_IMPORT_AUTOENCODER,
    EAD_IMPORT_ROLES
} EadImportRole;

enum { EAD_IMPORT_MAX_TENSORS = 64 };

typedef struct EadImportNetwork {
    const char *layout;                               /* what its layout is called; NULL: not found */
    EadParams params;                                 /* as models/ declares them, without memory */
    EadImportTensor *tensors[EAD_IMPORT_MAX_TENSORS]; /* [params.count]: weight, bias, weight, ... */
    EadPdnSize size;                                  /* of teacher and student */
    int height, width;                                /* of the autoencoder's images */
    int padding; /* of teacher and student: 1 or 0; -1: the file does not say */
} EadImportNetwork;

typedef struct EadImportNetworks {
    EadImportNetwork of[EAD_IMPORT_ROLES];
    int closest_fits;  /* of the layout whose names are all there but not its shapes: how many fit */
    char closest[512]; /* what does not fit; "" if there is no such layout */
} EadImportNetworks;

/* "teacher", "student", "autoencoder". */
const char *ead_import_role_name(EadImportRole role);

/* Finds what is there and marks its tensors as used. A PDN of 768 outputs is a student, one of 384 a teacher
 * unless its name or its file's says "student". Errors: EAD_BAD_FILE, naming both, for two of a role, and for
 * teacher and student of different sizes; EAD_NO_MEMORY. Free in every case. */
EadStatus ead_import_networks_find(EadImportNetworks *networks, EadImportSource *source);
/* Fails for a student that predicts an autoencoder's output and has none, or the other way round. */
EadStatus ead_import_networks_check(const EadImportNetworks *networks, const EadImportSource *source);

void ead_import_networks_free(EadImportNetworks *networks);

/* ---- vectors ---- */

typedef enum EadImportVectorId {
    EAD_IMPORT_TEACHER_MEAN,
    EAD_IMPORT_TEACHER_STD,
    EAD_IMPORT_QUANTILES,
    EAD_IMPORT_VECTORS
} EadImportVectorId;
enum { EAD_IMPORT_PIECES = 4 };

typedef struct EadImportVector {
    const char *name;                           /* "teacher_mean", ... */
    int elements;                               /* 0: no tensor was found */
    EadImportTensor *pieces[EAD_IMPORT_PIECES]; /* the first alone, or each of one element; NULL: not found */
    EadFileType type;
    const void *data;                 /* [elements]; NULL: not found, or not whole */
    double joined[EAD_IMPORT_PIECES]; /* room for several pieces as one; data may point here: do not copy */
} EadImportVector;

/* Finds them, marks their tensors as used and reads them. What is there but all zero was never set (anomalib
 * keeps zeros until it has trained) and is skipped. Errors: EAD_BAD_FILE for two tensors for the same
 * elements and for pieces of different types; those of ead_import_load(). */
EadStatus ead_import_vectors_find(EadImportVector vectors[EAD_IMPORT_VECTORS], EadImportSource *source);

/* ---- DSR's network of codebooks by its authors' names: what dsr.codebook takes ---- */

typedef struct EadImportCodebooks {
    int channels, codes;
    EadParams vq, books;       /* as models/dsr declares them, without memory */
    EadImportTensor **tensors; /* [vq.count + books.count], owned; NULL: not found */
} EadImportCodebooks;

/* Finds the network under any prefix and marks its tensors as used, and those of its training, which are of no use. Errors:
 * EAD_BAD_FILE, naming the tensor, for one that is missing or has another shape; EAD_NO_MEMORY. Free in every case. */
EadStatus ead_import_codebooks_find(EadImportCodebooks *codebooks, EadImportSource *source);

/* Adds the network to a file; its colours, which are BGR, become RGB. Errors: those of ead_import_load(); EAD_NO_MEMORY. */
EadStatus ead_import_codebooks_write(const EadImportCodebooks *codebooks, EadImportSource *source,
                                     EadSafetensorsWriter *writer);

/* Whether a file that was written can be read: values are finite. */
EadStatus ead_import_codebooks_check(EadImportCodebooks *codebooks, const char *path);

void ead_import_codebooks_free(EadImportCodebooks *codebooks);

/* ---- a backbone by its publisher's names: what models/networks/backbone.h reads ---- */

typedef struct EadImportBackbone {
    const EadBackboneFamily *family; /* NULL: not found */
    EadImportTensor **tensors;       /* [count], owned */
    int prefix_length;               /* of their names, which are the publisher's behind it */
    int count;
    bool other; /* they have the other publisher's names (EadBackboneFamily.rename) */
} EadImportBackbone;

/* Finds the mark of the first family that has one, under any prefix, and marks what belongs to it as used; what lies
 * behind its features and counters are of no use. Error: EAD_NO_MEMORY. Free in every case. */
EadStatus ead_import_backbone_find(EadImportBackbone *backbone, EadImportSource *source);

/* What tensor `index` is called in a backbone file. The first DenseNets that torchvision published say norm.1 where
 * it has said norm1 since. */
void ead_import_backbone_name(const EadImportBackbone *backbone, int index, char *out, size_t size);
void ead_import_backbone_free(EadImportBackbone *backbone);
