/* libFuzzer target: any bytes as a tar archive. Checksums of headers are put right first, wherever a walk
 * over the blocks finds one, or nearly every mutation would end at them. */
#include "data/source/tar_members.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

/* A block may be content as well: the archive is then another one, which is as good. */
static void correct_checksums(uint8_t *bytes, size_t size) {
    for (size_t at = 0; at + 512 <= size; at += 512) {
        uint8_t *header = bytes + at;
        unsigned sum = 0;
        if (header[0] == 0 || memcmp(header + 257, "ustar", 5) != 0) continue;
        memset(header + 148, ' ', 8);
        for (int i = 0; i < 512; i++) sum += header[i];
        snprintf((char *)header + 148, 8, "%06o", sum);
    }
}

static EadStatus check_member(void *context, const char *name, int64_t offset, int64_t size) {
    int64_t end = *(int64_t *)context;
    require(strlen(name) < 4096 && offset >= 512 && size >= 0 && offset + size <= end);
    return EAD_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static FILE *file; /* one for all runs: making a file takes longer than reading it */
    if (!file) file = tmpfile();
    uint8_t *copy = malloc(size + 1);
    require(file && copy);
    memcpy(copy, bytes, size);
    correct_checksums(copy, size);
    rewind(file);
    require(fwrite(copy, 1, size, file) == size && fflush(file) == 0);
    int64_t end = (int64_t)size;
    require(ftruncate(fileno(file), end) == 0);
    if (ead_tar_visit_descriptor(fileno(file), "fuzz", check_member, &end) != EAD_OK)
        require(strncmp(ead_error_message(), "fuzz: ", 6) == 0 && !strchr(ead_error_message(), '\n'));
    free(copy);
    return 0;
}
