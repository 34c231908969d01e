/* The images of a detector's training: the data set, its training and validation images decoded once, and
 * caches of other lists. */
#pragma once

#include "core/base/paths.h"
#include "data/cache/image_cache.h"
#include "data/dataset/overlap.h"
#include "data/loader/image_draws.h"
#include "train/config/config.h"

/* How the config looks at images; size 0: not in tiles. */
EadTiles ead_config_tiles(const EadConfig *config);

typedef struct EadTrainData {
    EadDataset dataset;
    EadImageList train_list;           /* of its training images */
    EadRegion region;                  /* of them that is inspected (roi.*) */
    EadImageCache *train, *validation; /* at model.image_size; NULL until opened */
} EadTrainData;

/* Lists the data set of the config and opens the region of interest; nothing is written. Errors: those of data/, and a
 * region that does not fit the first training image. Close in every case. */
EadStatus ead_train_data_list(const EadConfig *config, EadTrainData *data);

/* Gives the region the mask in the file roi.mask, for images of model.image_size; its box must be set before. Errors: those
 * of data/ and of ead_region_set_mask(), with the file but without the key. */
EadStatus ead_train_data_mask(const EadConfig *config, EadImageNotes *notes, EadRegion *region);

/* The region of interest, for these training images; silent. Errors: with the key; free in every case. */
EadStatus ead_train_data_region(const EadConfig *config, const EadStringList *images, EadRegion *region);

/* Whether the region of interest would open and fit the first training image; silent. Errors: as ead_train_data_list() of
 * that alone; where there is no data set to look at, EAD_OK. */
EadStatus ead_train_data_try_region(const EadConfig *config);

/* Appends the images of `path`, the value of the config key `key`, to out, an empty list, and says what is left
 * out of them; takes: what the key takes ("images of other things"). Those of the data set are refused, those
 * with the same bytes as one of it are told, or refused where dataset.strict is set, which without `order` (in which
 * they are drawn, a part of them) refuses what is left out, too. Errors: EAD_BAD_ARGUMENT, EAD_BAD_FILE, EAD_IO, EAD_NO_MEMORY, with the key; none at
 * all; an output among them. */
EadStatus ead_train_data_others(const EadConfig *config, const char *key, const char *path, const char *takes,
                                const EadDrawOrder *order, const EadTrainData *data, EadImageList *out);

/* Decodes and caches training and validation images. Errors: those of data/. */
EadStatus ead_train_data_open(const EadConfig *config, bool quiet, EadTrainData *data);
void ead_train_data_close(EadTrainData *data);

/* The folder for caches of the config. Errors: EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_train_data_cache(const EadConfig *config, EadPath folder);

/* Decodes and caches a list of images of `kind` ("added"), of each the region, in the folder for caches of the config, with a
 * progress line unless quiet. */
EadStatus ead_open_cache(const EadConfig *config, const EadImageList *list, const EadRegion *region,
                         const char *kind, bool quiet, EadImageCache **out);

/* Readies a list of images of `kind` ("penalty"), the value of `key`, to be drawn from `number` times, brought to a size as `fit`
 * says; the list is borrowed. They are kept in that folder, if any of them is drawn again or the folder is shared, up to
 * dataset.cache_mb. */
EadStatus ead_open_draws(const EadConfig *config, const EadImageList *list, EadImageFit fit, const char *kind,
                         const char *key, int64_t number, EadImageDraws **out);

/* The fit of penalty images: the centre, at model.image_size. */
EadImageFit ead_penalty_fit(const EadConfig *config);

/* The same images of a few, in memory; region: of them, as ead_train_data_region() opens it. */
EadStatus ead_open_in_memory(const EadConfig *config, const EadImageList *few, const EadRegion *region,
                             EadImageCache **out);

/* The file that ead_open_cache(), or ead_open_draws() of penalty images, keeps such a list in; region NULL: of draws. Errors:
 * EAD_BAD_ARGUMENT, a long path. */
EadStatus ead_cache_name(const EadConfig *config, const EadImageList *list, const EadRegion *region,
                         const char *kind, EadPath path);

/* What that file takes on the disk; of penalty images when so many different images have been drawn, 0 .. list->count. Errors: those of
 * ead_image_cache_bytes(). */
EadStatus ead_cache_bytes(const EadConfig *config, const EadImageList *list, const EadRegion *region,
                          uint64_t *bytes);
EadStatus ead_draws_bytes(const EadConfig *config, const EadImageList *list, double drawn, uint64_t *bytes);
