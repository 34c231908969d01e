/* Finding teacher, student and autoencoder among the tensors of others, by the layouts of import_names.def.
 */
#ifndef EAD_TRAIN_IMPORT_NETWORKS_H
#define EAD_TRAIN_IMPORT_NETWORKS_H

#include "models/networks/pdn.h"
#include "train/import/import_source.h"

typedef enum EadImportRole {
    EAD_IMPORT_TEACHER,
    EAD_IMPORT_STUDENT,
    EAD_IMPORT_AUTOENCODER,
    EAD_IMPORT_ROLES
} EadImportRole;

typedef struct EadImportNetwork {
    const char *layout;        /* what import_names.def says it is; NULL: not found */
    EadParams params;          /* as models/ declares them, without memory */
    EadImportTensor **tensors; /* [params.count] */
    EadPdnSize size;           /* of teacher and student */
    int height, width;         /* of the autoencoder's images */
    int padding;               /* of teacher and student: 1 or 0; -1: the file does not say */
} EadImportNetwork;

typedef struct EadImportNetworks {
    EadImportNetwork of[EAD_IMPORT_ROLES];
    int closest_fits;  /* of the layout whose names are all there but not its shapes: how many fit */
    char closest[512]; /* what does not fit; "" if there is no such layout */
} EadImportNetworks;

/* "teacher", "student", "autoencoder". */
const char *ead_import_role_name(EadImportRole role);

/* Finds what is there and marks its tensors as used. A PDN of 768 outputs is a student, one of 384 a teacher
 * unless its name or its file's says "student". Errors: EAD_BAD_FILE, naming both, for two of a role, and for
 * teacher and student of different sizes; EAD_NO_MEMORY. Free in every case. */
EadStatus ead_import_networks_find(EadImportNetworks *networks, EadImportSource *source);
void ead_import_networks_free(EadImportNetworks *networks);

#endif
