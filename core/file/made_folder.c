/* What was missing of a path, and its removal. */
#include "core/file/made_folder.h"

#include "core/base/memory.h"
#include "core/base/string_list.h"

#include <pthread.h>
#include <stdlib.h>
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

struct EadMadeFolders {
    pthread_mutex_t mutex;
    EadStringList paths; /* each behind the one that it lies in */
};

EadStatus ead_made_folders_new(EadMadeFolders **out) {
    *out = ead_new(1, sizeof **out, "the folders of outputs");
    if (!*out) return EAD_NO_MEMORY;
    pthread_mutex_init(&(*out)->mutex, NULL);
    return EAD_OK;
}

/* Adds the parts of the path that are missing. */
static EadStatus note_parts(EadStringList *paths, const char *path) {
    EadMadeFolder one;
    EAD_TRY(ead_made_folder_note(&one, path));
    size_t length = strlen(one.path);
    for (size_t end = one.there + 1; end <= length; end++) {
        char behind = one.path[end];
        if (behind && (behind != '/' || one.path[end - 1] == '/')) continue;
        one.path[end] = '\0';
        EAD_TRY(ead_strings_add(paths, one.path));
        one.path[end] = behind;
    }
    return EAD_OK;
}

EadStatus ead_made_folders_make(EadMadeFolders *made, const char *path) {
    if (!*path || ead_path_is_folder(path)) return EAD_OK;
    pthread_mutex_lock(&made->mutex);
    EadStatus status = note_parts(&made->paths, path);
    if (status == EAD_OK) status = ead_make_directories(path);
    pthread_mutex_unlock(&made->mutex);
    return status;
}

void ead_made_folders_end(EadMadeFolders *made) {
    if (!made) return;
    for (int i = made->paths.count - 1; i >= 0; i--) rmdir(made->paths.items[i]);
    ead_strings_free(&made->paths);
    pthread_mutex_destroy(&made->mutex);
    free(made);
}
