/* What is worth telling of images that were read all the same: each kind once, with how many images it
 * concerns and the names of the first. Any thread may add to them. */
#pragma once

#include "core/base/string_list.h"

#include <stdint.h>
#include <stdio.h>

typedef enum EadImageNote {
    EAD_NOTE_DARK,    /* 16 bits a sample, and no value in the upper bits; value: the largest */
    EAD_NOTE_PAGES,   /* several pages, of which one was read; value: how many */
    EAD_NOTE_COLOURS, /* not RGB, and made so in a way of which there are several */
    EAD_NOTE_FLAT,    /* all pixels are the same: a camera that gave nothing */
    EAD_NOTE_EMPTY,   /* so are those in the region of interest, at the size that a network sees */
    EAD_IMAGE_NOTES,  /* those of images, which caches keep */
    EAD_NOTE_MASK_PAGES = EAD_IMAGE_NOTES, /* as EAD_NOTE_PAGES, of a mask */
    EAD_NOTES
} EadImageNote;

typedef struct EadImageNotes EadImageNotes;

/* Errors: EAD_NO_MEMORY; *out is NULL then. */
EadStatus ead_image_notes_new(EadImageNotes **out);

/* name: of the image, copied. Harmless where notes is NULL: nobody wants to know. */
void ead_image_notes_add(EadImageNotes *notes, EadImageNote note, const char *name, uint32_t value);

/* The largest value of a kind; 0: it was never added. */
uint32_t ead_image_notes_largest(EadImageNotes *notes, EadImageNote note);

/* Appends a line for each kind that there is, and forgets them. Errors: EAD_NO_MEMORY. */
EadStatus ead_image_notes_take(EadImageNotes *notes, EadStringList *lines);

/* Writes these lines. Harmless where notes is NULL. */
void ead_image_notes_print(EadImageNotes *notes, FILE *stream);

/* Harmless on NULL. */
void ead_image_notes_free(EadImageNotes *notes);
