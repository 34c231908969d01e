/* inotify. */
#include "train/watch/folder_events.h"

#include "core/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { BUFFER = 1 << 16 };

typedef struct WatchedFolder {
    int id; /* the kernel's */
    char *path;
} WatchedFolder;

struct EadFolderEvents {
    int descriptor;
    WatchedFolder *folders;
    int count, capacity;
    size_t at, size; /* in the buffer */
    _Alignas(struct inotify_event) char buffer[BUFFER];
};

EadStatus ead_folder_events_open(EadFolderEvents **out) {
    *out = ead_new(1, sizeof **out, "the events of a folder");
    if (!*out) return EAD_NO_MEMORY;
    (*out)->descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if ((*out)->descriptor >= 0) return EAD_OK;
    EadStatus status = ead_fail(EAD_IO, "inotify: %s; --poll SECONDS does without it", strerror(errno));
    free(*out);
    *out = NULL;
    return status;
}

void ead_folder_events_close(EadFolderEvents *events) {
    if (!events) return;
    close(events->descriptor);
    for (int i = 0; i < events->count; i++) free(events->folders[i].path);
    free(events->folders);
    free(events);
}

int ead_folder_events_descriptor(const EadFolderEvents *events) {
    return events->descriptor;
}

static WatchedFolder *find_folder(EadFolderEvents *events, int id) {
    for (int i = events->count - 1; i >= 0; i--)
        if (events->folders[i].id == id) return &events->folders[i];
    return NULL;
}

EadStatus ead_folder_events_add(EadFolderEvents *events, const char *folder) {
    const uint32_t wanted = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB |
                            IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;
    int id = inotify_add_watch(events->descriptor, folder, wanted);
    if (id < 0 && errno == ENOSPC)
        return ead_fail(
            EAD_IO,
            "%s: no more folders can be watched; raise fs.inotify.max_user_watches (sysctl), or give --poll",
            folder);
    if (id < 0) return ead_fail(EAD_IO, "%s: cannot watch: %s", folder, strerror(errno));
    char *path = ead_strdup(folder);
    if (!path) return EAD_NO_MEMORY;
    WatchedFolder *known = find_folder(events, id);
    EadStatus status = known ? EAD_OK
                             : ead_grow(&events->folders, &events->capacity, events->count,
                                        sizeof *events->folders, "watched folders");
    if (status != EAD_OK) {
        free(path);
        return status;
    }
    if (!known)
        known = &events->folders[events->count++];
    else
        free(known->path);
    *known = (WatchedFolder){id, path};
    return EAD_OK;
}

static void drop_folder(EadFolderEvents *events, WatchedFolder *folder) {
    free(folder->path);
    *folder = events->folders[--events->count];
}

/* What an event of the kernel means; false: nothing. */
static bool understand(EadFolderEvents *events, const struct inotify_event *raw, EadFolderEvent *event) {
    bool folder = raw->mask & IN_ISDIR;
    WatchedFolder *in = find_folder(events, raw->wd);
    event->path[0] = '\0';
    event->change = EAD_FOLDER_UNKNOWN;
    if (raw->mask & IN_IGNORED && in) drop_folder(events, in);
    if (raw->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) return true;
    if (raw->mask & IN_IGNORED || !in || raw->len == 0) return false;
    if (folder && raw->mask & IN_MOVED_FROM) return true;
    if (!folder && raw->mask & IN_ATTRIB) return false; /* of folders: whether it can be read */
    if (ead_path_in(event->path, in->path, raw->name) != EAD_OK) return false;
    if (raw->mask & (IN_DELETE | IN_MOVED_FROM))
        event->change = EAD_FOLDER_REMOVED;
    else if (folder)
        event->change = EAD_FOLDER_ADDED;
    else
        event->change = raw->mask & IN_CREATE ? EAD_FOLDER_CREATED : EAD_FOLDER_CLOSED;
    return true;
}

bool ead_folder_events_next(EadFolderEvents *events, EadFolderEvent *event) {
    for (;;) {
        if (events->at >= events->size) {
            ssize_t got = read(events->descriptor, events->buffer, BUFFER);
            if (got <= 0) return false;
            events->at = 0;
            events->size = (size_t)got;
        }
        const struct inotify_event *raw = (const void *)(events->buffer + events->at);
        events->at += sizeof *raw + raw->len;
        if (understand(events, raw, event)) return true;
    }
}
