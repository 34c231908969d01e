/* The line is in front of all that others could have written into the page. */
#include "train/support/page_kind.h"

#include <stdio.h>
#include <string.h>

bool ead_training_page_is(const char *path) {
    static const char expected[] = "  \"kind\": \"" EAD_TRAINING_PAGE_KIND "\",\n";
    char line[4096];
    bool found = false;
    FILE *stream = fopen(path, "re");
    if (!stream) return false;
    while (!found && fgets(line, sizeof line, stream) && strncmp(line, "  \"title\"", 9) != 0)
        found = strcmp(line, expected) == 0;
    fclose(stream);
    return found;
}
