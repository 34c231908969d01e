/* Reading single tensors of a .safetensors file into parameters: names and shapes are checked, files' OIHW
 * becomes memory's O,KH,KW,I. */
#ifndef EAD_MODELS_PARAMS_FILE_H
#define EAD_MODELS_PARAMS_FILE_H

#include "core/graph/params.h"
#include "core/file/safetensors.h"

/* What to do about a file that does not fit: the end of such errors. */
#define EAD_MODEL_FILE_HINT "train it again or take another file"

/* Reads the tensor that is called like `param`, one of params. Errors: EAD_BAD_FILE, naming file and tensor,
 * if it is missing, has another shape or type, or holds values that are not finite; EAD_NO_MEMORY. */
EadStatus ead_params_read(const EadSafetensors *file, EadParams *params, const EadParam *param);

/* The same for all of params. */
EadStatus ead_params_read_all(const EadSafetensors *file, EadParams *params);

/* Reads a tensor of `count` numbers in any shape. */
EadStatus ead_vector_read(const EadSafetensors *file, const char *name, int count, double *out);

#endif
