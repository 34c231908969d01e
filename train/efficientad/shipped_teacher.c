/* Looks beside the program. */
#include "train/efficientad/shipped_teacher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

/* The folder that holds the program, "." if it cannot be told. */
static void program_folder(char out[PATH_SIZE]) {
    ssize_t length = readlink("/proc/self/exe", out, PATH_SIZE - 1);
    out[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = '\0';
    else
        memcpy(out, ".", 2);
}

EadStatus ead_shipped_teacher(EadPdnSize size, char **path) {
    static const char *const places[] = {"../models/weights", "../../models/weights",
                                         "../../../models/weights", "../share/efficientad"};
    const char *name = size == EAD_PDN_SMALL ? "small" : "medium";
    char folder[PATH_SIZE], candidate[PATH_SIZE + 128];
    program_folder(folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(candidate, sizeof candidate, "%s/%s/teacher_%s.safetensors", folder, places[i], name);
        if (access(candidate, R_OK) != 0) continue;
        *path = malloc(strlen(candidate) + 1);
        if (!*path) return ead_fail(EAD_NO_MEMORY, "no memory for a path");
        memcpy(*path, candidate, strlen(candidate) + 1);
        return EAD_OK;
    }
    return ead_fail(
        EAD_UNSUPPORTED,
        "model.teacher: no teacher of size %s comes with this program; set model.teacher to a file with "
        "tensors teacher.conv1.weight ... (format efficientad/1), made by distillation or by efficientad "
        "import "
        "from PyTorch weights",
        name);
}
