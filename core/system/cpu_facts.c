/* /proc/cpuinfo. */
#include "core/system/cpu_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* x86 calls them flags, ARM Features. */
static const char *const flags_of_interest[] = {
    "sse4_2",   "avx",         "fma",         "f16c",        "avx2",     "avx_vnni", "avx512f",  "avx512vl",
    "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd",
    "asimdhp",  "asimddp",     "sve",         "sve2",        "bf16",     "i8mm"};

static void add_flag(EadCpuFacts *facts, const char *flag) {
    for (size_t i = 0; i < sizeof flags_of_interest / sizeof *flags_of_interest; i++)
        if (strcmp(flag, flags_of_interest[i]) == 0 && facts->flag_count < EAD_CPU_MAX_FLAGS)
            snprintf(facts->flags[facts->flag_count++], sizeof facts->flags[0], "%s", flag);
}

/* A line "key <tabs>: value": the value if the key is this one, without the line's end; else NULL. */
static char *value_of(char *line, const char *key) {
    char *colon = strchr(line, ':');
    if (strncmp(line, key, strlen(key)) != 0 || !colon) return NULL;
    colon[strcspn(colon, "\n")] = '\0';
    return colon + 1 + strspn(colon + 1, " ");
}

EadCpuFacts ead_cpu_facts(void) {
    EadCpuFacts facts = {.model = "unknown"};
    FILE *stream = fopen("/proc/cpuinfo", "r");
    char *line = NULL;
    size_t capacity = 0;
    while (stream && getline(&line, &capacity, stream) > 1) {
        char *model = value_of(line, "model name"), *rest = NULL;
        if (model) snprintf(facts.model, sizeof facts.model, "%s", model);
        char *flags = value_of(line, "flags");
        if (!flags) flags = value_of(line, "Features");
        for (char *flag = flags ? strtok_r(flags, " ", &rest) : NULL; flag; flag = strtok_r(NULL, " ", &rest))
            add_flag(&facts, flag);
    }
    free(line);
    if (stream) fclose(stream);
    return facts;
}
