/* Reading and writing in pieces: image files have any size. */
#include "train/evaluate/image_copy.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE = 1 << 14 };

bool ead_image_same_file(const char *a, const char *b) {
    char left[PIECE], right[PIECE];
    struct stat first, second;
    if (stat(a, &first) != 0 || stat(b, &second) != 0 || !S_ISREG(first.st_mode) || !S_ISREG(second.st_mode))
        return false;
    if (first.st_size != second.st_size) return false;
    FILE *one = fopen(a, "rb"), *other = fopen(b, "rb");
    bool same = one && other;
    for (size_t size = PIECE; same && size == PIECE;) {
        size = fread(left, 1, PIECE, one);
        same = fread(right, 1, PIECE, other) == size && memcmp(left, right, size) == 0 && !ferror(one);
    }
    if (one) fclose(one);
    if (other) fclose(other);
    return same;
}

/* Who may not read the one file may not read the other either: another group has the rights of all. File systems that know no
 * rights have none to keep. */
static void restrict_rights(FILE *from, FILE *to) {
    struct stat source, copy;
    if (fstat(fileno(from), &source) != 0 || fstat(fileno(to), &copy) != 0) return;
    mode_t rights = source.st_mode & 0777;
    if (source.st_gid != copy.st_gid) rights &= (rights & 7) << 3 | 0707;
    (void)fchmod(fileno(to), copy.st_mode & rights);
}

EadStatus ead_image_copy(const char *from, const char *to) {
    char piece[PIECE];
    EadAtomicFile file;
    EAD_TRY(ead_check_regular(from));
    FILE *stream = fopen(from, "rb");
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", from, strerror(errno));
    EadStatus status = ead_atomic_file_open(&file, to);
    if (status == EAD_OK && !file.through) restrict_rights(stream, file.stream);
    for (size_t size = PIECE; status == EAD_OK && size == PIECE;) {
        size = fread(piece, 1, PIECE, stream);
        fwrite(piece, 1, size, file.stream); /* the end looks for errors */
        if (ferror(stream)) status = ead_fail(EAD_IO, "%s: cannot read: %s", from, strerror(errno));
    }
    fclose(stream);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}
