/* What torch.save writes: a pickle of objects, and storages. Since version 1.6 a zip archive, read by libzip,
 * with "NAME/data.pkl", the pickle, and one stored record "NAME/data/KEY" for each storage; before, the
 * format of data/torch/torch_legacy.h. */
#pragma once

#include "data/torch/torch_storage.h"

typedef struct EadTorchArchive EadTorchArchive;

/* Whether a file's first bytes are those of either format. */
bool ead_torch_archive_begins(const uint8_t *bytes, size_t size);

/* Opens a file. Errors, naming the file: EAD_IO; EAD_BAD_FILE for another format, a zip without data.pkl or
 * cut short; EAD_UNSUPPORTED for TorchScript and big-endian archives; EAD_NO_MEMORY. *out is NULL then.
 * Memory must outlive *out; label stands in for the path. */
EadStatus ead_torch_archive_open(const char *path, EadTorchArchive **out);
EadStatus ead_torch_archive_parse(const void *bytes, size_t size, const char *label, EadTorchArchive **out);

const char *ead_torch_archive_path(const EadTorchArchive *archive);

/* Runs the pickle with these calls; *root, what was saved, is the archive's. To be called once, before the
 * next two. Errors, without the file's name: those of pickle.h, torch_legacy.h and the next two. */
EadStatus ead_torch_archive_objects(EadTorchArchive *archive, const char *const *calls,
                                    const EadPickleValue **root);

/* Finds the storage of that key. Errors, without the file's name: EAD_BAD_FILE if it is missing, compressed
 * or encrypted (torch stores plainly, so that is how a zip bomb would come), or larger than the file. */
EadStatus ead_torch_archive_find(const EadTorchArchive *archive, const char *key, EadTorchRecord *out);

/* Reads a storage into out [record.size]; of a zip it is held against its checksum. Errors, without the
 * file's name: EAD_BAD_FILE, also when more has been read in all than the file has bytes: records that
 * overlap. */
EadStatus ead_torch_archive_read(EadTorchArchive *archive, EadTorchRecord record, void *out);

/* Harmless on NULL. */
void ead_torch_archive_close(EadTorchArchive *archive);
