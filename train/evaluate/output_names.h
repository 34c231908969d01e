/* File names for what is written about images: every image has its own, so that a.png and a.jpg, or a.png of
 * two folders, do not overwrite each other's maps. */
#ifndef EAD_TRAIN_OUTPUT_NAMES_H
#define EAD_TRAIN_OUTPUT_NAMES_H

#include "core/base/status.h"

typedef struct EadOutputNames EadOutputNames;

/* Errors: EAD_NO_MEMORY. Free with ead_output_names_free (harmless on NULL). */
EadStatus ead_output_names_new(EadOutputNames **names);
void ead_output_names_free(EadOutputNames *names);

/* The name, without extension, for the image `path`, in `folder` ("" for none): "folder/a" for ".../a.png";
 * if another image has that already "folder/a.png", else "folder/a.png~2" and so on. The same path gets the
 * same name again. *name is borrowed until names is freed. Errors: EAD_NO_MEMORY. */
EadStatus ead_output_names_take(EadOutputNames *names, const char *folder, const char *path,
                                const char **name);

#endif
