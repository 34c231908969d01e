/* Which source made this program. */
#pragma once

/* What `git describe --always --dirty` said when it was built; "unknown" outside a checkout. */
const char *ead_version(void);
