/* A thread for the program, and the default of others. */
#define _GNU_SOURCE /* pthread_setattr_default_np */
#include "core/system/thread_stacks.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { KIB = 1 << 10, LEAST = 1 << 20, LEAST_OPENMP = 1 << 18, MAIN = 1 << 23, OTHERS = 1 << 21 };

typedef struct Call {
    int (*run)(int count, char **texts);
    int count, code;
    char **texts;
} Call;

static void *start(void *context) {
    Call *call = context;
    call->code = call->run(call->count, call->texts);
    return NULL;
}

static void enlarge_others(void) {
    pthread_attr_t attributes;
    if (pthread_getattr_default_np(&attributes) != 0) return;
    if (pthread_attr_setstacksize(&attributes, OTHERS) == 0) pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

int ead_stacks_run(int (*run)(int count, char **texts), int count, char **texts) {
    struct rlimit limit;
    Call call = {.run = run, .count = count, .texts = texts};
    pthread_attr_t attributes;
    pthread_t thread;
    bool small = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < LEAST; /* RLIM_INFINITY is more */
    if (!small || pthread_attr_init(&attributes) != 0) return run(count, texts);
    enlarge_others();
    bool started = pthread_attr_setstacksize(&attributes, MAIN) == 0 &&
                   pthread_create(&thread, &attributes, start, &call) == 0;
    pthread_attr_destroy(&attributes);
    if (!started) return run(count, texts);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* what waits for a signal is in the other thread */
    pthread_join(thread, NULL);
    return call.code;
}

/* As OpenMP reads it: a number of KiB, or with one of B, K, M, G behind it. 0: it says nothing. */
static uint64_t bytes_of(const char *text) {
    char *end;
    uint64_t number = strtoull(text, &end, 10);
    if (end == text) return 0;
    end += strspn(end, " \t");
    static const char units[] = "BKMG";
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : units + 1;
    int shift = unit ? 10 * (int)(unit - units) : 0;
    return !unit ? 0 : number > UINT64_MAX >> shift ? UINT64_MAX : number << shift;
}

EadStatus ead_stacks_check(void) {
    static const char *const names[] = {"OMP_STACKSIZE", "GOMP_STACKSIZE"};
    for (int i = 0; i < 2; i++) {
        const char *text = getenv(names[i]);
        uint64_t bytes = text ? bytes_of(text) : 0;
        if (bytes > 0 && bytes < LEAST_OPENMP)
            return ead_fail(EAD_BAD_ARGUMENT, "%s: %.40s is too little; take %dK or more, or leave it out",
                            names[i], text, LEAST_OPENMP / KIB);
    }
    return EAD_OK;
}
