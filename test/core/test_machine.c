/* What containers leave of the machine, read from folders laid out as Linux shows control groups. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#define S           "build/scratch/test_machine/"
#include "test/support/scratch.h"

#include "core/system/machine.h"
#include "core/system/worker_threads.h"

#include <math.h>
#include <omp.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { NONE = -1 };

typedef struct File {
    const char *path, *text;
} File;

typedef struct Case {
    const char *name;
    File files[10];
    double cpus;                 /* NONE: no limit */
    long long memory, available; /* NONE: no limit */
} Case;

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNTS                                                                                            \
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"                                             \
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"          \
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"                             \
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"

static const Case cases[] = {
    {"no groups at all", {{0}}, NONE, NONE, NONE},
    {"docker --cpus=1 -m 512m, version 2 with its own namespace",
     {{"proc/self/cgroup", "0::/\n"},
      {"proc/self/mountinfo", V2_MOUNT},
      {"sys/fs/cgroup/cpu.max", "100000 100000\n"},
      {"sys/fs/cgroup/memory.max", "536870912\n"},
      {"sys/fs/cgroup/memory.current", "200000000\n"},
      {"sys/fs/cgroup/memory.stat",
       "anon 90000000\ninactive_anon 7\ninactive_file 50000000\nactive_file 9\n"}},
     1,
     536870912,
     536870912 - 150000000},
    {"the tightest along the path, version 2",
     {{"proc/self/cgroup", "0::/kubepods/pod1/box\n"},
      {"proc/self/mountinfo", V2_MOUNT},
      {"sys/fs/cgroup/kubepods/cpu.max", "800000 100000\n"},
      {"sys/fs/cgroup/kubepods/pod1/cpu.max", "50000 20000\n"},
      {"sys/fs/cgroup/kubepods/pod1/memory.max", "1000000000\n"},
      {"sys/fs/cgroup/kubepods/pod1/memory.current", "900000000\n"},
      {"sys/fs/cgroup/kubepods/pod1/box/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/kubepods/pod1/box/memory.max", "max\n"},
      {"sys/fs/cgroup/kubepods/pod1/box/memory.high", "2000000000\n"}},
     2.5,
     1000000000,
     100000000},
    {"no limits, version 2",
     {{"proc/self/cgroup", "0::/user.slice\n"},
      {"proc/self/mountinfo", V2_MOUNT},
      {"sys/fs/cgroup/user.slice/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/user.slice/memory.max", "max\n"}},
     NONE,
     NONE,
     NONE},
    {"version 1, controllers at paths of their own",
     {{"proc/self/cgroup", "5:memory:/m/inner\n3:cpu,cpuacct:/c\n2:cpuset:/elsewhere\n0::/\n"},
      {"proc/self/mountinfo", V1_MOUNTS},
      {"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "150000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/memory/m/memory.limit_in_bytes", "300000000\n"},
      {"sys/fs/cgroup/memory/m/memory.usage_in_bytes", "100000000\n"},
      {"sys/fs/cgroup/memory/m/memory.stat", "cache 5\ninactive_file 1\ntotal_inactive_file 40000000\n"},
      {"sys/fs/cgroup/memory/m/inner/memory.limit_in_bytes", "9223372036854771712\n"}},
     1.5,
     300000000,
     240000000},
    {"version 1 without limits",
     {{"proc/self/cgroup", "5:memory:/\n3:cpu,cpuacct:/\n"},
      {"proc/self/mountinfo", V1_MOUNTS},
      {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}},
     NONE,
     NONE,
     NONE},
    {"version 1 in a container without a namespace: the mount's root is the group; a space in its place",
     {{"proc/self/cgroup", "7:cpu:/docker/1a2b\n0::/docker/1a2b\n"},
      {"proc/self/mountinfo",
       "40 31 0:38 /docker/1a2b /sys/fs/my\\040groups ro master:3 - cgroup cgroup rw,cpu\n"
       "41 31 0:39 /docker/other /sys/fs/other ro - cgroup cgroup rw,cpu\n"},
      {"sys/fs/my groups/cpu.cfs_quota_us", "20000\n"},
      {"sys/fs/my groups/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/other/cpu.cfs_quota_us", "1000\n"},
      {"sys/fs/other/cpu.cfs_period_us", "100000\n"}},
     0.2,
     NONE,
     NONE},
    {"damaged files",
     {{"proc/self/cgroup", ":::\n0\nx:y\n0::/a/../../b\n"},
      {"proc/self/mountinfo", "\n- - -\n1 2 3\n" V2_MOUNT "30 23 0:26 / /x rw - cgroup2"},
      {"sys/fs/cgroup/cpu.max", "1 100000\n"}},
     NONE,
     NONE,
     NONE},
};

START_TEST(limits_of_groups) {
    const Case *c = &cases[_i];
    shell_ok("rm -rf " S "root");
    for (const File *file = c->files; file->path; file++) {
        char path[256];
        snprintf(path, sizeof path, S "root/%s", file->path);
        write_text(path, file->text);
    }
    EadCgroupLimits limits = ead_cgroup_limits(S "root");
    ck_assert_msg(c->cpus == NONE ? isinf(limits.cpus) : limits.cpus == c->cpus, "%s: %g", c->name,
                  limits.cpus);
    ck_assert_msg(limits.memory == (c->memory == NONE ? UINT64_MAX : (uint64_t)c->memory), "%s: %llu",
                  c->name, (unsigned long long)limits.memory);
    ck_assert_msg(limits.available == (c->available == NONE ? UINT64_MAX : (uint64_t)c->available),
                  "%s: %llu", c->name, (unsigned long long)limits.available);
}
END_TEST

/* A host of containers: thousands of mounts before that of the groups. */
START_TEST(hosts_of_many_mounts) {
    shell_ok("rm -rf " S "root; mkdir -p " S "root/proc/self " S
             "root/sys/fs/cgroup; for i in $(seq 5000); do echo "
             "\"$i 1 0:9 / /var/lib/docker/overlay2/$i/merged rw - overlay overlay "
             "rw,lowerdir=/var/lib/$i\"; done "
             ">" S "root/proc/self/mountinfo; echo '"
             "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw' >>" S "root/proc/self/mountinfo");
    write_text(S "root/proc/self/cgroup", "0::/\n");
    write_text(S "root/sys/fs/cgroup/cpu.max", "50000 100000\n");
    ck_assert(ead_cgroup_limits(S "root").cpus == 0.5);
}
END_TEST

START_TEST(this_machine) {
    int cpus = ead_machine_cpus();
    ck_assert(cpus >= 1 && cpus <= omp_get_num_procs());
    ck_assert_int_eq(ead_workers_count(0), cpus < 256 ? cpus : 256);
    ck_assert(ead_machine_memory() > 0);
    ck_assert(ead_machine_available() > 0);
    size_t before = ead_machine_resident(), bytes = (size_t)64 << 20;
    char *block = malloc(bytes);
    ck_assert(block != NULL && before > 0);
    memset(block, 1, bytes);
    ck_assert_msg(ead_machine_resident() >= before + bytes * 9 / 10, "%p", (void *)block);
    free(block);
    omp_set_num_threads(omp_get_num_procs() + 1); /* asked for: obeyed */
    ck_assert_int_eq(ead_machine_threads(), omp_get_num_procs() + 1);
}
END_TEST

/* What `ulimit -v` leaves counts as available, and what is mapped already does not. */
START_TEST(address_space_is_limited) {
    struct rlimit limit = {.rlim_cur = (rlim_t)1 << 40, .rlim_max = RLIM_INFINITY};
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    SKIP_UNLESS(ead_machine_address_space() == SIZE_MAX, "address space is limited already");
    ck_assert(setrlimit(RLIMIT_AS, &limit) == 0);
    size_t before = ead_machine_address_space();
    void *block = mmap(NULL, (size_t)1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert(block != MAP_FAILED);
    ck_assert(before < limit.rlim_cur && before > limit.rlim_cur / 2);
    ck_assert(before - ead_machine_address_space() >= (size_t)1 << 30);
    limit.rlim_cur = ((rlim_t)1 << 40) - before + ((rlim_t)1 << 30) + ((rlim_t)64 << 20);
    ck_assert(setrlimit(RLIMIT_AS, &limit) == 0);
    ck_assert(ead_machine_available() <= (size_t)64 << 20);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("machine");
    TCase *tests = tcase_create("machine");
    tcase_add_test(tests, hosts_of_many_mounts);
    tcase_add_loop_test(tests, limits_of_groups, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tests, this_machine);
    tcase_add_test(tests, address_space_is_limited);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
