/* Preloaded into the program under test: lets a chosen call of the C library fail, see faults.h. The calls are
 * those of the program and of its libraries; what the C library does inside (a stream's write) is not seen, so
 * that calls on streams fail as a whole, with the stream's error flag set. Messages (stderr) never fail. */
#define _GNU_SOURCE
#include "test/torture/faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FRAMES = 8, MAX_RECORDS = 1 << 22 };

typedef enum How { ONCE, FROM, SHORT, KILL } How;
typedef enum Verdict { PASS, FAIL, HALF, DIE } Verdict;

static struct {
    int call; /* FaultCall; -1: none */
    How how;
    uint32_t number;
} fault = {.call = -1};

static atomic_bool armed;
static atomic_uint counts[FAULT_CALL_COUNT], recorded;
static FaultRecord *records; /* [MAX_RECORDS]; NULL: not asked for */
static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

static const int errors[] = {
#define X(name, error) error,
    FAULT_CALLS(X)
#undef X
};

static void record(FaultCall call, uint32_t number) {
    void *frames[FRAMES];
    uint32_t place = atomic_fetch_add(&recorded, 1), hash = 2166136261u;
    if (inside || place >= MAX_RECORDS) return;
    inside = true;
    int depth = backtrace(frames, FRAMES);
    for (int i = 2; i < depth; i++) hash = (hash ^ (uint32_t)((uintptr_t)frames[i] >> 1)) * 16777619u;
    records[place] = (FaultRecord){call, hash, number};
    inside = false;
}

/* Counts a call, and says what is to become of it. */
static Verdict judge(FaultCall call) {
    if (!armed || inside) return PASS;
    uint32_t number = atomic_fetch_add(&counts[call], 1) + 1;
    if (records) record(call, number);
    if (fault.call != (int)call || number < fault.number || (fault.how != FROM && number > fault.number))
        return PASS;
    if (fault.how == SHORT || fault.how == KILL) return fault.how == KILL ? DIE : HALF;
    errno = errors[call];
    return FAIL;
}

static void die(void) {
    kill(0, SIGKILL);
    for (;;) pause();
}

/* The same for a call that is not done by halves: whether it fails. */
static bool fails(FaultCall call) {
    Verdict verdict = judge(call);
    if (verdict == DIE) die();
    return verdict == FAIL;
}

/* The C library's own function of that name. */
#define REAL(name)                                                                                           \
    static __typeof__(name) *real;                                                                           \
    if (!real) {                                                                                             \
        bool before = inside;                                                                                \
        inside = true;                                                                                       \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                           \
        inside = before;                                                                                     \
    }

/* ---- memory; the C library's own names, since dlsym() allocates ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    return fails(FAULT_memory) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails(FAULT_memory) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    return fails(FAULT_memory) ? NULL : __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    return fails(FAULT_memory) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return fails(FAULT_memory) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    if (fails(FAULT_memory)) return ENOMEM;
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}

/* ---- calls that fail as a whole ---- */

/* FUNCTION(kind, result, its value after a failure, name, (parameters), (arguments)) */
#define FUNCTION(call, type, failed, name, parameters, arguments)                                            \
    type name parameters {                                                                                   \
        REAL(name)                                                                                           \
        return fails(FAULT_##call) ? failed : real arguments;                                                \
    }

FUNCTION(open, DIR *, NULL, opendir, (const char *path), (path))
FUNCTION(open, DIR *, NULL, fdopendir, (int file), (file))
FUNCTION(open, FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
FUNCTION(open, FILE *, NULL, fopen64, (const char *path, const char *mode), (path, mode))
FUNCTION(open, FILE *, NULL, fdopen, (int file, const char *mode), (file, mode))
FUNCTION(sync, int, -1, fsync, (int file), (file))
FUNCTION(sync, int, -1, fdatasync, (int file), (file))
FUNCTION(sync, int, -1, syncfs, (int file), (file))
FUNCTION(rename, int, -1, rename, (const char *from, const char *to), (from, to))
FUNCTION(rename, int, -1, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
FUNCTION(rename, int, -1, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
         (a, from, b, to, flags))
FUNCTION(rename, int, -1, link, (const char *from, const char *to), (from, to))
FUNCTION(rename, int, -1, linkat, (int a, const char *from, int b, const char *to, int flags),
         (a, from, b, to, flags))
FUNCTION(rename, int, -1, symlink, (const char *from, const char *to), (from, to))
FUNCTION(unlink, int, -1, unlink, (const char *path), (path))
FUNCTION(unlink, int, -1, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
FUNCTION(unlink, int, -1, remove, (const char *path), (path))
FUNCTION(unlink, int, -1, rmdir, (const char *path), (path))
FUNCTION(mkdir, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
FUNCTION(mkdir, int, -1, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
FUNCTION(map, void *, MAP_FAILED, mmap,
         (void *at, size_t size, int protection, int flags, int file, off_t offset),
         (at, size, protection, flags, file, offset))
FUNCTION(lock, int, -1, flock, (int file, int operation), (file, operation))
FUNCTION(write, int, -1, ftruncate, (int file, off_t size), (file, size))
FUNCTION(process, pid_t, -1, fork, (void), ())
FUNCTION(process, int, -1, execv, (const char *path, char *const *arguments), (path, arguments))
FUNCTION(thread, int, EAGAIN, pthread_create,
         (pthread_t * thread, const pthread_attr_t *attributes, void *(*work)(void *), void *context),
         (thread, attributes, work, context))

static mode_t mode_of(int flags, va_list list) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define OPEN(name, parameters, arguments)                                                                    \
    int name parameters {                                                                                    \
        REAL(name)                                                                                           \
        va_list list;                                                                                        \
        va_start(list, flags);                                                                               \
        mode_t mode = mode_of(flags, list);                                                                  \
        va_end(list);                                                                                        \
        return fails(FAULT_open) ? -1 : real arguments;                                                      \
    }
OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

/* ---- reading and writing, also by halves ---- */

#define TRANSFER(call, name, parameters, arguments)                                                          \
    ssize_t name parameters {                                                                                \
        REAL(name)                                                                                           \
        Verdict verdict = file == STDERR_FILENO ? PASS : judge(FAULT_##call);                                \
        if (verdict == FAIL) return -1;                                                                      \
        if (verdict != PASS && size > 1) size /= 2;                                                          \
        ssize_t done = real arguments;                                                                       \
        if (verdict == DIE) die();                                                                           \
        return done;                                                                                         \
    }
TRANSFER(read, read, (int file, void *bytes, size_t size), (file, bytes, size))
TRANSFER(read, pread, (int file, void *bytes, size_t size, off_t offset), (file, bytes, size, offset))
TRANSFER(read, pread64, (int file, void *bytes, size_t size, off_t offset), (file, bytes, size, offset))
TRANSFER(write, write, (int file, const void *bytes, size_t size), (file, bytes, size))
TRANSFER(write, pwrite, (int file, const void *bytes, size_t size, off_t offset), (file, bytes, size, offset))
TRANSFER(write, pwrite64, (int file, const void *bytes, size_t size, off_t offset),
         (file, bytes, size, offset))

/* ---- streams ---- */

enum { ERROR_FLAG = 0x20 }; /* glibc's _IO_ERR_SEEN, by which ferror() goes */

/* The C library leaves the number of the file unset. */
FILE *open_memstream(char **text, size_t *size) {
    REAL(open_memstream)
    FILE *stream = fails(FAULT_memory) ? NULL : real(text, size);
    if (stream) stream->_fileno = -1;
    return stream;
}

static bool stream_fails(FaultCall call, FILE *stream) {
    if (stream == stderr || stream->_fileno < 0) return false; /* in memory */
    Verdict verdict = judge(call);
    if (verdict == DIE) {
        fflush(stream);
        die();
    }
    if (verdict == FAIL) stream->_flags |= ERROR_FLAG;
    return verdict == FAIL;
}

#define STREAM(call, type, failed, name, parameters, arguments)                                              \
    type name parameters {                                                                                   \
        REAL(name)                                                                                           \
        return stream_fails(FAULT_##call, stream) ? failed : real arguments;                                 \
    }
STREAM(read, size_t, 0, fread, (void *bytes, size_t size, size_t count, FILE *stream),
       (bytes, size, count, stream))
STREAM(read, char *, NULL, fgets, (char *line, int size, FILE *stream), (line, size, stream))
STREAM(write, size_t, 0, fwrite, (const void *bytes, size_t size, size_t count, FILE *stream),
       (bytes, size, count, stream))
STREAM(write, int, EOF, fputs, (const char *text, FILE *stream), (text, stream))
STREAM(write, int, EOF, fputc, (int byte, FILE *stream), (byte, stream))
STREAM(write, int, EOF, putc, (int byte, FILE *stream), (byte, stream))
STREAM(write, int, -1, vfprintf, (FILE * stream, const char *format, va_list list), (stream, format, list))

int fprintf(FILE *stream, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int count = vfprintf(stream, format, list);
    va_end(list);
    return count;
}

int printf(const char *format, ...) {
    va_list list;
    va_start(list, format);
    int count = vfprintf(stdout, format, list);
    va_end(list);
    return count;
}

int puts(const char *text) {
    return fputs(text, stdout) == EOF || fputc('\n', stdout) == EOF ? EOF : 0;
}

int putchar(int byte) {
    return fputc(byte, stdout);
}

int fflush(FILE *stream) {
    REAL(fflush)
    return stream && stream != stderr && stream_fails(FAULT_write, stream) ? EOF : real(stream);
}

/* What fails is closed all the same. */
int fclose(FILE *stream) {
    REAL(fclose)
    bool failed = stream_fails(FAULT_write, stream);
    int error = errno, result = real(stream);
    if (!failed) return result;
    errno = error;
    return EOF;
}

int close(int file) {
    REAL(close)
    bool failed = file != STDERR_FILENO && fails(FAULT_write);
    int error = errno, result = real(file);
    if (!failed) return result;
    errno = error;
    return -1;
}

/* ---- begin and end ---- */

static void choose_fault(const char *text) {
    static const char *const calls[] = {
#define X(name, error) #name,
        FAULT_CALLS(X)
#undef X
    };
    static const char *const ways[] = {"once", "from", "short", "kill"};
    char call[16], how[16];
    if (sscanf(text, "%15s %u %15s", call, &fault.number, how) != 3) return;
    for (int i = 0; i < FAULT_CALL_COUNT; i++)
        if (strcmp(call, calls[i]) == 0) fault.call = i;
    for (int i = ONCE; i <= KILL; i++)
        if (strcmp(how, ways[i]) == 0) fault.how = (How)i;
}

static void begin(void) {
    void *frames[FRAMES];
    const char *chosen = getenv("TORTURE_FAULT");
    if (chosen) choose_fault(chosen);
    if (getenv("TORTURE_CALLS")) {
        backtrace(frames, FRAMES); /* loads what it needs */
        void *room = (void *)syscall(SYS_mmap, NULL, sizeof *records * MAX_RECORDS, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        records = room == MAP_FAILED ? NULL : room;
    }
    armed = true;
}

/* What libraries do before and after main(), such as the registration of CUDA kernels, is not the program's. */
typedef int Main(int, char **, char **);
static Main *program;

static int main_with_faults(int count, char **arguments, char **environment) {
    begin();
    int code = program(count, arguments, environment);
    armed = false;
    return code;
}

int __libc_start_main(Main *start, int count, char **arguments, void (*init)(void), void (*fini)(void),
                      void (*end_of_linker)(void), void *stack_end) {
    typedef int Start(Main *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    Start *real = (Start *)(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main");
    program = start;
    return real(main_with_faults, count, arguments, init, fini, end_of_linker, stack_end);
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("TORTURE_CALLS");
    armed = false;
    if (!records || !path) return;
    uint32_t count = recorded < MAX_RECORDS ? recorded : MAX_RECORDS;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file < 0 || write(file, records, count * sizeof *records) < 0) _exit(126);
    close(file);
}
