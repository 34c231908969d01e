/* Finding of files by where the program lies. */
#include "train/support/shipped_file.h"

#include "core/base/printing.h"
#include "train/support/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ead_shipped_file(const char *folder, const char *file, EadPath path) {
    static const char *const places[] = {"../", "../../", "../../../", "../share/efficientad/"};
    EadPath program, beside;
    char place[256];
    if (ead_program_path(program) != EAD_OK || ead_path_folder(beside, program) != EAD_OK) return false;
    for (int i = 0; i < 4; i++) {
        bool below = i < 3 && folder[0];
        snprintf(place, sizeof place, "%s%s%s%s", places[i], below ? folder : "", below ? "/" : "", file);
        if (ead_path_in(path, beside, place) != EAD_OK) return false;
        if (access(path, R_OK) == 0) return true;
    }
    return false;
}

const char *ead_shipped_yaml(const char *path, const char *folder, EadPath shipped) {
    EadPath file;
    if (strchr(path, '/') || (access(path, F_OK) == 0 && !ead_path_is_folder(path))) return path;
    int length = snprintf(file, sizeof file, "%s/%s%s", folder, path, strstr(path, ".yaml") ? "" : ".yaml");
    if (length >= (int)sizeof file || !ead_shipped_file("", file, shipped)) return path;
    (void)ead_path_real(shipped, shipped); /* without "build/.." */
    return shipped;
}

EadStatus ead_shipped_names(const char *folder, EadFileRole role, EadStringList *names) {
    EadPath place, file;
    EadStringList all = {0};
    int known = names->count;
    if (!ead_shipped_file("", folder, place)) return EAD_OK;
    EadStatus status = ead_folder_names(place, &all);
    for (int i = 0; i < all.count && status == EAD_OK; i++) {
        char *name = all.items[i];
        if (!ead_path_has_extension(name, ".yaml") || ead_path_in(file, place, name) != EAD_OK) continue;
        if (ead_file_role(file) != role) continue;
        name[ead_path_stem(name)] = '\0';
        status = ead_strings_add(names, name);
    }
    ead_strings_free(&all);
    ead_strings_sort_from(names, known);
    return status;
}

#define FOREIGN "%s: no such file, and no %s of that name comes with the program; "

EadStatus ead_shipped_check(const char *name, const char *folder, EadFileRole role, const char *what) {
    EadPath typed;
    EadStringList names = {0};
    EadSuggestion found = {0};
    if (strchr(name, '/') || access(name, F_OK) == 0) return EAD_OK;
    EadStatus status = ead_shipped_names(folder, role, &names);
    snprintf(typed, sizeof typed, "%.*s", (int)ead_path_stem(name), name);
    for (int i = 0; i < names.count; i++) ead_suggestion_offer(&found, typed, names.items[i], names.items[i]);
    char *all = ead_name_paths(&names, names.count, 0);
    if (status == EAD_OK && names.count > 0)
        status = found.name
                     ? ead_fail(EAD_IO, FOREIGN "did you mean '%s'?", name, what, found.name)
                     : ead_fail(EAD_IO, FOREIGN "those are %s", name, what, all ? all : "not to be found");
    free(all);
    ead_strings_free(&names);
    return status;
}
