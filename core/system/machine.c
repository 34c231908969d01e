/* Affinity, cgroups, /proc/meminfo. */
#include "core/system/machine.h"

#include "core/base/paths.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TEXT = 1 << 22 }; /* hosts of many containers have thousands of mounts */

/* The start of a file below a folder as text; "" where there is none. */
static void read_small(const char *folder, const char *name, char *text, size_t size) {
    EadPath path;
    text[0] = '\0';
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = length < EAD_PATH_SIZE ? fopen(path, "r") : NULL;
    if (!file) return;
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* The number in a file; `none` where there is no number ("max", a missing file, -1). */
static double read_number(const char *folder, const char *name, double none) {
    char text[64], *end;
    read_small(folder, name, text, sizeof text);
    double number = strtod(text, &end);
    return end == text || number < 0 || text[0] == '-' ? none : number;
}

/* The number in the line "KEY number" of a file, 0 without one. */
static double read_field(const char *folder, const char *name, const char *key) {
    char text[8192];
    size_t length = strlen(key);
    read_small(folder, name, text, sizeof text);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtod(line + length, NULL);
    }
    return 0;
}

/* ---- one group ---- */

static void limit_cpus(EadCgroupLimits *limits, double quota, double period) {
    if (quota > 0 && period > 0) limits->cpus = fmin(limits->cpus, quota / period);
}

/* Limits of 2^62 and more are how version 1 says none. */
static void limit_memory(EadCgroupLimits *limits, double limit, double used) {
    if (!(limit < 0x1p62)) return;
    uint64_t bytes = (uint64_t)limit, left = used > 0 ? used < limit ? (uint64_t)(limit - used) : 0 : bytes;
    if (bytes < limits->memory) limits->memory = bytes;
    if (left < limits->available) limits->available = left;
}

/* What a group's folder says; files of controllers that are not in it are missing. */
static void read_group(const char *folder, bool unified, EadCgroupLimits *limits) {
    char text[64], *end;
    if (!unified) {
        limit_cpus(limits, read_number(folder, "cpu.cfs_quota_us", 0),
                   read_number(folder, "cpu.cfs_period_us", 0));
        limit_memory(limits, read_number(folder, "memory.limit_in_bytes", INFINITY),
                     read_number(folder, "memory.usage_in_bytes", 0) -
                         read_field(folder, "memory.stat", "total_inactive_file"));
        return;
    }
    read_small(folder, "cpu.max", text, sizeof text); /* "150000 100000" or "max 100000" */
    double quota = strtod(text, &end);
    if (end > text) limit_cpus(limits, quota, strtod(end, NULL));
    limit_memory(
        limits,
        fmin(read_number(folder, "memory.max", INFINITY), read_number(folder, "memory.high", INFINITY)),
        read_number(folder, "memory.current", 0) - read_field(folder, "memory.stat", "inactive_file"));
}

/* ---- from the process to its groups ---- */

/* Whether `word` is one of a list between commas. */
static bool has_word(const char *list, const char *word) {
    size_t length = strlen(word);
    for (; list; list = strchr(list, ',')) {
        list += *list == ',';
        if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == '\0')) return true;
    }
    return false;
}

/* The path of the process's group: of /proc/self/cgroup ("4:cpu,cpuacct:/path") the line with the controller;
 * controller "": the line of version 2, "0::/path". */
static bool find_group(const char *groups, const char *controller, EadPath path) {
    char line[EAD_PATH_SIZE + 256];
    for (; groups && *groups; groups = strchr(groups, '\n')) {
        groups += *groups == '\n';
        snprintf(line, sizeof line, "%.*s", (int)strcspn(groups, "\n"), groups);
        char *controllers = strchr(line, ':'), *name = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!name) continue;
        *name++ = '\0';
        controllers++;
        bool found = controller[0] ? has_word(controllers, controller) : controllers[0] == '\0';
        if (!found) continue;
        snprintf(path, EAD_PATH_SIZE, "%s", name);
        return true;
    }
    return false;
}

/* \040 and the like in mountinfo. */
static void unescape(char *text) {
    char *to = text;
    for (const char *from = text; *from;) {
        bool octal = from[0] == '\\' && strspn(from + 1, "01234567") >= 3;
        char digits[4] = {0};
        if (octal) memcpy(digits, from + 1, 3);
        *to++ = octal ? (char)strtol(digits, NULL, 8) : *from;
        from += octal ? 4 : 1;
    }
    *to = '\0';
}

/* What of the group's path lies below the root of a mount; NULL: the mount does not show the group. */
static const char *below(const char *path, const char *root) {
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strstr(path, "/..") || strncmp(path, root, length) != 0) return NULL;
    return path[length] == '/' || path[length] == '\0' ? path + length : NULL;
}

/* The group in a mount and all above it. */
static void read_groups(const char *root, const char *mount, const char *group, bool unified,
                        EadCgroupLimits *limits) {
    EadPath folder;
    size_t top = strlen(root) + strlen(mount);
    if (snprintf(folder, sizeof folder, "%s%s%s", root, mount, group) >= EAD_PATH_SIZE) return;
    for (;;) {
        read_group(folder, unified, limits);
        char *slash = strrchr(folder, '/');
        if (!slash || slash < folder + top) return;
        *slash = '\0';
    }
}

/* A line of mountinfo: "31 23 0:28 ROOT MOUNT options ... - TYPE source SUPEROPTIONS". */
static void read_mount(const char *root, char *line, const char *groups, EadCgroupLimits *limits) {
    char *fields[5], *rest = line, *end = strstr(line, " - "), *type, *options;
    EadPath path;
    for (int i = 0; i < 5; i++)
        if (!(fields[i] = strtok_r(rest, " ", &rest))) return;
    if (!end || end < fields[4] || !(type = strtok_r(end + 3, " ", &end)) || !strtok_r(NULL, " ", &end))
        return;
    options = end;
    bool unified = strcmp(type, "cgroup2") == 0;
    if (!unified && strcmp(type, "cgroup") != 0) return;
    unescape(fields[3]);
    unescape(fields[4]);
    static const char *const controllers[] = {"cpu", "memory"};
    for (int i = 0; i < (unified ? 1 : 2); i++) {
        if (!unified && !has_word(options, controllers[i])) continue;
        const char *group =
            find_group(groups, unified ? "" : controllers[i], path) ? below(path, fields[3]) : NULL;
        if (group) read_groups(root, fields[4], group, unified, limits);
    }
}

EadCgroupLimits ead_cgroup_limits(const char *root) {
    EadCgroupLimits limits = {.cpus = INFINITY, .memory = UINT64_MAX, .available = UINT64_MAX};
    char *groups = malloc(TEXT), *mounts = malloc(TEXT), *rest = mounts;
    if (groups && mounts) {
        EadPath folder;
        snprintf(folder, sizeof folder, "%.*s/proc/self", EAD_PATH_SIZE - 16, root);
        read_small(folder, "cgroup", groups, TEXT);
        read_small(folder, "mountinfo", mounts, TEXT);
        for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;)
            read_mount(root, line, groups, &limits);
    }
    free(groups);
    free(mounts);
    return limits;
}

/* ---- this process ---- */

int ead_machine_cpus(void) {
    double quota = ead_cgroup_limits("").cpus;
    int cpus = omp_get_num_procs(); /* of the affinity, and so of the cpuset */
    if (quota < cpus) cpus = (int)quota;
    return cpus < 1 ? 1 : cpus;
}

int ead_machine_threads(void) {
    int threads = omp_get_max_threads(), cpus;
    if (getenv("OMP_NUM_THREADS") || threads != omp_get_num_procs()) return threads;
    cpus = ead_machine_cpus();
    return threads < cpus ? threads : cpus;
}

double ead_machine_load(void) {
    return read_number("/proc", "loadavg", NAN);
}

static size_t at_most(size_t bytes, uint64_t limit) {
    return limit < bytes ? (size_t)limit : bytes;
}

typedef struct Taken {
    double space, resident; /* bytes */
} Taken;

static Taken taken_memory(void) {
    char text[256];
    double page = (double)sysconf(_SC_PAGESIZE);
    Taken pages = {0};
    read_small("/proc/self", "statm", text, sizeof text); /* pages: the space, of it resident, ... */
    if (sscanf(text, "%lf %lf", &pages.space, &pages.resident) != 2) return (Taken){0};
    return (Taken){page * pages.space, page * pages.resident};
}

size_t ead_machine_address_space(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
    double used = taken_memory().space;
    return used < (double)limit.rlim_cur ? (size_t)(limit.rlim_cur - (rlim_t)used) : 0;
}

size_t ead_machine_resident(void) {
    return (size_t)taken_memory().resident;
}

/* Linux keeps the high-water mark in /proc/self/status as VmHWM. It is preferred to getrusage's ru_maxrss, in which the
 * memory of a program that was replaced by exec(), or of a forking parent, lives on. */
size_t ead_machine_peak(void) {
    unsigned long long kilobytes = 0;
    char line[256];
    FILE *stream = fopen("/proc/self/status", "r");
    while (stream && kilobytes == 0 && fgets(line, sizeof line, stream))
        if (sscanf(line, "VmHWM: %llu", &kilobytes) != 1) kilobytes = 0;
    if (stream) fclose(stream);
    struct rusage usage;
    if (kilobytes == 0 && getrusage(RUSAGE_SELF, &usage) == 0)
        kilobytes = (unsigned long long)usage.ru_maxrss;
    return (size_t)kilobytes * 1024;
}

size_t ead_machine_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    size_t whole = pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : 0;
    uint64_t limit = ead_cgroup_limits("").memory;
    return whole > 0 ? at_most(whole, limit) : limit == UINT64_MAX ? 0 : (size_t)limit;
}

/* Of a line "NAME N kB"; 0 where there is none. */
static uint64_t meminfo_bytes(const char *text, const char *name) {
    unsigned long long kilobytes = 0;
    const char *line = strstr(text, name);
    if (!line || sscanf(line + strlen(name), "%llu kB", &kilobytes) != 1) return 0;
    return kilobytes > UINT64_MAX / 4096 ? UINT64_MAX / 4 : kilobytes * 1024;
}

size_t ead_machine_available(void) {
    char text[4096];
    read_small("/proc", "meminfo", text, sizeof text);
    uint64_t memory = meminfo_bytes(text, "MemAvailable:"), swap = meminfo_bytes(text, "SwapFree:");
    size_t free_bytes =
        at_most(memory ? at_most(SIZE_MAX, memory + swap) : SIZE_MAX, ead_cgroup_limits("").available);
    return at_most(free_bytes, ead_machine_address_space());
}
