/* The only file that is compiled anew whenever the version changes. */
#include "train/support/version.h"

const char *ead_version(void) {
    return EAD_VERSION;
}
