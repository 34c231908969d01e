/* The members of a tar archive and where their bytes lie, so that images are read out of ImageNet's archive
 * and of webdataset's shards without unpacking. An own reader: libarchive is made for streams, and what is
 * needed here are offsets, also of members of archives within archives. Reads ustar, pax (path, size) and GNU
 * (long names, large sizes). */
#pragma once

#include "core/base/status.h"

#include <stdint.h>

/* Called for each regular member. name: as in the archive, of one inside another "inner.tar/name"; never to
 * be used as a path, it may hold anything. offset and size lie within the file. */
typedef EadStatus EadTarVisit(void *context, const char *name, int64_t offset, int64_t size);

/* Visits the regular members in their order, those of archives (.tar) inside the archive too, up to 4 deep.
 * Links, folders and devices are passed over. Errors, naming archive and member: EAD_BAD_FILE for anything
 * malformed, cut short, or compressed; EAD_UNSUPPORTED for sparse members; EAD_IO; EAD_NO_MEMORY; what visit
 * returns. label is what messages call the open file. */
EadStatus ead_tar_visit_descriptor(int descriptor, const char *label, EadTarVisit *visit, void *context);
