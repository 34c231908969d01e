/* A build without SQLite (receivers.mk). */
#include "train/receivers/receivers.h"

EAD_RECEIVER_WITHOUT(ead_receiver_table, "--sqlite", "SQLite", "libsqlite3-dev")
