/* Where the teachers that come with the program lie. */
#ifndef EAD_TRAIN_SHIPPED_TEACHER_H
#define EAD_TRAIN_SHIPPED_TEACHER_H

#include "core/base/status.h"
#include "models/networks/pdn.h"

/* The path of the shipped teacher of that size, found from where the program itself lies: models/weights/ of
 * the source tree, or share/efficientad/ of an installation. The caller frees it. Errors: EAD_UNSUPPORTED,
 * saying how to get a teacher; EAD_NO_MEMORY. */
EadStatus ead_shipped_teacher(EadPdnSize size, char **path);

#endif
