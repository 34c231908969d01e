/* What commands share that run until they are told to end: systemd, their last words, secrets in files. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>

/* Tells systemd ("READY=1", "STOPPING=1"), where it asked to be told (NOTIFY_SOCKET). */
void ead_service_notify(const char *state);

/* Says on stderr that the time after a signal was over (--exit-timeout); takes no lock, since another thread may hold it for ever. */
void ead_service_tell_late(void);

/* A text file of at most `most` bytes, new memory: without zero bytes, since what follows one would not be seen. option: what names
 * the file. Errors: those of ead_read_file(); EAD_BAD_FILE. */
EadStatus ead_secret_text(const char *option, const char *path, size_t most, char **text);

/* One line on stderr where every account can read the file. */
void ead_secret_warn(const char *option, const char *path);

#define EAD_PEM_CERTIFICATE "CERTIFICATE-----"
#define EAD_PEM_KEY         "PRIVATE KEY-----"

/* A file of certificates or of a key for TLS, new memory; path NULL: *pem is NULL. what: the words with which a line of it ends. Errors:
 * those of ead_secret_text(). */
EadStatus ead_pem_read(const char *option, const char *path, const char *what, char **pem);

/* The first line of a file, new memory; path NULL: *secret is NULL. option: what names the file. Errors: EAD_IO; EAD_BAD_FILE where it is no
 * word of visible letters; EAD_NO_MEMORY. */
EadStatus ead_secret_read(const char *option, const char *path, char **secret);
