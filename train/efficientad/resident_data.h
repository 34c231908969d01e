/* Which tables a training's step gets, and their contents. */
#ifndef EAD_TRAIN_RESIDENT_DATA_H
#define EAD_TRAIN_RESIDENT_DATA_H

#include "train/efficientad/trainer_data.h"
#include "train/efficientad/training_step.h"

/* Chooses them when the data is listed: the teacher's outputs where the config asks for them; on a device
 * also the training images and then the penalty images, where they take less than half of what is free there.
 * Errors: EAD_NO_MEMORY if the teacher's outputs find no room, with the numbers and the cure. */
EadStatus ead_step_tables_choose(const EadConfig *config, const EadBackend *backend,
                                 const EadEfficientadSpec *spec, const EadTrainerData *data,
                                 EadResidentData *out);

/* Takes the tables of images back; false: there were none. */
bool ead_step_tables_drop_images(EadResidentData *tables);

/* One line on stderr about those there are; none without any. */
void ead_step_tables_print(const EadResidentData *tables, const EadEfficientadSpec *spec);

/* Fills all but the teacher's, and says how many images there are. Errors: those of the image cache;
 * EAD_INTERRUPTED on Ctrl-C. */
EadStatus ead_step_tables_fill(const EadResidentData *tables, const EadTrainerData *data, bool quiet,
                               EadTrainingStep *step);

#endif
