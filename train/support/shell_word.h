/* Commands for people to copy into their shell. */
#pragma once

/* A text as one word of a shell: as it is, or in single quotes where it holds more than letters, digits and usual marks.
 * Owned by the caller; NULL: no memory. */
char *ead_shell_word(const char *text);

/* How the user called this program, as such a word: build/efficientad, efficientad. Owned by the caller; NULL: no memory. */
char *ead_program_word(void);

/* name: argv[0], which must stay; NULL or "": as if it was never called. */
void ead_program_called(const char *name);
