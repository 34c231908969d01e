/* The format of torch.save before version 1.6: five pickles (a magic number, the version, the system, the
 * objects, the keys of their storages), then for each key how many elements it has, 8 bytes, and these. How
 * wide an element is stands in the objects alone. */
#pragma once

#include "data/torch/torch_storage.h"

typedef struct EadTorchLegacy EadTorchLegacy;

/* Whether a file's first bytes are those of this format. */
bool ead_torch_legacy_begins(const uint8_t *bytes, size_t size);

/* A file that begins so: of `size` bytes, from memory, which must outlive *out, or where bytes is NULL by a
 * descriptor, which *out owns then and which is closed on failure. Errors: EAD_NO_MEMORY; EAD_IO. */
EadStatus ead_torch_legacy_open(int descriptor, const void *bytes, uint64_t size, EadTorchLegacy **out);

/* Runs the pickles; *root, what was saved, is the file's. Errors, without the file's name: those of
 * data/torch/pickle.h, the pickles being limited to 16 MiB together; EAD_UNSUPPORTED for big-endian numbers;
 * EAD_BAD_FILE where storages are not what the objects say, or cut short. */
EadStatus ead_torch_legacy_objects(EadTorchLegacy *file, const char *const *calls,
                                   const EadPickleValue **root);

/* Finds a storage. Errors, without the file's name: EAD_BAD_FILE if it is missing. */
EadStatus ead_torch_legacy_find(const EadTorchLegacy *file, const char *key, EadTorchRecord *out);

/* Reads it into out [record.size]. Errors, without the file's name: EAD_BAD_FILE, EAD_IO. */
EadStatus ead_torch_legacy_read(const EadTorchLegacy *file, EadTorchRecord record, void *out);

/* Harmless on NULL. */
void ead_torch_legacy_close(EadTorchLegacy *file);
