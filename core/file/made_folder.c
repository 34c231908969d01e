/* What was missing of a path, and its removal. */
#include "core/file/made_folder.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

EadStatus ead_made_folder_note(EadMadeFolder *made, const char *path) {
    struct stat entry;
    EadPath part;
    made->path[0] = '\0';
    EAD_TRY(ead_path_in(part, "", path));
    for (size_t length = strlen(part); length > 1 && part[length - 1] == '/'; length--)
        part[length - 1] = '\0';
    memcpy(made->path, part, sizeof part);
    while (*part && lstat(part, &entry) != 0) {
        char *slash = strrchr(part, '/');
        part[!slash ? 0 : slash == part ? 1 : slash - part] = '\0';
    }
    made->there = strlen(part);
    return EAD_OK;
}

bool ead_made_folder_was_there(const EadMadeFolder *made) {
    return strlen(made->path) <= made->there;
}

void ead_made_folder_take_back(const EadMadeFolder *made) {
    EadPath part;
    memcpy(part, made->path, sizeof part);
    while (strlen(part) > made->there && rmdir(part) == 0) {
        char *slash = strrchr(part, '/');
        part[slash && slash > part ? slash - part : 0] = '\0';
    }
}
