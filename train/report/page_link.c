/* Paths without links and dots, compared name by name. */
#include "train/report/page_link.h"

#include "core/base/memory.h"
#include "core/base/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *ead_link_text(const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/";
    char *text = ead_new(3 * (int64_t)strlen(path) + 1, 1, "a link"), *to = text;
    for (; text && *path; path++) {
        if (strchr(plain, *path))
            *to++ = *path;
        else
            to += sprintf(to, "%%%02X", (unsigned)(unsigned char)*path);
    }
    if (text) *to = '\0';
    return text;
}

/* How many bytes two absolute paths of folders have in common, names being whole: 0 where only the root. */
static size_t common_length(const char *a, const char *b) {
    size_t length = 0;
    for (size_t i = 0;; i++) {
        bool ends = (a[i] == '/' || !a[i]) && (b[i] == '/' || !b[i]);
        if (ends) length = i;
        if (!a[i] || a[i] != b[i]) return length;
    }
}

/* From the folder `from` to the file `name` in the folder `to`, both absolute. */
static EadStatus relative_path(const char *from, const char *to, const char *name, EadPath path) {
    size_t common = common_length(from, to);
    EadPath up = "", below;
    if (common == 0) return ead_path_in(path, to, name);
    for (const char *rest = from + common; *rest; rest++)
        if (*rest == '/' && strlen(up) + 4 < sizeof up) strcat(up, "../");
    EAD_TRY(ead_path_in(below, to[common] ? to + common + 1 : "", name));
    return ead_path_in(path, up, below);
}

EadStatus ead_page_link(const char *folder, const char *path, char **link) {
    EadPath image_folder, from, to, way;
    *link = NULL;
    if (access(path, F_OK) != 0 || ead_path_folder(image_folder, path) != EAD_OK) return EAD_OK;
    if (!ead_path_real(from, folder) || !ead_path_real(to, image_folder)) return EAD_OK;
    if (relative_path(from, to, ead_path_base(path), way) != EAD_OK) return EAD_OK;
    *link = ead_link_text(way);
    return *link ? EAD_OK : EAD_NO_MEMORY;
}
