/* Searches, events, and what waits. */
#define _GNU_SOURCE /* F_SETLEASE */
#include "train/watch/arrivals.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "data/codec/codec.h"
#include "train/watch/folder_events.h"
#include "train/watch/known_files.h"
#include "train/journal/watch_result.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MOST_DEPTH = 64 };

static const double look_again = 0.2, settled = 2, empty_settled = 10, retry = 1, glance = 2;

struct EadArrivals {
    EadArrivalOptions options;
    EadFolderEvents *events; /* NULL: with polling */
    int stop;                /* eventfd */
    size_t prefix;
    uint32_t round;  /* of searches */
    bool lost, told; /* the folder must be searched; that it cannot be, or not be watched, was said */
    bool unwatched;  /* a folder below was found that the kernel tells nothing of */
    dev_t device;    /* with `inode`: what the folder was when it was searched */
    ino_t inode;
    double searched;       /* when it was the last time */
    pthread_mutex_t mutex; /* of all that follows */
    EadKnownFiles files;
    int waiting;           /* of them, not taken */
    EadKnownFile **chosen; /* storage of choose() */
    int chosen_capacity;
    EadArrival *queue; /* [queue_end], taken from queue_start on */
    int queue_start, queue_end, queue_capacity;
    bool stopped;
};

/* ---- files ---- */

static bool is_image_name(const char *name) {
    return name[0] != '.' && ead_image_has_known_extension(name);
}

static EadStatus enqueue(EadArrivals *a, EadKnownFile *file) {
    if (a->queue_start == a->queue_end) a->queue_start = a->queue_end = 0;
    if (a->queue_start > a->queue_capacity / 2) {
        memmove(a->queue, a->queue + a->queue_start,
                (size_t)(a->queue_end - a->queue_start) * sizeof *a->queue);
        a->queue_end -= a->queue_start;
        a->queue_start = 0;
    }
    EAD_TRY(ead_grow(&a->queue, &a->queue_capacity, a->queue_end, sizeof *a->queue, "the images that wait"));
    EadArrival arrival = {.path = ead_strdup(file->path),
                          .bytes = file->bytes,
                          .modified = file->modified,
                          .seen = ead_clock_seconds()};
    if (!arrival.path) return EAD_NO_MEMORY;
    a->waiting -= !file->taken;
    file->taken = true;
    a->queue[a->queue_end++] = arrival;
    return EAD_OK;
}

/* Notes a file as it is now. *news: it is new, or has changed. */
static EadStatus note(EadArrivals *a, const char *path, const struct stat *info, EadKnownFile **out,
                      bool *news) {
    EadKnownFile *file = ead_known_files_find(&a->files, path);
    bool there = file != NULL;
    EAD_TRY(ead_known_files_take(&a->files, path, &file));
    int64_t modified = ead_modified(info);
    *out = file;
    *news = !there || file->bytes != info->st_size || file->modified != modified;
    file->steady = !*news;
    if (!*news) return EAD_OK;
    a->waiting += !there || file->taken;
    file->taken = false;
    file->bytes = info->st_size;
    file->modified = modified;
    file->since = ead_clock_seconds();
    return EAD_OK;
}

static void forget(EadArrivals *a, const char *path) {
    EadKnownFile *file = ead_known_files_find(&a->files, path);
    if (file) a->waiting -= !file->taken;
    ead_known_files_forget(&a->files, path);
}

/* ---- what waits ---- */

typedef enum WriterState { WRITER_NONE, WRITER_THERE, WRITER_UNKNOWN } WriterState;

/* Whether somebody has a file open for writing: the kernel grants a lease for reading only where nobody has. It is given back at once. */
static WriterState find_writer(const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) return WRITER_UNKNOWN;
    bool free_of = fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0;
    int reason = errno;
    if (free_of) fcntl(descriptor, F_SETLEASE, F_UNLCK);
    close(descriptor);
    return free_of ? WRITER_NONE : reason == EAGAIN ? WRITER_THERE : WRITER_UNKNOWN;
}

/* Whether a file that waits is whole. It was just looked at. */
static bool is_whole(const EadArrivals *a, const EadKnownFile *file, double now) {
    if (file->bytes == 0 && now - file->since < empty_settled) return false;
    if (!a->events) return file->steady && file->round == a->round;
    WriterState writer = find_writer(file->path);
    return writer == WRITER_NONE ||
           (writer == WRITER_UNKNOWN && !file->created && now - file->since >= settled);
}

static int compare_files(const void *first, const void *second) {
    const EadKnownFile *x = *(EadKnownFile *const *)first, *y = *(EadKnownFile *const *)second;
    if (x->modified != y->modified) return x->modified < y->modified ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* Gathers what satisfies a condition: what waits, or what the last search did not see. */
static EadStatus choose(EadArrivals *a, bool waiting, int *count) {
    *count = 0;
    for (int i = 0; i < a->files.capacity; i++) {
        EadKnownFile *file = a->files.slots[i];
        if (!file || (waiting ? file->taken : file->round == a->round)) continue;
        EAD_TRY(ead_grow(&a->chosen, &a->chosen_capacity, *count, sizeof(EadKnownFile *), "files"));
        a->chosen[(*count)++] = file;
    }
    return EAD_OK;
}

/* Takes those that are whole now. */
static EadStatus take_whole(EadArrivals *a) {
    int count, ready = 0;
    double now = ead_clock_seconds();
    if (a->waiting == 0) return EAD_OK;
    EAD_TRY(choose(a, true, &count));
    for (int i = 0; i < count; i++) {
        EadKnownFile *file = a->chosen[i];
        struct stat info;
        bool news = false, there = !a->events || stat(file->path, &info) == 0;
        if (!there) forget(a, file->path);
        if (there && a->events) EAD_TRY(note(a, file->path, &info, &file, &news));
        if (there && is_whole(a, file, now)) a->chosen[ready++] = file;
    }
    if (ready > 1) qsort(a->chosen, (size_t)ready, sizeof *a->chosen, compare_files);
    for (int i = 0; i < ready; i++) EAD_TRY(enqueue(a, a->chosen[i]));
    return EAD_OK;
}

/* ---- searches ---- */

static EadStatus search(EadArrivals *a, const char *folder, int depth);

static EadStatus see_entry(EadArrivals *a, const char *path, const char *name, int depth) {
    struct stat info;
    EadKnownFile *file;
    bool news;
    if (stat(path, &info) != 0) return EAD_OK; /* it has gone */
    if (S_ISDIR(info.st_mode)) {
        bool link = lstat(path, &info) != 0 || S_ISLNK(info.st_mode);
        return a->options.recursive && !link && depth < MOST_DEPTH ? search(a, path, depth + 1) : EAD_OK;
    }
    if (!S_ISREG(info.st_mode) || !is_image_name(name)) return EAD_OK;
    EAD_TRY(note(a, path, &info, &file, &news));
    file->created = false;
    file->round = a->round;
    return EAD_OK;
}

/* Whether another folder, or none, is where the watched one was. The kernel may not tell: the journal's files keep a removed folder
 * alive, and a folder above may have been renamed. */
static bool is_elsewhere(const EadArrivals *a) {
    struct stat info;
    return stat(a->options.folder, &info) != 0 || info.st_dev != a->device || info.st_ino != a->inode;
}

/* Has the kernel tell of a folder; one below that it cannot tell of while others come is searched again and again. */
static EadStatus watch_folder(EadArrivals *a, const char *folder, int depth) {
    struct stat info;
    if (depth == 0 && stat(folder, &info) == 0) a->device = info.st_dev, a->inode = info.st_ino;
    EadStatus status = a->events ? ead_folder_events_add(a->events, folder) : EAD_OK;
    if (status != EAD_IO || depth == 0 || a->round == 1 || access(folder, F_OK) != 0) return status;
    if (!a->told)
        ead_print(stderr, "efficientad: %s; it is looked through again and again\n", ead_error_message());
    a->unwatched = a->lost = a->told = true;
    return EAD_OK;
}

/* Notes all images of a folder; a folder below the watched one that cannot be read has none. */
static EadStatus search(EadArrivals *a, const char *folder, int depth) {
    EadPath path;
    bool open = access(folder, R_OK | X_OK) == 0;
    if (!open && depth == 0)
        return ead_fail(EAD_IO, "%s: cannot read this folder: %s", folder, strerror(errno));
    if (!open) {
        if (errno != ENOENT && a->round == 1)
            ead_print(stderr, "efficientad: %s: cannot read this folder: %s\n", folder, strerror(errno));
        return EAD_OK;
    }
    EadStatus status = watch_folder(a, folder, depth);
    DIR *directory = status == EAD_OK ? opendir(folder) : NULL;
    if (status == EAD_OK && !directory)
        status = ead_fail(EAD_IO, "%s: cannot read this folder: %s", folder, strerror(errno));
    errno = 0;
    for (struct dirent *entry; status == EAD_OK && (entry = readdir(directory)) != NULL; errno = 0)
        if (entry->d_name[0] != '.' && ead_path_in(path, folder, entry->d_name) == EAD_OK)
            status = see_entry(a, path, entry->d_name, depth);
    if (status == EAD_OK && errno != 0)
        status = ead_fail(EAD_IO, "%s: cannot read this folder: %s", folder, strerror(errno));
    if (directory) closedir(directory);
    return status == EAD_IO && depth > 0 && access(folder, F_OK) != 0 ? EAD_OK : status; /* it has gone */
}

/* Forgets what has gone. */
static EadStatus search_all(EadArrivals *a) {
    int count;
    a->round++;
    a->searched = ead_clock_seconds();
    a->unwatched = false;
    EAD_TRY(search(a, a->options.folder, 0));
    a->lost = a->told = a->unwatched;
    EAD_TRY(choose(a, false, &count));
    for (int i = 0; i < count; i++) forget(a, a->chosen[i]->path);
    return EAD_OK;
}

/* A folder that is away, or cannot be read, may come back. */
static EadStatus try_search(EadArrivals *a) {
    EadStatus status = search_all(a);
    if (status != EAD_IO) return status;
    if (!a->told) ead_print(stderr, "efficientad: %s; tried again\n", ead_error_message());
    a->told = a->lost = true;
    return EAD_OK;
}

/* ---- events ---- */

static EadStatus take_event(EadArrivals *a, const EadFolderEvent *event) {
    struct stat info;
    EadKnownFile *file;
    bool news;
    const char *path = event->path, *name = ead_path_base(path);
    if (event->change == EAD_FOLDER_UNKNOWN) a->lost = true;
    if (event->change == EAD_FOLDER_UNKNOWN || name[0] == '.') return EAD_OK;
    if (event->change == EAD_FOLDER_ADDED) {
        EadStatus status = a->options.recursive ? search(a, path, 1) : EAD_OK;
        if (status == EAD_IO) a->lost = true;
        return status == EAD_IO ? EAD_OK : status == EAD_OK ? take_whole(a) : status;
    }
    if (!is_image_name(name)) return EAD_OK;
    bool there = stat(path, &info) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR) a->lost = true; /* it may be there, unseen */
    there = there && S_ISREG(info.st_mode);
    if (!there) forget(a, path);
    if (!there || event->change == EAD_FOLDER_REMOVED) return EAD_OK;
    EAD_TRY(note(a, path, &info, &file, &news));
    file->round = a->round;
    if (news || event->change == EAD_FOLDER_CLOSED) file->created = event->change == EAD_FOLDER_CREATED;
    if (file->taken || event->change == EAD_FOLDER_CREATED || file->bytes == 0) return EAD_OK;
    return enqueue(a, file);
}

/* What a search finds goes before the events behind it, so that the order is kept. */
static EadStatus look(EadArrivals *a) {
    EadFolderEvent event;
    if (a->events) EAD_TRY(take_whole(a));
    a->lost = a->lost || (a->events && is_elsewhere(a));
    for (bool more = true; more;) {
        more = a->events && ead_folder_events_next(a->events, &event);
        if (more) EAD_TRY(take_event(a, &event));
        double since = ead_clock_seconds() - a->searched;
        bool due = a->lost ? !a->told || since >= retry : !a->events && since >= a->options.poll;
        if (due) EAD_TRY(try_search(a));
        if (due) EAD_TRY(take_whole(a));
    }
    return a->events ? take_whole(a) : EAD_OK;
}

/* ---- for callers ---- */

EadStatus ead_arrivals_open(const EadArrivalOptions *options, EadArrivals **out) {
    *out = NULL;
    EadArrivals *a = ead_new(1, sizeof *a, "a watched folder");
    if (!a) return EAD_NO_MEMORY;
    *a = (EadArrivals){.options = *options,
                       .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                       .prefix = ead_path_prefix(options->folder),
                       .mutex = PTHREAD_MUTEX_INITIALIZER};
    EadStatus status = a->stop >= 0 ? EAD_OK : ead_fail(EAD_IO, "eventfd: %s", strerror(errno));
    if (status == EAD_OK && options->poll <= 0) status = ead_folder_events_open(&a->events);
    if (status == EAD_OK) status = search_all(a);
    if (status == EAD_OK)
        *out = a;
    else
        ead_arrivals_close(a);
    return status;
}

void ead_arrivals_close(EadArrivals *a) {
    if (!a) return;
    if (a->stop >= 0) close(a->stop);
    ead_folder_events_close(a->events);
    ead_known_files_free(&a->files);
    for (int i = a->queue_start; i < a->queue_end; i++) free(a->queue[i].path);
    free(a->queue);
    free(a->chosen);
    pthread_mutex_destroy(&a->mutex);
    free(a);
}

void ead_arrivals_pass_over(EadArrivals *a, void (*see)(void *context, const EadArrival *arrival),
                            void *context) {
    for (int i = 0; i < a->files.capacity; i++) {
        EadKnownFile *file = a->files.slots[i];
        if (!file) continue;
        a->waiting -= !file->taken;
        file->taken = true;
        see(context, &(EadArrival){.path = file->path, .bytes = file->bytes, .modified = file->modified});
    }
}

bool ead_arrivals_known(EadArrivals *a, const char *path, int64_t bytes, const char *modified) {
    char text[EAD_TIME_TEXT];
    EadKnownFile *file = ead_known_files_find(&a->files, path);
    if (!file || file->bytes != bytes) return false;
    ead_time_text(file->modified, text);
    if (strcmp(text, modified) != 0) return false;
    a->waiting -= !file->taken;
    file->taken = true;
    return true;
}

/* Until something happens, or must be looked at. */
static void rest(const EadArrivals *a, bool waiting) {
    struct pollfd wanted[] = {
        {.fd = a->stop, .events = POLLIN},
        {.fd = a->events ? ead_folder_events_descriptor(a->events) : -1, .events = POLLIN}};
    double seconds = a->lost                ? retry
                     : waiting && a->events ? look_again
                     : a->events            ? glance
                                            : a->options.poll;
    double left = a->events && !a->lost ? seconds : seconds - (ead_clock_seconds() - a->searched);
    poll(wanted, 2, left > 0 ? (int)(1e3 * left) + 1 : 0);
}

EadStatus ead_arrivals_next(EadArrivals *a, EadArrival *arrival, bool *found) {
    for (;;) {
        pthread_mutex_lock(&a->mutex);
        EadStatus status = a->stopped ? EAD_OK : look(a);
        bool stopped = a->stopped, waiting = a->waiting > 0;
        *found = status == EAD_OK && !stopped && a->queue_start < a->queue_end;
        if (*found) *arrival = a->queue[a->queue_start++];
        pthread_mutex_unlock(&a->mutex);
        if (*found) arrival->below = arrival->path + a->prefix;
        if (*found || stopped || status != EAD_OK) return status;
        rest(a, waiting);
    }
}

/* The file that an arrival was, unless it has arrived anew since. */
static EadKnownFile *find_arrived(EadArrivals *a, const EadArrival *arrival) {
    EadKnownFile *file = ead_known_files_find(&a->files, arrival->path);
    return file && file->bytes == arrival->bytes && file->modified == arrival->modified ? file : NULL;
}

void ead_arrivals_again(EadArrivals *a, const EadArrival *arrival) {
    pthread_mutex_lock(&a->mutex);
    EadKnownFile *file = find_arrived(a, arrival);
    if (file && file->taken) {
        file->taken = file->steady = false;
        file->since = ead_clock_seconds();
        a->waiting++;
    }
    pthread_mutex_unlock(&a->mutex);
}

void ead_arrivals_gone(EadArrivals *a, const EadArrival *arrival) {
    pthread_mutex_lock(&a->mutex);
    if (find_arrived(a, arrival)) forget(a, arrival->path);
    pthread_mutex_unlock(&a->mutex);
}

void ead_arrivals_stop(EadArrivals *a) {
    uint64_t one = 1;
    pthread_mutex_lock(&a->mutex);
    a->stopped = true;
    pthread_mutex_unlock(&a->mutex);
    bool told = write(a->stop, &one, sizeof one) == sizeof one;
    (void)told; /* an eventfd takes it */
}
