/* Trying of folders, and the room on disks. */
#include "core/file/output_check.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/paths.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Cuts a path down to the part that exists, a dangling link included; "" becomes ".". Gives the length of
 * that part in the path as it was. */
static size_t existing_part(EadPath path) {
    struct stat entry;
    while (*path && lstat(path, &entry) != 0) {
        char *slash = strrchr(path, '/');
        path[!slash ? 0 : slash == path ? 1 : slash - path] = '\0';
    }
    size_t length = strlen(path);
    if (!*path) strcpy(path, ".");
    return length;
}

long ead_longest_name(const char *folder) {
    EadPath there;
    long most =
        ead_path_in(there, "", folder) == EAD_OK && existing_part(there) ? pathconf(there, _PC_NAME_MAX) : -1;
    return most > 0 ? most : NAME_MAX;
}

/* Folders that are still to be made must have names that the file system takes. */
static EadStatus check_names(const char *there, const char *missing) {
    long most = ead_longest_name(there);
    for (size_t length; *missing; missing += length + (missing[length] == '/')) {
        length = strcspn(missing, "/");
        if (length > (size_t)most)
            return ead_fail(EAD_IO, "a name of %zu bytes; there are at most %ld", length, most);
    }
    return EAD_OK;
}

/* Where a folder is wanted. */
static EadStatus refuse_entry(const char *path) {
    EadPath target;
    ssize_t length = access(path, F_OK) == 0 ? -1 : readlink(path, target, sizeof target - 1);
    if (length < 0) return ead_fail(EAD_IO, "%s is not a folder", path);
    target[length] = '\0';
    return ead_fail(EAD_IO, "%s is a link to %s, where nothing is; make that folder, or delete the link",
                    path, target);
}

/* Makes a file in the folder, or in the one above it that exists. */
static EadStatus try_folder(const char *folder) {
    EadPath there;
    EAD_TRY(ead_path_in(there, "", *folder ? folder : "."));
    size_t length = existing_part(there);
    if (!ead_path_is_folder(there)) return refuse_entry(there);
    EAD_TRY(check_names(there, *folder ? folder + length : ""));
    return ead_atomic_file_try(there);
}

static EadStatus name_option(EadStatus status, const char *option) {
    return ead_fail(status, "%s; %s names another place", ead_error_message(), option);
}

EadStatus ead_check_output_folder(const char *folder, const char *option) {
    EadStatus status = try_folder(folder);
    if (status == EAD_OK) return EAD_OK;
    ead_fail_prefix(status, "%s: cannot write here: ", *folder ? folder : ".");
    return name_option(status, option);
}

EadStatus ead_check_cache_folder(const char *folder, const char *option) {
    EadStatus status = ead_check_output_folder(folder, option);
    return status == EAD_IO && ead_path_is_folder(folder) && access(folder, R_OK | X_OK) == 0 ? EAD_OK
                                                                                              : status;
}

EadStatus ead_name_cache_folder(EadStatus status, const char *folder, const char *option) {
    EadFailure failure;
    ead_failure_keep(&failure, status);
    if (status != EAD_IO || try_folder(folder) == EAD_OK) return ead_failure_tell(&failure);
    return ead_fail(status,
                    "%s: lacks some of what is needed, and cannot be written: %s; %s names another place",
                    folder, failure.message, option);
}

static bool is_special(const char *path) {
    struct stat entry;
    return stat(path, &entry) == 0 && !S_ISREG(entry.st_mode) && !S_ISDIR(entry.st_mode);
}

EadStatus ead_check_output_file(const char *path, const char *option) {
    EadAtomicFile file;
    EadPath folder;
    if (strcmp(path, "-") == 0)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "-: %s needs a file, and stdout is none; ./- is a file of that name", option);
    if (is_special(path)) return EAD_OK;
    if (ead_path_is_folder(path))
        return ead_fail(EAD_IO, "%s: cannot write: it is a folder; remove it, or %s names another place",
                        path, option);
    EAD_TRY(ead_path_folder(folder, path));
    if (!*folder || ead_path_is_folder(folder)) {
        EadStatus status = ead_atomic_file_open(&file, path);
        if (status != EAD_OK) return name_option(status, option);
        ead_atomic_file_discard(&file);
        return EAD_OK;
    }
    return ead_check_output_folder(folder, option);
}

EadStatus ead_check_folder_of(const char *path, const char *option) {
    EadPath folder;
    EAD_TRY(ead_path_folder(folder, path));
    if (!*folder || ead_path_is_folder(folder)) return EAD_OK;
    return ead_fail(EAD_IO, "%s: no such folder; make it, or %s names another place", folder, option);
}

EadStatus ead_check_output_in_run(const char *path) {
    EAD_TRY(ead_check_output_file(path, "--output"));
    return ead_check_regular(path);
}

static bool holds_one(const char *text, const char *words) {
    char word[128];
    for (size_t length; (length = strcspn(words, "|")) > 0; words += length + (words[length] == '|')) {
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        if (strstr(text, word)) return true;
    }
    return false;
}

EadStatus ead_check_replaced(const char *path, const char *option, const char *begins, const char *holds) {
    static const char mark[] = "\xEF\xBB\xBF";
    char head[(1 << 14) + 1];
    struct stat entry;
    if (stat(path, &entry) != 0 || !S_ISREG(entry.st_mode) || entry.st_size == 0) return EAD_OK;
    size_t size = entry.st_size < (off_t)sizeof head ? (size_t)entry.st_size : sizeof head - 1;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool read = descriptor >= 0 && ead_read_at(descriptor, head, size, 0);
    if (descriptor >= 0) close(descriptor);
    head[read ? size : 0] = '\0';
    const char *text = head + (strncmp(head, mark, strlen(mark)) == 0 ? strlen(mark) : 0);
    text += strspn(text, " \r\n\t");
    const char *behind = text + strlen(begins);
    if (strncmp(text, begins, strlen(begins)) == 0 &&
        (holds ? holds_one(behind, holds) : !*behind || strchr("\r\n", *behind)))
        return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: is in the way, and was not written by this program; move it away, or %s names another "
        "place",
        path, option);
}

EadStatus ead_check_page_name(const char *path, const char *option) {
    if (ead_path_has_extension(path, ".html, .htm") || is_special(path)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: %s names a web page, and browsers open as such what ends in .html; let it end so",
                    path, option);
}

uint64_t ead_room(const char *folder) {
    struct statvfs disk;
    if (statvfs(*folder ? folder : ".", &disk) != 0 || disk.f_blocks == 0) return UINT64_MAX;
    return (uint64_t)(geteuid() == 0 ? disk.f_bfree : disk.f_bavail) * disk.f_frsize;
}

EadStatus ead_check_room(const char *path, uint64_t bytes, uint64_t beside) {
    struct rlimit limit;
    EadPath folder;
    if (is_special(path)) return EAD_OK;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur)
        return ead_fail(EAD_IO, "%s: cannot write: it takes %.4g MB, but files may have %.4g MB (ulimit -f)",
                        path, 1e-6 * (double)bytes, 1e-6 * (double)limit.rlim_cur);
    EAD_TRY(ead_path_folder(folder, path));
    existing_part(folder);
    uint64_t room = ead_room(folder);
    if (bytes <= room && beside <= room - bytes) return EAD_OK;
    char more[64] = "";
    if (beside > 0) snprintf(more, sizeof more, " and %.4g MB beside it", 1e-6 * (double)beside);
    return ead_fail(EAD_IO, "%s: cannot write: it takes %.4g MB%s, but its disk has room for %.4g MB", path,
                    1e-6 * (double)bytes, more, 1e-6 * (double)room);
}

bool ead_outputs_share_disk(const char *a, const char *b) {
    EadPath first, second;
    struct stat x, y;
    if (ead_path_in(first, "", a) != EAD_OK || ead_path_in(second, "", b) != EAD_OK) return false;
    existing_part(first);
    existing_part(second);
    return stat(first, &x) == 0 && stat(second, &y) == 0 && x.st_dev == y.st_dev;
}

/* One step from a path to where it leads: to what its last part links to, which need not exist; else false. */
static bool follow_link(EadPath path) {
    EadPath target, folder;
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0) return false;
    target[length] = '\0';
    return ead_path_folder(folder, path) == EAD_OK && ead_path_in(path, folder, target) == EAD_OK;
}

/* Cuts the last part off: of what is not there yet the name that it will have, else "". */
static bool cut_name(EadPath path, EadPath name) {
    while (strlen(path) > 1 && path[strlen(path) - 1] == '/') path[strlen(path) - 1] = '\0';
    const char *base = ead_path_base(path);
    bool named = *base && strcmp(base, ".") != 0;
    EadPath folder;
    if (ead_path_in(name, "", named ? base : "") != EAD_OK || ead_path_folder(folder, path) != EAD_OK)
        return false;
    memcpy(path, folder, sizeof folder);
    return true;
}

/* Takes "name/.." out, of folders that are not there yet; false: there is none. */
static bool take_out_backs(EadPath path) {
    bool found = false;
    for (char *back = path; (back = strstr(back, "/..")) != NULL;) {
        char *before = back;
        back += 3;
        if (*back && *back != '/') continue; /* a name that begins so */
        while (before > path && before[-1] != '/') before--;
        before -= before > path; /* its slash */
        memmove(before, back, strlen(back) + 1);
        back = before;
        found = true;
    }
    if (!*path) strcpy(path, "/");
    return found;
}

/* The absolute path of what is there, or would be made; what is between the part that exists and the end may be the name
 * of any folder. false where none can be told. */
static bool find_place_once(const char *path, EadPath place) {
    enum { MOST_LINKS = 40 };
    EadPath there, rest = "", name, longer;
    if (ead_path_in(there, "", *path ? path : ".") != EAD_OK) return false;
    for (int links = 0;;) {
        EadPath known;
        if (ead_path_real(known, there) && ead_path_in(place, known, rest) == EAD_OK) break;
        if (follow_link(there)) {
            if (++links > MOST_LINKS) return false;
            continue;
        }
        if (strcmp(there, "/") == 0 || !*there || !cut_name(there, name)) return false;
        if (ead_path_in(longer, name, rest) != EAD_OK) return false;
        memcpy(rest, longer, sizeof rest);
    }
    size_t length = strlen(place);
    while (length > 1 && place[length - 1] == '/') place[--length] = '\0';
    return true;
}

static bool find_place(const char *path, EadPath place) {
    EadPath cleaned;
    if (!find_place_once(path, place)) return false;
    if (!take_out_backs(place)) return true;
    return ead_path_in(cleaned, "", place) == EAD_OK && find_place_once(cleaned, place);
}

bool ead_outputs_collide(const char *a, const char *b) {
    EadPath first, second;
    if (is_special(a) || is_special(b)) return false;
    if (ead_path_same(a, b)) return true;
    return find_place(a, first) && find_place(b, second) && strcmp(first, second) == 0;
}

bool ead_output_lies_within(const char *output, const char *folder) {
    EadPath inner, outer;
    if (!find_place(output, inner) || !find_place(folder, outer)) return false;
    size_t length = strcmp(outer, "/") == 0 ? 0 : strlen(outer);
    return strncmp(inner, outer, length) == 0 && (!inner[length] || inner[length] == '/');
}

EadStatus ead_fail_output_within(const char *input, const char *output, const char *what) {
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: the folder %s of the %s lies in this folder of images, and they would be taken for "
                    "images; write them elsewhere",
                    input, output, what);
}
