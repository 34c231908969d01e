/* The page of a line, for browsers: the image that was scored last with its heat map, the scores over time and over those of the
 * validation images, a threshold to try, and what people decide. Whoever scores images adds them, from any thread; whoever
 * answers requests asks for the replies. Nothing is kept but in memory, and decisions in their file.
 *
 * The page is live.html, live.css and scripts, of its own and of the report, in one text without outside requests; it asks once
 * a second for the news, which costs a short request and no worker. */
#pragma once

#include "train/page/recent_images.h"
#include "train/report/report.h"
#include "train/serve/exchange.h"

typedef struct EadLivePage EadLivePage;

typedef struct EadLivePageOptions {
    int64_t memory;        /* bytes of pictures */
    const char *decisions; /* file, borrowed */
    bool may_decide;       /* whether those who reach the page may */
    bool guarded;          /* requests need a token: the page asks for it */
    /* Writes the models, items of an array, by ead_live_page_write_model(). */
    void (*write_models)(void *context, EadJson *json);
    void *context;
} EadLivePageOptions;

/* Errors: EAD_NO_MEMORY. */
EadStatus ead_live_page_new(const EadLivePageOptions *options, EadLivePage **out);
void ead_live_page_free(EadLivePage *page); /* harmless on NULL */

/* Harmless on NULL: there is no page. */
void ead_live_page_add(EadLivePage *page, const EadLiveImage *image);
void ead_live_page_fail(EadLivePage *page, const char *model, int64_t count);

/* What is known of a model: {name, sha256, description, threshold, pixel_threshold, validation: SET of report.h}; sorts scores
 * [count], those of its validation images (0: its file has none). */
void ead_live_page_write_model(EadJson *json, const char *name, const char *sha256, const char *description,
                               const EadModel *model, float *scores, int count);

/* ---- replies ---- */

/* The page; it holds nothing of what is served. */
void ead_live_page_tell(const EadLivePage *page, EadServeReply *reply);

/* {start, version, may_decide, decisions (the file's name), kept (lines), models} */
void ead_live_page_tell_about(const EadLivePage *page, EadServeReply *reply);

/* {start, ...} as ead_recent_images_write() has it; after: a stamp, as text, or NULL. */
void ead_live_page_tell_news(EadLivePage *page, const char *after, EadServeReply *reply);

/* JPEG of the image of that number, a text; heat: with its heat map, which takes some milliseconds. */
void ead_live_page_tell_picture(EadLivePage *page, const char *number, bool heat, EadServeReply *reply);

/* Takes down the decision in the request's body, see ead_decision_read(). */
void ead_live_page_decide(EadLivePage *page, const EadServeRequest *request, EadServeReply *reply);
