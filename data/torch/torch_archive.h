/* The zip archive that torch.save writes since version 1.6: "NAME/data.pkl", the pickle, and one stored
 * record "NAME/data/KEY" for each storage of tensors. By libzip. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EadTorchArchive EadTorchArchive;

/* A record of the archive: its place and how many bytes it has. */
typedef struct EadTorchRecord {
    uint64_t index;
    size_t size;
} EadTorchRecord;

/* Whether a file's first bytes are those of any format of torch.save, old ones included. */
bool ead_torch_archive_begins(const uint8_t *bytes, size_t size);

/* Opens a file and looks for its pickle. Errors, naming the file: EAD_IO; EAD_BAD_FILE for what is no zip or
 * cut short; EAD_UNSUPPORTED for the format of PyTorch before 1.6, TorchScript and big-endian archives;
 * EAD_NO_MEMORY. *out is NULL then. Memory must outlive *out; label stands in for the path. */
EadStatus ead_torch_archive_open(const char *path, EadTorchArchive **out);
EadStatus ead_torch_archive_parse(const void *bytes, size_t size, const char *label, EadTorchArchive **out);

const char *ead_torch_archive_path(const EadTorchArchive *archive);

/* Finds record `name` ("data.pkl", "data/0"). Errors, without the file's name: EAD_BAD_FILE if it is missing,
 * compressed or encrypted (torch stores plainly, so that is how a zip bomb would come), or larger than the
 * file. */
EadStatus ead_torch_archive_find(const EadTorchArchive *archive, const char *name, EadTorchRecord *out);

/* Reads a whole record into out [record.size] and holds it against its checksum. Errors, without the file's
 * name: EAD_BAD_FILE, also when more has been read in all than the file has bytes: records that overlap. */
EadStatus ead_torch_archive_read(EadTorchArchive *archive, EadTorchRecord record, void *out);

/* Harmless on NULL. */
void ead_torch_archive_close(EadTorchArchive *archive);
