/* Tensors of a file by torch.save, in its format of today or before 1.6: a state_dict, a whole module, or
 * dicts and lists of these. Built from the pickle's inert values (data/torch/pickle.h); no Python, nothing is
 * run. */
#pragma once

#include "core/file/safetensors.h"

typedef struct EadTorchFile EadTorchFile;

/* Lists all tensors and checks that each lies within its storage; reads no numbers yet. Errors, naming file
 * and tensor: those of data/torch/torch_archive.h and data/torch/pickle.h; EAD_BAD_FILE for tensors with
 * impossible shapes, strides or places, and for more than 100,000 tensors, 64 levels or names of 500 bytes;
 * EAD_UNSUPPORTED for storages of other kinds. *out is NULL then, else to be closed. */
EadStatus ead_torch_file_open(const char *path, EadTorchFile **out);

/* The same from memory, which must outlive *out. */
EadStatus ead_torch_file_parse(const void *bytes, size_t size, const char *label, EadTorchFile **out);

/* Tensors in the order of the pickle. Names are keys and module names joined by dots:
 * "state_dict.layer1.0.conv1.weight"; parameters and buffers of a whole module are called as in its
 * state_dict. data is NULL until ead_torch_file_load(). */
int ead_torch_file_count(const EadTorchFile *file);
const EadFileTensor *ead_torch_file_at(const EadTorchFile *file, int index);

/* The padding of the convolution whose tensor this is, where the file holds the whole module; else -1. */
int ead_torch_file_padding(const EadTorchFile *file, int index);

/* Reads a tensor's numbers: data is then row-major and the file's. A storage is read once, however many
 * tensors lie in it. Errors, naming file and tensor: those of ead_torch_archive_read(); EAD_NO_MEMORY. */
EadStatus ead_torch_file_load(EadTorchFile *file, int index);

/* Harmless on NULL. */
void ead_torch_file_close(EadTorchFile *file);
