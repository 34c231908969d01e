/* Files that arrive in a folder. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/evaluate/scoring.h"
#include "train/journal/watch_result.h"
#include "train/watch/image_source.h"
#include "train/watch/images_left_out.h"
#include "train/watch/known_files.h"
#include "train/watch/moved_image.h"

#include <errno.h>
#include <string.h>

static EadStatus next_file(void *state, EadSourceImage *image, bool *found) {
    return ead_arrivals_next(state, &image->arrival, found);
}

/* Whether the file is still what had arrived; else it is waited for again, or forgotten. */
static bool is_same(EadArrivals *arrivals, const EadArrival *arrival) {
    struct stat info;
    bool gone = stat(arrival->path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
    bool changed = !gone && (info.st_size != arrival->bytes || ead_modified(&info) != arrival->modified);
    if (changed) ead_arrivals_again(arrivals, arrival);
    if (gone) ead_arrivals_gone(arrivals, arrival);
    return !gone && !changed;
}

static EadStatus load_file(void *state, const EadSourceImage *image, const EadModel *model,
                           int64_t max_pixels, EadImage *out, bool *withdrawn) {
    const EadArrival *arrival = &image->arrival;
    EadImageRules rules = ead_model_image_rules(model, max_pixels);
    EadFailure failure = {0};
    *withdrawn = !is_same(state, arrival);
    if (*withdrawn) return EAD_OK;
    EadStatus status = ead_image_load_with(arrival->path, &rules, out);
    ead_failure_keep(&failure, status);
    *withdrawn = !is_same(state, arrival); /* also where it could not be read: it was being written */
    return *withdrawn ? EAD_OK : ead_failure_tell(&failure);
}

static EadStatus move_file(const EadSourceImage *image, const char *target) {
    return ead_move_image(image->arrival.path, target);
}

static void stop_folder(void *state, double deadline) {
    (void)deadline; /* files wait for the next start */
    ead_arrivals_stop(state);
}

static void close_folder(void *state) {
    ead_arrivals_close(state);
}

/* An image that the journal has, and that is still where it arrived. */
static bool see_line(void *context, const char *line, size_t size) {
    json_t *root;
    if (ead_watch_result_read(line, size, &root) != EAD_OK) return true;
    EadPath path, moved;
    const char *modified = json_string_value(json_object_get(root, "modified"));
    int64_t bytes = json_integer_value(json_object_get(root, "bytes"));
    if (modified && ead_result_path_read(root, "path", path) &&
        ead_arrivals_known(context, path, bytes, modified) && ead_result_path_read(root, "moved", moved) &&
        ead_move_image(path, moved) != EAD_OK)
        ead_print(stderr, "efficientad: %s\n", ead_error_message());
    json_decref(root);
    return true;
}

EadStatus ead_folder_source_open(const EadArrivalOptions *options, bool score_existing, EadJournal *journal,
                                 EadImageSource *out) {
    EadArrivals *arrivals;
    bool skips = !score_existing && ead_journal_is_new(journal);
    *out = (EadImageSource){0};
    EAD_TRY(ead_arrivals_open(options, &arrivals));
    *out = (EadImageSource){.name = options->folder,
                            .state = arrivals,
                            .next = next_file,
                            .load = load_file,
                            .place = move_file,
                            .stop = stop_folder,
                            .close = close_folder};
    EAD_TRY(ead_images_left_out(ead_journal_folder(journal), skips, arrivals));
    return ead_journal_walk(journal, see_line, arrivals);
}
