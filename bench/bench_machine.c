/* What /proc/cpuinfo and uname say. */
#include "bench/bench_machine.h"

#include "bench/bench_peak.h"
#include "core/base/memory.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* x86 calls them flags, ARM Features. */
static const char *const flags_of_interest[] = {
    "sse4_2",   "avx",         "fma",         "f16c",        "avx2",     "avx_vnni", "avx512f",  "avx512vl",
    "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd",
    "asimdhp",  "asimddp",     "sve",         "sve2",        "bf16",     "i8mm"};

static void add_flag(EadBenchMachine *machine, const char *flag) {
    size_t count = sizeof flags_of_interest / sizeof *flags_of_interest;
    for (size_t i = 0; i < count && machine->flag_count < EAD_BENCH_MAX_FLAGS; i++)
        if (strcmp(flag, flags_of_interest[i]) == 0)
            snprintf(machine->flags[machine->flag_count++], sizeof machine->flags[0], "%s", flag);
}

/* A line "key <tabs>: value": the value if the key is this one, without the line's end; else NULL. */
static char *value_of(char *line, const char *key) {
    char *colon = strchr(line, ':');
    if (strncmp(line, key, strlen(key)) != 0 || !colon) return NULL;
    colon[strcspn(colon, "\n")] = '\0';
    return colon + 1 + strspn(colon + 1, " ");
}

/* The first processor speaks for all. */
static void read_cpuinfo(EadBenchMachine *machine) {
    FILE *stream = fopen("/proc/cpuinfo", "r");
    char *line = NULL;
    size_t capacity = 0;
    while (stream && getline(&line, &capacity, stream) > 1) {
        char *model = value_of(line, "model name"), *rest = NULL;
        if (model) snprintf(machine->cpu, sizeof machine->cpu, "%s", model);
        char *flags = value_of(line, "flags");
        if (!flags) flags = value_of(line, "Features");
        for (char *flag = flags ? strtok_r(flags, " ", &rest) : NULL; flag; flag = strtok_r(NULL, " ", &rest))
            add_flag(machine, flag);
    }
    free(line);
    if (stream) fclose(stream);
}

static void set_system(EadBenchMachine *machine) {
    struct utsname name;
    if (uname(&name) == 0)
        snprintf(machine->system, sizeof machine->system, "%.40s %.60s %.20s", name.sysname, name.release,
                 name.machine);
    machine->memory_gb = 1e-9 * (double)ead_host_memory();
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) strftime(machine->date, sizeof machine->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void set_device(EadBenchMachine *machine, const EadBackend *backend) {
    EadDeviceFacts facts;
    snprintf(machine->device, sizeof machine->device, "%s", backend->name);
    if (!backend->device || backend->device->facts(backend->index, &facts) != EAD_OK) return;
    snprintf(machine->gpu, sizeof machine->gpu, "%s", facts.name);
    machine->gpu_capability = 10 * facts.major + facts.minor;
    machine->gpu_multiprocessors = facts.multiprocessors;
    machine->gpu_memory_gb = 1e-9 * (double)facts.memory;
}

EadBenchMachine ead_bench_machine(const EadBackend *backend) {
    EadBenchMachine machine = {.cpu = "unknown",
                               .cores = omp_get_num_procs(),
                               .threads = omp_get_max_threads(),
                               .peak_gflop_per_s = ead_bench_peak_gflop_per_s()};
    read_cpuinfo(&machine);
    set_system(&machine);
    set_device(&machine, backend);
    return machine;
}
