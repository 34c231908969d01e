/* What commands share that run until they are told to end: signals that are waited for, systemd, secrets in files. */
#pragma once

#include "core/base/status.h"

#include <signal.h>
#include <stddef.h>

/* SIGTERM, SIGINT and SIGHUP are waited for from now on, and interrupt nothing, in this thread and those that it starts; a closed
 * pipe is an error like any other. */
void ead_service_begin(sigset_t *signals);

/* Such a signal within `seconds`, or 0. */
int ead_service_signal(const sigset_t *signals, double seconds);

/* Tells systemd ("READY=1", "STOPPING=1"), where it asked to be told (NOTIFY_SOCKET). */
void ead_service_notify(const char *state);

/* A text file of at most `most` bytes, new memory: without zero bytes, since what follows one would not be seen. option: what names
 * the file. Errors: those of ead_read_file(); EAD_BAD_FILE. */
EadStatus ead_secret_text(const char *option, const char *path, size_t most, char **text);

/* One line on stderr where every account can read the file. */
void ead_secret_warn(const char *option, const char *path);

/* The first line of a file, new memory; path NULL: *secret is NULL. option: what names the file. Errors: EAD_IO; EAD_BAD_FILE where it is no
 * word of visible letters; EAD_NO_MEMORY. */
EadStatus ead_secret_read(const char *option, const char *path, char **secret);
