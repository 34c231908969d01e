/* Ranks by MPI: the only file that knows it. All calls come from the main thread.
 *
 * A sum is made of two exchanges of our own, not by MPI_Allreduce, whose order of adding is each implementation's and
 * may change with the place of the ranks: rank r gets everybody's part r, adds the parts in the order of ranks, and
 * gives the sum to all. Each number crosses the network twice, as in any good allreduce. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "train/ranks/ranks_start.h"

#include "core/base/memory.h"
#include "core/base/printing.h"

#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    SMALL = 256,  /* numbers: fewer are sent to all at once */
    SPEAKS = 1,   /* the tag of rank 0's message that it tells what failed */
    MOMENT = 2,   /* seconds that others wait for it before they tell it themselves */
    PATIENCE = 5, /* seconds that who is silent gives others to end the job */
};

/* What MPI gives once a process, the interface asks for anywhere. */
static struct {
    EadRanks ranks;
    bool started;
    int sharers;
    bool silent;    /* of what went wrong another rank tells */
    FILE *messages; /* the stderr that the process was started with */
    char name[MPI_MAX_PROCESSOR_NAME + 64];
    void *buffer; /* as large as a sum has needed so far */
    size_t capacity;
    int *
        parts; /* [4][ranks]: of a sum, how many numbers go to each rank and from where on, and the same of what comes */
} world;

/* ---- sums ---- */

/* What it takes to send numbers of one type. */
typedef struct NumberType {
    MPI_Datatype type;
    size_t size;
    void (*add)(const void *parts, int ranks, int64_t count, void *sum); /* parts [ranks][count], by rank */
} NumberType;

#define ADD(name, number)                                                                                    \
    static void name(const void *parts, int ranks, int64_t count, void *sum) {                               \
        const number *x = parts;                                                                             \
        number *y = sum;                                                                                     \
        for (int64_t i = 0; i < count; i++) {                                                                \
            double total = 0;                                                                                \
            for (int r = 0; r < ranks; r++) total += (double)x[r * count + i];                               \
            y[i] = (number)total;                                                                            \
        }                                                                                                    \
    }
ADD(add_floats, float)
ADD(add_doubles, double)

/* Room for so many numbers; a rank without memory ends the job. */
static void *room_for(int64_t count, size_t size) {
    size_t wanted = (size_t)count * size;
    if (wanted > world.capacity) {
        free(world.buffer);
        world.buffer = ead_new((int64_t)wanted, 1, "the gradients of other ranks");
        world.capacity = wanted;
    }
    if (!world.buffer) {
        ead_print(world.messages, "efficientad: %s%s\n", world.name, ead_error_message());
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    }
    return world.buffer;
}

static void sum_small(const EadRanks *ranks, void *values, int count, const NumberType *type) {
    void *all = room_for((int64_t)ranks->count * count, type->size);
    MPI_Allgather(values, count, type->type, all, count, type->type, MPI_COMM_WORLD);
    type->add(all, ranks->count, count, values);
}

static void sum(const EadRanks *ranks, void *values, int64_t count, const NumberType *type) {
    int n = ranks->count, *counts = world.parts, *first = counts + n, *mine = counts + 2 * n,
        *from = counts + 3 * n;
    if (count < SMALL || count < n) {
        sum_small(ranks, values, (int)count, type);
        return;
    }
    int own = ead_ranks_share(ranks, (int)count).count;
    void *parts = room_for((int64_t)n * own, type->size);
    for (int r = 0; r < n; r++) {
        EadShare part = ead_ranks_share(&(EadRanks){.rank = r, .count = n}, (int)count);
        counts[r] = part.count, first[r] = part.first;
        mine[r] = own, from[r] = r * own;
    }
    MPI_Alltoallv(values, counts, first, type->type, parts, mine, from, type->type, MPI_COMM_WORLD);
    type->add(parts, n, own, (char *)values + (size_t)first[ranks->rank] * type->size);
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, counts, first, type->type, MPI_COMM_WORLD);
}

static void sum_reals(const EadRanks *ranks, real *values, int64_t count) {
    sum(ranks, values, count, &(NumberType){MPI_FLOAT, sizeof(float), add_floats});
}

static void sum_doubles(const EadRanks *ranks, double *values, int64_t count) {
    sum(ranks, values, count, &(NumberType){MPI_DOUBLE, sizeof(double), add_doubles});
}

/* ---- start and end ---- */

/* mpirun and srun tell what they start by the environment; anything else is one process, and MPI is left alone. */
static bool was_launched(void) {
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return true;
    return false;
}

/* Ranks of this machine that the launcher left the same processors. */
static int count_sharers(void) {
    MPI_Comm machine;
    cpu_set_t own, *all;
    int count, same = 0;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &count);
    CPU_ZERO(&own);
    sched_getaffinity(0, sizeof own, &own);
    all = calloc((size_t)count, sizeof *all);
    if (all) MPI_Allgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, machine);
    for (int i = 0; all && i < count; i++) same += CPU_EQUAL(&own, &all[i]) != 0;
    free(all);
    MPI_Comm_free(&machine);
    return same > 0 ? same : 1;
}

/* What every rank prints would come once for each. */
static void silence(void) {
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3), nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    FILE *messages = kept >= 0 ? fdopen(kept, "w") : NULL;
    if (messages) setvbuf(messages, NULL, _IOLBF, BUFSIZ);
    world.messages = messages ? messages : stderr;
    if (nothing < 0) return;
    if (messages) dup2(nothing, STDERR_FILENO);
    dup2(nothing, STDOUT_FILENO);
    close(nothing);
}

EadStatus ead_ranks_start(void) {
    char host[MPI_MAX_PROCESSOR_NAME];
    int level, length;
    world.messages = stderr;
    world.sharers = 1;
    if (!was_launched()) return EAD_OK;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    world.started = true;
    world.ranks = (EadRanks){.sum_reals = sum_reals, .sum_doubles = sum_doubles};
    MPI_Comm_rank(MPI_COMM_WORLD, &world.ranks.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world.ranks.count);
    MPI_Get_processor_name(host, &length);
    snprintf(world.name, sizeof world.name, "rank %d of %d on %s: ", world.ranks.rank, world.ranks.count,
             host);
    world.sharers = count_sharers();
    if (world.ranks.rank > 0) silence();
    world.parts = ead_new(4 * (int64_t)world.ranks.count, sizeof *world.parts, "ranks");
    return world.parts ? EAD_OK : EAD_NO_MEMORY;
}

const EadRanks *ead_ranks(void) {
    return world.ranks.count > 1 ? &world.ranks : NULL;
}

int ead_ranks_sharers(void) {
    return world.sharers;
}

FILE *ead_ranks_messages(void) {
    return world.messages ? world.messages : stderr;
}

/* What all ranks find wrong is for rank 0 to tell; the others hear whether it does. */
static bool first_speaks(void) {
    int heard = 0;
    for (double end = MPI_Wtime() + MOMENT; !heard && MPI_Wtime() < end;) {
        MPI_Iprobe(0, SPEAKS, MPI_COMM_WORLD, &heard, MPI_STATUS_IGNORE);
        if (!heard) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return heard;
}

static void announce(void) {
    MPI_Request request; /* is never waited for: the job ends */
    for (int r = 1; r < world.ranks.count; r++)
        MPI_Isend(NULL, 0, MPI_BYTE, r, SPEAKS, MPI_COMM_WORLD, &request);
}

const char *ead_ranks_speaker(EadStatus status) {
    if (!ead_ranks()) return "";
    world.silent = status == EAD_OTHER_RANK || (world.ranks.rank > 0 && status == EAD_INTERRUPTED);
    if (!world.silent && world.ranks.rank > 0) world.silent = first_speaks();
    if (world.silent) return NULL;
    if (world.ranks.rank == 0 && status != EAD_INTERRUPTED) announce();
    fflush(world.messages);
    dup2(fileno(world.messages), STDERR_FILENO);
    return world.ranks.rank == 0 ? "" : world.name;
}

int ead_ranks_end(EadStatus status, int code) {
    if (!world.started) return code;
    fflush(NULL);
    bool failed = status != EAD_OK && status != EAD_INTERRUPTED;
    if (failed && world.silent) sleep(PATIENCE);
    if (failed) MPI_Abort(MPI_COMM_WORLD, code);
    if (status == EAD_INTERRUPTED)
        alarm(PATIENCE); /* if not all were stopped, the one that was ends the rest */
    MPI_Finalize();
    free(world.buffer);
    free(world.parts);
    return code;
}

const char *ead_ranks_kind(void) {
    return ", MPI";
}
