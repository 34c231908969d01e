/* Storages: runs of numbers that a pickle by torch.save names and that lie elsewhere in the file. */
#pragma once

#include "core/file/safetensors.h"
#include "data/torch/pickle.h"

enum { EAD_TORCH_KEY = 60 };

/* What the pickle says of one. */
typedef struct EadTorchStorage {
    char key[EAD_TORCH_KEY];
    EadFileType type;
    int64_t elements; /* not checked */
} EadTorchStorage;

/* Where it lies. */
typedef struct EadTorchRecord {
    uint64_t index; /* one number for each record of a file */
    size_t size;    /* bytes */
} EadTorchRecord;

/* Reads a reference: ("storage", type, key, location, elements), which before 1.6 had a sixth part, None.
 * Errors, without the file's name: EAD_BAD_FILE for another value; EAD_UNSUPPORTED for types of numbers that
 * core/file/safetensors.h does not have. */
EadStatus ead_torch_storage_read(const EadPickleValue *reference, EadTorchStorage *out);

/* "WHAT; the file is damaged, save it again", EAD_BAD_FILE. */
EadStatus ead_torch_malformed(const char *what);
