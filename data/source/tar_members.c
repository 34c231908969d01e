/* Headers of 512 bytes, each followed by its member's bytes, padded to the next multiple of 512. Archives
 * come from outside: every header is held against its checksum, every size against the end of what encloses
 * it, and since a step forward is at least one block, a walk ends. */
#include "data/source/tar_members.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512, MAX_NAME = 4096, MAX_EXTENSION = 1 << 20, MAX_DEPTH = 4 };

typedef struct TarHeader {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], device[16], prefix[155], padding[12];
} TarHeader;

_Static_assert(sizeof(TarHeader) == BLOCK, "a header is one block");

/* An archive, or one inside another: the bytes begin..end of the file. */
typedef struct Archive {
    int descriptor;
    const char *label;
    char prefix[MAX_NAME]; /* "" or "inner.tar/" */
    int64_t end;
    int depth;
    EadTarVisit *visit;
    void *context;
} Archive;

/* What extension headers say about the member that follows them. */
typedef struct Extension {
    char name[MAX_NAME]; /* "": as in the header */
    int64_t size;        /* -1: as in the header */
    bool sparse;
} Extension;

static EadStatus damaged(const Archive *archive, int64_t at, const char *what) {
    return ead_fail(EAD_BAD_FILE, "%s: %s%sat byte %lld: %s; copy or download the archive again",
                    archive->label, archive->prefix, archive->prefix[0] ? ": " : "", (long long)at, what);
}

static EadStatus read_bytes(const Archive *archive, void *bytes, size_t size, int64_t at) {
    if (at > archive->end || (int64_t)size > archive->end - at)
        return damaged(archive, at, "the archive is cut short");
    if (ead_read_at(archive->descriptor, bytes, size, at)) return EAD_OK;
    if (errno == 0) return damaged(archive, at, "the archive became shorter while it was read");
    return ead_fail(EAD_IO, "%s: cannot read: %s", archive->label, strerror(errno));
}

/* Octal digits after blanks, up to a blank or NUL; or base 256 where the first bit is set. -1 if neither. */
static int64_t parse_number(const char *field, size_t size) {
    const unsigned char *c = (const unsigned char *)field, *end = c + size;
    int64_t value = 0;
    if (*c & 0x80) {
        for (value = *c++ & 0x7F; c < end; c++) {
            if (value > INT64_MAX >> 8) return -1;
            value = value << 8 | *c;
        }
        return value;
    }
    while (c < end && *c == ' ') c++;
    for (; c < end && *c >= '0' && *c <= '7'; c++) value = value << 3 | (*c - '0');
    return c == end || *c == ' ' || *c == '\0' ? value : -1;
}

/* Whether the header's bytes sum up to its checksum, whose own field counts as blanks. */
static bool checksum_fits(const TarHeader *header) {
    const unsigned char *bytes = (const unsigned char *)header;
    int64_t sum = (int64_t)(sizeof header->checksum * ' ');
    for (size_t i = 0; i < BLOCK; i++) sum += bytes[i];
    for (size_t i = 0; i < sizeof header->checksum; i++) sum -= (unsigned char)header->checksum[i];
    return parse_number(header->checksum, sizeof header->checksum) == sum;
}

/* False if the name is too long. */
static bool take_name(const char *name, Extension *extension) {
    int length = snprintf(extension->name, sizeof extension->name, "%s", name);
    return length >= 0 && (size_t)length < sizeof extension->name;
}

/* Records "length key=value\n". text ends with a NUL behind its size bytes; it is cut up. */
static bool parse_pax(char *text, size_t size, Extension *extension) {
    while (size > 0) {
        char *key, *end;
        errno = 0;
        unsigned long long length = strtoull(text, &key, 10);
        if (errno || key == text || *key != ' ' || length > size || key + 1 >= text + length) return false;
        char *last = text + length - 1, *equals = memchr(key, '=', (size_t)(last - key));
        if (!equals || *last != '\n') return false;
        *equals = *last = '\0';
        key++;
        const char *value = equals + 1;
        if (strncmp(key, "GNU.sparse.", 11) == 0) extension->sparse = true;
        if (strcmp(key, "path") == 0 && !take_name(value, extension)) return false;
        if (strcmp(key, "size") == 0) {
            extension->size = strtoll(value, &end, 10);
            if (errno || end == value || *end != '\0' || extension->size < 0) return false;
        }
        text += length, size -= (size_t)length;
    }
    return true;
}

static EadStatus read_extension(const Archive *archive, char type, int64_t at, int64_t size,
                                Extension *extension) {
    if (size > MAX_EXTENSION) return damaged(archive, at, "a header of more than 1 MiB");
    char *text = ead_new(size + 1, 1, archive->label);
    if (!text) return EAD_NO_MEMORY;
    EadStatus status = read_bytes(archive, text, (size_t)size, at);
    text[size] = '\0';
    if (status == EAD_OK &&
        !(type == 'x' ? parse_pax(text, (size_t)size, extension) : take_name(text, extension)))
        status = damaged(archive, at, "a malformed extended header");
    free(text);
    return status;
}

static EadStatus walk(const Archive *archive, int64_t begin);

static EadStatus visit_member(const Archive *archive, const TarHeader *header, const Extension *extension,
                              int64_t at, int64_t size) {
    /* The name, with those of the archives around it before it. */
    char name[MAX_NAME];
    int length;
    bool posix = memcmp(header->magic, "ustar", 6) == 0; /* GNU's magic has a blank for the NUL */
    if (extension->name[0])
        length = snprintf(name, MAX_NAME, "%s%s", archive->prefix, extension->name);
    else if (posix && header->prefix[0])
        length = snprintf(name, MAX_NAME, "%s%.155s/%.100s", archive->prefix, header->prefix, header->name);
    else
        length = snprintf(name, MAX_NAME, "%s%.100s", archive->prefix, header->name);
    if (length < 0 || length >= MAX_NAME) return damaged(archive, at, "a name of more than 4,095 bytes");
    if (header->type == 'S' || extension->sparse)
        return ead_fail(EAD_UNSUPPORTED, "%s: %s is a sparse member; make the archive without --sparse",
                        archive->label, name);
    if (header->type != '0' && header->type != '\0' && header->type != '7') return EAD_OK;
    if (!ead_path_has_extension(name, ".tar")) return archive->visit(archive->context, name, at, size);
    if (archive->depth == MAX_DEPTH) return damaged(archive, at, "archives within archives more than 4 deep");
    Archive inner = *archive;
    inner.end = at + size;
    inner.depth++;
    bool fits = snprintf(inner.prefix, MAX_NAME, "%s/", name) < MAX_NAME;
    return fits ? walk(&inner, at) : damaged(archive, at, "a name of more than 4,095 bytes");
}

/* One header and what follows it; *at moves behind both. */
static EadStatus step(const Archive *archive, const TarHeader *header, Extension *extension, int64_t *at) {
    bool extends = header->type == 'x' || header->type == 'L';
    if (!checksum_fits(header)) return damaged(archive, *at, "no tar header, or a damaged one");
    int64_t content = *at + BLOCK, size = 0; /* links and devices have no bytes, whatever their size says */
    if (header->type < '1' || header->type > '6')
        size = extends || extension->size < 0 ? parse_number(header->size, sizeof header->size)
                                              : extension->size;
    if (size < 0) return damaged(archive, *at, "a size that is not a number");
    if (content > archive->end || size > archive->end - content)
        return damaged(archive, *at, "the archive is cut short");
    if (extends)
        EAD_TRY(read_extension(archive, header->type, content, size, extension));
    else if (header->type != 'g' && header->type != 'K') { /* which concern all members, or links */
        EAD_TRY(visit_member(archive, header, extension, content, size));
        *extension = (Extension){.size = -1};
    }
    int64_t padding = -size & (BLOCK - 1);
    *at = padding > archive->end - content - size ? archive->end : content + size + padding;
    return EAD_OK;
}

static EadStatus walk(const Archive *archive, int64_t begin) {
    static const TarHeader zero;
    Extension extension = {.size = -1};
    TarHeader header;
    for (int64_t at = begin; at < archive->end;) {
        EAD_TRY(read_bytes(archive, &header, BLOCK, at));
        if (memcmp(&header, &zero, BLOCK) == 0) break;
        EAD_TRY(step(archive, &header, &extension, &at));
    }
    return EAD_OK;
}

/* Members of a compressed archive have no place of their own. */
static EadStatus refuse_compressed(const Archive *archive) {
    static const struct {
        const char *name;
        unsigned char magic[4];
        size_t length;
    } formats[] = {{"gzip", {0x1F, 0x8B}, 2},
                   {"bzip2", {'B', 'Z', 'h'}, 3},
                   {"xz", {0xFD, '7', 'z', 'X'}, 4},
                   {"zstd", {0x28, 0xB5, 0x2F, 0xFD}, 4}};
    unsigned char first[4] = {0};
    EAD_TRY(read_bytes(archive, first, archive->end < 4 ? (size_t)archive->end : 4, 0));
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (memcmp(first, formats[i].magic, formats[i].length) == 0)
            return ead_fail(EAD_BAD_FILE,
                            "%s: is compressed by %s; decompress it to a plain .tar, so that images can be "
                            "read in any order",
                            archive->label, formats[i].name);
    return EAD_OK;
}

EadStatus ead_tar_visit_descriptor(int descriptor, const char *label, EadTarVisit *visit, void *context) {
    struct stat info;
    if (fstat(descriptor, &info) != 0) return ead_fail(EAD_IO, "%s: cannot read: %s", label, strerror(errno));
    if (!S_ISREG(info.st_mode)) return ead_fail(EAD_IO, "%s: is not a regular file", label);
    if (info.st_size == 0) return ead_fail(EAD_BAD_FILE, "%s: the archive is empty (0 bytes)", label);
    Archive archive = {
        .descriptor = descriptor, .label = label, .end = info.st_size, .visit = visit, .context = context};
    EAD_TRY(refuse_compressed(&archive));
    return walk(&archive, 0);
}
