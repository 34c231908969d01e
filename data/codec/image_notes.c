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
        long long count;
        uint32_t largest;
        char *names[NAMES]; /* of the first; owned; NULL where there are fewer, or was no memory */
    } rows[EAD_IMAGE_NOTES];
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
    if (notes->rows[note].count < NAMES) notes->rows[note].names[notes->rows[note].count] = strdup(name);
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

static void print_text(EadImageNote note, uint32_t largest, FILE *stream) {
    if (note == EAD_NOTE_DARK)
        fprintf(stream,
                "of 16 bits, but no value is above %u, so that they are read as nearly black; if their "
                "numbers have fewer bits, say how many: --bits %d, or dataset.bits: %d in a config",
                (unsigned)largest, bits_of(largest), bits_of(largest));
    else if (note == EAD_NOTE_PAGES)
        fprintf(stream, "with up to %u pages or frames, of which the first is read", (unsigned)largest);
    else
        fputs("of colours other than RGB (Lab, YCbCr, LogLuv), which other programs may turn to other RGB",
              stream);
}

void ead_image_notes_print(EadImageNotes *notes, FILE *stream) {
    if (!notes) return;
    pthread_mutex_lock(&notes->mutex);
    for (int note = 0; note < EAD_IMAGE_NOTES; note++) {
        long long count = notes->rows[note].count;
        if (count == 0) continue;
        fprintf(stream, "warning: %lld image%s ", count, count == 1 ? "" : "s");
        print_text((EadImageNote)note, notes->rows[note].largest, stream);
        for (int i = 0; i < NAMES && notes->rows[note].names[i]; i++) {
            ead_print(stream, "%s%s", i ? ", " : ": ", notes->rows[note].names[i]);
            free(notes->rows[note].names[i]);
        }
        fputs(count > NAMES ? ", …\n" : "\n", stream);
    }
    memset(notes->rows, 0, sizeof notes->rows);
    pthread_mutex_unlock(&notes->mutex);
}

void ead_image_notes_free(EadImageNotes *notes) {
    if (!notes) return;
    for (int note = 0; note < EAD_IMAGE_NOTES; note++)
        for (int i = 0; i < NAMES; i++) free(notes->rows[note].names[i]);
    pthread_mutex_destroy(&notes->mutex);
    free(notes);
}
