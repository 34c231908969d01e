/* What the suites of atomic files share: a folder, a file in it, and writing it. */
#pragma once

#include "core/base/atomic_file.h"
#include "test/support/scratch.h"

#define FOLDER "build/scratch/" SCENE
#define TARGET FOLDER "/a.txt"

static inline void set_up(void) {
    shell_ok("rm -rf " FOLDER);
    make_folders(FOLDER "/");
}

static inline EadStatus write_file(const char *path, const char *text) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    fputs(text, file.stream);
    return ead_atomic_file_commit(&file);
}

static inline void write_committed(const char *text) {
    ASSERT_OK(write_file(TARGET, text));
}

static inline struct stat info_of(const char *path) {
    struct stat info;
    ck_assert_int_eq(lstat(path, &info), 0);
    return info;
}
