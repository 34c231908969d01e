/* What cannot be written fails before the work whose result it is. Nothing is left behind by the checks. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes that a name in the folder, which need not exist, may have at most. */
long ead_longest_name(const char *folder);

/* Whether files can be made in a folder: by making one, or, where the folder is still to be made, one in the
 * folder above. option: what names the folder, "--output"; it is named in errors. Errors: EAD_IO. */
EadStatus ead_check_output_folder(const char *folder, const char *option);

/* The same for a folder of caches, which may hold all that is needed already: one that is there and can be read will do, until
 * something must be written. */
EadStatus ead_check_cache_folder(const char *folder, const char *option);

/* Puts what to do before the present message, that of a failure with `status`, where it is that something must be written
 * into such a folder. Returns status. */
EadStatus ead_name_cache_folder(EadStatus status, const char *folder, const char *option);

/* As ead_check_output_folder() for a file, which must not be a folder. What is no regular file (a FIFO, a terminal) is not
 * touched. */
EadStatus ead_check_output_file(const char *path, const char *option);

/* Whether the folder of a file that will be written is there. Errors: EAD_IO, with the cure. */
EadStatus ead_check_folder_of(const char *path, const char *option);

/* The same for a file in a folder of ours, by --output, which will be read back: there it must be a regular one. */
EadStatus ead_check_output_in_run(const char *path);

/* Whether a file of ours may be written there: nothing is, or an empty file, or what this program wrote before, which
 * begins with `begins`, blanks and a byte-order mark left aside, and has one of the texts `holds`, "a|b", in its first 16
 * KiB. holds NULL: `begins` is its whole first line. Errors: EAD_BAD_ARGUMENT, with the cure. */
EadStatus ead_check_replaced(const char *path, const char *option, const char *begins, const char *holds);

/* Whether a page's name ends in .html or .htm, without which no browser shows it as one; what is no regular file (a FIFO) may
 * have any. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_check_page_name(const char *path, const char *option);

/* Whether a file of `bytes` may be made: by the process's limit on the size of files, and by the room on its
 * disk, which holds `beside` bytes of other new files at the same time. Errors: EAD_IO. */
EadStatus ead_check_room(const char *path, uint64_t bytes, uint64_t beside);

/* Bytes of room on the disk of a folder for files of this user; UINT64_MAX: it does not say. */
uint64_t ead_room(const char *folder);

/* Whether files made below the two paths would lie on the same disk. */
bool ead_outputs_share_disk(const char *a, const char *b);

/* Whether two outputs would be the same regular file or folder, whether it exists or not, through whatever links, also
 * those that lead to what is not there yet. */
bool ead_outputs_collide(const char *a, const char *b);

/* Whether an output, which need not exist, would be the folder or lie below it, through whatever links. */
bool ead_output_lies_within(const char *output, const char *folder);

/* Fails with EAD_BAD_ARGUMENT: the folder `output` of the `what` ("maps") lies in the folder of images `input`. */
EadStatus ead_fail_output_within(const char *input, const char *output, const char *what);
