/* What a file is and where it belongs, told by its content: whoever opens a file that a user named says what
 * it should be, and a file in the wrong role is refused by its right name, with the cure. */
#pragma once

#include "core/file/safetensors.h"

#define EAD_IMPORT "weights are converted by efficientad import -o OUT.safetensors FILE"
#define EAD_SAVE   "save weights by torch.save or as .safetensors; efficientad import converts those"

/* X(role, what it is, where it belongs) */
#define EAD_FILE_ROLE_LIST(X)                                                                                \
    X(UNKNOWN, "unknown", "") /* missing, no regular file, damaged, or of a kind that is not listed */       \
    X(FOLDER, "a folder", "name a file in it")                                                               \
    X(EMPTY, "an empty file", "copy or download it again")                                                   \
    X(MODEL, "a model", "--model of eval and predict takes it")                                              \
    X(CHECKPOINT, "a checkpoint of a training",                                                              \
      "train --resume goes on with it; the model is model.safetensors beside it, once training is done")     \
    X(DISTILL_CHECKPOINT, "a checkpoint of a distillation",                                                  \
      "distill --resume goes on with it; the teacher is teacher.safetensors beside it, once that is done")   \
    X(TEACHER, "a teacher", "model.teacher takes it")                                                        \
    X(BACKBONE, "a backbone", "model.backbone and distill.backbone take it")                                 \
    X(WEIGHTS, "weights of another program", EAD_IMPORT)                                                     \
    X(CACHE, "a cache", "it is made and found by itself")                                                    \
    X(ZIP, "a PyTorch file or another zip archive", EAD_IMPORT)                                              \
    X(PICKLE, "a pickle", EAD_SAVE)                                                                          \
    X(ONNX, "an ONNX file", "those are written, by export, and never read; " EAD_SAVE)                       \
    X(HDF5, "an HDF5 file", EAD_SAVE)                                                                        \
    X(NUMPY, "a NumPy file", EAD_SAVE)                                                                       \
    X(GGUF, "a GGUF file", EAD_SAVE)                                                                         \
    X(TFLITE, "a TensorFlow Lite file", EAD_SAVE)                                                            \
    X(CONFIG, "a config", "-c of train, eval and distill takes it")                                          \
    X(SWEEP, "a sweep file", "efficientad sweep takes it")                                                   \
    X(SWEEP_RUNS, "the list of a sweep's runs", "efficientad report takes it, or its folder")                \
    X(METRICS, "the metrics of an evaluation", "they are a result only")                                     \
    X(TABLE, "a table of results", "it is a result only")                                                    \
    X(EVENTS, "a log for TensorBoard", "tensorboard --logdir takes its folder")                              \
    X(PAGE, "a web page", "a report is a result only, and a download that ends so has failed")               \
    X(LFS, "what Git LFS leaves in place of a file", "git lfs pull brings the file")                         \
    X(TEXT, "a text", "name another file")                                                                   \
    X(IMAGE, "an image", "predict takes images behind its options")                                          \
    X(PICTURE, "an image or film of a format that is not read", "convert it to PNG")                         \
    X(TAR, "a tar archive", "penalty.path and distill.images take those; for all else unpack it")            \
    X(COMPRESSED, "a compressed file", "unpack it first")

typedef enum EadFileRole {
#define X(role, is, cure) EAD_ROLE_##role,
    EAD_FILE_ROLE_LIST(X)
#undef X
        EAD_FILE_ROLES
} EadFileRole;

/* Looks into a file; what is no regular file is not touched. */
EadFileRole ead_file_role(const char *path);

/* "a model", ... */
const char *ead_file_role_name(EadFileRole role);

/* A set of roles. */
#define EAD_ROLE(role)    (1u << EAD_ROLE_##role)
#define EAD_ROLES_TEXT    (EAD_ROLE(TEXT) | EAD_ROLE(EMPTY)) /* their readers say what is wrong */
#define EAD_ROLES_TRAINED (EAD_ROLE(MODEL) | EAD_ROLE(CHECKPOINT))

/* Refuses a file that is known to be something else than the roles wanted, called `what` ("a model"). What is
 * not known passes: its reader says what is wrong. Errors: EAD_BAD_FILE; EAD_IO for a folder. */
EadStatus ead_file_expect(const char *path, unsigned wanted, const char *what);

/* The same for a .safetensors file that is open; and for bytes in memory that are none, called `label`. */
EadStatus ead_file_expect_open(const EadSafetensors *file, unsigned wanted, const char *what);
EadStatus ead_file_expect_bytes(const void *bytes, size_t size, const char *label, unsigned wanted,
                                const char *what);
