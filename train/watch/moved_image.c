/* rename(), or copy and remove. */
#define _GNU_SOURCE /* renameat2 */
#include "train/watch/moved_image.h"

#include "train/evaluate/image_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NAMES = 100000 };

static const char *folder_of(EadVerdict verdict) {
    return verdict == EAD_VERDICT_OK || verdict == EAD_VERDICT_NG ? ead_verdict_name(verdict) : "failed";
}

EadStatus ead_move_target(const char *to, EadVerdict verdict, const char *path, const char *below,
                          EadPath target) {
    EadPath folder;
    EAD_TRY(ead_path_in(folder, to, folder_of(verdict)));
    EAD_TRY(ead_path_in(target, folder, below));
    for (int number = 2; access(target, F_OK) == 0 && number < MOST_NAMES; number++) {
        if (ead_image_same_file(target, path)) break;
        EadPath name;
        int length = snprintf(name, sizeof name, "%.*s~%d%s", (int)ead_path_stem(below), below, number,
                              below + ead_path_stem(below));
        if (length >= EAD_PATH_SIZE)
            return ead_fail(EAD_BAD_ARGUMENT, "%s: has no free name in %s", path, folder);
        EAD_TRY(ead_path_in(target, folder, name));
    }
    return EAD_OK;
}

/* Without replacing: where the system cannot promise that, what is there is looked for before. */
static int rename_to_free(const char *path, const char *target) {
    if (renameat2(AT_FDCWD, path, AT_FDCWD, target, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    errno = EEXIST;
    return access(target, F_OK) == 0 ? -1 : rename(path, target);
}

EadStatus ead_move_image(const char *path, const char *target) {
    EadPath folder;
    struct stat info;
    EAD_TRY(ead_path_folder(folder, target));
    EAD_TRY(ead_make_directories(folder));
    /* A link may lead nowhere from another folder: what it leads to is copied. */
    bool link = lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
    if (!link && rename_to_free(path, target) == 0) return EAD_OK;
    bool there = link ? access(target, F_OK) == 0 : errno == EEXIST;
    if (there && !ead_image_same_file(path, target))
        return ead_fail(EAD_IO, "%s: cannot be moved to %s: another file is there", path, target);
    if (!there && !link && errno != EXDEV)
        return ead_fail(EAD_IO, "%s: cannot be moved to %s: %s", path, target, strerror(errno));
    if (!there) EAD_TRY(ead_image_copy(path, target));
    if (unlink(path) == 0 || errno == ENOENT) return EAD_OK;
    return ead_fail(EAD_IO, "%s: is copied to %s, but cannot be removed: %s", path, target, strerror(errno));
}
