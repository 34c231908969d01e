/* A row for each kind of note, under a mutex. */
#include "data/codec/image_notes.h"

#include "core/base/memory.h"
#include "core/base/printing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 3 };

struct EadImageNotes {
    pthread_mutex_t mutex; /* guards all below */
    struct {
        int64_t count;
        uint32_t largest;
        EadStringList names; /* of the first */
    } rows[EAD_NOTES];
};

EadStatus ead_image_notes_new(EadImageNotes **out) {
    *out = ead_new(1, sizeof **out, "notes on images");
    if (!*out) return EAD_NO_MEMORY;
    **out = (EadImageNotes){.mutex = PTHREAD_MUTEX_INITIALIZER};
    return EAD_OK;
}

void ead_image_notes_add(EadImageNotes *notes, EadImageNote note, const char *name, uint32_t value) {
    if (!notes) return;
    pthread_mutex_lock(&notes->mutex);
    if (notes->rows[note].count < NAMES) (void)ead_strings_add(&notes->rows[note].names, name);
    if (value > notes->rows[note].largest) notes->rows[note].largest = value;
    notes->rows[note].count++;
    pthread_mutex_unlock(&notes->mutex);
}

uint32_t ead_image_notes_largest(EadImageNotes *notes, EadImageNote note) {
    pthread_mutex_lock(&notes->mutex);
    uint32_t largest = notes->rows[note].largest;
    pthread_mutex_unlock(&notes->mutex);
    return largest;
}

/* The least usual number of bits that holds a value. */
static int bits_of(uint32_t value) {
    return value < 1 << 8 ? 8 : value < 1 << 10 ? 10 : value < 1 << 12 ? 12 : 14;
}

/* What is told of the images of a row. */
static EadStatus describe(EadImageNote note, uint32_t largest, EadStringList *texts) {
    switch (note) {
    case EAD_NOTE_DARK:
        return ead_strings_print(
            texts,
            "of 16 bits, but no value is above %u, so that they are read as nearly black; if their "
            "numbers have fewer bits, say how many: --bits %d, or dataset.bits: %d in a config",
            (unsigned)largest, bits_of(largest), bits_of(largest));
    case EAD_NOTE_COLOURS:
        return ead_strings_add(texts, "of colours other than RGB (Lab, YCbCr, LogLuv), which other programs "
                                      "may turn to other RGB");
    case EAD_NOTE_FLAT:
        return ead_strings_add(texts, "with one value in all pixels, as of a camera that gave nothing");
    case EAD_NOTE_EMPTY:
        return ead_strings_add(texts, "with one value in all of the region of interest (roi.box, roi.mask), "
                                      "in which there is nothing to learn");
    default:
        return ead_strings_print(texts, "with up to %u pages or frames, of which the first is read",
                                 (unsigned)largest);
    }
}

static EadStatus take_row(EadImageNotes *notes, EadImageNote note, EadStringList *lines) {
    EadStringList texts = {0};
    int64_t count = notes->rows[note].count;
    EAD_TRY(describe(note, notes->rows[note].largest, &texts));
    char *names = ead_name_paths(&notes->rows[note].names, count, NAMES);
    EadStatus status = names ? ead_strings_print(lines, "%lld %s%s %s: %s", (long long)count,
                                                 note == EAD_NOTE_MASK_PAGES ? "mask" : "image",
                                                 count == 1 ? "" : "s", texts.items[0], names)
                             : EAD_NO_MEMORY;
    free(names);
    ead_strings_free(&texts);
    return status;
}

EadStatus ead_image_notes_take(EadImageNotes *notes, EadStringList *lines) {
    EadStatus status = EAD_OK;
    pthread_mutex_lock(&notes->mutex);
    for (int note = 0; note < EAD_NOTES; note++) {
        if (notes->rows[note].count > 0 && status == EAD_OK)
            status = take_row(notes, (EadImageNote)note, lines);
        ead_strings_free(&notes->rows[note].names);
    }
    memset(notes->rows, 0, sizeof notes->rows);
    pthread_mutex_unlock(&notes->mutex);
    return status;
}

void ead_image_notes_print(EadImageNotes *notes, FILE *stream) {
    EadStringList lines = {0};
    if (notes && ead_image_notes_take(notes, &lines) != EAD_OK)
        ead_print(stream, "warning: %s\n", ead_error_message());
    for (int i = 0; i < lines.count; i++) ead_print(stream, "warning: %s\n", lines.items[i]);
    ead_strings_free(&lines);
}

void ead_image_notes_free(EadImageNotes *notes) {
    if (!notes) return;
    for (int note = 0; note < EAD_NOTES; note++) ead_strings_free(&notes->rows[note].names);
    pthread_mutex_destroy(&notes->mutex);
    free(notes);
}
