/* Which source made this program. */
#ifndef EAD_TRAIN_VERSION_H
#define EAD_TRAIN_VERSION_H

/* What `git describe --always --dirty` said when it was built; "unknown" outside a checkout. */
const char *ead_version(void);

#endif
