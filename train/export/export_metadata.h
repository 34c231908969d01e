/* What an ONNX file says of its model: metadata_props. */
#pragma once

#include "train/export/export.h"
#include "train/export/onnx_file.h"

/* Adds all. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_export_metadata(EadOnnxFile *file, const EadExportSpec *spec);
