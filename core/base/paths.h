/* Small helpers for paths: what they mean, joining, and making folders. */
#pragma once

#include "core/base/status.h"
#include "core/base/string_list.h"

#include <stdbool.h>
#include <stddef.h>

/* "folder/name" in new memory that the caller frees; name alone where folder is "" or name is absolute; NULL
 * when there is no memory (then ead_fail() has been called with EAD_NO_MEMORY). */
char *ead_path_join(const char *folder, const char *name);

/* What a path written by a user means, in new memory that the caller frees: "~" and "~/x" are the home folder
 * ($HOME) and what lies below it, where no shell has expanded them; "~name" is a file or folder of that name
 * where there is one, else an error. Errors: EAD_BAD_ARGUMENT, naming text and cure; EAD_NO_MEMORY; *path is
 * NULL then. */
EadStatus ead_path_expand(const char *text, char **path);

/* A path on the stack: nothing to free. */
enum { EAD_PATH_SIZE = 4096 };
typedef char EadPath[EAD_PATH_SIZE];

/* The same as ead_path_join(), into `path`. Errors: EAD_BAD_ARGUMENT where it is too long. */
EadStatus ead_path_in(EadPath path, const char *folder, const char *name);

/* A path from the present folder on, made one from the root on; "" is that folder. Errors: EAD_IO, EAD_BAD_ARGUMENT. */
EadStatus ead_path_absolute(EadPath out, const char *path);

/* The last part of a path: what follows the last slash. Borrowed from path. */
const char *ead_path_base(const char *path);

/* Bytes of a path without the extension that its last part may have; bytes of the paths in a folder, as
 * ead_path_in() makes them, before their names. */
size_t ead_path_stem(const char *path);
size_t ead_path_prefix(const char *folder);

/* The folder that a path lies in: "a/b" of "a/b/c", "/" of "/c", "" (the current folder) of "c".
 * Errors: EAD_BAD_ARGUMENT where it is too long. */
EadStatus ead_path_folder(EadPath folder, const char *path);

/* The file of the running program. Without /proc what the kernel was told at its start counts. Errors:
 * EAD_IO. */
EadStatus ead_program_path(EadPath path);

/* Whether a path ends in one of the extensions, given as ".tif, .tiff", in any case. */
bool ead_path_has_extension(const char *path, const char *extensions);

/* The absolute path of what is there, without links, "." and ".."; "": the current folder. false, with errno: it is not there, or cannot be
 * reached. Takes no memory that could lack. out may be path. */
bool ead_path_real(EadPath out, const char *path);

/* Whether path is a folder (links followed). */
bool ead_path_is_folder(const char *path);

/* Whether two paths lead to the same file or folder, however they are spelled and through whatever links;
 * false where either is missing. */
bool ead_path_same(const char *a, const char *b);

/* Whether `inner`, which need not exist, is the folder `outer` or lies below it, as ead_path_same() sees it;
 * "" is the current folder. */
bool ead_path_lies_within(const char *inner, const char *outer);

/* Makes a folder and those above it that are missing (mkdir -p). "" is the current folder. Errors: EAD_IO,
 * with the folder that could not be made. */
EadStatus ead_make_directories(const char *path);

/* Adds the names of what a folder holds (dot files, too), and sorts the list. A missing folder holds nothing. Errors: EAD_IO where it
 * cannot be read or is no folder, EAD_NO_MEMORY; names are to be freed then, too. */
EadStatus ead_folder_names(const char *path, EadStringList *names);

/* Sets *holds to whether the folder exists and holds anything (dot files count). A missing folder is empty.
 * Errors: those of ead_folder_names(). */
EadStatus ead_directory_holds_files(const char *path, bool *holds);
